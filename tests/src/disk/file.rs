//! The calls that the cache makes.

use std::io::{self, ErrorKind};
use std::sync::Arc;

use infill_blocking::cache::{Disk, DiskFile, DiskLock};

use super::crash::revert;
use super::faults::{Dirty, Failure, Injector};
use super::log::{Edit, NameEdit};
use super::tree::{FileId, parent};
use super::{SimDisk, State};

/// The name of the lock's file.
const LOCK: &str = "lock";

/// The device that all simulated files are on.
const DEVICE: u64 = 1;

/// An open file.
#[derive(Debug)]
struct SimFile {
    disk: SimDisk,
    file: FileId,
}

/// The lock, held.
#[derive(Debug)]
struct SimLock {
    disk: SimDisk,
    file: FileId,
}

impl Disk for SimDisk {
    fn open(&self, path: &str, create: bool) -> io::Result<Arc<dyn DiskFile>> {
        let mut state = self.state();
        state.look()?;
        let file = match state.live.find(path) {
            Err(error) if error.kind() == ErrorKind::NotFound && create => state.create(path)?,
            found => found?,
        };
        Ok(Arc::new(SimFile { disk: self.clone(), file }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.state();
        let file = state.live.find(from)?;
        match state.live.find(to) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        state.names(NameEdit::Rename { from: from.to_owned(), to: to.to_owned(), file })
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        let mut state = self.state();
        let file = match state.live.find(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return state.look(),
            found => found?,
        };
        state.names(NameEdit::Remove { path: path.to_owned(), file })
    }

    fn remove_dir(&self, path: &str) -> io::Result<()> {
        let mut state = self.state();
        if !state.live.has_dir(path) || !state.live.is_empty_dir(path) {
            return state.look();
        }
        state.names(NameEdit::RemoveDir { path: path.to_owned() })
    }

    fn list(&self, path: &str) -> io::Result<Vec<String>> {
        let mut state = self.state();
        state.look()?;
        state.live.list(path)
    }

    fn sync_dir(&self, path: &str) -> io::Result<()> {
        let mut state = self.state();
        if !state.live.has_dir(path) {
            return Err(io::Error::new(ErrorKind::NotFound, format!("{path}: no such directory")));
        }
        match state.operation(Injector::sync)? {
            Some(Failure::Lie) => return Ok(()),
            Some(failure) => return Err(failure.error()),
            None => {}
        }
        for edit in state.log.take_names(path) {
            edit.apply(&mut state.durable);
        }
        Ok(())
    }

    fn lock(&self) -> io::Result<Arc<dyn DiskLock>> {
        let mut state = self.state();
        state.look()?;
        let file = match state.live.find(LOCK) {
            Err(error) if error.kind() == ErrorKind::NotFound => state.create(LOCK)?,
            found => found?,
        };
        if state.locks.contains(&file) {
            return Err(io::Error::new(ErrorKind::WouldBlock, "the lock is held (simulated)"));
        }
        state.locks.push(file);
        Ok(Arc::new(SimLock { disk: self.clone(), file }))
    }
}

impl State {
    /// Makes a file, and the directory that it is in.
    fn create(&mut self, path: &str) -> io::Result<FileId> {
        let dir = parent(path);
        if self.rootless {
            return Err(io::Error::new(ErrorKind::NotFound, "the cache's directory is gone"));
        }
        if !self.live.has_dir(dir) {
            self.names(NameEdit::MakeDir { path: dir.to_owned() })?;
        }
        let file = self.new_file();
        self.names(NameEdit::Create { path: path.to_owned(), file })?;
        Ok(file)
    }

    /// Changes names.
    fn names(&mut self, edit: NameEdit) -> io::Result<()> {
        self.writable()?;
        match self.operation(Injector::names)? {
            // Names that only seem to be there would be gone whatever is synced later: no program could do anything.
            None | Some(Failure::Lie) => {}
            Some(failure) => return Err(failure.error()),
        }
        edit.apply(&mut self.live);
        self.log.rename(edit);
        Ok(())
    }

    fn writable(&self) -> io::Result<()> {
        if self.injector.faults.read_only {
            let what = "read-only file system (simulated)";
            return Err(io::Error::new(ErrorKind::ReadOnlyFilesystem, what));
        }
        Ok(())
    }

    fn edit(&mut self, file: FileId, edit: Edit) {
        edit.apply(self.live.bytes_mut(file));
        self.log.edit(file, edit);
    }

    fn write(&mut self, file: FileId, offset: u64, mut bytes: &[u8]) -> io::Result<()> {
        self.writable()?;
        let mut failure = self.operation(Injector::write)?;
        let (len, end) = (self.live.bytes(file).len() as u64, offset + bytes.len() as u64);
        if let Some(quota) = self.injector.faults.quota {
            let room = quota.saturating_sub(self.live.used()) + len;
            if end > room.max(len) {
                failure = Some(Failure::Full);
                // What fits is written, as a real disk does.
                bytes = &bytes[..room.saturating_sub(offset).min(bytes.len() as u64) as usize];
            }
        } else if failure == Some(Failure::Short) {
            let part = self.injector.rng.usize(0..=bytes.len());
            bytes = &bytes[..part];
        }
        match failure {
            None | Some(Failure::Short) => {}
            Some(Failure::Full) if self.injector.faults.quota.is_some() => {}
            Some(Failure::Lie) => {
                self.edit(file, Edit::Grow { len: end });
                return Ok(());
            }
            Some(failure) => return Err(failure.error()),
        }
        if !bytes.is_empty() {
            self.edit(file, Edit::Write { offset, bytes: bytes.to_vec() });
        }
        failure.map_or(Ok(()), |failure| Err(failure.error()))
    }

    fn sync(&mut self, file: FileId) -> io::Result<()> {
        let failure = self.operation(Injector::sync)?;
        if failure == Some(Failure::Lie) {
            return Ok(());
        }
        let edits = self.log.take_edits(file);
        let Some(failure) = failure else {
            for edit in edits {
                edit.apply(self.durable.bytes_mut(file));
            }
            return Ok(());
        };
        let dirty = self.injector.faults.dirty;
        for edit in edits {
            let Edit::Write { offset, bytes } = edit else {
                self.log.edit(file, edit);
                continue;
            };
            let (offset, len) = (offset as usize, bytes.len());
            if dirty != Dirty::Remembered {
                let zero = dirty == Dirty::Zeroed;
                revert(&mut self.live, &self.durable, file, (offset, len), zero);
            }
            self.log.edit(file, Edit::Grow { len: (offset + len) as u64 });
        }
        Err(failure.error())
    }
}

impl DiskFile for SimFile {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.disk.state().write(self.file, offset, bytes)
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let mut state = self.disk.state();
        state.look()?;
        let chances = state.injector.faults.read;
        if state.injector.chance(chances) {
            return Err(Failure::Io.error());
        }
        let bytes = state.live.bytes(self.file);
        let start = (offset as usize).min(bytes.len());
        let count = buf.len().min(bytes.len() - start);
        buf[..count].copy_from_slice(&bytes[start..start + count]);
        Ok(count)
    }

    fn len(&self) -> io::Result<u64> {
        let mut state = self.disk.state();
        state.look()?;
        Ok(state.live.bytes(self.file).len() as u64)
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        let mut state = self.disk.state();
        state.writable()?;
        match state.operation(Injector::write)? {
            None => state.edit(self.file, Edit::Truncate { len }),
            Some(Failure::Lie) => {}
            Some(failure) => return Err(failure.error()),
        }
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.state().sync(self.file)
    }

    fn identity(&self) -> io::Result<Option<(u64, u64)>> {
        let mut state = self.disk.state();
        state.look()?;
        Ok(Some((DEVICE, self.file.0)))
    }
}

impl DiskLock for SimLock {
    fn is_held(&self) -> io::Result<bool> {
        let mut state = self.disk.state();
        state.look()?;
        Ok(state.live.find(LOCK).ok() == Some(self.file))
    }
}

impl Drop for SimLock {
    fn drop(&mut self) {
        self.disk.state().locks.retain(|file| *file != self.file);
    }
}
