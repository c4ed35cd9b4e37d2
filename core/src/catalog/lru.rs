//! Which asset was used when, by a number that rises with each use: a clock may jump (FAULTS D17).

use super::Key;

/// The order of use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LruIndex {}

impl LruIndex {
    /// The assets, least recently used first.
    pub fn oldest_first(&self) -> impl Iterator<Item = Key> + '_ {
        core::iter::empty()
    }

    /// When it was used.
    pub fn used(&self, asset: Key) -> Option<u64> {
        let _ = asset;
        None
    }

    /// The number for the next use.
    pub fn next(&self) -> u64 {
        1
    }
}
