//! The bytes of one resource, wherever they are: in the scratch store, in the cache, or here one and there the other.
//!
//! What is written to the scratch store is remembered, and read from there; all else is read from the cache, if the
//! resource has a place there. The scratch store is asked for a place at the first write: what is in the cache needs
//! none.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use infill_core::catalog::Place;
use infill_core::{ByteRange, ByteRanges, ResourceId, Sum, Tier};

use super::archive::ArchiveFile;
use super::blob::{Blob, Store};

/// Both tiers of a resource.
pub(super) struct Tiers {
    resource: ResourceId,
    store: Arc<dyn Store>,
    state: Mutex<State>,
}

/// The lock is never held across IO.
#[derive(Default)]
struct State {
    scratch: Option<Arc<dyn Blob>>,
    in_scratch: ByteRanges,
    file: Option<Arc<dyn ArchiveFile>>,
    place: Option<Place>,
    /// What is in the file since an earlier session; the file is told before it is changed.
    claimed: ByteRanges,
}

/// Where a run of bytes is, and how many of them are there.
enum Run {
    Scratch(Arc<dyn Blob>, usize),
    File(Arc<dyn ArchiveFile>, usize),
    Nowhere,
}

impl Tiers {
    pub(super) fn new(resource: ResourceId, store: Arc<dyn Store>) -> Self {
        Self { resource, store, state: Mutex::default() }
    }

    /// It is in the cache from now on, too.
    pub(super) fn settle_in(&self, place: Place, file: Arc<dyn ArchiveFile>) {
        let mut state = self.state();
        state.claimed = ByteRanges::new();
        (state.place, state.file) = (Some(place), Some(file));
    }

    /// What is at that place is about to be deleted: if that is where it was, it no longer is.
    pub(super) fn move_out(&self, place: &Place) -> Option<Arc<dyn ArchiveFile>> {
        let mut state = self.state();
        state.place.take_if(|own| own == place)?;
        state.file.take()
    }

    /// Its place in the cache.
    pub(super) fn file(&self) -> Option<Arc<dyn ArchiveFile>> {
        self.state().file.clone()
    }

    /// The cache has that of an earlier session.
    pub(super) fn claim(&self, range: ByteRange) {
        self.state().claimed.insert(range);
    }

    /// The place in the cache, to change something there.
    fn file_to_change(&self) -> Option<Arc<dyn ArchiveFile>> {
        let mut state = self.state();
        let file = state.file.clone()?;
        let claimed = core::mem::take(&mut state.claimed);
        drop(state);
        if !claimed.is_empty() {
            file.restore(&claimed.iter().collect::<Vec<_>>());
        }
        Some(file)
    }

    /// Whether work on it may wait for a disk.
    pub(super) fn is_slow(&self) -> bool {
        self.store.may_block() || self.state().file.is_some()
    }

    /// Writes.
    pub(super) fn write(&self, tier: Tier, offset: u64, bytes: &Bytes) -> io::Result<Option<Sum>> {
        match tier {
            Tier::Scratch => self.write_at(offset, bytes).map(|()| None),
            Tier::Cache => {
                let file = self.file_to_change();
                let file = file.ok_or_else(|| io::Error::other("it has no place there"))?;
                let sum = file.write_at(offset, bytes)?;
                self.state().in_scratch.remove(range_of(offset, bytes));
                Ok(Some(sum))
            }
        }
    }

    fn scratch(&self) -> io::Result<Arc<dyn Blob>> {
        if let Some(scratch) = &self.state().scratch {
            return Ok(Arc::clone(scratch));
        }
        // Writes of a resource come one at a time: nobody else makes a place meanwhile.
        let scratch = self.store.create(self.resource)?;
        self.state().scratch = Some(Arc::clone(&scratch));
        Ok(scratch)
    }

