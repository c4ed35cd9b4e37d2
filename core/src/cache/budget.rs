//! What the cache may take of the disk: which assets make room, the least recently used first, never one that is pinned
//! or open.

use super::Cache;
use crate::catalog::{Extent, Key, Place};
use crate::out::Out;
use crate::space::Space;
use crate::{Config, OpId};

/// How much is stored of assets that no track has open.
#[derive(Debug, Default)]
pub(super) struct Closed {
    /// Pinned: not to be evicted.
    pinned: u64,
    /// All others.
    evictable: u64,
    /// An asset was opened, closed, pinned, unpinned or removed since this was counted.
    pub(super) stale: bool,
}

impl Cache {
    /// Keeps within the limit: open tracks may use what can't be evicted leaves, and what is closed goes as far as they
    /// do use it.
    pub(crate) fn balance(&mut self, config: &Config, space: &mut Space, out: &mut Out) {
        let Some(limit) = config.cache_limit_bytes.filter(|_| self.on) else {
            return;
        };
        if self.closed.stale {
            self.count();
        }
        // A file of a window may be half given back, and whole on the disk.
        let slack = 1 << super::file_bits(Some(limit));
        let slack = if slack > Extent::BLOCK_BYTES { slack } else { 0 };
        let fixed = self.closed.pinned.saturating_add(self.journal.bytes()).saturating_add(slack);
        let left = limit.saturating_sub(fixed);
        space.set_limit(Some(left));
        while self.closed.evictable.saturating_add(space.stored()) > left {
            if self.evict_oldest(out).is_none() {
                return;
            }
            self.count();
        }
    }

    /// Evicts the least recently used asset; gives how much that frees.
    pub(crate) fn evict_oldest(&mut self, out: &mut Out) -> Option<u64> {
        let oldest = self.catalog.lru().oldest_first().find(|asset| self.may_evict(*asset))?;
        let freed = self.catalog.downloads().bytes_of(oldest);
        self.remove_asset(oldest, out);
        Some(freed)
    }

    /// Whether removals are under way.
    pub(crate) fn is_removing(&self) -> bool {
        !self.removing.is_empty()
    }

    /// Removes all resources of an asset.
    pub(super) fn remove_asset(&mut self, asset: Key, out: &mut Out) -> Vec<OpId> {
        let downloads = self.catalog.downloads().of_asset(asset);
        let places: Vec<Place> = downloads.map(|download| download.place()).collect();
        places.into_iter().map(|place| self.remove(place, out)).collect()
    }

    pub(super) fn may_evict(&self, asset: Key) -> bool {
        !self.is_open(asset) && !self.catalog.pins().contains(asset)
    }

    fn count(&mut self) {
        let downloads = self.catalog.downloads();
        let pinned = self.catalog.pins().iter().filter(|asset| !self.is_open(*asset));
        let pinned = pinned.map(|asset| downloads.bytes_of(asset)).sum();
        let open: u64 = self.open.keys().map(|asset| downloads.bytes_of(*asset)).sum();
        let evictable = downloads.bytes().saturating_sub(pinned + open);
        self.closed = Closed { pinned, evictable, stale: false };
    }
}
