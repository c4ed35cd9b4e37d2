//! What a driver may rely on, whatever it was fed: a ledger of what the machine asked for, checked at every action.
//!
//! It knows no policy: which bytes are fetched when is the simulator's matter. It knows that ids are new, that a write
//! goes where nothing is, that what is published was written, that a question has one answer.

use std::collections::{BTreeMap, BTreeSet};

use infill_core::catalog::Place;
use infill_core::{
    Action, CommandId, FetchId, Intent, OpId, ReaderId, RequestId, ResourceId, Tier, TrackId,
};

use super::kept::Kept;
use super::stored::Stored;

/// A fetch that has not reported its end.
#[derive(Debug)]
pub(super) struct Fetch {
    pub(super) track: TrackId,
    pub(super) first: u64,
    pub(super) cancelled: bool,
}

/// A track that was opened and not yet reported as closed.
#[derive(Debug, Default)]
struct Track {
    /// The machine has said something of it: it does not wait for the end of another one.
    begun: bool,
    opened: bool,
    /// It is owed a word on being filled.
    filling: bool,
    closing: bool,
}

/// What is owed, by whom.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub(super) fetches: BTreeMap<FetchId, Fetch>,
    pub(super) resources: BTreeMap<ResourceId, Stored>,
    pub(super) kept: Kept,
    tracks: BTreeMap<TrackId, Track>,
    readers: BTreeMap<ReaderId, TrackId>,
    /// Readers that went while their track waited: they may be answered, and need not.
    leaving: BTreeSet<ReaderId>,
    questions: BTreeMap<(ReaderId, RequestId), u32>,
    ids: BTreeSet<u64>,
}

impl Ledger {
    /// The driver opens a track; an id that is in use is ignored.
    pub(super) fn open(&mut self, track: TrackId, intent: Intent) {
        let filling = intent != Intent::Play;
        self.tracks.entry(track).or_insert_with(|| Track { filling, ..Track::default() });
    }

    /// The driver asks something of the cache.
    pub(super) fn command(&mut self, command: CommandId) {
        self.kept.commands.insert(command);
    }

    /// The driver closes a track: from now on its readers are owed nothing new.
    pub(super) fn close(&mut self, track: TrackId) {
        if let Some(known) = self.tracks.get_mut(&track) {
            known.closing = true;
        }
    }

    /// A reader begins, if the track is open and the id is new.
    pub(super) fn attach(&mut self, track: TrackId, reader: ReaderId) {
        let open = self.tracks.get(&track).is_some_and(|track| !track.closing);
        if open && !self.readers.contains_key(&reader) {
            self.readers.insert(reader, track);
        }
    }

    /// A reader is gone; nobody waits for its answers any more. Where its track waits, that is yet to be seen.
    pub(super) fn detach(&mut self, reader: ReaderId) {
        let track = self.readers.get(&reader).and_then(|track| self.tracks.get(track));
        if track.is_some_and(|track| !track.begun) {
            self.leaving.insert(reader);
            return;
        }
        self.readers.remove(&reader);
        self.questions.retain(|(of, _), _| *of != reader);
    }

    /// A reader asks.
    pub(super) fn ask(&mut self, reader: ReaderId, request: RequestId) {
        let track = self.readers.get(&reader).and_then(|track| self.tracks.get(track));
        if track.is_some_and(|track| !track.closing) {
            *self.questions.entry((reader, request)).or_default() += 1;
        }
    }

    /// After the event that closed `track`, all of its readers have their answers and are gone.
    pub(super) fn closed_readers(&mut self, track: TrackId) {
        // One that waits for the end of another one learns of it all only then.
        if self.tracks.get(&track).is_some_and(|track| !track.begun) {
            return;
        }
        let gone: Vec<_> = self.readers.iter().filter(|(_, of)| **of == track).collect();
        let gone: Vec<ReaderId> = gone.into_iter().map(|(reader, _)| *reader).collect();
        for reader in gone {
            if self.leaving.remove(&reader) {
                self.questions.retain(|(of, _), _| *of != reader);
            }
            let open = self.questions.keys().find(|(of, _)| *of == reader);
            assert_eq!(open, None, "a closed reader was left without an answer");
            self.readers.remove(&reader);
        }
    }

