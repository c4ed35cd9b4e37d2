//! The engine's tables: what the machine's ids stand for.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Weak};

use bytes::Bytes;
use infill_core::catalog::Place;
use infill_core::{Cause, Change, Error, FetchId, OpId, ReaderId, ResourceId, TrackId, View};
use tracing::Span;
use tracing::span::Id;
use url::Url;

use super::archive::ArchiveFile;
use super::resource::Resource;
use super::slot::Slot;
use super::tiers::Tiers;
use super::track::Track;
use crate::source::Renew;

/// How many bytes of written chunks are kept over all resources, for readers that follow the head.
const RECENT_BYTES: usize = 4 << 20;
/// How many of one resource.
const RECENT_BYTES_EACH: usize = 1 << 20;

/// The open tracks.
#[derive(Default)]
pub(super) struct Tracks(HashMap<TrackId, TrackEntry>);

pub(super) struct TrackEntry {
    pub(super) shared: Arc<Track>,
    pub(super) renew: Option<Renew>,
    /// The presentation that it is a part of.
    of: Option<TrackId>,
    /// The last status that was no success.
    refused: Option<u16>,
    url: Url,
    /// All versions that it has joined, also released ones that readers may still hold.
    versions: Vec<Weak<Resource>>,
    /// What is told of the track is told in here.
    span: Span,
}

impl Tracks {
    pub(super) fn insert(&mut self, shared: Arc<Track>, url: Url, renew: Option<Renew>) {
        let span = tracing::debug_span!("track", id = %shared.id(), url = shared.url());
        self.enter(TrackEntry::new(shared, url, renew, None, span));
    }

    /// A track that the machine has opened for a presentation.
    pub(super) fn insert_part(&mut self, of: TrackId, shared: Arc<Track>, url: Url) {
        let (parent, id) = (self.span(of), shared.id());
        let span = tracing::debug_span!(parent: parent, "part", %id, url = shared.url());
        // What has expired is asked of whoever knows the presentation.
        let renew = self.get(of).and_then(|entry| entry.renew.clone());
        self.enter(TrackEntry::new(shared, url, renew, Some(of), span));
    }

    fn enter(&mut self, entry: TrackEntry) {
        self.0.insert(entry.shared.id(), entry);
    }

    /// The presentation that it is a part of, or else itself: what it costs and what befalls it is told there.
    pub(super) fn whole(&self, track: TrackId) -> TrackId {
        self.get(track).and_then(|entry| entry.of).unwrap_or(track)
    }

    /// The tracks that the machine has opened for this one.
    pub(super) fn parts(&self, of: TrackId) -> Vec<TrackId> {
        let parts = self.0.iter().filter(|(_, entry)| entry.of == Some(of));
        parts.map(|(id, _)| *id).collect()
    }

    pub(super) fn get(&self, track: TrackId) -> Option<&TrackEntry> {
        self.0.get(&track)
    }

    pub(super) fn span(&self, track: TrackId) -> Option<Id> {
        self.get(track)?.span.id()
    }

    /// Notes the status of an answer that is no success.
    pub(super) fn refused(&mut self, track: TrackId, status: u16) {
        if let Some(entry) = self.0.get_mut(&track) {
            entry.refused = Some(status);
        }
    }

    pub(super) fn shared(&self, track: TrackId) -> Option<&Track> {
        self.get(track).map(|entry| &*entry.shared)
    }

    /// Makes `resource` the current version.
    pub(super) fn add_version(&mut self, track: TrackId, resource: &Arc<Resource>) {
        if let Some(entry) = self.0.get_mut(&track) {
            entry.versions.retain(|old| old.strong_count() > 0);
            let known = entry.versions.iter().any(|old| old.as_ptr() == Arc::as_ptr(resource));
            if !known {
                resource.join();
                entry.versions.push(Arc::downgrade(resource));
            }
            if !entry.shared.is_closed() {
                entry.shared.set_current(Arc::clone(resource));
            }
        }
    }

