//! The cache's directory, opened: what the machine asks of it.

use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use infill_core::catalog::{Place, Record};
use infill_core::{Cause, Error, Restored};
use xxhash_rust::xxh3::xxh3_64;

use super::disk::{Disk, DiskLock};
use super::file::CacheFile;
use super::handles::{Handles, MAX_OPEN};
use super::journal_file::{JournalFile, Opened};
use super::layout::LOCK;
use super::shared::{Shared, check_lock};
use super::sweep;

/// The cache of one client. All calls may wait for the disk; any thread may make them, but those about the journal, and
/// those about one resource, in the order in which the machine asked for them.
///
/// The lock is held until this and every [`CacheFile`] is dropped.
pub struct CacheStore {
    shared: Arc<Shared>,
    journal: Mutex<JournalFile>,
}

impl CacheStore {
    /// Takes the lock and reads the journal. `entropy` is a number that no earlier session had:
    /// [`entropy`](super::entropy) gives one.
    ///
    /// The error names the file that is in the way, and says what to do.
    pub fn open(disk: Arc<dyn Disk>, entropy: u64) -> Result<(Arc<Self>, Restored), Error> {
        Self::open_with(disk, entropy, MAX_OPEN)
    }

    pub(super) fn open_with(
        disk: Arc<dyn Disk>,
        entropy: u64,
        max_open: usize,
    ) -> Result<(Arc<Self>, Restored), Error> {
        let lock = take_lock(&*disk)?;
        let Opened { journal, catalog, damage } = JournalFile::open(&disk, &lock, entropy)
            .map_err(|error| {
                let what = format!(
                    "the cache's journal can't be used: {error}; mend what is wrong, or use another directory"
                );
                store_error(what, error)
            })?;
        // Not the number itself: the journal's epoch is made from it as well.
        let salt = xxh3_64(&entropy.to_le_bytes()) as u32;
        let restored = Restored { catalog, journal_bytes: journal.len(), salt, damage };
        let handles = Handles::new(max_open);
        let shared = Arc::new(Shared::new(disk, lock, handles, salt));
        Ok((Arc::new(Self { shared, journal: Mutex::new(journal) }), restored))
    }

    /// The bytes of one generation. Touches no disk. One for each resource: two of one place know nothing of each
    /// other.
    pub fn file(&self, place: Place) -> Arc<CacheFile> {
        Arc::new(CacheFile::new(Arc::clone(&self.shared), place))
    }

    /// Appends to the journal, and gives its length. After an error the journal is as it was, or refuses everything
    /// until [`CacheStore::compact`] has succeeded.
    pub fn append(&self, records: &[Record], durable: bool) -> io::Result<u64> {
        self.journal().append(records, durable)
    }

    /// Puts a journal of these records in the place of the present one, and gives its length.
    pub fn compact(&self, records: &[Record]) -> io::Result<u64> {
        self.journal().compact(records)
    }

    /// Deletes the files of a place. Its [`CacheFile`] is to be dropped before.
    pub fn remove(&self, place: Place) -> io::Result<()> {
        sweep::remove(&self.shared, place)
    }

    /// Deletes all data files but those of these places and those of this session.
    pub fn sweep(&self, keep: &[Place]) -> io::Result<()> {
        sweep::sweep(&self.shared, keep)
    }

    fn journal(&self) -> MutexGuard<'_, JournalFile> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn open_files(&self) -> usize {
        self.shared.handles().open_files()
    }
}

fn take_lock(disk: &dyn Disk) -> Result<Arc<dyn DiskLock>, Error> {
    let path = disk.describe(LOCK);
    disk.lock().and_then(|lock| check_lock(disk, &*lock).map(|()| lock)).map_err(|error| {
        let what = match error.kind() {
            ErrorKind::WouldBlock => format!(
                "the cache is in use, {path} is locked: close the other client, in this process or another, or use \
                 another directory"
            ),
            ErrorKind::Unsupported => format!(
                "the cache can't be locked: {error}; use a directory on a file system with locks"
            ),
            _ => format!(
                "the cache can't be locked: {error}; it needs a directory that can be written to"
            ),
        };
        store_error(what, error)
    })
}

fn store_error(what: String, source: io::Error) -> Error {
    let cause = match source.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Cause::StoreFull(what),
        _ => Cause::Store(what),
    };
    Error::new(cause).with_source(source)
}
