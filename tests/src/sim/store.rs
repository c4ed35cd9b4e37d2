//! The store: operations in order for each resource, in any order across them, with time for each; pieces in memory.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use infill_core::{ByteRange, ByteRanges, Event, OpId, ResourceId, StoreFailure, Verification};
use xxhash_rust::xxh3::Xxh3;

use super::stage::{Happening, Stage};

/// An operation of the store.
#[derive(Clone, Debug)]
pub(super) enum StoreOp {
    Write { op: OpId, offset: u64, bytes: Bytes },
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
    latency: Duration,
    resources: BTreeMap<ResourceId, Stored>,
}

/// What is stored of one resource, and what is under way.
#[derive(Debug, Default)]
pub(super) struct Stored {
    /// By their first position; they never overlap.
    pieces: BTreeMap<u64, Bytes>,
    /// Stored or on its way there, and not on its way out.
    held: ByteRanges,
    queue: VecDeque<StoreOp>,
}

impl Store {
    pub(super) fn new(latency: Duration) -> Self {
        Self { health: Health::Good, latency, resources: BTreeMap::new() }
    }

    /// Queues an operation.
    pub(super) fn submit(&mut self, stage: &mut Stage, resource: ResourceId, op: StoreOp) {
        let stored = self.resources.entry(resource).or_default();
        match &op {
            StoreOp::Write { offset, bytes, .. } => stored.held.insert(range_of(*offset, bytes)),
            StoreOp::Discard { range } => stored.held.remove(*range),
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
            StoreOp::Write { op, offset, bytes } => {
                let result = match health {
                    Health::Good => {
                        stored.put(offset, bytes);
                        Ok(None)
                    }
                    bad => {
                        stored.held.remove(range_of(offset, &bytes));
                        Err((failure(bad), bytes))
                    }
                };
                Some(Event::Written { resource, op, result })
            }
            StoreOp::Verify { op, range } => {
                let result = match (health, stored.digest(range)) {
                    (Health::Broken, _) => Verification::Failed(failure(health)),
                    (_, Some(digest)) => Verification::Digest(digest),
                    (_, None) => Verification::Failed(StoreFailure {
                        full: false,
                        detail: "not stored".into(),
                    }),
                };
                Some(Event::Verified { resource, op, result })
            }
            StoreOp::Discard { range } => {
                stored.carve(range);
                None
            }
        };
        if more {
            self.schedule(stage, resource);
        }
        event
    }

    /// The stored pieces of a range, in order; `None` if a byte of it is not stored.
    pub(super) fn read(&self, resource: ResourceId, range: ByteRange) -> Option<Vec<(u64, Bytes)>> {
        self.resources.get(&resource)?.read(range)
    }

    /// Bytes that are stored or on their way there, and not on their way out.
    pub(super) fn used(&self, resource: ResourceId) -> u64 {
        self.resources.get(&resource).map_or(0, |stored| stored.held.len())
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
                StoreOp::Write { op: OpId(op), offset: op * 3, bytes },
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
