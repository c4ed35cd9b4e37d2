//! A store in memory: blocks that grow as they are filled, given back one by one.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use bytes::Bytes;
use infill_core::{ByteRange, ResourceId};

use super::BLOCK_BYTES;
use crate::engine::{Blob, Store};

/// A store in memory.
#[derive(Debug)]
pub(crate) struct MemoryStore {
    limit_bytes: u64,
}

impl MemoryStore {
    /// For this much, over all resources. The machine keeps to it.
    pub(crate) fn new(limit_bytes: u64) -> Self {
        Self { limit_bytes }
    }
}

impl Store for MemoryStore {
    fn limit_bytes(&self) -> Option<u64> {
        Some(self.limit_bytes)
    }

    fn create(&self, _resource: ResourceId) -> io::Result<Arc<dyn Blob>> {
        Ok(Arc::new(Blocks::default()))
    }

    fn may_block(&self) -> bool {
        false
    }
}

/// One block: as long as it was written. Locked while 64 KiB are copied, at most.
type Block = Mutex<Vec<u8>>;

#[derive(Debug, Default)]
struct Blocks(RwLock<BTreeMap<u64, Arc<Block>>>);

impl Blocks {
    fn get(&self, index: u64) -> Option<Arc<Block>> {
        let blocks = self.0.read().unwrap_or_else(PoisonError::into_inner);
        blocks.get(&index).cloned()
    }

    fn get_or_create(&self, index: u64) -> Arc<Block> {
        self.get(index).unwrap_or_else(|| {
            let mut blocks = self.0.write().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(blocks.entry(index).or_default())
        })
    }
}

/// The block of `position`, the place in it, and the room from there to its end.
fn locate(position: u64) -> (u64, usize, usize) {
    let within = position % BLOCK_BYTES;
    // Both fit: they are at most one block.
    (position / BLOCK_BYTES, within as usize, (BLOCK_BYTES - within) as usize)
}

impl Blob for Blocks {
    fn write_at(&self, mut offset: u64, bytes: &Bytes) -> io::Result<()> {
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let (index, from, room) = locate(offset);
            let (now, later) = rest.split_at(rest.len().min(room));
            let block = self.get_or_create(index);
            let mut data = block.lock().unwrap_or_else(PoisonError::into_inner);
            if data.capacity() < from + now.len() {
                // Most blocks are filled from end to end: one allocation, unless little is written.
                let whole = BLOCK_BYTES as usize;
                let target = if from + now.len() > whole / 4 { whole } else { from + now.len() };
                let more = target - data.len();
                data.reserve_exact(more);
            }
            if data.len() < from {
                data.resize(from, 0);
            }
            let overlap = (data.len() - from).min(now.len());
            data[from..from + overlap].copy_from_slice(&now[..overlap]);
            data.extend_from_slice(&now[overlap..]);
            drop(data);
            offset += now.len() as u64;
            rest = later;
        }
        Ok(())
    }

    fn read_at(&self, mut offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let mut done = 0;
        while done < buf.len() {
            let (index, from, _) = locate(offset);
            let Some(block) = self.get(index) else {
                break;
            };
            let data = block.lock().unwrap_or_else(PoisonError::into_inner);
            let stored = data.get(from..).unwrap_or_default();
            let count = stored.len().min(buf.len() - done);
            if count == 0 {
                break;
            }
            buf[done..done + count].copy_from_slice(&stored[..count]);
            done += count;
            offset += count as u64;
        }
        Ok(done)
    }

    fn may_block(&self) -> bool {
        false
    }

    fn discard(&self, range: ByteRange) {
        let (first, end) = (range.start.div_ceil(BLOCK_BYTES), range.end / BLOCK_BYTES);
        if first < end {
            let mut blocks = self.0.write().unwrap_or_else(PoisonError::into_inner);
            let mut rest = blocks.split_off(&first);
            let mut kept = rest.split_off(&end);
            blocks.append(&mut kept);
        }
    }
}
