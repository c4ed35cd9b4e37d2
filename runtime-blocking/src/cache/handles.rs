//! The open data files: few, whatever the number of resources. The one that was not used for longest is closed for
//! another; if it is dirty, it is synced first, for nobody could tell afterwards that its bytes were lost (FAULTS D6).

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::disk::DiskFile;

/// How many data files are open at most.
pub(super) const MAX_OPEN: usize = 64;

/// A file: whose, and which chunk.
pub(super) type FileKey = (u64, u64);

/// What knows how to open a file, and is told when it closes.
pub(super) trait Opener: Send + Sync {
    /// Opens it; makes it if asked to.
    fn open(&self, create: bool) -> io::Result<Arc<dyn DiskFile>>;

    /// It is closed for another one after this.
    fn before_close(&self, file: &dyn DiskFile);
}

/// The open files. No lock is held across IO.
pub(super) struct Handles {
    limit: usize,
    table: Mutex<Table>,
    freed: Condvar,
}

#[derive(Default)]
struct Table {
    entries: HashMap<FileKey, Entry>,
    tick: u64,
    /// How many wait for an entry to change: waking nobody would cost a call of the system for each read.
    waiting: usize,
}

enum Entry {
    /// Somebody opens or closes it.
    Busy,
    Open(Open),
}

struct Open {
    file: Arc<dyn DiskFile>,
    opener: Arc<dyn Opener>,
    /// How many use it right now.
    pins: u32,
    used: u64,
}

/// What is to be done for a file.
enum Step {
    /// It is open.
    Use(Arc<dyn DiskFile>),
    /// There is room to open it; its entry is busy.
    Open,
    /// This one is to be closed for it; its entry is busy.
    Close(FileKey, Open),
}

impl Handles {
    /// None is open.
    pub(super) fn new(limit: usize) -> Self {
        Self { limit: limit.max(1), table: Mutex::default(), freed: Condvar::new() }
    }

    /// The file, for as long as the guard lives; waits while all files that may be open are in use. Whoever has a guard
    /// must not ask for another.
    pub(super) fn get(
        &self,
        key: FileKey,
        opener: &Arc<dyn Opener>,
        create: bool,
    ) -> io::Result<Pinned<'_>> {
        loop {
            match self.next_step(key) {
                Step::Use(file) => return Ok(Pinned { handles: self, key, file }),
                Step::Open => {
                    let busy = Busy { handles: self, key };
                    let file = opener.open(create)?;
                    busy.become_open(Open {
                        file: Arc::clone(&file),
                        opener: Arc::clone(opener),
                        pins: 1,
                        used: 0,
                    });
                    return Ok(Pinned { handles: self, key, file });
                }
                Step::Close(key, victim) => {
                    let _busy = Busy { handles: self, key };
                    victim.opener.before_close(&*victim.file);
                    drop(victim);
                }
            }
        }
    }

    /// Closes a file, without a sync, when nobody uses it any more.
    pub(super) fn close(&self, key: FileKey) {
        self.close_where(|of| *of == key);
    }

    /// Closes all files of one owner, without a sync.
    pub(super) fn close_all_of(&self, owner: u64) {
        self.close_where(|(of, _)| *of == owner);
    }

    fn close_where(&self, which: impl Fn(&FileKey) -> bool) {
        let mut closed = Vec::new();
        let mut table = self.table();
        loop {
            table.entries.retain(|key, entry| match entry {
                Entry::Open(open) if open.pins == 0 && which(key) => {
                    closed.push(Arc::clone(&open.file));
                    false
                }
                _ => true,
            });
            if !table.entries.keys().any(&which) {
                break;
            }
            table = self.wait(table);
        }
        self.wake(&table);
        drop(table);
    }

    /// How many are open, or about to be.
    #[cfg(test)]
    pub(super) fn open_files(&self) -> usize {
        self.table().entries.len()
    }

    fn next_step(&self, key: FileKey) -> Step {
        let mut table = self.table();
        loop {
            table.tick += 1;
            let tick = table.tick;
            let full = table.entries.len() >= self.limit;
            match table.entries.get_mut(&key) {
                Some(Entry::Open(open)) => {
                    open.pins += 1;
                    open.used = tick;
                    return Step::Use(Arc::clone(&open.file));
                }
                Some(Entry::Busy) => {}
                None if !full => {
                    table.entries.insert(key, Entry::Busy);
                    return Step::Open;
                }
                None => {
                    if let Some((key, open)) = table.take_oldest() {
                        return Step::Close(key, open);
                    }
                }
            }
            table = self.wait(table);
        }
    }

    fn wait<'a>(&self, mut table: MutexGuard<'a, Table>) -> MutexGuard<'a, Table> {
        table.waiting += 1;
        let mut table = self.freed.wait(table).unwrap_or_else(PoisonError::into_inner);
        table.waiting -= 1;
        table
    }

    fn wake(&self, table: &Table) {
        if table.waiting > 0 {
            self.freed.notify_all();
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// Of the files that nobody uses now, the one that was used longest ago; its entry is busy.
    fn take_oldest(&mut self) -> Option<(FileKey, Open)> {
        let unused = self.entries.iter_mut().filter_map(|(key, entry)| match entry {
            Entry::Open(open) if open.pins == 0 => Some((open.used, *key, entry)),
            _ => None,
        });
        let (_, key, entry) = unused.min_by_key(|(used, ..)| *used)?;
        match core::mem::replace(entry, Entry::Busy) {
            Entry::Open(open) => Some((key, open)),
            Entry::Busy => None,
        }
    }
}

/// An entry that is being opened or closed: it goes when this does.
struct Busy<'a> {
    handles: &'a Handles,
    key: FileKey,
}

impl Busy<'_> {
    fn become_open(self, mut open: Open) {
        let mut table = self.handles.table();
        table.tick += 1;
        open.used = table.tick;
        table.entries.insert(self.key, Entry::Open(open));
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        let mut table = self.handles.table();
        if let Some(Entry::Busy) = table.entries.get(&self.key) {
            table.entries.remove(&self.key);
        }
        self.handles.wake(&table);
    }
}

/// An open file in use.
pub(super) struct Pinned<'a> {
    handles: &'a Handles,
    key: FileKey,
    file: Arc<dyn DiskFile>,
}

impl core::ops::Deref for Pinned<'_> {
    type Target = dyn DiskFile;

    fn deref(&self) -> &Self::Target {
        &*self.file
    }
}

impl Drop for Pinned<'_> {
    fn drop(&mut self) {
        let mut table = self.handles.table();
        let Some(Entry::Open(open)) = table.entries.get_mut(&self.key) else {
            return;
        };
        open.pins -= 1;
        if open.pins == 0 {
            self.handles.wake(&table);
        }
    }
}