    /// Closes it for its readers. Returns the versions that it read, each of which is to be left.
    pub(super) fn close(&mut self, track: TrackId) -> Vec<Arc<Resource>> {
        let Some(entry) = self.0.get_mut(&track) else {
            return Vec::new();
        };
        entry.shared.finish_close();
        core::mem::take(&mut entry.versions).iter().filter_map(Weak::upgrade).collect()
    }

    pub(super) fn remove(&mut self, track: TrackId) -> Option<TrackEntry> {
        self.0.remove(&track)
    }

    pub(super) fn ids(&self) -> Vec<TrackId> {
        self.0.keys().copied().collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn all_closed(&self) -> bool {
        self.0.values().all(|entry| entry.shared.is_closed())
    }
}

impl TrackEntry {
    fn new(
        shared: Arc<Track>,
        url: Url,
        renew: Option<Renew>,
        of: Option<TrackId>,
        span: Span,
    ) -> Self {
        Self { shared, renew, of, refused: None, url, versions: Vec::new(), span }
    }

    /// Why a fresh URL is needed.
    pub(super) fn refusal(&self) -> Error {
        let cause = self.refused.map_or(Cause::NotRenewed, Cause::Status);
        Error::new(cause).with_url(&self.url)
    }
}

/// The readers.
#[derive(Default)]
pub(super) struct Readers(HashMap<ReaderId, Arc<Slot>>);

impl Readers {
    pub(super) fn insert(&mut self, slot: Arc<Slot>) {
        self.0.insert(slot.reader(), slot);
    }

    pub(super) fn get(&self, reader: ReaderId) -> Option<&Slot> {
        self.0.get(&reader).map(|slot| &**slot)
    }

    pub(super) fn remove(&mut self, reader: ReaderId) {
        self.0.remove(&reader);
    }

    /// Ends the waits of a track's readers.
    pub(super) fn close_track(&self, track: TrackId) {
        for slot in self.0.values().filter(|slot| slot.track() == track) {
            slot.close();
        }
    }

    pub(super) fn close_all(&self) {
        self.0.values().for_each(|slot| slot.close());
    }
}

/// The fetches under way.
#[derive(Default)]
pub(super) struct Fetches(HashMap<FetchId, Fetch>);

/// Whose it is, and where it is told of.
struct Fetch {
    track: TrackId,
    /// Where it is counted: also when its track is gone before it.
    whole: TrackId,
    span: Span,
}

impl Fetches {
    pub(super) fn insert(&mut self, fetch: FetchId, track: TrackId, whole: TrackId, span: Span) {
        self.0.insert(fetch, Fetch { track, whole, span });
    }

    pub(super) fn track(&self, fetch: FetchId) -> Option<TrackId> {
        self.0.get(&fetch).map(|fetch| fetch.track)
    }

    pub(super) fn whole(&self, fetch: FetchId) -> Option<TrackId> {
        self.0.get(&fetch).map(|fetch| fetch.whole)
    }

    pub(super) fn span(&self, fetch: FetchId) -> Option<Id> {
        self.0.get(&fetch)?.span.id()
    }

    pub(super) fn remove(&mut self, fetch: FetchId) {
        self.0.remove(&fetch);
    }
}

/// The stored resources.
#[derive(Default)]
pub(super) struct Resources(HashMap<ResourceId, ResourceEntry>);

pub(super) struct ResourceEntry {
    shared: Arc<Resource>,
    /// The open tracks that read it, or may.
    tracks: Vec<TrackId>,
    pub(super) tiers: Arc<Tiers>,
    /// What is to be seen of it, while no track is open that reads it.
    parked: Option<View>,
    /// Writes under way, oldest first, as the store answers them.
    writes: VecDeque<(OpId, u64, Bytes)>,
}

impl Resources {
    /// A new resource, of that track.
    pub(super) fn insert(
        &mut self,
        track: TrackId,
        resource: ResourceId,
        tiers: Arc<Tiers>,
    ) -> Arc<Resource> {
        let shared = Arc::new(Resource::new(resource, Some(Arc::clone(&tiers) as _)));
        let entry = ResourceEntry {
            shared: Arc::clone(&shared),
            tracks: vec![track],
            tiers,
            parked: None,
            writes: VecDeque::new(),
        };
        self.0.insert(resource, entry);
        shared
    }

