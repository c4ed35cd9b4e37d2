//! The store: operations in order for each resource, in any order across them, with time for each; pieces in memory, or
//! in the cache's files.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use infill_core::{
    ByteRange, ByteRanges, Event, OpId, ResourceId, StoreFailure, Tier, Verification,
};
use xxhash_rust::xxh3::Xxh3;

use super::cache::Cache;
use super::invariants::violated;
use super::lived::Trial;
use super::stage::{Happening, Stage};

/// An operation of the store.
#[derive(Clone, Debug)]
pub(super) enum StoreOp {
    Write { op: OpId, offset: u64, bytes: Bytes, tier: Tier },
    Verify { op: OpId, range: ByteRange },
    Discard { range: ByteRange },
}

/// How the store is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Health {
    Good,
    Full,
    Broken,
}

/// What is stored, and what is under way.
#[derive(Debug)]
pub(super) struct Store {
    pub(super) health: Health,
    /// The cache's files, if there is a cache.
    pub(super) cache: Option<Cache>,
    latency: Duration,
    resources: BTreeMap<ResourceId, Stored>,
}

/// What is stored of one resource, and what is under way.
#[derive(Debug, Default)]
pub(super) struct Stored {
    /// By their first position; they never overlap.
    pieces: BTreeMap<u64, Bytes>,
    /// In memory or on its way there, and not on its way out.
    held: ByteRanges,
    /// The same of the cache.
    kept: ByteRanges,
    queue: VecDeque<StoreOp>,
}

impl Store {
    pub(super) fn new(latency: Duration) -> Self {
        Self { health: Health::Good, cache: None, latency, resources: BTreeMap::new() }
    }

    /// Queues an operation.
    pub(super) fn submit(&mut self, stage: &mut Stage, resource: ResourceId, op: StoreOp) {
        let stored = self.resources.entry(resource).or_default();
        match &op {
            StoreOp::Write { offset, bytes, tier, .. } => {
                stored.in_tier(*tier).insert(range_of(*offset, bytes));
            }
            StoreOp::Discard { range } => {
                stored.held.remove(*range);
                stored.kept.remove(*range);
            }
            StoreOp::Verify { .. } => {}
        }
        stored.queue.push_back(op);
        if stored.queue.len() == 1 {
            self.schedule(stage, resource);
        }
    }

    /// Does the oldest operation of a resource; what the machine is told of it.
    pub(super) fn step(&mut self, stage: &mut Stage, resource: ResourceId) -> Option<Event> {
        let health = self.health;
        let stored = self.resources.get_mut(&resource)?;
        let op = stored.queue.pop_front()?;
        let more = !stored.queue.is_empty();
        let event = match op {
            StoreOp::Write { op, offset, bytes, tier } => {
                let result = match (tier, &mut self.cache) {
                    (Tier::Cache, Some(cache)) => cache.write(resource, offset, &bytes),
                    (Tier::Cache, None) => violated!("{resource} writes to a cache that is none"),
                    (Tier::Scratch, _) if health != Health::Good => Err(failure(health)),
                    (Tier::Scratch, cache) => {
                        if let Some(cache) = cache {
                            cache.displace(stage.now, resource, range_of(offset, &bytes));
                        }
                        stored.put(offset, bytes.clone());
                        Ok(None)
                    }
                };
                if let (Err(failure), Tier::Cache) = (&result, tier) {
                    let full = failure.full;
                    stage.lived.count(if full { Trial::DiskFull } else { Trial::WriteFailed });
                }
                match (&result, tier) {
                    (Ok(_), Tier::Cache) => stored.carve(range_of(offset, &bytes)),
                    (Ok(_), Tier::Scratch) => {}
                    (Err(_), tier) => stored.in_tier(tier).remove(range_of(offset, &bytes)),
                }
                let result = result.map_err(|failure| (failure, bytes));
                Some(Event::Written { resource, op, result })
            }
            StoreOp::Verify { op, range } => {
                let in_memory = stored.pieces_within(range);
                let result = match &self.cache {
                    Some(cache) if !in_memory => cache.digest(resource, range),
                    _ => match (health, stored.digest(range)) {
                        (Health::Broken, _) => Verification::Failed(failure(health)),
                        (_, Some(digest)) => Verification::Digest(digest),
                        (_, None) => Verification::Failed(StoreFailure {
                            full: false,
                            detail: "not stored".into(),
                        }),
                    },
                };
                Some(Event::Verified { resource, op, result })
            }
            StoreOp::Discard { range } => {
                stored.carve(range);
                if let Some(cache) = &mut self.cache {
                    cache.discard(resource, range);
                }
                None
            }
        };
        if more {
            self.schedule(stage, resource);
        }
        event
    }

