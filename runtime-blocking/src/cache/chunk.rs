//! One data file: whether it is still the one that it was, what of it is not synced, and what of it is gone.

use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use infill_core::{ByteRange, ByteRanges};

use super::disk::{Disk, DiskFile};
use super::handles::Opener;

/// Device and inode, where there is such a thing.
type Identity = Option<(u64, u64)>;

/// One data file.
pub(super) struct Chunk {
    disk: Arc<dyn Disk>,
    path: String,
    /// Its part of the resource.
    range: ByteRange,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Which file it is, once it was opened: only that one is it.
    known: Option<Identity>,
    /// Written to since the last sync.
    dirty: bool,
    /// Its name may not be on the disk.
    unnamed: bool,
    /// Its name is on the disk, for certain. A killed process may have made it and not got that far.
    named: bool,
    /// What went wrong since the owner asked last.
    failed: Option<io::Error>,
    /// Where what is stored in it ends: it is never shorter, unless somebody cuts it.
    end: u64,
    /// What was stored in a file that is gone, or cut. Written again, it is there again.
    lost: ByteRanges,
    /// It was found to be gone or cut, and the writer was not told yet.
    loss: bool,
    /// Deleted by its owner: nobody may open it any more.
    deleted: bool,
}

impl Chunk {
    pub(super) fn new(disk: Arc<dyn Disk>, path: String, range: ByteRange) -> Self {
        Self { disk, path, range, state: Mutex::default() }
    }

    /// Its part of the resource.
    pub(super) fn range(&self) -> ByteRange {
        self.range
    }

    /// An error of its file, with its path.
    pub(super) fn error(&self, error: &io::Error) -> io::Error {
        io::Error::new(error.kind(), format!("{}: {error}", self.disk.describe(&self.path)))
    }

    /// Before a write: from now on there may be something to sync.
    pub(super) fn begin_write(&self) {
        let mut state = self.state();
        state.dirty = true;
        state.unnamed |= !state.named;
    }

    /// Something is stored in it up to there, since an earlier session.
    pub(super) fn reaches(&self, end: u64) {
        let mut state = self.state();
        state.end = state.end.max(end);
    }

    /// Before a write, and after a read that came up short: whether the file was cut behind our back. What a write
    /// behind its end would fill with zeros was stored, and must not be taken for it.
    pub(super) fn check_len(&self, file: &dyn DiskFile) -> io::Result<()> {
        let len = file.len().map_err(|error| self.error(&error))?;
        let mut state = self.state();
        let end = self.range.start.saturating_add(len);
        if end < state.end {
            let cut = ByteRange::new(end, core::mem::replace(&mut state.end, end));
            state.lost.insert(cut);
            state.loss = true;
        }
        Ok(())
    }

    /// After a write that went well.
    pub(super) fn end_write(&self, range: ByteRange) {
        let mut state = self.state();
        state.end = state.end.max(range.end);
        if !state.lost.is_empty() {
            state.lost.remove(range);
        }
    }

    /// After a read, whatever it gave: whether it could be right. Before it would be too early, for the file may go in
    /// between.
    pub(super) fn check_read(&self, range: ByteRange) -> io::Result<()> {
        if self.state().lost.overlapping(range).next().is_some() {
            return Err(self.gone());
        }
        Ok(())
    }

    /// Whether [`Chunk::sync`] would do anything.
    pub(super) fn needs_sync(&self) -> bool {
        let state = self.state();
        state.dirty || state.failed.is_some()
    }

    pub(super) fn is_dirty(&self) -> bool {
        self.state().dirty
    }

    /// Has its bytes on the disk, and makes sure that the file is still there: what is written to a deleted one goes
    /// nowhere, without any error.
    pub(super) fn sync(&self, file: &dyn DiskFile) -> io::Result<()> {
        if core::mem::take(&mut self.state().dirty) {
            file.sync().map_err(|error| self.error(&error))?;
        }
        let known = self.state().known;
        match self.disk.identity(&self.path) {
            Ok(now) if known.is_none_or(|known| known == now) => Ok(()),
            Err(error) if error.kind() != ErrorKind::NotFound => Err(self.error(&error)),
            Ok(_) | Err(_) => {
                self.lose(&mut self.state());
                Err(self.gone())
            }
        }
    }

    /// What went wrong since the last call and nobody was told of.
    pub(super) fn take_failure(&self) -> io::Result<()> {
        self.state().failed.take().map_or(Ok(()), Err)
    }

    /// Whether its file was found to be gone since the last call.
    pub(super) fn take_loss(&self) -> bool {
        core::mem::take(&mut self.state().loss)
    }

    /// Whether its name may not be on the disk.
    pub(super) fn is_unnamed(&self) -> bool {
        self.state().unnamed
    }

    /// Its directory was synced.
    pub(super) fn set_named(&self) {
        let mut state = self.state();
        (state.unnamed, state.named) = (false, true);
    }

    /// Nobody opens it from now on.
    pub(super) fn bury(&self) {
        self.state().deleted = true;
    }

    /// Deletes its file.
    pub(super) fn delete(&self) -> io::Result<()> {
        self.disk.remove(&self.path)
    }

    fn lose(&self, state: &mut State) {
        state.known = None;
        state.dirty = false;
        state.lost.insert(self.range);
        state.end = 0;
        state.failed = Some(self.gone());
        state.loss = true;
    }

    fn gone(&self) -> io::Error {
        let path = self.disk.describe(&self.path);
        let what = format!("{path}: the file was deleted, replaced or cut while it was in use");
        io::Error::new(ErrorKind::NotFound, what)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Opener for Chunk {
    /// A file that was open before must be there, and must be the same one. If it is not, a reader gets an error, and a
    /// writer begins a new one; so what is written again can be read again, and nothing else of it.
    fn open(&self, create: bool) -> io::Result<Arc<dyn DiskFile>> {
        let (known, deleted) = {
            let state = self.state();
            (state.known, state.deleted)
        };
        if deleted {
            return Err(ErrorKind::NotFound.into());
        }
        let opened = match self.disk.open(&self.path, create && known.is_none()) {
            Err(error) if known.is_some() && error.kind() == ErrorKind::NotFound => None,
            opened => {
                let file = opened?;
                let identity = file.identity()?;
                Some((file, identity)).filter(|_| known.is_none_or(|known| known == identity))
            }
        };
        let (file, identity) = match opened {
            Some(opened) => opened,
            None => {
                self.lose(&mut self.state());
                if !create {
                    return Err(self.gone());
                }
                let file = self.disk.open(&self.path, true)?;
                let identity = file.identity()?;
                (file, identity)
            }
        };
        let mut state = self.state();
        state.unnamed |= create && state.known.is_none();
        state.known = Some(identity);
        Ok(file)
    }

    fn before_close(&self, file: &dyn DiskFile) {
        if !self.is_dirty() {
            return;
        }
        let synced = file.sync();
        // Not before: a sync by the owner meanwhile must not find it clean already. It waits until this is over, and so
        // does a write.
        let mut state = self.state();
        state.dirty = false;
        if let Err(error) = synced {
            state.failed = Some(self.error(&error));
        }
    }
}
