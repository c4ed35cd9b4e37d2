//! The bytes of one generation of one resource.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use infill_core::catalog::Place;
use infill_core::{ByteRange, ByteRanges, Sum};

use super::chunk::Chunk;
use super::handles::{Opener, Pinned};
use super::layout::{self, DataName};
use super::shared::Shared;
use super::sums::Sums;
use crate::store::digest::digest;

/// The bytes of one generation of one resource, in chunk files of `2^file_bits` bytes.
///
/// Writes, discards and syncs come one at a time and in order; any number of threads may read meanwhile. Where there is
/// no room, the error is of the kind [`StorageFull`](ErrorKind::StorageFull) or
/// [`QuotaExceeded`](ErrorKind::QuotaExceeded).
pub struct CacheFile {
    shared: Arc<Shared>,
    place: Place,
    file_bytes: u64,
    /// Tells its open files from those of others.
    owner: u64,
    chunks: Mutex<BTreeMap<u64, Arc<Chunk>>>,
    used: Mutex<Used>,
    writing: Mutex<Writing>,
}

/// What is stored and was not discarded.
#[derive(Default)]
struct Used {
    ranges: ByteRanges,
    /// Something else may be stored since it was open before.
    unknown: bool,
}

/// What only those calls need that come one at a time; they hold it while they wait for the disk.
#[derive(Default)]
struct Writing {
    sums: Sums,
    /// The asset's directory is named in the root, for certain.
    dir_named: bool,
}

impl CacheFile {
    pub(super) fn new(shared: Arc<Shared>, place: Place) -> Self {
        let owner = shared.next_owner();
        let unknown = !shared.begin(place.generation);
        Self {
            shared,
            place,
            file_bytes: layout::file_bytes(place),
            owner,
            chunks: Mutex::default(),
            used: Mutex::new(Used { unknown, ..Used::default() }),
            writing: Mutex::default(),
        }
    }

    /// Where it is.
    pub fn place(&self) -> Place {
        self.place
    }

    /// Says what is stored since it was open before, in this session or an earlier one; before the first discard, or
    /// never. Waits for nothing. Without it, a file that was there before is deleted only once all of it is discarded,
    /// holes included.
    pub fn restore(&self, stored: impl IntoIterator<Item = ByteRange>) {
        let mut used = self.used();
        used.unknown = false;
        for range in stored {
            used.ranges.insert(range);
            let mut at = range.start;
            while at < range.end {
                let (index, ..) = self.locate(at);
                let end = range.end.min(self.range_of(index).end);
                self.chunk(index).reaches(end);
                at = end;
            }
        }
    }

    /// Writes all of `bytes`, which cross no multiple of [`Extent::BLOCK_BYTES`], and gives the run that this
    /// lengthens. After an error any part may have been written.
    ///
    /// [`Extent::BLOCK_BYTES`]: infill_core::catalog::Extent::BLOCK_BYTES
    pub fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<Sum> {
        let mut writing = self.writing();
        let range = ByteRange::at(offset, bytes.len() as u64);
        if range.len() < bytes.len() as u64 {
            return Err(ErrorKind::FileTooLarge.into());
        }
        let (mut at, mut rest) = (offset, bytes);
        while !rest.is_empty() {
            let (index, within, room) = self.locate(at);
            let (now, later) = rest.split_at(rest.len().min(room));
            if let Err(error) = self.write_chunk(&mut writing, index, within, now) {
                writing.sums.forget(range);
                return Err(error);
            }
            at += now.len() as u64;
            rest = later;
        }
        self.used().ranges.insert(range);
        Ok(writing.sums.write(offset, bytes))
    }

