//! What must not be evicted.

use std::collections::BTreeSet;

use super::Key;

/// The pinned assets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PinsIndex(BTreeSet<Key>);

impl PinsIndex {
    /// Whether it is pinned.
    pub fn contains(&self, asset: Key) -> bool {
        self.0.contains(&asset)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Key> + '_ {
        self.0.iter().copied()
    }

    pub(super) fn set(&mut self, asset: Key, pinned: bool) {
        if pinned {
            self.0.insert(asset);
        } else {
            self.0.remove(&asset);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
