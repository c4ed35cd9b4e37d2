//! Which asset was used when, by a number that rises with each use: a clock may jump (FAULTS D17).

use core::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::{FEW, Key};

/// The order of use of the assets that are stored. One that was never used comes before all that were.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LruIndex {
    used: BTreeMap<Key, u64>,
    /// Those that were used.
    order: BTreeSet<Used>,
    /// Those that were not.
    never: BTreeSet<Key>,
}

/// When, and which: in the order of use. Bytes, so that there is no room between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Used([u8; 8], Key);

impl Ord for Used {
    fn cmp(&self, other: &Self) -> Ordering {
        self.at().cmp(&other.at()).then_with(|| self.1.cmp(&other.1))
    }
}

impl PartialOrd for Used {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Used {
    fn new(at: u64, asset: Key) -> Self {
        Self(at.to_le_bytes(), asset)
    }

    fn at(&self) -> u64 {
        u64::from_le_bytes(self.0)
    }
}

/// What happened to one asset: first that it came, if it did, then that it was used, if it was and is there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change {
    pub(super) asset: Key,
    pub(super) opened: bool,
    pub(super) used: Option<u64>,
}

/// Never: the first use has the number one.
const NEVER: u64 = 0;

impl LruIndex {
    /// The assets, least recently used first.
    pub fn oldest_first(&self) -> impl Iterator<Item = Key> + '_ {
        self.never.iter().copied().chain(self.order.iter().map(|Used(_, asset)| *asset))
    }

    /// When it was used.
    pub fn used(&self, asset: Key) -> Option<u64> {
        self.used.get(&asset).copied().filter(|at| *at != NEVER)
    }

    /// The number for the next use.
    pub fn next(&self) -> u64 {
        self.order.last().map_or(NEVER, Used::at).saturating_add(1)
    }

    /// Takes an asset in, unless it is there.
    pub(super) fn add(&mut self, asset: Key) {
        self.used.entry(asset).or_insert_with(|| {
            self.never.insert(asset);
            NEVER
        });
    }

    /// It was used, if it is there.
    pub(super) fn touch(&mut self, asset: Key, at: u64) {
        if let Some(last) = self.used.get_mut(&asset) {
            let before = core::mem::replace(last, at);
            self.forget(asset, before);
            match at {
                NEVER => self.never.insert(asset),
                _ => self.order.insert(Used::new(at, asset)),
            };
        }
    }

    /// The same for many at once, ordered by assets.
    pub(super) fn take(&mut self, changes: &[Change]) {
        let (mut used, mut order, mut never) = (Vec::new(), Vec::new(), Vec::new());
        for of_one in changes.chunk_by(|one, two| one.asset == two.asset) {
            let asset = of_one[0].asset;
            let before = match self.used.is_empty() {
                true => None,
                false => self.used.get(&asset).copied(),
            };
            let mut now = before;
            for change in of_one {
                now = now.or(change.opened.then_some(NEVER)).map(|at| change.used.unwrap_or(at));
            }
            let Some(now) = now.filter(|_| now != before) else {
                continue;
            };
            if let Some(before) = before {
                self.forget(asset, before);
            }
            used.push((asset, now));
            match now {
                NEVER => never.push(asset),
                _ => order.push(Used::new(now, asset)),
            }
        }
        // From many, a tree is made at once, which is quick and leaves no gaps.
        if used.len() < self.used.len() / FEW {
            self.used.extend(used);
            self.order.extend(order);
            self.never.extend(never);
        } else {
            self.used.append(&mut used.into_iter().collect());
            self.order.append(&mut order.into_iter().collect());
            self.never.append(&mut never.into_iter().collect());
        }
    }

    pub(super) fn remove(&mut self, asset: Key) {
        if let Some(last) = self.used.remove(&asset) {
            self.forget(asset, last);
        }
    }

    fn forget(&mut self, asset: Key, last: u64) {
        match last {
            NEVER => self.never.remove(&asset),
            _ => self.order.remove(&Used::new(last, asset)),
        };
    }

    /// Each use, oldest first.
    pub(super) fn uses(&self) -> impl Iterator<Item = (Key, u64)> + '_ {
        self.order.iter().map(|used| (used.1, used.at()))
    }

    /// How many assets were used.
    pub(super) fn use_count(&self) -> usize {
        self.order.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> Key {
        Key([byte; 20])
    }

    #[test]
    fn d17_the_order_is_of_numbers_and_a_use_moves_an_asset_to_the_end() {
        let mut lru = LruIndex::default();
        assert_eq!(lru.next(), 1);
        for byte in [3, 1, 2] {
            lru.add(key(byte));
        }
        lru.touch(key(3), lru.next());
        lru.touch(key(1), lru.next());
        let order = |lru: &LruIndex| lru.oldest_first().map(|key| key.0[0]).collect::<Vec<_>>();
        assert_eq!(order(&lru), [2, 3, 1], "the one that was never used comes first");
        assert_eq!((lru.used(key(2)), lru.used(key(1)), lru.use_count()), (None, Some(2), 2));
        lru.add(key(3));
        lru.touch(key(3), lru.next());
        assert_eq!((order(&lru), lru.next()), (vec![2, 1, 3], 4));
        lru.remove(key(3));
        lru.remove(key(2));
        assert_eq!((order(&lru), lru.next(), lru.use_count()), (vec![1], 3, 1));
        assert_eq!(lru.uses().collect::<Vec<_>>(), [(key(1), 2)]);
    }

    #[test]
    fn what_is_not_stored_is_not_used() {
        let mut lru = LruIndex::default();
        lru.touch(key(1), 7);
        assert_eq!((lru.oldest_first().count(), lru.next()), (0, 1));
        lru.add(key(1));
        lru.touch(key(1), u64::MAX);
        assert_eq!(lru.next(), u64::MAX, "no panic at the end of numbers");
        lru.touch(key(1), 0);
        assert_eq!((lru.used(key(1)), lru.use_count()), (None, 0));
    }
}
