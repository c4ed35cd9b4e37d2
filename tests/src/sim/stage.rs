//! What everything in a simulated session stands on: virtual time, the queue of what will happen, the one source of
//! chance, and the count of what was injected. Time jumps to the next happening; nothing ticks.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::time::Duration;

use fastrand::Rng;
use infill_core::{FetchId, Instant, ResourceId, TrackId};

use super::cache::CacheStep;
use super::fault::{Coverage, Fault};
use super::lived::Lived;
use super::network::NetStep;
use super::reader::ReaderStep;

/// Something that will happen at a known moment.
#[derive(Clone, Debug)]
pub(super) enum Happening {
    /// A track is opened, for the first time or again.
    Open { track: usize },
    /// A track is closed, for good or to be opened again.
    Shut { track: usize, again: bool },
    /// An incident of the plan begins.
    Incident(usize),
    /// The network is back.
    NetworkBack,
    /// The store works again.
    StoreBack,
    /// The embedder has made up its mind about a fresh URL.
    FreshUrl { track: usize },
    /// A connection goes on.
    Net(FetchId, NetStep),
    /// The oldest operation of a resource is done.
    Store(ResourceId),
    /// Something of the cache is done.
    Cache(CacheStep),
    /// Something is done to the cache, by its place in the plan.
    Deed(usize),
    /// A download or a verification is closed.
    DeedDone(TrackId),
    /// The process ends.
    Die,
    /// A reader goes on; steps of an earlier turn are void.
    Reader { reader: usize, turn: u64, step: ReaderStep },
    /// All faults are over.
    Heal,
}

/// Time, chance and the queue.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) now: Instant,
    pub(super) rng: Rng,
    pub(super) healed: bool,
    pub(super) coverage: Coverage,
    pub(super) lived: Lived,
    queue: BinaryHeap<Entry>,
    sequence: u64,
}

impl Stage {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            now: Instant::ZERO,
            rng: Rng::with_seed(seed),
            healed: false,
            coverage: Coverage::default(),
            lived: Lived::default(),
            queue: BinaryHeap::new(),
            sequence: 0,
        }
    }

    /// Lets something happen after `delay`; what is due at the same moment happens in the order of these calls.
    pub(super) fn after(&mut self, delay: Duration, happening: Happening) {
        self.at(self.now + delay, happening);
    }

    /// Lets something happen at a moment; at once if that has passed.
    pub(super) fn at(&mut self, at: Instant, happening: Happening) {
        let entry = Entry { at: at.max(self.now), sequence: self.sequence, happening };
        self.sequence += 1;
        self.queue.push(entry);
    }

    /// When the next thing happens.
    pub(super) fn next_at(&self) -> Option<Instant> {
        self.queue.peek().map(|entry| entry.at)
    }

    /// Moves time to the next thing and takes it out.
    pub(super) fn pop(&mut self) -> Option<Happening> {
        let entry = self.queue.pop()?;
        self.now = entry.at;
        Some(entry.happening)
    }

    /// Drops what will not happen, because whoever would do it is gone.
    pub(super) fn retain(&mut self, keep: impl Fn(&Happening) -> bool) {
        self.queue.retain(|entry| keep(&entry.happening));
    }

    /// A duration between two, in microseconds steps.
    pub(super) fn between(&mut self, low: Duration, high: Duration) -> Duration {
        let (low, high) = (low.as_micros() as u64, high.as_micros() as u64);
        Duration::from_micros(self.rng.u64(low..=high.max(low)))
    }

    /// Whether something with so many chances in 256 is the case.
    pub(super) fn chance(&mut self, in_256: u32) -> bool {
        self.rng.u32(0..256) < in_256
    }

    /// Counts an injected fault.
    pub(super) fn injected(&mut self, fault: Fault) {
        self.coverage.count(fault);
    }
}

#[derive(Debug)]
struct Entry {
    at: Instant,
    sequence: u64,
    happening: Happening,
}

impl Ord for Entry {
    /// The earliest first; `BinaryHeap` gives the largest.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.sequence).cmp(&(self.at, self.sequence))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Entry {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_happen_by_time_then_in_the_order_they_were_announced() {
        let mut stage = Stage::new(1);
        let ms = Duration::from_millis;
        stage.after(ms(5), Happening::Incident(0));
        stage.after(ms(2), Happening::Incident(1));
        stage.after(ms(5), Happening::Incident(2));
        let order: Vec<_> = std::iter::from_fn(|| {
            stage.pop().map(|happening| match happening {
                Happening::Incident(index) => (index, stage.now.as_nanos() / 1_000_000),
                _ => unreachable!("only incidents were queued"),
            })
        })
        .collect();
        assert_eq!(order, [(1, 2), (0, 5), (2, 5)]);
    }

    #[test]
    fn what_is_announced_for_the_past_happens_now() {
        let mut stage = Stage::new(1);
        stage.after(Duration::from_secs(3), Happening::Heal);
        assert!(stage.pop().is_some());
        stage.at(Instant::ZERO, Happening::NetworkBack);
        assert_eq!(stage.next_at(), Some(stage.now));
    }
}
