//! The stored runs of one resource: a sorted list, because most resources have one extent, and the largest have one for
//! each block, written in order.

use super::Extent;
use crate::ByteRange;

/// Extents in order; no two share a byte.
#[derive(Clone, Debug, Default)]
pub(super) struct Extents {
    list: Vec<Extent>,
    bytes: u64,
}

impl PartialEq for Extents {
    fn eq(&self, other: &Self) -> bool {
        self.list == other.list
    }
}

impl Extents {
    /// All of them.
    pub(super) fn as_slice(&self) -> &[Extent] {
        &self.list
    }

    /// How many bytes they hold.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Those that share a byte with `range`.
    pub(super) fn within(&self, range: ByteRange) -> &[Extent] {
        &self.list[self.sharing(range)]
    }

    /// Whether they hold every byte before `end`.
    pub(super) fn cover(&self, end: u64) -> bool {
        // What lies beyond is not counted; as a rule, nothing does.
        let beyond: u64 = self
            .list
            .iter()
            .rev()
            .map(|extent| extent.range())
            .take_while(|range| range.end > end)
            .map(|range| range.end - range.start.max(end))
            .sum();
        self.bytes - beyond == end
    }

    /// Takes a valid extent in; the older ones that share a byte with it go. Says whether there were such.
    pub(super) fn insert(&mut self, extent: Extent) -> bool {
        self.bytes += u64::from(extent.len);
        if self.list.last().is_none_or(|last| last.range().end <= extent.start) {
            self.make_room();
            self.list.push(extent);
            return false;
        }
        let at = self.sharing(extent.range());
        self.uncount(at.clone());
        match at.len() {
            0 => {
                self.make_room();
                self.list.insert(at.start, extent);
            }
            _ => {
                self.list[at.start] = extent;
                self.list.drain(at.start + 1..at.end);
            }
        }
        !at.is_empty()
    }

    /// Drops every extent that shares a byte with `range`.
    pub(super) fn remove(&mut self, range: ByteRange) {
        let at = self.sharing(range);
        self.uncount(at.clone());
        self.list.drain(at);
    }

    /// The indices of those that share a byte with `range`; where it would be, if none does.
    fn sharing(&self, range: ByteRange) -> core::ops::Range<usize> {
        let first = self.list.partition_point(|extent| extent.range().end <= range.start);
        if range.is_empty() {
            return first..first;
        }
        let count = self.list[first..].partition_point(|extent| extent.start < range.end);
        first..first + count
    }

    fn uncount(&mut self, at: core::ops::Range<usize>) {
        self.bytes -= self.list[at].iter().map(|extent| u64::from(extent.len)).sum::<u64>();
    }

    /// Grows by a quarter: a list holds one extent or very many, and doubling would cost four for one, and twice what
    /// a million take.
    fn make_room(&mut self) {
        let len = self.list.len();
        if len == self.list.capacity() {
            self.list.reserve_exact(len / 4 + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extent(start: u64, len: u32, digest: u64) -> Extent {
        Extent { start, digest, len }
    }

    fn of(list: &[Extent]) -> Extents {
        let mut extents = Extents::default();
        for extent in list {
            extents.insert(*extent);
        }
        extents
    }

    #[test]
    fn they_are_in_order_whatever_came_first() {
        let extents =
            of(&[extent(20, 10, 1), extent(0, 10, 2), extent(10, 10, 3), extent(40, 5, 4)]);
        let starts: Vec<_> = extents.as_slice().iter().map(|extent| extent.start).collect();
        assert_eq!((starts, extents.bytes()), (vec![0, 10, 20, 40], 35));
        assert!(extents.cover(30) && !extents.cover(31) && !extents.cover(45));
        assert!(extents.cover(0) && extents.cover(25), "what lies beyond is not counted");
    }

    #[test]
    fn the_newest_wins_and_what_it_only_touches_stays() {
        let mut extents = of(&[extent(0, 10, 1), extent(10, 10, 2), extent(20, 10, 3)]);
        assert!(extents.insert(extent(9, 2, 4)), "it shares a byte with two");
        assert_eq!(extents.as_slice(), [extent(9, 2, 4), extent(20, 10, 3)]);
        assert!(!extents.insert(extent(0, 9, 5)) && !extents.insert(extent(11, 9, 6)));
        assert_eq!((extents.as_slice().len(), extents.bytes()), (4, 30));
        assert!(extents.insert(extent(20, 30, 7)), "a run that grew is known by its start");
        assert_eq!((extents.as_slice().len(), extents.bytes()), (4, 50));
    }

    #[test]
    fn what_shares_no_byte_stays_when_bytes_go() {
        let mut extents = of(&[extent(0, 10, 1), extent(10, 10, 2), extent(20, 10, 3)]);
        extents.remove(ByteRange::new(15, 15));
        assert_eq!(extents.bytes(), 30, "nothing was taken");
        assert_eq!(extents.within(ByteRange::new(10, 20)), [extent(10, 10, 2)]);
        extents.remove(ByteRange::new(10, 20));
        assert_eq!(extents.as_slice(), [extent(0, 10, 1), extent(20, 10, 3)]);
        assert!(extents.within(ByteRange::new(10, 20)).is_empty());
        extents.remove(ByteRange::new(9, 21));
        assert_eq!((extents.as_slice().len(), extents.bytes()), (0, 0));
    }

    #[test]
    fn one_takes_the_room_of_one() {
        assert_eq!(of(&[extent(0, 1, 0)]).list.capacity(), 1);
        let many: Vec<_> = (0..10_000).map(|at| extent(at, 1, at)).collect();
        assert!(of(&many).list.capacity() < 13_000);
    }
}
