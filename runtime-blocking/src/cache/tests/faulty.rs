//! A disk in which calls fail as a script says. Nothing is synced: no process could tell, and hundreds of files would
//! keep the disk busy.

use std::io::{self, ErrorKind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use crate::cache::{Disk, DiskFile, DiskLock};

/// A call that can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Open,
    Write,
    /// A write of which the first half is done before it fails.
    HalfWrite,
    Read,
    Truncate,
    Sync,
    SyncDir,
    Rename,
    Lock,
}

/// A rule: the next calls of this kind, whose path holds this text, fail like this.
struct Rule {
    call: Call,
    path: String,
    kind: ErrorKind,
    times: u32,
}

#[derive(Default)]
struct Script {
    rules: Mutex<Vec<Rule>>,
    log: Mutex<Vec<(Call, String)>>,
    lock_lost: AtomicBool,
    blind: AtomicBool,
}

/// A disk over another one.
pub(crate) struct Faulty {
    disk: Arc<dyn Disk>,
    script: Arc<Script>,
}

impl Faulty {
    pub(crate) fn new(disk: Arc<dyn Disk>) -> Arc<Self> {
        Arc::new(Self { disk, script: Arc::default() })
    }

    /// The next `times` calls of that kind on such a path fail.
    pub(crate) fn fail(&self, call: Call, path: &str, kind: ErrorKind, times: u32) {
        let rule = Rule { call, path: path.to_owned(), kind, times };
        self.script.rules.lock().unwrap().push(rule);
    }

    /// Whoever asks is told that the lock is not held any more.
    pub(crate) fn lose_lock(&self) {
        self.script.lock_lost.store(true, Ordering::SeqCst);
    }

    /// From now on files can't be told apart, as on some systems.
    pub(crate) fn hide_identities(&self) {
        self.script.blind.store(true, Ordering::SeqCst);
    }

    /// How often such a call was made on such a path.
    pub(crate) fn count(&self, call: Call, path: &str) -> usize {
        let log = self.script.log.lock().unwrap();
        log.iter().filter(|(made, on)| *made == call && on.contains(path)).count()
    }
}

impl Script {
    fn check(&self, call: Call, path: &str) -> io::Result<()> {
        self.log.lock().unwrap().push((call, path.to_owned()));
        self.fails(call, path)
    }

    /// What is seen of an identity.
    fn seen(&self, identity: Option<(u64, u64)>) -> Option<(u64, u64)> {
        identity.filter(|_| !self.blind.load(Ordering::SeqCst))
    }

    fn fails(&self, call: Call, path: &str) -> io::Result<()> {
        let mut rules = self.rules.lock().unwrap();
        let hit =
            |rule: &&mut Rule| rule.call == call && path.contains(&rule.path) && rule.times > 0;
        match rules.iter_mut().find(hit) {
            Some(rule) => {
                rule.times -= 1;
                Err(rule.kind.into())
            }
            None => Ok(()),
        }
    }
}

impl Disk for Faulty {
    fn open(&self, path: &str, create: bool) -> io::Result<Arc<dyn DiskFile>> {
        self.script.check(Call::Open, path)?;
        let file = self.disk.open(path, create)?;
        let script = Arc::clone(&self.script);
        Ok(Arc::new(FaultyFile { file, path: path.to_owned(), script }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.script.check(Call::Rename, to)?;
        self.disk.rename(from, to)
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        self.disk.remove(path)
    }

    fn remove_dir(&self, path: &str) -> io::Result<()> {
        self.disk.remove_dir(path)
    }

    fn list(&self, path: &str) -> io::Result<Vec<String>> {
        self.disk.list(path)
    }

    fn sync_dir(&self, path: &str) -> io::Result<()> {
        self.script.check(Call::SyncDir, path)
    }

    fn lock(&self) -> io::Result<Arc<dyn DiskLock>> {
        self.script.check(Call::Lock, "lock")?;
        let lock = self.disk.lock()?;
        Ok(Arc::new(FaultyLock { lock, script: Arc::clone(&self.script) }))
    }

    fn identity(&self, path: &str) -> io::Result<Option<(u64, u64)>> {
        Ok(self.script.seen(self.disk.identity(path)?))
    }

    fn describe(&self, path: &str) -> String {
        self.disk.describe(path)
    }
}

struct FaultyFile {
    file: Arc<dyn DiskFile>,
    path: String,
    script: Arc<Script>,
}

impl DiskFile for FaultyFile {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.script.check(Call::Write, &self.path)?;
        if let Err(error) = self.script.fails(Call::HalfWrite, &self.path) {
            self.file.write_at(offset, &bytes[..bytes.len() / 2])?;
            return Err(error);
        }
        self.file.write_at(offset, bytes)
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        self.script.check(Call::Read, &self.path)?;
        self.file.read_at(offset, buf)
    }

    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        self.script.check(Call::Truncate, &self.path)?;
        self.file.truncate(len)
    }

    fn sync(&self) -> io::Result<()> {
        self.script.check(Call::Sync, &self.path)
    }

    fn identity(&self) -> io::Result<Option<(u64, u64)>> {
        Ok(self.script.seen(self.file.identity()?))
    }
}

struct FaultyLock {
    lock: Arc<dyn DiskLock>,
    script: Arc<Script>,
}

impl DiskLock for FaultyLock {
    fn is_held(&self) -> io::Result<bool> {
        Ok(!self.script.lock_lost.load(Ordering::SeqCst) && self.lock.is_held()?)
    }
}
