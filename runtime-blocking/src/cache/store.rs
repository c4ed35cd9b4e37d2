//! The cache's directory, opened: what the machine asks of it.

use std::collections::HashSet;
use std::io::{self, ErrorKind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use infill_core::catalog::{Generation, Place, Record};
use infill_core::{Cause, Error, Restored};
use xxhash_rust::xxh3::xxh3_64;

use super::disk::{Disk, DiskLock};
use super::file::CacheFile;
use super::handles::{Handles, MAX_OPEN};
use super::journal_file::{JournalFile, Opened};
use super::layout::LOCK;
use super::sweep;

/// The cache of one client. All calls may wait for the disk; any thread may make them, but those about the journal, and
/// those about one resource, in the order in which the machine asked for them.
///
/// The lock is held until this and every [`CacheFile`] is dropped.
pub struct CacheStore {
    shared: Arc<Shared>,
    journal: Mutex<JournalFile>,
}

/// What all files of a cache have in common.
pub(super) struct Shared {
    disk: Arc<dyn Disk>,
    lock: Arc<dyn DiskLock>,
    handles: Handles,
    salt: u32,
    owners: AtomicU64,
    /// The generations of this session that a file was made for.
    begun: Mutex<HashSet<Generation>>,
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
        let (owners, begun) = (AtomicU64::new(0), Mutex::default());
        let shared = Arc::new(Shared { disk, lock, handles, salt, owners, begun });
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
        self.shared.handles.open_files()
    }
}

impl Shared {
    pub(super) fn disk(&self) -> &Arc<dyn Disk> {
        &self.disk
    }

    pub(super) fn handles(&self) -> &Handles {
        &self.handles
    }

    /// What tells this session's generations from all others.
    pub(super) fn salt(&self) -> u32 {
        self.salt
    }

    /// Whether nothing can be stored of a generation: it is of this session, and nobody asked for it before.
    pub(super) fn begin(&self, generation: Generation) -> bool {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        generation.salt() == self.salt && begun.insert(generation)
    }

    pub(super) fn next_owner(&self) -> u64 {
        self.owners.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn check_lock(&self) -> io::Result<()> {
        check_lock(&*self.disk, &*self.lock)
    }
}

/// An error if somebody else may hold the lock.
pub(super) fn check_lock(disk: &dyn Disk, lock: &dyn DiskLock) -> io::Result<()> {
    if lock.is_held()? {
        return Ok(());
    }
    let what = format!(
        "{}: the lock was deleted or replaced while it was held, perhaps with the whole directory; \
         open the cache again",
        disk.describe(LOCK)
    );
    Err(io::Error::new(ErrorKind::NotFound, what))
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
