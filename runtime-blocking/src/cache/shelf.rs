//! The cache as the engine has it: the store, and the claim on its directory, for as long as anything of it is used.

use std::io;
use std::path::Path;
use std::sync::Arc;

use infill_core::catalog::{Place, Record};
use infill_core::{ByteRange, Cause, Error, Sum};

use super::claims::Claim;
use super::{CacheFile, CacheStore, entropy, real};
use crate::engine::{Archive, ArchiveFile, Shelf};

/// Opens the cache in `root`, which is made if it is not there.
pub(crate) fn open(root: &Path) -> Result<Shelf, Error> {
    let shown = root.display();
    let claim = Claim::new(root).map_err(|_| {
        let what = format!(
            "the cache is in use, {} is locked by another client of this process: share that client, \
             or give this one a directory of its own",
            root.join("lock").display()
        );
        Error::new(Cause::Store(what))
    })?;
    let disk = real(root).map_err(|error| {
        let what = format!("the cache's directory {shown} can't be used: {error}");
        Error::new(Cause::Store(what)).with_source(error)
    })?;
    let (store, restored) = CacheStore::open(disk, entropy())?;
    let lease = claim.lease();
    Ok(Shelf { archive: Arc::new(Claimed { store, claim: Arc::new(claim) }), restored, lease })
}

/// The store with the claim. The order counts: the lock on the disk is given back first.
struct Claimed {
    store: Arc<CacheStore>,
    claim: Arc<Claim>,
}

/// A file with the claim, likewise.
struct ClaimedFile {
    file: Arc<CacheFile>,
    _claim: Arc<Claim>,
}

impl Archive for Claimed {
    fn file(&self, place: &Place) -> Arc<dyn ArchiveFile> {
        Arc::new(ClaimedFile { file: self.store.file(*place), _claim: Arc::clone(&self.claim) })
    }

    fn append(&self, records: &[Record], durable: bool) -> io::Result<u64> {
        self.store.append(records, durable)
    }

    fn compact(&self, records: &[Record]) -> io::Result<u64> {
        self.store.compact(records)
    }

    fn remove(&self, place: &Place) -> io::Result<()> {
        self.store.remove(*place)
    }

    fn sweep(&self, keep: &[Place]) {
        if let Err(error) = self.store.sweep(keep) {
            tracing::warn!(%error, "data files that belong to nothing can't be deleted");
        }
    }
}

impl ArchiveFile for ClaimedFile {
    fn restore(&self, stored: &[ByteRange]) {
        self.file.restore(stored.iter().copied());
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<Sum> {
        self.file.write_at(offset, bytes)
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        self.file.read_at(offset, buf)
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync()
    }

    fn discard(&self, range: ByteRange) {
        self.file.discard(range);
    }
}
