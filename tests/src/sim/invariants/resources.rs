//! What must hold of every resource: what is written, published and committed, and what is said of it.

use infill_core::{ByteRange, Change, Facts, Instant, ResourceId, TrackId, View};

use super::super::origin::Origins;
use super::super::store::Store;
use super::kept::KeptBytes;
use super::{Ledger, ResourceEntry, all_versions, violated};

impl Ledger {
    pub(super) fn open_resource(&mut self, track: TrackId, resource: ResourceId) {
        let site = self.track(track).site;
        self.track(track).current = Some(resource);
        let entry = ResourceEntry {
            tracks: vec![track],
            kept: KeptBytes::default(),
            site,
            view: View::new(),
            versions: None,
            committed: false,
            released: false,
        };
        if self.resources.insert(resource, entry).is_some() {
            violated!("{resource} is opened twice");
        }
    }

    pub(super) fn write(&mut self, resource: ResourceId, range: ByteRange, store: &Store) {
        let entry = self.resource(resource);
        if entry.view.present().len_within(range) > 0 {
            violated!("{resource} writes {range} over published bytes");
        }
        let Some(limit) = self.config.store_limit_bytes else {
            return;
        };
        let live = self.resources.iter().filter(|(_, entry)| !entry.released);
        let used: u64 = live.map(|(resource, _)| store.used(*resource)).sum();
        if used + range.len() > limit {
            violated!(
                "a write of {range} makes {} bytes stored, limit {limit}",
                used + range.len()
            );
        }
    }

    pub(super) fn publish(
        &mut self,
        now: Instant,
        resource: ResourceId,
        change: &Change,
        store: &Store,
        origins: &Origins,
    ) {
        match change {
            Change::Claimed(_) | Change::Unclaimed(_) => {}
            Change::Present(range) | Change::Verified(range) => {
                let entry = self.resource(resource);
                entry.kept.check_source(resource, change);
                if entry.view.present().len_within(*range) > 0 {
                    violated!("{resource} publishes {range} a second time");
                }
                let Some(parts) = store.peek(resource, *range) else {
                    violated!("{resource} publishes {range}, which was not written");
                };
                for (start, bytes) in parts {
                    self.check_bytes(resource, start, &bytes, origins);
                }
                self.tally.published += range.len();
                for track in self.resources[&resource].tracks.clone() {
                    self.track(track).last_progress = now;
                }
            }
            Change::Facts(facts) => self.check_facts(resource, facts, origins),
            Change::Retracted(range) => {
                let entry = self.resource(resource);
                if entry.view.present().len_within(*range) == 0 {
                    violated!("{resource} retracts {range}, of which nothing is published");
                }
                entry.committed = false;
            }
            Change::Failed(_) | Change::Recovered => {}
        }
        self.resource(resource).view.apply(change);
    }

    /// A total is that of some version, or the lie that the origins tell, or marked as not proven.
    pub(super) fn check_facts(&mut self, resource: ResourceId, facts: &Facts, origins: &Origins) {
        let site = self.resource(resource).site;
        let Some(total) = facts.total else { return };
        let known = all_versions(origins, site)
            .iter()
            .any(|version| version.total() == total || version.total() + 7 == total);
        if !known && !facts.unverified {
            violated!("{resource} claims a total of {total}, which no version has");
        }
    }

    pub(super) fn commit(&mut self, resource: ResourceId, final_len: u64) {
        let entry = self.resource(resource);
        if entry.committed {
            violated!("{resource} is committed twice");
        }
        if !entry.view.present().contains_range(ByteRange::new(0, final_len)) {
            violated!("{resource} is committed with holes: {:?}", entry.view.present());
        }
        let whole = entry
            .versions
            .as_ref()
            .is_some_and(|versions| versions.iter().any(|version| version.total() == final_len));
        if !whole && !entry.view.facts().unverified {
            violated!(
                "{resource} is committed with {final_len} bytes, which is no version's length"
            );
        }
        entry.committed = true;
        entry.view.commit(final_len);
    }
}
