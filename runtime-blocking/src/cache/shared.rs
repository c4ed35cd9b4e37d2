//! What the journal, the data files and the sweeper of one cache have in common: the disk, the lock, the open handles.

use std::collections::HashSet;
use std::io::{self, ErrorKind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use infill_core::catalog::Generation;

use super::disk::{Disk, DiskLock};
use super::handles::Handles;
use super::layout::LOCK;

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

impl Shared {
    pub(super) fn new(
        disk: Arc<dyn Disk>,
        lock: Arc<dyn DiskLock>,
        handles: Handles,
        salt: u32,
    ) -> Self {
        Self { disk, lock, handles, salt, owners: AtomicU64::new(0), begun: Mutex::default() }
    }

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
