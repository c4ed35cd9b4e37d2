//! Written bytes on their way to a record: a run grows until its block is full, its transfer ends, or it is a second
//! old; then it is sealed, and a record may name it. What a killed process loses is what is here.

use core::time::Duration;

use crate::catalog::Extent;
use crate::{ByteRange, ByteRanges, Instant};

/// Runs that no record names yet.
#[derive(Debug, Default)]
pub(crate) struct Sealing {
    growing: Vec<Growing>,
    /// What is left of runs of which a part was taken back: without a digest.
    loose: ByteRanges,
    loose_since: Option<Instant>,
}

#[derive(Debug)]
struct Growing {
    extent: Extent,
    since: Instant,
    due: bool,
}

impl Sealing {
    /// A run has grown, or begun.
    pub(crate) fn add(&mut self, now: Instant, extent: Extent) {
        let full = extent.range().end.is_multiple_of(Extent::BLOCK_BYTES);
        match self.growing.iter_mut().find(|growing| growing.extent.start == extent.start) {
            Some(growing) => {
                growing.extent = extent;
                growing.due |= full;
            }
            None => self.growing.push(Growing { extent, since: now, due: full }),
        }
    }

    /// Nothing more comes for now: all is due.
    pub(crate) fn hurry(&mut self) {
        self.growing.iter_mut().for_each(|growing| growing.due = true);
        self.loose_since = self.loose_since.map(|_| Instant::ZERO);
    }

    /// These bytes are no longer there. What is left of their runs needs another digest.
    pub(crate) fn forget(&mut self, range: ByteRange) {
        let cut = |growing: &Growing| !growing.extent.range().intersect(range).is_empty();
        for run in self.growing.extract_if(.., |growing| cut(growing)) {
            self.loose.insert(run.extent.range());
            self.loose_since.get_or_insert(run.since);
        }
        self.loose.remove(range);
    }

    /// These bytes are there and have no digest (any more).
    pub(crate) fn loosen(&mut self, now: Instant, range: ByteRange) {
        self.loose.insert(range);
        self.loose_since.get_or_insert(now);
    }

    /// Bytes to be digested anew, never past a block, if that is due.
    pub(crate) fn take_loose(&mut self, now: Instant, after: Duration) -> Option<ByteRange> {
        self.loose_since.filter(|since| *since + after <= now || *since == Instant::ZERO)?;
        let Some(run) = self.loose.iter().next() else {
            self.loose_since = None;
            return None;
        };
        let range = run.intersect(ByteRange::at(run.start, Extent::room(run.start)));
        self.loose.remove(range);
        Some(range)
    }

    /// When something is due.
    pub(crate) fn deadline(&self, after: Duration) -> Option<Instant> {
        let due =
            |growing: &Growing| if growing.due { growing.since } else { growing.since + after };
        let loose = self.loose_since.filter(|_| !self.loose.is_empty());
        self.growing.iter().map(due).chain(loose.map(|since| since + after)).min()
    }

    /// What is due, in order; it is sealed.
    pub(crate) fn take_due(&mut self, now: Instant, after: Duration) -> Vec<Extent> {
        let due = |growing: &Growing| growing.due || growing.since + after <= now;
        if !self.growing.iter().any(due) {
            return Vec::new();
        }
        let sealed = self.growing.extract_if(.., |growing| due(growing));
        sealed.map(|growing| growing.extent).collect()
    }

    /// Whether every run is sealed.
    pub(crate) fn is_empty(&self) -> bool {
        self.growing.is_empty() && self.loose.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn run(start: u64, len: u32) -> Extent {
        Extent { start, digest: u64::from(len), len }
    }

    #[test]
    fn a_run_is_sealed_when_it_is_full_or_old_or_nothing_more_comes() {
        let mut sealing = Sealing::default();
        let at = |secs| Instant::ZERO + Duration::from_secs(secs);
        sealing.add(at(0), run(0, 1000));
        sealing.add(at(0), run(300_000, 10));
        sealing.add(at(1), run(0, 2000));
        assert_eq!(sealing.deadline(SECOND), Some(at(1)), "its age is that of its first byte");
        assert!(sealing.take_due(at(0), SECOND).is_empty());
        assert_eq!(sealing.take_due(at(1), SECOND), [run(0, 2000), run(300_000, 10)]);
        sealing.add(at(1), run(0, Extent::BLOCK_BYTES as u32));
        assert_eq!(sealing.take_due(at(1), SECOND).len(), 1, "a full block");
        sealing.add(at(1), run(0, 5));
        sealing.add(at(1), run(100, 5));
        sealing.forget(ByteRange::new(104, 200));
        sealing.hurry();
        assert_eq!(sealing.take_due(at(1), SECOND), [run(0, 5)]);
        assert!(!sealing.is_empty(), "what is left of a run that was cut needs another digest");
        assert_eq!(sealing.take_loose(at(1), SECOND), Some(ByteRange::new(100, 104)));
        assert!(sealing.is_empty());
        assert_eq!(sealing.deadline(SECOND), None);
    }
}