    fn run(&self, position: u64, most: usize) -> Run {
        let state = self.state();
        let len = |end: Option<u64>| {
            end.and_then(|end| usize::try_from(end - position).ok())
                .map_or(most, |len| len.min(most))
        };
        let next = state.in_scratch.first_present(position);
        match (&state.file, &state.scratch) {
            (None, None) => Run::Nowhere,
            (None, Some(scratch)) => Run::Scratch(Arc::clone(scratch), most),
            (Some(_), Some(scratch)) if next == Some(position) => {
                Run::Scratch(Arc::clone(scratch), len(state.in_scratch.run_end(position)))
            }
            (Some(file), _) => Run::File(Arc::clone(file), len(next)),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Blob for Tiers {
    /// Writes to the scratch store.
    fn write_at(&self, offset: u64, bytes: &Bytes) -> io::Result<()> {
        self.scratch()?.write_at(offset, bytes)?;
        self.state().in_scratch.insert(range_of(offset, bytes));
        Ok(())
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let mut done = 0;
        while done < buf.len() {
            let at = offset + done as u64;
            let (wanted, count) = match self.run(at, buf.len() - done) {
                Run::Nowhere => break,
                Run::Scratch(blob, len) => (len, blob.read_at(at, &mut buf[done..done + len])?),
                Run::File(file, len) => (len, file.read_at(at, &mut buf[done..done + len])?),
            };
            done += count;
            if count < wanted {
                break;
            }
        }
        Ok(done)
    }

    fn may_block(&self) -> bool {
        let state = self.state();
        state.file.is_some() || state.scratch.as_ref().is_some_and(|scratch| scratch.may_block())
    }

    fn discard(&self, range: ByteRange) {
        let mut state = self.state();
        state.in_scratch.remove(range);
        let scratch = state.scratch.clone();
        drop(state);
        if let Some(scratch) = scratch {
            scratch.discard(range);
        }
        if let Some(file) = self.file_to_change() {
            file.discard(range);
        }
    }
}

fn range_of(offset: u64, bytes: &Bytes) -> ByteRange {
    ByteRange::at(offset, bytes.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MemoryStore;
    use infill_core::catalog::{Generation, Key, ResourceKey};

    #[derive(Default)]
    struct File(Mutex<Vec<u8>>);

    impl ArchiveFile for File {
        fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<Sum> {
            let (mut all, from) = (self.0.lock().unwrap(), offset as usize);
            let len = all.len().max(from + bytes.len());
            all.resize(len, 0);
            all[from..from + bytes.len()].copy_from_slice(bytes);
            Ok(Sum { start: offset, digest: 0 })
        }

        fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
            let all = self.0.lock().unwrap();
            let there = all.get(offset as usize..).unwrap_or_default();
            let count = there.len().min(buf.len());
            buf[..count].copy_from_slice(&there[..count]);
            Ok(count)
        }

        fn restore(&self, _stored: &[ByteRange]) {}

        fn sync(&self) -> io::Result<()> {
            Ok(())
        }

        fn discard(&self, _range: ByteRange) {}
    }

    fn place(generation: u64) -> Place {
        let key = ResourceKey::file(Key([0; 20]));
        Place { key, generation: Generation(generation), file_bits: 24 }
    }

    fn read(tiers: &Tiers, offset: u64, len: usize) -> String {
        let mut buf = vec![b'?'; len];
        let count = tiers.read_at(offset, &mut buf).unwrap();
        String::from_utf8(buf[..count].to_vec()).unwrap()
    }

    #[test]
    fn each_byte_is_read_where_it_was_written_last() {
        let tiers = Tiers::new(ResourceId(1), Arc::new(MemoryStore::new(1 << 20)));
        assert!(!tiers.may_block() && !tiers.is_slow());
        assert_eq!(read(&tiers, 0, 4), "");
        tiers.settle_in(place(1), Arc::new(File::default()));
        assert!(tiers.may_block(), "a reader that must not wait asks the workers");
        let write = |tier, at, text: &'static str| {
            tiers.write(tier, at, &Bytes::from_static(text.as_bytes())).unwrap()
        };
        assert!(write(Tier::Cache, 0, "aaaaaaaa").is_some());
        assert!(tiers.state().scratch.is_none(), "no scratch place before it is needed");
        assert!(write(Tier::Scratch, 2, "bbb").is_none());
        assert_eq!(read(&tiers, 0, 20), "aabbbaaa");
        assert_eq!(read(&tiers, 3, 3), "bba");
        write(Tier::Cache, 3, "cc");
        assert_eq!(read(&tiers, 0, 20), "aabccaaa");
        tiers.discard(ByteRange::new(2, 3));
        assert_eq!(read(&tiers, 0, 3), "aaa", "what was given back is nowhere in scratch");
        assert!(tiers.move_out(&place(2)).is_none(), "that is another place");
        assert!(tiers.move_out(&place(1)).is_some());
        assert!(tiers.file().is_none());
    }

    #[test]
    fn without_a_place_in_the_cache_nothing_is_written_there() {
        let tiers = Tiers::new(ResourceId(1), Arc::new(MemoryStore::new(1 << 20)));
        assert!(tiers.write(Tier::Cache, 0, &Bytes::from_static(b"a")).is_err());
    }
}
