//! One resource as the store and its readers know it: what is written, claimed and published of it.

use std::collections::VecDeque;

use bytes::Bytes;
use infill_core::catalog::{Extent, Place};
use infill_core::{ByteRange, ByteRanges, Change, OpId, Tier, View};

/// A write that was not answered.
#[derive(Debug)]
pub(super) struct Write {
    pub(super) op: OpId,
    pub(super) offset: u64,
    pub(super) bytes: Bytes,
    pub(super) tier: Tier,
}

impl Write {
    /// Its positions.
    pub(super) fn range(&self) -> ByteRange {
        ByteRange::at(self.offset, self.bytes.len() as u64)
    }
}

/// A resource as the store and its readers know it.
#[derive(Debug, Default)]
pub(super) struct Stored {
    /// Where the cache keeps it.
    pub(super) place: Option<Place>,
    pub(super) writes: VecDeque<Write>,
    pub(super) verifies: VecDeque<(OpId, ByteRange)>,
    pub(super) syncs: VecDeque<OpId>,
    /// What can be read back, from either tier.
    written: ByteRanges,
    /// What was digested, and so may be called verified.
    digested: Vec<ByteRange>,
    /// Runs in the cache that the store goes on digesting.
    runs: Vec<ByteRange>,
    view: View,
}

impl Stored {
    /// Whether an answer is owed.
    pub(super) fn is_owed(&self) -> bool {
        !self.writes.is_empty() || !self.verifies.is_empty() || !self.syncs.is_empty()
    }

    /// It is kept there, and so much of it was kept before.
    pub(super) fn place(&mut self, place: Place, kept: &ByteRanges) {
        assert!(self.place.replace(place).is_none(), "placed twice: {place:?}");
        for range in kept.iter() {
            self.written.insert(range);
        }
    }

    /// A write begins.
    pub(super) fn write(&mut self, op: OpId, offset: u64, bytes: Bytes, tier: Tier) {
        let end = offset.checked_add(bytes.len() as u64).expect("it fits into a u64");
        let range = ByteRange::new(offset, end);
        assert!(!range.is_empty(), "an empty write");
        assert_eq!(self.view.present().len_within(range), 0, "{range} is published");
        assert_eq!(self.view.claimed().len_within(range), 0, "{range} is claimed");
        for write in &self.writes {
            assert!(write.range().intersect(range).is_empty(), "{range} is being written");
        }
        if tier == Tier::Cache {
            assert!(self.place.is_some(), "{range} has no place in the cache");
            let within = offset % Extent::BLOCK_BYTES + bytes.len() as u64;
            assert!(within <= Extent::BLOCK_BYTES, "{range} leaves its block");
        }
        self.writes.push_back(Write { op, offset, bytes, tier });
    }

    /// A question begins.
    pub(super) fn verify(&mut self, op: OpId, range: ByteRange) {
        assert!(self.written.contains_range(range), "{range} is not stored");
        self.verifies.push_back((op, range));
    }

    /// The disk is asked.
    pub(super) fn sync(&mut self, op: OpId) {
        assert!(self.place.is_some(), "nothing of it is in the cache");
        self.syncs.push_back(op);
    }

    /// The write that is to be answered next.
    pub(super) fn oldest(&self) -> Option<OpId> {
        self.writes.front().map(|write| write.op)
    }

    /// The oldest write succeeds. Gives it, and the run of the cache that it lengthens, or begins.
    pub(super) fn wrote(&mut self) -> Option<(Write, Option<ByteRange>)> {
        let write = self.writes.pop_front()?;
        let range = write.range();
        self.written.insert(range);
        if write.tier == Tier::Scratch {
            return Some((write, None));
        }
        let continued = self.runs.iter().position(|run| {
            run.end == range.start && !range.start.is_multiple_of(Extent::BLOCK_BYTES)
        });
        let start = continued.map_or(range.start, |index| self.runs.swap_remove(index).start);
        let run = ByteRange::new(start, range.end);
        self.runs.push(run);
        Some((write, Some(run)))
    }

    /// The store has too many runs, and forgets them.
    pub(super) fn forget_runs(&mut self) {
        self.runs.clear();
    }

    /// The oldest question gets an answer that tells what is there.
    pub(super) fn digested(&mut self, range: ByteRange) {
        self.digested.push(range);
    }

    /// Retracted bytes can go.
    pub(super) fn discard(&mut self, range: ByteRange) {
        assert_eq!(self.view.present().len_within(range), 0, "{range} is published");
        assert_eq!(self.view.claimed().len_within(range), 0, "{range} is claimed");
        self.written.remove(range);
        self.runs.retain(|run| run.intersect(range).is_empty());
    }

    /// What readers see changes.
    pub(super) fn publish(&mut self, change: &Change) {
        let (present, claimed) = (self.view.present(), self.view.claimed());
        match change {
            Change::Present(range) => {
                assert!(self.written.contains_range(*range), "{range} was not written");
                assert_eq!(present.len_within(*range), 0, "{range} twice");
                assert_eq!(claimed.len_within(*range), 0, "{range} is not verified");
            }
            Change::Retracted(range) => {
                assert!(present.contains_range(*range), "{range} is not published");
            }
            Change::Claimed(range) => {
                assert!(self.place.is_some(), "claimed without a place");
                assert!(self.written.contains_range(*range), "{range} is not stored");
                assert_eq!(present.len_within(*range), 0, "{range} is published");
                assert_eq!(claimed.len_within(*range), 0, "{range} is claimed");
                // What was digested before says nothing of what is claimed now.
                self.digested.retain(|other| other.intersect(*range).is_empty());
            }
            Change::Verified(range) => {
                assert!(claimed.contains_range(*range), "{range} is not claimed");
                // Perhaps with more, for a run can grow on while its beginning is doubted.
                let mut digested = self.digested.iter();
                let whole = |other: &ByteRange| other.intersect(*range) == *range;
                assert!(digested.any(whole), "{range} was not digested");
            }
            Change::Unclaimed(range) => {
                assert!(claimed.contains_range(*range), "{range} is not claimed");
            }
            Change::Facts(_) | Change::Failed(_) | Change::Recovered => {}
        }
        self.view.apply(change);
    }

    /// Everything is said to be there.
    pub(super) fn commit(&mut self, final_len: u64) {
        let whole = ByteRange::new(0, final_len);
        assert!(self.view.present().contains_range(whole), "not whole: {self:?}");
        self.view.commit(final_len);
    }
}
