//! The cache's directory, opened: what the machine asks of it.

use std::io;
use std::sync::Arc;

use infill_core::catalog::{Place, Record};
use infill_core::{Error, Restored};

use super::{CacheFile, Disk};

/// The cache of one client. All calls may wait for the disk; any thread may make them, but those about the journal, and
/// those about one resource, in the order in which the machine asked for them.
///
/// The lock is held until this and every [`CacheFile`] is dropped.
pub struct CacheStore {}

impl CacheStore {
    /// Takes the lock and reads the journal. `entropy` is a number that no earlier session had: [`entropy`](super::entropy)
    /// gives one.
    ///
    /// The error names the file that is in the way, and says what to do.
    pub fn open(disk: Arc<dyn Disk>, entropy: u64) -> Result<(Arc<Self>, Restored), Error> {
        let _ = (disk, entropy);
        Ok((Arc::new(Self {}), Restored::default()))
    }

    /// The bytes of one generation. Touches no disk. One for each resource: two of one place know nothing of each other.
    pub fn file(self: &Arc<Self>, place: Place) -> Arc<CacheFile> {
        let _ = place;
        Arc::new(CacheFile {})
    }

    /// Appends to the journal, and gives its length. After an error the journal is as it was, or refuses everything
    /// until [`CacheStore::compact`] has succeeded.
    pub fn append(&self, records: &[Record], durable: bool) -> io::Result<u64> {
        let _ = (records, durable);
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Puts a journal of these records in the place of the present one, and gives its length.
    pub fn compact(&self, records: &[Record]) -> io::Result<u64> {
        let _ = records;
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Deletes the files of a place.
    pub fn remove(&self, place: Place) -> io::Result<()> {
        let _ = place;
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Deletes all data files but those of these places and those of this session.
    pub fn sweep(&self, keep: &[Place]) -> io::Result<()> {
        let _ = keep;
        Err(io::ErrorKind::Unsupported.into())
    }
}
