//! Opens that come while an earlier download of the same resource is being closed: they wait until the store has
//! answered for it, so that what it had on the way is found in the cache and not fetched again.

use std::collections::BTreeMap;

use super::Machine;
use crate::event::Event;
use crate::{ReaderId, TrackId};

/// Tracks that can't begin yet, with all that happened to them.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    tracks: BTreeMap<TrackId, Held>,
    readers: BTreeMap<ReaderId, TrackId>,
}

#[derive(Debug)]
struct Held {
    /// The download that is being closed.
    until: TrackId,
    events: Vec<Event>,
}

impl Waiting {
    /// A track waits for the end of a download.
    pub(super) fn add(&mut self, track: TrackId, until: TrackId, open: Event) {
        self.tracks.insert(track, Held { until, events: vec![open] });
    }

    /// Keeps an event that concerns a track that waits; gives all others back.
    pub(super) fn hold(&mut self, event: Event) -> Option<Event> {
        if self.tracks.is_empty() {
            return Some(event);
        }
        let track = match &event {
            Event::Open { track, .. } | Event::Close { track } | Event::FreshUrl { track, .. } => {
                *track
            }
            Event::Attach { track, reader, .. } => {
                if self.tracks.contains_key(track) {
                    self.readers.insert(*reader, *track);
                }
                *track
            }
            Event::Detach { reader }
            | Event::ReadRequest { reader, .. }
            | Event::Seek { reader, .. }
            | Event::Advanced { reader, .. } => match self.readers.get(reader) {
                Some(track) => *track,
                None => return Some(event),
            },
            _ => return Some(event),
        };
        match self.tracks.get_mut(&track) {
            Some(held) => held.events.push(event),
            None => return Some(event),
        }
        None
    }

    /// A download is closed: what waited for it, in order.
    fn release(&mut self, download: TrackId) -> Vec<Event> {
        let freed: Vec<TrackId> = self
            .tracks
            .iter()
            .filter(|(_, held)| held.until == download)
            .map(|(track, _)| *track)
            .collect();
        self.readers.retain(|_, track| !freed.contains(track));
        freed
            .iter()
            .filter_map(|track| self.tracks.remove(track))
            .flat_map(|held| held.events)
            .collect()
    }

    /// Whether nobody waits.
    pub(super) fn is_empty(&self) -> bool {
        self.tracks.is_empty()
    }
}

impl Machine {
    /// A download is closed: those who waited for that begin.
    pub(super) fn begin_waiting(&mut self, download: TrackId) {
        if self.waiting.is_empty() {
            return;
        }
        for event in self.waiting.release(download) {
            // One that waited before it may have begun and be closing: then it waits for that one, too.
            if let Some(event) = self.waiting.hold(event) {
                self.take(event);
            }
        }
    }
}
