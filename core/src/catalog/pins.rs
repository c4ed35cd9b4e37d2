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
}
