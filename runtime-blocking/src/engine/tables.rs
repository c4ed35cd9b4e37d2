//! The engine's tables: what the machine's ids stand for.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Weak};

use bytes::Bytes;
use infill_core::{Cause, Error, FetchId, OpId, ReaderId, ResourceId, TrackId};
use tracing::Span;
use tracing::span::Id;
use url::Url;

use super::blob::Blob;
use super::resource::Resource;
use super::slot::Slot;
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
    /// The last status that was no success.
    refused: Option<u16>,
    url: Url,
    /// All versions, also released ones that readers may still hold.
    versions: Vec<Weak<Resource>>,
    /// What is told of the track is told in here.
    span: Span,
}

impl Tracks {
    pub(super) fn insert(&mut self, shared: Arc<Track>, url: Url, renew: Option<Renew>) {
        let span = tracing::debug_span!("track", id = %shared.id(), url = shared.url());
        let entry = TrackEntry { shared, renew, refused: None, url, versions: Vec::new(), span };
        self.0.insert(entry.shared.id(), entry);
    }

    pub(super) fn get(&self, track: TrackId) -> Option<&TrackEntry> {
        self.0.get(&track)
    }

    pub(super) fn span(&self, track: TrackId) -> Option<Id> {
        self.get(track)?.span.id()
    }

    /// Notes the status of an answer.
    pub(super) fn answered(&mut self, track: TrackId, status: u16) {
        if let Some(entry) = self.0.get_mut(&track)
            && status >= 400
        {
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
            entry.versions.push(Arc::downgrade(resource));
            if !entry.shared.is_closed() {
                entry.shared.set_current(Arc::clone(resource));
            }
        }
    }

    /// Closes it for its readers; its bytes go at once.
    pub(super) fn close(&mut self, track: TrackId) {
        if let Some(entry) = self.0.get(&track) {
            entry.shared.finish_close();
            for version in entry.versions.iter().filter_map(Weak::upgrade) {
                version.close();
            }
        }
    }

    pub(super) fn remove(&mut self, track: TrackId) {
        self.close(track);
        self.0.remove(&track);
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

/// The fetches under way, whose they are, and where they are told of.
#[derive(Default)]
pub(super) struct Fetches(HashMap<FetchId, (TrackId, Span)>);

impl Fetches {
    pub(super) fn insert(&mut self, fetch: FetchId, track: TrackId, span: Span) {
        self.0.insert(fetch, (track, span));
    }

    pub(super) fn track(&self, fetch: FetchId) -> Option<TrackId> {
        self.0.get(&fetch).map(|(track, _)| *track)
    }

    pub(super) fn span(&self, fetch: FetchId) -> Option<Id> {
        self.0.get(&fetch)?.1.id()
    }

    pub(super) fn remove(&mut self, fetch: FetchId) {
        self.0.remove(&fetch);
    }
}

/// The stored resources.
#[derive(Default)]
pub(super) struct Resources(HashMap<ResourceId, ResourceEntry>);

pub(super) struct ResourceEntry {
    pub(super) shared: Arc<Resource>,
    pub(super) track: TrackId,
    pub(super) blob: Option<Arc<dyn Blob>>,
    /// Writes under way, oldest first, as the store answers them.
    writes: VecDeque<(OpId, u64, Bytes)>,
}

impl Resources {
    pub(super) fn insert(
        &mut self,
        track: TrackId,
        shared: Arc<Resource>,
        blob: Option<Arc<dyn Blob>>,
    ) {
        let entry = ResourceEntry { track, blob, writes: VecDeque::new(), shared };
        self.0.insert(entry.shared.id(), entry);
    }

    pub(super) fn get(&self, resource: ResourceId) -> Option<&ResourceEntry> {
        self.0.get(&resource)
    }

    pub(super) fn remove(&mut self, resource: ResourceId) -> Option<ResourceEntry> {
        self.0.remove(&resource)
    }

    /// Lets go of the bytes of a closed track's resources; gives the places where they were.
    pub(super) fn close_track(&mut self, track: TrackId) -> Vec<(ResourceId, Arc<dyn Blob>)> {
        let of_track = self.0.iter_mut().filter(|(_, entry)| entry.track == track);
        of_track
            .filter_map(|(id, entry)| {
                entry.writes.clear();
                Some((*id, entry.blob.take()?))
            })
            .collect()
    }

    /// Notes a write, so that its bytes can be kept once they are written.
    pub(super) fn note_write(&mut self, resource: ResourceId, op: OpId, offset: u64, bytes: Bytes) {
        if let Some(entry) = self.0.get_mut(&resource) {
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
