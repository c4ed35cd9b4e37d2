//! A set of byte positions, kept as runs that neither overlap nor touch.
//!
//! A tree of `start -> end` of our own, because the one thing that happens with every chunk of every download, a run
//! that grows at its end, is a look-up and a store here and a removal and an insertion in the libraries at hand.

use core::fmt;
use core::ops::Bound::{Excluded, Unbounded};
use std::collections::BTreeMap;

use crate::ByteRange;

/// A set of byte positions. Neighbouring runs are one run.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ByteRanges {
    /// Where each run starts, and where it ends. Runs are not empty, and a run ends before the next one starts.
    runs: BTreeMap<u64, u64>,
    len: u64,
}

impl ByteRanges {
    /// The empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds `range`.
    pub fn insert(&mut self, range: ByteRange) {
        if range.is_empty() {
            return;
        }
        let ByteRange { mut start, mut end } = range;
        // The run that begins at or before the range, if it reaches it, grows; or else a new one begins.
        let before = self.runs.range_mut(..=start).next_back();
        if let Some((at, reach)) = before.filter(|(_, reach)| **reach >= start) {
            if *reach >= end {
                return;
            }
            self.len += end - *reach;
            start = *at;
            *reach = end;
        } else {
            self.len += end - start;
            self.runs.insert(start, end);
        }
        // Runs that it runs into become part of it.
        while let Some((&at, &reach)) = self.runs.range((Excluded(start), Unbounded)).next() {
            if at > end {
                return;
            }
            self.runs.remove(&at);
            self.len -= end.min(reach) - at;
            if reach > end {
                end = reach;
                self.runs.insert(start, end);
            }
        }
    }

    /// Takes `range` out.
    pub fn remove(&mut self, range: ByteRange) {
        if range.is_empty() {
            return;
        }
        if let Some((_, reach)) = self.runs.range_mut(..range.start).next_back() {
            let before = *reach;
            if before > range.start {
                *reach = range.start;
                self.len -= before.min(range.end) - range.start;
            }
            if before > range.end {
                self.runs.insert(range.end, before);
                return;
            }
        }
        while let Some((&at, &reach)) = self.runs.range(range.start..range.end).next() {
            self.runs.remove(&at);
            self.len -= reach.min(range.end) - at;
            if reach > range.end {
                self.runs.insert(range.end, reach);
            }
        }
    }

    /// Takes everything out.
    pub fn clear(&mut self) {
        *self = Self::new();
    }

    /// How many bytes are in the set.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether no byte is in the set.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether `position` is in the set.
    pub fn contains(&self, position: u64) -> bool {
        self.run_at(position).is_some()
    }

    /// Whether every byte of `range` is in the set. True for an empty range.
    pub fn contains_range(&self, range: ByteRange) -> bool {
        range.is_empty() || self.run_end(range.start).is_some_and(|end| end >= range.end)
    }

    /// The run that holds `position`.
    pub fn run_at(&self, position: u64) -> Option<ByteRange> {
        let run = self.runs.range(..=position).next_back().map(run_of)?;
        run.contains(position).then_some(run)
    }

    /// Where the run that holds `position` ends.
    pub fn run_end(&self, position: u64) -> Option<u64> {
        self.run_at(position).map(|run| run.end)
    }

    /// The first position at or after `position` that is not in the set.
    pub fn first_missing(&self, position: u64) -> u64 {
        self.run_end(position).unwrap_or(position)
    }

    /// The first position at or after `position` that is in the set.
    pub fn first_present(&self, position: u64) -> Option<u64> {
        if self.contains(position) {
            return Some(position);
        }
        self.runs.range(position..).next().map(|(start, _)| *start)
    }

    /// The last run that begins before `position`, cut at it.
    pub fn last_before(&self, position: u64) -> Option<ByteRange> {
        let run = self.runs.range(..position).next_back().map(run_of)?;
        Some(run.intersect(ByteRange::new(0, position)))
    }

    /// How many bytes of `range` are in the set.
    pub fn len_within(&self, range: ByteRange) -> u64 {
        self.parts_of(range).map(|part| part.len()).sum()
    }