    /// The stored pieces of a range, in order; `None` if a byte of it is not stored. The error is the disk's.
    pub(super) fn read(
        &self,
        resource: ResourceId,
        range: ByteRange,
    ) -> Result<Option<Vec<(u64, Bytes)>>, StoreFailure> {
        let stored = self.resources.get(&resource);
        let Some(cache) = &self.cache else {
            return Ok(stored.and_then(|stored| stored.read(range)));
        };
        let mut parts = Vec::new();
        for (part, cached) in cache.split(resource, range) {
            if cached {
                parts.push((part.start, cache.read(resource, part)?));
            } else if let Some(more) = stored.and_then(|stored| stored.read(part)) {
                parts.extend(more);
            } else {
                return Ok(None);
            }
        }
        Ok(Some(parts))
    }

    /// The same, whatever is wrong with the disk.
    pub(super) fn peek(&self, resource: ResourceId, range: ByteRange) -> Option<Vec<(u64, Bytes)>> {
        let _pardon = self.cache.as_ref().map(Cache::pardon);
        self.read(resource, range).ok().flatten()
    }

    /// Bytes that are in memory or on their way there, and not on their way out.
    pub(super) fn used(&self, resource: ResourceId) -> u64 {
        self.resources.get(&resource).map_or(0, |stored| stored.held.len())
    }

    /// Whether nothing at all is under way.
    pub(super) fn is_idle(&self) -> bool {
        self.resources.values().all(|stored| stored.queue.is_empty())
            && self.cache.as_ref().is_none_or(Cache::is_idle)
    }

    /// Resources with an operation under way.
    pub(super) fn busy(&self) -> Vec<ResourceId> {
        let busy = self.resources.iter().filter(|(_, stored)| !stored.queue.is_empty());
        busy.map(|(resource, _)| *resource).collect()
    }

    /// Whether operations of this resource are under way that will be answered.
    pub(super) fn is_busy(&self, resource: ResourceId) -> bool {
        self.resources.get(&resource).is_some_and(|stored| {
            stored.queue.iter().any(|op| !matches!(op, StoreOp::Discard { .. }))
        })
    }

    fn schedule(&self, stage: &mut Stage, resource: ResourceId) {
        let delay = stage.between(Duration::ZERO, self.latency);
        stage.after(delay, Happening::Store(resource));
    }
}

impl Stored {
    fn in_tier(&mut self, tier: Tier) -> &mut ByteRanges {
        match tier {
            Tier::Scratch => &mut self.held,
            Tier::Cache => &mut self.kept,
        }
    }

    /// Whether all of a range is in memory.
    fn pieces_within(&self, range: ByteRange) -> bool {
        self.read(range).is_some()
    }

    pub(super) fn put(&mut self, offset: u64, bytes: Bytes) {
        self.carve(ByteRange::at(offset, bytes.len() as u64));
        self.pieces.insert(offset, bytes);
    }

    /// Takes a range out, cutting the pieces at its ends.
    fn carve(&mut self, range: ByteRange) {
        let before = self.pieces.range(..range.start).next_back().map(|(start, _)| *start);
        let first = before.unwrap_or(range.start);
        let touched: Vec<u64> = self.pieces.range(first..range.end).map(|(s, _)| *s).collect();
        for start in touched {
            let piece = self.pieces.remove(&start).expect("its key was just listed");
            let end = start + piece.len() as u64;
            if start < range.start {
                let keep = piece.slice(..(range.start.min(end) - start) as usize);
                self.pieces.insert(start, keep);
            }
            if end > range.end {
                self.pieces.insert(range.end, piece.slice((range.end - start) as usize..));
            }
        }
    }

