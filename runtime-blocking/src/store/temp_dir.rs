//! A store in temporary files: one for each 16 MiB of a resource, without a name, so that a window can give files back
//! and no crash leaves any behind.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use infill_core::{ByteRange, ResourceId};

use super::{BLOCK_BYTES, positional};
use crate::engine::{Blob, Store};

/// How much of a resource goes into one file.
const FILE_BYTES: u64 = 16 << 20;

/// Blocks in a file.
const FILE_BLOCKS: usize = (FILE_BYTES / BLOCK_BYTES) as usize;

/// How many files are open at once. Past it the store is full.
const MAX_FILES: usize = 512;

/// A store in temporary files.
#[derive(Debug)]
pub(crate) struct TempDirStore {
    place: Arc<Place>,
    limit_bytes: Option<u64>,
}

#[derive(Debug)]
struct Place {
    dir: PathBuf,
    files: AtomicUsize,
}

impl TempDirStore {
    /// In `dir`, or in the system's directory. Tries whether files can be made there.
    pub(crate) fn new(dir: Option<PathBuf>, limit_bytes: Option<u64>) -> io::Result<Self> {
        let place = Arc::new(Place {
            dir: dir.unwrap_or_else(std::env::temp_dir),
            files: AtomicUsize::new(0),
        });
        drop(ChunkFile::create(&place)?);
        Ok(Self { place, limit_bytes })
    }
}

impl Store for TempDirStore {
    fn limit_bytes(&self) -> Option<u64> {
        self.limit_bytes
    }

    fn create(&self, _resource: ResourceId) -> io::Result<Arc<dyn Blob>> {
        Ok(Arc::new(Files { place: Arc::clone(&self.place), chunks: Mutex::default() }))
    }
}

/// One file, counted.
#[derive(Debug)]
struct ChunkFile {
    file: File,
    place: Arc<Place>,
}

impl ChunkFile {
    fn create(place: &Arc<Place>) -> io::Result<Self> {
        if place.files.fetch_add(1, Ordering::Relaxed) >= MAX_FILES {
            place.files.fetch_sub(1, Ordering::Relaxed);
            let what = format!("{MAX_FILES} temporary files are open, which is the limit");
            return Err(io::Error::new(ErrorKind::StorageFull, what));
        }
        match tempfile::tempfile_in(&place.dir) {
            Ok(file) => Ok(Self { file, place: Arc::clone(place) }),
            Err(error) => {
                place.files.fetch_sub(1, Ordering::Relaxed);
                Err(error)
            }
        }
    }
}

impl Drop for ChunkFile {
    fn drop(&mut self) {
        self.place.files.fetch_sub(1, Ordering::Relaxed);
    }
}

/// One file and which of its blocks are in use.
#[derive(Debug)]
struct Chunk {
    file: Arc<ChunkFile>,
    used: [u64; FILE_BLOCKS.div_ceil(64)],
}

/// The files of one resource. The lock is never held across IO but the making of a file.
#[derive(Debug)]
struct Files {
    place: Arc<Place>,
    chunks: Mutex<BTreeMap<u64, Chunk>>,
}

impl Files {
    fn chunks(&self) -> MutexGuard<'_, BTreeMap<u64, Chunk>> {
        self.chunks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The file for `range`, which lies in one chunk; notes its blocks as used.
    fn for_writing(&self, index: u64, range: ByteRange) -> io::Result<Arc<ChunkFile>> {
        let mut chunks = self.chunks();
        if !chunks.contains_key(&index) {
            // Writes of a resource come one at a time: nobody else makes the same file meanwhile.
            drop(chunks);
            let file = Arc::new(ChunkFile::create(&self.place)?);
            chunks = self.chunks();
            let used = [0; _];
            chunks.entry(index).or_insert(Chunk { file, used });
        }
        let chunk = chunks.get_mut(&index).expect("it was put in above");
        for block in range.start / BLOCK_BYTES..range.end.div_ceil(BLOCK_BYTES) {
            let block = block as usize;
            chunk.used[block / 64] |= 1 << (block % 64);
        }
        Ok(Arc::clone(&chunk.file))
    }
}

/// The chunk of `position`, the place in it, and the room from there to its end.
fn locate(position: u64) -> (u64, u64, usize) {
    let within = position % FILE_BYTES;
    // It fits: it is at most one file.
    (position / FILE_BYTES, within, (FILE_BYTES - within) as usize)
}

impl Blob for Files {
    fn write_at(&self, mut offset: u64, bytes: &Bytes) -> io::Result<()> {
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let (index, within, room) = locate(offset);
            let (now, later) = rest.split_at(rest.len().min(room));
            let range = ByteRange::at(within, now.len() as u64);
            let chunk = self.for_writing(index, range)?;
            positional::write_all_at(&chunk.file, within, now)?;
            offset += now.len() as u64;
            rest = later;
        }
        Ok(())
    }

    fn read_at(&self, mut offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let mut done = 0;
        while done < buf.len() {
            let (index, within, room) = locate(offset);
            let wanted = room.min(buf.len() - done);
            let file = self.chunks().get(&index).map(|chunk| Arc::clone(&chunk.file));
            let Some(chunk) = file else {
                break;
            };
            let part = &mut buf[done..done + wanted];
            let count = positional::read_full_at(&chunk.file, within, part)?;
            done += count;
            offset += count as u64;
            if count < wanted {
                break;
            }
        }
        Ok(done)
    }

    fn discard(&self, range: ByteRange) {
        let (first, end) = (range.start.div_ceil(BLOCK_BYTES), range.end / BLOCK_BYTES);
        let mut gone = Vec::new();
        let mut chunks = self.chunks();
        let per_file = FILE_BLOCKS as u64;
        for (index, chunk) in chunks.range_mut(first / per_file..end.div_ceil(per_file)) {
            for block in 0..per_file {
                let whole = index * per_file + block;
                if first <= whole && whole < end {
                    chunk.used[block as usize / 64] &= !(1 << (block % 64));
                }
            }
            if chunk.used.iter().all(|word| *word == 0) {
                gone.push(*index);
            }
        }
        let files: Vec<_> = gone.iter().map(|index| chunks.remove(index)).collect();
        drop(chunks);
        // Closing, and so deleting, outside the lock.
        drop(files);
    }
}
