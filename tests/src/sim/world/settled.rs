//! What must hold of the disk: within the cache's limit when nothing is under way, never a removal of what is held, and
//! nothing of what an origin forbids to store.

use infill_core::catalog::{Catalog, Place};

use super::super::invariants::violated;
use super::super::lived::Trial;
use super::super::plan::Incident;
use super::World;
use crate::disk::SimDisk;

impl World {
    /// Measures the disk each time that everything has come to rest.
    pub(super) fn measure(&mut self) {
        let Some(limit) = self.plan.config.cache_limit_bytes else {
            return;
        };
        let settled = self.store.is_idle() && self.network.is_idle();
        if std::mem::replace(&mut self.lives.settled, settled) || !settled {
            return;
        }
        let Some(cache) = self.store.cache.as_ref().filter(|_| !self.lives.disturbed) else {
            return;
        };
        let known = cache.known();
        let downloads = known.downloads();
        // What is pinned may be more than the limit.
        let pinned: u64 = known.pins().iter().map(|asset| downloads.bytes_of(asset)).sum();
        // A file that is half given back is on the disk as a whole.
        let file = downloads.iter().map(|download| 1 << download.place().file_bits).max();
        let windows = self.tracks.iter().filter(|track| track.id.is_some()).count() as u64;
        let slack = file.unwrap_or(0) * windows;
        let journal = cache.disk.journal_bytes();
        let bound = limit.max(pinned + journal) + slack + cache.left_over();
        let used = cache.disk.stored() + journal;
        if used > bound {
            violated!(
                "{used} bytes are on the disk with nothing under way: the limit is {limit}, \
                 {pinned} are pinned, {windows} windows have {slack} of slack, {} were left over",
                cache.left_over()
            );
        }
        self.stage.lived.count(Trial::Measured);
    }

    /// Nothing goes that is pinned, or that a track reads.
    pub(super) fn check_removal(&self, place: &Place) {
        let Some(cache) = &self.store.cache else {
            return;
        };
        let asset = place.key.asset;
        if self.lives.released.contains(&asset) {
            return;
        }
        let site = (0..self.tracks.len()).find(|track| self.key(*track) == asset);
        let Some(site) = site.filter(|site| !self.plan.tracks[*site].no_store) else {
            return;
        };
        for track in self.ledger.open_tracks(site) {
            let current = self.ledger.current(track).and_then(|resource| cache.placed_at(resource));
            if current.is_some_and(|current| current == *place) {
                violated!("{place:?} is removed, though {track} reads it");
            }
        }
        let replaced = |incident: &Incident| *incident == Incident::Replace { track: site };
        let steady = self.plan.tracks[site].faults.is_empty()
            && !self.plan.incidents.iter().any(|(_, incident)| replaced(incident));
        let known = cache.known();
        let there = known.downloads().generation(place.generation);
        if steady
            && known.pins().contains(asset)
            && there.is_some_and(|there| there.bytes() > 0)
            && self.ledger.open_tracks(site).is_empty()
        {
            violated!("{place:?} is removed, though it is pinned");
        }
    }

    /// Nothing is there of what must not be stored.
    pub(super) fn check_no_store(&self, found: &Catalog, disk: &SimDisk) {
        for (site, plan) in self.plan.tracks.iter().enumerate().filter(|(_, plan)| plan.no_store) {
            let asset = self.key(site);
            if let Some(download) = found.downloads().of_asset(asset).next() {
                violated!("{} is not to be stored, and is: {download:?}", plan.host);
            }
            let name = asset.to_string();
            if let Some(path) = disk.paths().iter().find(|path| path.contains(&name)) {
                violated!("track {site} is not to be stored, and {path} is there");
            }
        }
    }
}