    fn read(&self, range: ByteRange) -> Option<Vec<(u64, Bytes)>> {
        let mut at = range.start;
        let mut parts = Vec::new();
        let first = self.pieces.range(..=at).next_back().map(|(start, _)| *start)?;
        for (start, piece) in self.pieces.range(first..range.end.max(first + 1)) {
            let end = start + piece.len() as u64;
            if *start > at || end <= at {
                break;
            }
            let upto = end.min(range.end);
            parts.push((at, piece.slice((at - start) as usize..(upto - start) as usize)));
            at = upto;
            if at == range.end {
                break;
            }
        }
        (at == range.end).then_some(parts)
    }

    pub(super) fn digest(&self, range: ByteRange) -> Option<u64> {
        let mut hasher = Xxh3::new();
        for (_, bytes) in self.read(range)? {
            hasher.update(&bytes);
        }
        Some(hasher.digest())
    }
}

fn range_of(start: u64, bytes: &Bytes) -> ByteRange {
    ByteRange::at(start, bytes.len() as u64)
}

fn failure(health: Health) -> StoreFailure {
    let full = health == Health::Full;
    let detail = if full { "no space left on device" } else { "input/output error" };
    StoreFailure { full, detail: detail.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(pieces: &[(u64, &'static [u8])]) -> Stored {
        let mut stored = Stored::default();
        for (offset, bytes) in pieces {
            stored.put(*offset, Bytes::from_static(bytes));
        }
        stored
    }

    fn text(stored: &Stored, start: u64, end: u64) -> Option<String> {
        let parts = stored.read(ByteRange::new(start, end))?;
        Some(parts.iter().map(|(_, bytes)| std::str::from_utf8(bytes).unwrap()).collect())
    }

    #[test]
    fn pieces_join_and_holes_are_seen() {
        let stored = stored(&[(0, b"abcd"), (4, b"efgh"), (10, b"kl")]);
        assert_eq!(text(&stored, 2, 7).as_deref(), Some("cdefg"));
        assert_eq!(text(&stored, 0, 8).as_deref(), Some("abcdefgh"));
        assert_eq!(text(&stored, 6, 11), None);
        assert_eq!(text(&stored, 8, 9), None);
        assert_eq!(text(&stored, 10, 12).as_deref(), Some("kl"));
    }

    #[test]
    fn carving_cuts_pieces_at_both_ends() {
        let mut stored = stored(&[(0, b"abcdefgh")]);
        stored.carve(ByteRange::new(2, 5));
        assert_eq!(text(&stored, 0, 2).as_deref(), Some("ab"));
        assert_eq!(text(&stored, 5, 8).as_deref(), Some("fgh"));
        assert_eq!(text(&stored, 1, 3), None);
        stored.put(1, Bytes::from_static(b"BCDEF"));
        assert_eq!(text(&stored, 0, 8).as_deref(), Some("aBCDEFgh"));
    }

    #[test]
    fn acknowledges_in_order_and_gives_bytes_back_when_full() {
        let mut stage = Stage::new(3);
        let mut store = Store::new(Duration::from_millis(5));
        let resource = ResourceId(1);
        for op in 0..3 {
            let bytes = Bytes::from_static(b"xyz");
            store.submit(
                &mut stage,
                resource,
                StoreOp::Write { op: OpId(op), offset: op * 3, bytes, tier: Tier::Scratch },
            );
        }
        let mut acks = Vec::new();
        while let Some(Happening::Store(resource)) = stage.pop() {
            if acks.len() == 2 {
                store.health = Health::Full;
            }
            if let Some(Event::Written { op, result, .. }) = store.step(&mut stage, resource) {
                acks.push((op.0, result.map_err(|(failure, bytes)| (failure.full, bytes.len()))));
            }
        }
        assert_eq!(acks, [(0, Ok(None)), (1, Ok(None)), (2, Err((true, 3)))]);
        assert_eq!(store.used(resource), 6);
        assert!(!store.is_busy(resource));
    }
}