    /// Reads until `buf` is full; less only where nothing is stored. An error where what was stored is gone.
    pub fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let mut done = 0;
        while done < buf.len() {
            let at = offset + done as u64;
            let (index, within, room) = self.locate(at);
            let wanted = room.min(buf.len() - done);
            let chunk = self.chunk(index);
            let read = self.read_chunk(&chunk, index, within, &mut buf[done..done + wanted]);
            chunk.check_read(ByteRange::at(at, wanted as u64))?;
            let count = read?;
            done += count;
            if count < wanted {
                break;
            }
        }
        Ok(done)
    }

    /// XXH3-64 of stored bytes. An error if any of them is not there.
    pub fn digest(&self, range: ByteRange) -> io::Result<u64> {
        digest(range, |at, block| self.read_at(at, block))?.ok_or_else(|| {
            let dir = self.shared.disk().describe(&layout::asset_dir(self.place.key.asset));
            let what = format!("{dir}: bytes that were stored are not there");
            io::Error::new(ErrorKind::NotFound, what)
        })
    }

    /// Gives back the space of these bytes, as far as whole files hold nothing else that is stored.
    pub fn discard(&self, range: ByteRange) {
        let mut writing = self.writing();
        writing.sums.forget(range);
        if self.used().unknown && !self.find_used() {
            return;
        }
        for index in self.take_unused(range) {
            self.delete_chunk(index);
        }
    }

    /// Of the files that hold any of these bytes, those that hold nothing else.
    fn take_unused(&self, range: ByteRange) -> Vec<u64> {
        let mut used = self.used();
        let mut touched: Vec<u64> = Vec::new();
        for run in used.ranges.overlapping(range) {
            let run = run.intersect(range);
            let chunks = run.start / self.file_bytes..run.end.div_ceil(self.file_bytes);
            for chunk in chunks {
                if touched.last() != Some(&chunk) {
                    touched.push(chunk);
                }
            }
        }
        used.ranges.remove(range);
        touched.retain(|index| used.ranges.overlapping(self.range_of(*index)).next().is_none());
        touched
    }

    /// Has on the disk what was written since the last call. An error is final for all of that (FAULTS D6).
    pub fn sync(&self) -> io::Result<()> {
        let mut writing = self.writing();
        let chunks: Vec<(u64, Arc<Chunk>)> = self
            .chunks()
            .iter()
            .filter(|(_, chunk)| chunk.needs_sync() || chunk.is_unnamed())
            .map(|(index, chunk)| (*index, Arc::clone(chunk)))
            .collect();
        let mut result = Ok(());
        for (index, chunk) in &chunks {
            let synced = self.sync_chunk(&mut writing, *index, chunk);
            result = result.and(synced);
        }
        result.and(self.sync_names(&mut writing, &chunks))
    }

    fn write_chunk(
        &self,
        writing: &mut Writing,
        index: u64,
        within: u64,
        bytes: &[u8],
    ) -> io::Result<()> {
        let chunk = self.chunk(index);
        let file = self.pin(index, &chunk, true)?;
        chunk.check_len(&*file)?;
        if chunk.take_loss() {
            // What was hashed of it is gone.
            writing.sums.forget(chunk.range());
        }
        chunk.begin_write();
        file.write_at(within, bytes).map_err(|error| chunk.error(&error))?;
        let range = ByteRange::at(chunk.range().start + within, bytes.len() as u64);
        chunk.end_write(range);
        Ok(())
    }

    fn read_chunk(
        &self,
        chunk: &Arc<Chunk>,
        index: u64,
        within: u64,
        buf: &mut [u8],
    ) -> io::Result<usize> {
        match self.pin(index, chunk, false) {
            Ok(file) => {
                let count = file.read_at(within, buf).map_err(|error| chunk.error(&error))?;
                if count < buf.len() {
                    chunk.check_len(&*file)?;
                }
                Ok(count)
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(0),
            Err(error) => Err(error),
        }
    }

    fn sync_chunk(&self, writing: &mut Writing, index: u64, chunk: &Arc<Chunk>) -> io::Result<()> {
        let mut result = Ok(());
        if chunk.is_dirty() {
            let file = self.pin(index, chunk, false);
            result = file.and_then(|file| chunk.sync(&*file));
            if chunk.take_loss() {
                writing.sums.forget(chunk.range());
                self.shared.handles().close((self.owner, index));
            }
        }
        chunk.take_failure().and(result)
    }

    /// A new file is found again after a power cut only if its directory was synced, too.
    fn sync_names(&self, writing: &mut Writing, chunks: &[(u64, Arc<Chunk>)]) -> io::Result<()> {
        if !chunks.iter().any(|(_, chunk)| chunk.is_unnamed()) {
            return Ok(());
        }
        self.shared.disk().sync_dir(&layout::asset_dir(self.place.key.asset))?;
        if !writing.dir_named {
            self.shared.disk().sync_dir("")?;
            writing.dir_named = true;
        }
        chunks.iter().for_each(|(_, chunk)| chunk.set_named());
        Ok(())
    }

    fn delete_chunk(&self, index: u64) {
        let chunk = self.chunk(index);
        chunk.bury();
        self.shared.handles().close((self.owner, index));
        self.chunks().remove(&index);
        if let Err(error) = chunk.delete() {
            // It is deleted with the rest of its resource, or by a sweep.
            tracing::warn!(%error, "a file of the cache that is not needed could not be deleted");
        }
    }

    /// Takes every file that there is for full of stored bytes. False if that can't be told.
    fn find_used(&self) -> bool {
        let dir = layout::asset_dir(self.place.key.asset);
        let names = match self.shared.disk().list(&dir) {
            Ok(names) => names,
            Err(error) => {
                tracing::warn!(%error, "a directory of the cache could not be listed");
                return false;
            }
        };
        let ours = names.iter().filter_map(|name| name.parse::<DataName>().ok());
        let ours = ours.filter(|name| name.is_of(self.place));
        self.restore(ours.map(|name| self.range_of(name.chunk)));
        true
    }

    fn pin(&self, index: u64, chunk: &Arc<Chunk>, create: bool) -> io::Result<Pinned<'_>> {
        let opener: Arc<dyn Opener> = Arc::clone(chunk) as _;
        self.shared.handles().get((self.owner, index), &opener, create)
    }

    fn chunk(&self, index: u64) -> Arc<Chunk> {
        let mut chunks = self.chunks();
        let chunk = chunks.entry(index).or_insert_with(|| {
            let path = layout::data_path(self.place, index);
            Arc::new(Chunk::new(Arc::clone(self.shared.disk()), path, self.range_of(index)))
        });
        Arc::clone(chunk)
    }

    fn range_of(&self, chunk: u64) -> ByteRange {
        ByteRange::at(chunk.saturating_mul(self.file_bytes), self.file_bytes)
    }

    /// The chunk of `position`, the place in it, and the room from there to its end.
    fn locate(&self, position: u64) -> (u64, u64, usize) {
        let within = position % self.file_bytes;
        let room = usize::try_from(self.file_bytes - within).unwrap_or(usize::MAX);
        (position / self.file_bytes, within, room)
    }

    fn chunks(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Chunk>>> {
        self.chunks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn used(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn writing(&self) -> MutexGuard<'_, Writing> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for CacheFile {
    fn drop(&mut self) {
        self.shared.handles().close_all_of(self.owner);
    }
}