    /// The readers that an event may name.
    pub(super) fn reader_ids(&self) -> Vec<u64> {
        self.readers.keys().map(|id| id.0).collect()
    }

    /// The ids that an event may name.
    pub(super) fn track_ids(&self) -> Vec<u64> {
        self.tracks.keys().map(|id| id.0).collect()
    }

    /// The tracks that are open, and not told to close.
    pub(super) fn open_tracks(&self) -> Vec<u64> {
        let open = self.tracks.iter().filter(|(_, track)| !track.closing);
        open.map(|(id, _)| id.0).collect()
    }

    /// How many requests each track and the whole machine have running.
    pub(super) fn check_connections(&self, per_track: usize, in_all: usize) {
        let running = || self.fetches.values().filter(|fetch| !fetch.cancelled);
        assert!(running().count() <= in_all, "too many connections");
        for track in self.tracks.keys() {
            let count = running().filter(|fetch| fetch.track == *track).count();
            assert!(count <= per_track, "{track} has {count} connections");
        }
    }

    /// After everything was closed, answered and reported, nothing is owed.
    pub(super) fn check_rest(&self) {
        assert!(self.tracks.is_empty(), "never closed: {:?}", self.tracks);
        assert!(self.questions.is_empty(), "never answered: {:?}", self.questions);
        assert!(self.resources.is_empty(), "never released: {:?}", self.resources.keys());
    }

    /// After each event: what is open stays where it is.
    pub(super) fn check_places(&self) {
        for (resource, stored) in &self.resources {
            let Some(Place { generation, .. }) = stored.place else {
                continue;
            };
            assert!(!self.kept.is_doomed(generation), "{resource} is removed while it is open");
        }
    }

    /// Takes an action in.
    pub(super) fn record(&mut self, action: Action) {
        match action {
            Action::FetchRange { track, request } => {
                self.known(track);
                assert!(self.ids.insert(request.fetch.0), "{} was used before", request.fetch);
                assert!(request.last.is_none_or(|last| last >= request.first), "{request:?}");
                assert!(request.attempt > 0 && request.credit > 0, "{request:?}");
                let (first, cancelled) = (request.first, false);
                let fetch = Fetch { track, first, cancelled };
                self.fetches.insert(request.fetch, fetch);
            }
            Action::CancelFetch { fetch, .. } => {
                let fetch = self.fetches.get_mut(&fetch).expect("it was asked for");
                assert!(!core::mem::replace(&mut fetch.cancelled, true), "cancelled twice");
            }
            Action::Grant { fetch, bytes } => {
                let fetch = self.fetches.get(&fetch).expect("it was asked for");
                assert!(!fetch.cancelled && bytes > 0, "a grant that grants nothing");
            }
            Action::WakeReader { reader, request, .. } => {
                let count = self.questions.get_mut(&(reader, request));
                let count = count.unwrap_or_else(|| panic!("{reader} did not ask {request}"));
                *count -= 1;
                if *count == 0 {
                    self.questions.remove(&(reader, request));
                }
            }
            Action::Opened { track, .. } => {
                let track = self.known(track);
                track.begun = true;
                assert!(!core::mem::replace(&mut track.opened, true), "opened twice");
            }
            Action::Filled { track, .. } => {
                let track = self.known(track);
                assert!(core::mem::take(&mut track.filling), "not to be filled, or filled twice");
            }
            Action::Closed { track } => {
                let known = self.known(track);
                assert!(known.opened, "closed before it was said to be opened");
                assert!(!known.filling, "closed before it was said to be filled");
                self.closed_readers(track);
                self.tracks.remove(&track);
            }
            Action::NeedFreshUrl { track }
            | Action::State { track, .. }
            | Action::Notify { track, .. } => {
                self.known(track);
            }
            Action::Mark { reader, .. } => {
                assert!(self.readers.contains_key(&reader), "{reader} is gone");
            }
            action => self.record_store(action),
        }
    }

