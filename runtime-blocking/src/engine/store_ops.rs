//! What the machine asks of the bytes of resources, carried out: on the spot where nothing can block, else by the pool,
//! in order for each resource.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use infill_core::catalog::Place;
use infill_core::{
    Action, ByteRange, Change, Event, OpId, ResourceId, StoreFailure, Tier, TrackId, Verification,
};

use super::blob::Blob;
use super::resource::failure;
use super::tiers::Tiers;
use super::turn::Engine;
use crate::stats::Counters;
use crate::store::digest::digest as stored_digest;

impl Engine {
    /// The actions that concern one resource.
    pub(super) fn act_on_store(&mut self, action: Action) {
        match action {
            Action::OpenResource { track, resource } => self.open_resource(track, resource),
            Action::Join { track, resource } => {
                if let Some(shared) = self.resources.join(track, resource) {
                    self.tracks.add_version(track, &shared);
                }
            }
            Action::Place { resource, place } => self.place(resource, &place),
            Action::Release { resource } => self.release(resource),
            Action::Write { resource, op, offset, bytes, tier } => {
                self.write(resource, op, offset, bytes, tier);
            }
            Action::Verify { resource, op, range } => self.verify(resource, op, range),
            Action::Load { resource, op, range } => self.load(resource, op, range),
            Action::Sync { resource, op } => self.sync(resource, op),
            Action::Discard { resource, range } => self.discard(resource, range),
            Action::Publish { resource, change } => self.publish(resource, &change),
            Action::Commit { resource, final_len } => self.resources.commit(resource, final_len),
            action => self.act_on_cache(action),
        }
    }

    fn open_resource(&mut self, track: TrackId, resource: ResourceId) {
        let tiers = Arc::new(Tiers::new(resource, Arc::clone(&self.store)));
        let shared = self.resources.insert(track, resource, tiers);
        self.tracks.add_version(track, &shared);
    }

    fn place(&self, resource: ResourceId, place: &Place) {
        if let (Some(tiers), Some(archive)) = (self.resources.tiers(resource), &self.archive) {
            tiers.settle_in(*place, archive.file(place));
        }
    }

    fn release(&mut self, resource: ResourceId) {
        if let Some(entry) = self.resources.remove(resource) {
            self.let_go(resource, entry);
        }
    }

    fn publish(&mut self, resource: ResourceId, change: &Change) {
        self.resources.publish(resource, change);
        let error = match change {
            Change::Claimed(range) => {
                if let Some(tiers) = self.resources.tiers(resource) {
                    tiers.claim(*range);
                }
                return;
            }
            Change::Verified(range) => {
                for track in self.resources.tracks(resource) {
                    self.count(*track, |all| Counters::add(&all.bytes_from_cache, range.len()));
                }
                return;
            }
            Change::Failed(error) => Some(error),
            Change::Recovered => None,
            _ => return,
        };
        for track in self.resources.tracks(resource) {
            self.set_error(*track, error);
        }
    }

    fn write(&mut self, resource: ResourceId, op: OpId, offset: u64, bytes: Bytes, tier: Tier) {
        self.ops += 1;
        let Some(tiers) = self.tiers(resource) else {
            let result = Err((no_place(), bytes));
            self.own.push_back(Event::Written { resource, op, result });
            return;
        };
        let slow = tiers.is_slow();
        let kept = bytes.clone();
        let write = move || {
            let written = tiers.write(tier, offset, &bytes);
            let result = written.map_err(|error| (failure(&error), bytes));
            Event::Written { resource, op, result }
        };
        if slow {
            self.resources.note_write(resource, op, offset, kept);
            self.in_pool(resource, write);
        } else {
            self.own.push_back(write());
        }
    }

    fn verify(&mut self, resource: ResourceId, op: OpId, range: ByteRange) {
        self.ops += 1;
        let Some(tiers) = self.tiers(resource) else {
            let result = Verification::Failed(no_place());
            self.own.push_back(Event::Verified { resource, op, result });
            return;
        };
        self.in_pool(resource, move || Event::Verified {
            resource,
            op,
            result: digest(&*tiers, range)
                .map_or_else(|error| Verification::Failed(failure(&error)), Verification::Digest),
        });
    }

    fn load(&mut self, resource: ResourceId, op: OpId, range: ByteRange) {
        self.ops += 1;
        let Some(tiers) = self.tiers(resource) else {
            self.own.push_back(Event::Loaded { resource, op, result: Err(no_place()) });
            return;
        };
        let slow = tiers.is_slow();
        let load = move || {
            let result = read_back(&*tiers, range).map_err(|error| failure(&error));
            Event::Loaded { resource, op, result }
        };
        if slow {
            self.in_pool(resource, load);
        } else {
            self.own.push_back(load());
        }
    }

    fn sync(&mut self, resource: ResourceId, op: OpId) {
        self.ops += 1;
        let Some(file) = self.tiers(resource).and_then(|tiers| tiers.file()) else {
            self.own.push_back(Event::Synced { resource, op, result: Err(no_place()) });
            return;
        };
        self.in_pool(resource, move || {
            let result = file.sync().map_err(|error| failure(&error));
            Event::Synced { resource, op, result }
        });
    }

    fn discard(&self, resource: ResourceId, range: ByteRange) {
        if let Some(tiers) = self.tiers(resource) {
            if tiers.is_slow() {
                self.pool.run(resource.0, move || tiers.discard(range));
            } else {
                tiers.discard(range);
            }
        }
    }

    /// Drops, perhaps as the last one, what may hold files: closing them can take a while.
    fn let_go(&self, resource: ResourceId, held: impl Send + 'static) {
        if self.store.may_block() || self.archive.is_some() {
            self.pool.run(resource.0, move || drop(held));
        }
    }

    fn tiers(&self, resource: ResourceId) -> Option<Arc<Tiers>> {
        self.resources.tiers(resource).cloned()
    }

    fn in_pool(&self, resource: ResourceId, work: impl FnOnce() -> Event + Send + 'static) {
        let port = self.port();
        self.pool.run(resource.0, move || port.post(work()));
    }
}

fn no_place() -> StoreFailure {
    StoreFailure {
        full: false,
        detail: "there is no place to store this resource: it was released, or there is no cache"
            .into(),
    }
}

/// Stored bytes, all of `range`.
fn read_back(blob: &dyn Blob, range: ByteRange) -> io::Result<Bytes> {
    let len = usize::try_from(range.len()).map_err(io::Error::other)?;
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(len).map_err(io::Error::other)?;
    bytes.resize(len, 0);
    let count = blob.read_at(range.start, &mut bytes)?;
    if count < len {
        return Err(io::Error::other(format!("only {count} of {len} bytes are stored")));
    }
    Ok(bytes.into())
}

/// XXH3-64 of stored bytes.
fn digest(blob: &dyn Blob, range: ByteRange) -> io::Result<u64> {
    let found = stored_digest(range, |at, block| blob.read_at(at, block))?;
    found.ok_or_else(|| io::Error::other("stored bytes are missing"))
}
