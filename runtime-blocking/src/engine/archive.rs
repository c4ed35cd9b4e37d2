//! The store that outlives the process, as the engine sees it. Without the feature `cache` there is none.

use std::io;
use std::sync::Arc;

use infill_core::catalog::{Place, Record};
use infill_core::{ByteRange, Restored, Sum};

/// A cache's directory: its journal, and the files of its resources. It decides nothing.
///
/// The engine calls what concerns the journal one after the other, and so what changes one resource; reads, removals and
/// sweeps may come beside all that, a removal only for what is no longer written. The directory's lock is held as long as there is a reference to this or to a
/// file of it.
pub trait Archive: Send + Sync + 'static {
    /// The files of one resource. Nothing is opened before it is needed.
    fn file(&self, place: &Place) -> Arc<dyn ArchiveFile>;

    /// [`Action::Append`](infill_core::Action::Append): gives the journal's length.
    fn append(&self, records: &[Record], durable: bool) -> io::Result<u64>;

    /// [`Action::Compact`](infill_core::Action::Compact): gives the journal's length.
    fn compact(&self, records: &[Record]) -> io::Result<u64>;

    /// [`Action::Remove`](infill_core::Action::Remove).
    fn remove(&self, place: &Place) -> io::Result<()>;

    /// [`Action::Sweep`](infill_core::Action::Sweep).
    fn sweep(&self, keep: &[Place]);
}

/// The stored bytes of one resource. They outlive this value.
pub trait ArchiveFile: Send + Sync + 'static {
    /// Says what an earlier session has stored; before the first write or discard, or never.
    fn restore(&self, stored: &[ByteRange]);

    /// Writes all of `bytes`, which don't cross a block's border. Gives the run that they lengthen.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<Sum>;

    /// Reads from `offset` on until `buf` is full; returns less only where nothing is stored.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize>;

    /// Has all that was written on the disk.
    fn sync(&self) -> io::Result<()>;

    /// Gives back the space of `range`, as far as it can.
    fn discard(&self, range: ByteRange);
}

/// A cache that was opened: its store, and what it held.
pub struct Shelf {
    /// The store.
    pub archive: Arc<dyn Archive>,
    /// What it held, for the machine.
    pub restored: Restored,
    /// The claim on its directory, which the client's end gives up.
    pub lease: Arc<dyn Lease>,
}

/// A client's claim on a cache's directory, inside this process.
pub trait Lease: Send + Sync + 'static {
    /// The client and its streams are gone, or its engine is: the directory is about to be free. `hasten` does what is
    /// left to be done, should the driver not come to it; it may be called at any time from any thread.
    fn ends(&self, hasten: Option<Box<dyn Fn() + Send + Sync>>);
}
