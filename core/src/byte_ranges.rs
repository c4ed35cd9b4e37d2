//! A set of byte positions, kept as runs that neither overlap nor touch.
//!
//! The tree is `rangemap`'s; this type keeps out what it panics on (empty and inverted ranges), counts the bytes, and
//! names the questions that filling holes asks.

use core::fmt;
use core::ops::Range;

use rangemap::RangeSet;

use crate::ByteRange;

/// A set of byte positions. Neighbouring runs are one run.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ByteRanges {
    runs: RangeSet<u64>,
    len: u64,
}

impl ByteRanges {
    /// The empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many bytes are in the set.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether no byte is in the set.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds `range`.
    pub fn insert(&mut self, range: ByteRange) {
        if range.is_empty() {
            return;
        }
        self.len += range.len() - self.len_within(range);
        self.runs.insert(range.start..range.end);
    }

    /// Takes `range` out.
    pub fn remove(&mut self, range: ByteRange) {
        if range.is_empty() {
            return;
        }
        self.len -= self.len_within(range);
        self.runs.remove(range.start..range.end);
    }

    /// Takes everything out.
    pub fn clear(&mut self) {
        self.runs.clear();
        self.len = 0;
    }

    /// Whether `position` is in the set.
    pub fn contains(&self, position: u64) -> bool {
        self.runs.contains(&position)
    }

    /// Whether every byte of `range` is in the set. True for an empty range.
    pub fn contains_range(&self, range: ByteRange) -> bool {
        range.is_empty()
            || self
                .run_end(range.start)
                .is_some_and(|end| end >= range.end)
    }

    /// The run that holds `position`.
    pub fn run_at(&self, position: u64) -> Option<ByteRange> {
        self.runs.get(&position).map(from_std)
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
        self.overlapping(ByteRange::new(position, u64::MAX))
            .next()
            .map(|run| run.start)
    }

    /// The last run that begins before `position`, cut at it.
    pub fn last_before(&self, position: u64) -> Option<ByteRange> {
        let within = ByteRange::new(0, position);
        if within.is_empty() {
            return None;
        }
        self.runs
            .overlapping(0..position)
            .next_back()
            .map(|run| from_std(run).intersect(within))
    }

    /// How many bytes of `range` are in the set.
    pub fn len_within(&self, range: ByteRange) -> u64 {
        self.overlapping(range)
            .map(|run| run.intersect(range).len())
            .sum()
    }

    /// The runs that share a byte with `range`, whole, in order.
    pub fn overlapping(&self, range: ByteRange) -> impl Iterator<Item = ByteRange> + '_ {
        // rangemap takes no empty query; 0..1 is filtered out below.
        let query = if range.is_empty() {
            0..1
        } else {
            range.start..range.end
        };
        self.runs
            .overlapping(query)
            .map(from_std)
            .filter(move |_| !range.is_empty())
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
        self.runs.iter().map(from_std)
    }
}

fn from_std(run: &Range<u64>) -> ByteRange {
    ByteRange::new(run.start, run.end)
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
        }
    }
}