    /// The runs that share a byte with `range`, whole, in order.
    pub fn overlapping(&self, range: ByteRange) -> impl Iterator<Item = ByteRange> + '_ {
        let first = self.run_at(range.start).filter(|_| !range.is_empty());
        let inside = (!range.is_empty())
            .then(|| self.runs.range((Excluded(range.start), Excluded(range.end))));
        first.into_iter().chain(inside.into_iter().flatten().map(run_of))
    }

    /// What of `range` is in the set, in order.
    pub fn parts_of(&self, range: ByteRange) -> impl Iterator<Item = ByteRange> + '_ {
        self.overlapping(range).map(move |run| run.intersect(range))
    }

    /// The holes of `range`, in order.
    pub fn gaps(&self, range: ByteRange) -> impl Iterator<Item = ByteRange> + '_ {
        let mut at = range.start;
        let mut runs = self.overlapping(range);
        core::iter::from_fn(move || {
            while at < range.end {
                let Some(run) = runs.next() else {
                    let rest = ByteRange::new(at, range.end);
                    at = range.end;
                    return Some(rest);
                };
                let gap = ByteRange::new(at, run.start);
                at = run.end;
                if !gap.is_empty() {
                    return Some(gap);
                }
            }
            None
        })
    }

    /// All runs, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = ByteRange> + '_ {
        self.runs.iter().map(run_of)
    }
}

fn run_of((start, end): (&u64, &u64)) -> ByteRange {
    ByteRange::new(*start, *end)
}

impl fmt::Debug for ByteRanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl FromIterator<ByteRange> for ByteRanges {
    fn from_iter<I: IntoIterator<Item = ByteRange>>(ranges: I) -> Self {
        let mut set = Self::new();
        for range in ranges {
            set.insert(range);
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn empty_and_inverted_ranges_are_nothing() {
        let mut set = ByteRanges::new();
        set.insert(ByteRange::new(5, 5));
        set.insert(ByteRange::new(9, 3));
        set.remove(ByteRange::new(7, 7));
        assert!(set.is_empty());
        assert_eq!(set.gaps(ByteRange::new(3, 3)).count(), 0);
        assert_eq!(set.overlapping(ByteRange::new(0, 0)).count(), 0);
        assert_eq!(set.last_before(0), None);
    }

    proptest! {
        #[test]
        fn agrees_with_a_bitmap(ops in prop::collection::vec((any::<bool>(), 0u64..64, 0u64..64), 0..40), at in 0u64..64) {
            let (mut set, mut bits) = (ByteRanges::new(), [false; 64]);
            for (add, start, end) in ops {
                let range = ByteRange::new(start, end);
                if add { set.insert(range) } else { set.remove(range) }
                for bit in range.start..range.end { bits[bit as usize] = add }
            }
            prop_assert_eq!(set.len(), bits.iter().filter(|bit| **bit).count() as u64);
            for (position, bit) in bits.iter().enumerate() {
                prop_assert_eq!(set.contains(position as u64), *bit);
            }
            let missing = (at..64).find(|p| !bits[*p as usize]).unwrap_or(64);
            prop_assert_eq!(set.first_missing(at), missing);
            prop_assert_eq!(set.first_present(at), (at..64).find(|p| bits[*p as usize]));
            let holes: u64 = set.gaps(ByteRange::new(at, 64)).map(ByteRange::len).sum();
            prop_assert_eq!(holes, (at..64).filter(|p| !bits[*p as usize]).count() as u64);
            let before = (0..at).rev().find(|p| bits[*p as usize]).map(|p| p + 1);
            prop_assert_eq!(set.last_before(at).map(|run| run.end), before);
            let runs: Vec<_> = set.iter().collect();
            prop_assert!(runs.iter().all(|run| !run.is_empty()), "{:?}", runs);
            prop_assert!(runs.windows(2).all(|pair| pair[0].end < pair[1].start), "{:?}", runs);
            let range = ByteRange::new(at, (at + 9).min(64));
            let touched = |run: &&ByteRange| !run.intersect(range).is_empty();
            let overlapping: Vec<_> = runs.iter().filter(touched).copied().collect();
            prop_assert_eq!(set.overlapping(range).collect::<Vec<_>>(), overlapping);
        }
    }
}