    fn known(&mut self, track: TrackId) -> &mut Track {
        self.tracks.get_mut(&track).unwrap_or_else(|| panic!("{track} is not open"))
    }

    fn new_id(&mut self, op: OpId) {
        assert!(self.ids.insert(op.0), "{op} was used before");
    }

    /// Actions of the store and of the views.
    fn record_store(&mut self, action: Action) {
        match action {
            Action::OpenResource { track, resource } => {
                self.known(track).begun = true;
                assert!(self.ids.insert(resource.0), "{resource} was used before");
                self.resources.insert(resource, Stored::default());
            }
            Action::Join { track, resource } => {
                self.known(track).begun = true;
                self.stored(resource);
            }
            Action::Release { resource } => {
                let gone = self.resources.remove(&resource).expect("it was opened");
                assert!(!gone.is_owed(), "released too early: {gone:?}");
            }
            Action::Write { resource, op, offset, bytes, tier } => {
                self.new_id(op);
                assert!(tier == Tier::Scratch || self.kept.on, "there is no cache");
                self.stored(resource).write(op, offset, bytes, tier);
            }
            Action::Verify { resource, op, range } => {
                self.new_id(op);
                self.stored(resource).verify(op, range);
            }
            Action::Discard { resource, range } => {
                self.stored(resource).discard(range);
                if let Some(place) = self.stored(resource).place {
                    self.kept.discarded(place, range);
                }
            }
            Action::Publish { resource, change } => self.stored(resource).publish(&change),
            Action::Commit { resource, final_len } => self.stored(resource).commit(final_len),
            action => self.record_cache(action),
        }
    }

    /// Actions of the cache.
    fn record_cache(&mut self, action: Action) {
        match action {
            Action::Place { resource, place } => {
                let open = |stored: &Stored| stored.place.map(|place| place.generation);
                let shared = self.resources.values().filter_map(open);
                let shared = shared.filter(|other| *other == place.generation).count();
                assert_eq!(shared, 0, "{place:?} is another one's");
                let kept = self.kept.place(&place);
                self.stored(resource).place(*place, &kept);
            }
            Action::Sync { resource, op } => {
                self.new_id(op);
                self.stored(resource).sync(op);
            }
            Action::Append { op, records, .. } => {
                self.new_id(op);
                self.kept.write_journal(op, records, false);
            }
            Action::Compact { op, records } => {
                self.new_id(op);
                self.kept.write_journal(op, records, true);
            }
            Action::Remove { op, place } => {
                self.new_id(op);
                self.kept.remove(op, *place);
            }
            Action::Sweep { keep } => {
                let places = || self.resources.values().filter_map(|stored| stored.place);
                for place in places() {
                    // Of a version that is no more nothing is asked any more, but to remove it.
                    let newer = |other: &Place| {
                        other.key == place.key && other.generation > place.generation
                    };
                    let old = places().any(|other| newer(&other));
                    let stays = keep.contains(&place) || self.kept.is_new(place.generation) || old;
                    assert!(stays, "{place:?} is open, and swept away");
                }
                self.kept.sweep(&keep);
            }
            Action::Answered { command, result } => {
                assert!(self.kept.commands.remove(&command), "{command} was not asked");
                self.kept.listed = result.ok();
            }
            action => unreachable!("{action:?} is recorded elsewhere"),
        }
    }

    fn stored(&mut self, resource: ResourceId) -> &mut Stored {
        self.resources.get_mut(&resource).unwrap_or_else(|| panic!("{resource} is not open"))
    }
}
