//! Where bytes are kept: the one interface of all stores.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use infill_core::{ByteRange, ResourceId};

/// A place that keeps the bytes of many resources.
pub trait Store: Send + Sync + 'static {
    /// How many bytes it can keep; `None` means: until writing fails.
    fn limit_bytes(&self) -> Option<u64>;

    /// A place for the bytes of one resource, empty.
    fn create(&self, resource: ResourceId) -> io::Result<Arc<dyn Blob>>;

    /// Whether a read or a write may wait for a disk. If not, the engine writes at once instead of asking the pool.
    fn may_block(&self) -> bool {
        true
    }
}

/// The stored bytes of one resource. They are gone when the last reference is.
///
/// Nobody holds a lock of another while calling it, and it holds none of its own across IO. Bytes that were written and
/// not discarded are read back as they were; what a read finds elsewhere is unspecified (the published view says what
/// may be believed).
pub trait Blob: Send + Sync + 'static {
    /// Writes all of `bytes` from `offset` on.
    fn write_at(&self, offset: u64, bytes: &Bytes) -> io::Result<()>;

    /// Reads from `offset` on until `buf` is full; returns less only where nothing is stored.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize>;

    /// Whether [`Blob::read_at`] may wait for a disk. If not, readers that must not wait read at once, too.
    fn may_block(&self) -> bool {
        true
    }

    /// Gives back the space of all whole blocks in `range`, as far as it can.
    fn discard(&self, range: ByteRange);
}