    /// That track reads it, too. One that was left by all is shown again.
    pub(super) fn join(&mut self, track: TrackId, resource: ResourceId) -> Option<Arc<Resource>> {
        let entry = self.0.get_mut(&resource)?;
        if let Some(view) = entry.parked.take() {
            let blob = Some(Arc::clone(&entry.tiers) as _);
            entry.shared = Arc::new(Resource::again(resource, view, blob));
        }
        if !entry.tracks.contains(&track) {
            entry.tracks.push(track);
        }
        Some(Arc::clone(&entry.shared))
    }

    /// That track is closed.
    pub(super) fn leave(&mut self, track: TrackId) {
        for entry in self.0.values_mut() {
            entry.tracks.retain(|each| *each != track);
        }
    }

    /// No open track reads it: that is how it was. It is released soon, or joined again.
    pub(super) fn park(&mut self, resource: ResourceId, view: View) {
        if let Some(entry) = self.0.get_mut(&resource) {
            entry.parked = Some(view);
            entry.writes.clear();
        }
    }

    pub(super) fn tiers(&self, resource: ResourceId) -> Option<&Arc<Tiers>> {
        self.0.get(&resource).map(|entry| &entry.tiers)
    }

    /// The files of that place are about to be deleted: no resource has them open any more.
    pub(super) fn move_out(&self, place: &Place) -> Vec<Arc<dyn ArchiveFile>> {
        self.0.values().filter_map(|entry| entry.tiers.move_out(place)).collect()
    }

    /// The open tracks that read it.
    pub(super) fn tracks(&self, resource: ResourceId) -> &[TrackId] {
        self.0.get(&resource).map_or(&[], |entry| &entry.tracks)
    }

    pub(super) fn publish(&mut self, resource: ResourceId, change: &Change) {
        if let Some(entry) = self.0.get_mut(&resource) {
            match &mut entry.parked {
                Some(view) => view.apply(change),
                None => entry.shared.publish(change),
            }
        }
    }

    pub(super) fn commit(&mut self, resource: ResourceId, final_len: u64) {
        if let Some(entry) = self.0.get_mut(&resource) {
            match &mut entry.parked {
                Some(view) => view.commit(final_len),
                None => entry.shared.commit(final_len),
            }
        }
    }

    pub(super) fn remove(&mut self, resource: ResourceId) -> Option<ResourceEntry> {
        self.0.remove(&resource)
    }

    /// Notes a write, so that its bytes can be kept once they are written.
    pub(super) fn note_write(&mut self, resource: ResourceId, op: OpId, offset: u64, bytes: Bytes) {
        if let Some(entry) = self.0.get_mut(&resource)
            && entry.parked.is_none()
        {
            entry.writes.push_back((op, offset, bytes));
        }
    }

    /// A write is done.
    pub(super) fn written(&mut self, resource: ResourceId, op: OpId, good: bool) {
        let share = RECENT_BYTES / self.0.len().max(1);
        let Some(entry) = self.0.get_mut(&resource) else {
            return;
        };
        let Some(at) = entry.writes.iter().position(|(each, ..)| *each == op) else {
            return;
        };
        if let Some((_, offset, bytes)) = entry.writes.remove(at)
            && good
        {
            let limit = share.min(RECENT_BYTES_EACH);
            entry.shared.keep_recent(offset, bytes, limit);
        }
    }
}
