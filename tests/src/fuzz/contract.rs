//! What a driver may rely on, whatever it was fed: a ledger of what the machine asked for, checked at every action.
//!
//! It knows no policy: which bytes are fetched when is the simulator's matter. It knows that ids are new, that a write
//! goes where nothing is, that what is published was written, that a question has one answer.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use infill_core::{
    Action, ByteRange, ByteRanges, Change, FetchId, OpId, ReaderId, RequestId, ResourceId, TrackId,
    View,
};

/// A fetch that has not reported its end.
#[derive(Debug)]
pub(super) struct Fetch {
    pub(super) track: TrackId,
    pub(super) first: u64,
    pub(super) cancelled: bool,
}

/// A resource as the store and its readers know it.
#[derive(Debug, Default)]
pub(super) struct Stored {
    pub(super) writes: VecDeque<(OpId, u64, bytes::Bytes)>,
    pub(super) verifies: VecDeque<(OpId, ByteRange)>,
    written: ByteRanges,
    view: View,
}

/// A track that was opened and not yet reported as closed.
#[derive(Debug, Default)]
struct Track {
    opened: bool,
    closing: bool,
}

/// What is owed, by whom.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub(super) fetches: BTreeMap<FetchId, Fetch>,
    pub(super) resources: BTreeMap<ResourceId, Stored>,
    tracks: BTreeMap<TrackId, Track>,
    readers: BTreeMap<ReaderId, TrackId>,
    questions: BTreeMap<(ReaderId, RequestId), u32>,
    ids: BTreeSet<u64>,
}

impl Ledger {
    /// The driver opens a track; an id that is in use is ignored.
    pub(super) fn open(&mut self, track: TrackId) {
        self.tracks.entry(track).or_default();
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

    /// A reader is gone; nobody waits for its answers any more.
    pub(super) fn detach(&mut self, reader: ReaderId) {
        self.readers.remove(&reader);
        self.questions.retain(|(of, _), _| *of != reader);
    }

    /// A reader asks.
    pub(super) fn ask(&mut self, reader: ReaderId, request: RequestId) {
        if self.readers.contains_key(&reader) {
            *self.questions.entry((reader, request)).or_default() += 1;
        }
    }

    /// After the event that closed `track`, all of its readers have their answers and are gone.
    pub(super) fn closed_readers(&mut self, track: TrackId) {
        let gone: Vec<_> = self.readers.iter().filter(|(_, of)| **of == track).collect();
        let gone: Vec<ReaderId> = gone.into_iter().map(|(reader, _)| *reader).collect();
        for reader in gone {
            let open = self.questions.keys().find(|(of, _)| *of == reader);
            assert_eq!(open, None, "a closed reader was left without an answer");
            self.readers.remove(&reader);
        }
    }

    /// The ids that an event may name.
    pub(super) fn track_ids(&self) -> Vec<u64> {
        self.tracks.keys().map(|id| id.0).collect()
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
                assert!(!core::mem::replace(&mut track.opened, true), "opened twice");
            }
            Action::Closed { track } => {
                assert!(self.known(track).opened, "closed before it was said to be opened");
                self.tracks.remove(&track);
            }
            Action::NeedFreshUrl { track }
            | Action::State { track, .. }
            | Action::Notify { track, .. } => {
                self.known(track);
            }
            Action::Answered { .. } | Action::Filled { .. } | Action::Append { .. } => {}
            Action::Mark { reader, .. } => {
                assert!(self.readers.contains_key(&reader), "{reader} is gone");
            }
            action => self.record_store(action),
        }
    }

    fn known(&mut self, track: TrackId) -> &mut Track {
        self.tracks.get_mut(&track).unwrap_or_else(|| panic!("{track} is not open"))
    }

    /// Actions of the store and of the views.
    fn record_store(&mut self, action: Action) {
        match action {
            Action::OpenResource { track, resource } => {
                self.known(track);
                assert!(self.ids.insert(resource.0), "{resource} was used before");
                self.resources.insert(resource, Stored::default());
            }
            Action::Release { resource } => {
                let gone = self.resources.remove(&resource).expect("it was opened");
                assert!(gone.writes.is_empty() && gone.verifies.is_empty(), "released too early");
            }
            Action::Write { resource, op, offset, bytes, .. } => {
                assert!(self.ids.insert(op.0), "{op} was used before");
                self.stored(resource).write(op, offset, bytes);
            }
            Action::Verify { resource, op, range } => {
                assert!(self.ids.insert(op.0), "{op} was used before");
                let stored = self.stored(resource);
                assert!(stored.written.contains_range(range), "{range} is not stored");
                stored.verifies.push_back((op, range));
            }
            Action::Discard { resource, range } => {
                let stored = self.stored(resource);
                assert_eq!(stored.view.present().len_within(range), 0, "{range} is published");
                stored.written.remove(range);
            }
            Action::Publish { resource, change } => self.stored(resource).publish(&change),
            Action::Commit { resource, final_len } => {
                let stored = self.stored(resource);
                let whole = ByteRange::new(0, final_len);
                assert!(stored.view.present().contains_range(whole), "not whole: {stored:?}");
                stored.view.commit(final_len);
            }
            action => unreachable!("{action:?} is recorded elsewhere"),
        }
    }

    fn stored(&mut self, resource: ResourceId) -> &mut Stored {
        self.resources.get_mut(&resource).unwrap_or_else(|| panic!("{resource} is not open"))
    }
}

impl Stored {
    fn write(&mut self, op: OpId, offset: u64, bytes: bytes::Bytes) {
        let end = offset.checked_add(bytes.len() as u64).expect("it fits into a u64");
        let range = ByteRange::new(offset, end);
        assert!(!range.is_empty(), "an empty write");
        assert_eq!(self.view.present().len_within(range), 0, "{range} is published");
        for (_, offset, bytes) in &self.writes {
            let other = ByteRange::at(*offset, bytes.len() as u64);
            assert!(other.intersect(range).is_empty(), "{range} is being written");
        }
        self.writes.push_back((op, offset, bytes));
    }

    /// The write that is to be answered next.
    pub(super) fn oldest(&self) -> Option<OpId> {
        self.writes.front().map(|(op, ..)| *op)
    }

    /// The oldest write succeeds.
    pub(super) fn wrote(&mut self) -> Option<OpId> {
        let (op, offset, bytes) = self.writes.pop_front()?;
        self.written.insert(ByteRange::at(offset, bytes.len() as u64));
        Some(op)
    }

    fn publish(&mut self, change: &Change) {
        match change {
            Change::Present(range) => {
                assert!(self.written.contains_range(*range), "{range} was not written");
                assert_eq!(self.view.present().len_within(*range), 0, "{range} twice");
            }
            Change::Retracted(range) => {
                assert!(self.view.present().contains_range(*range), "{range} is not published");
            }
            _ => {}
        }
        self.view.apply(change);
    }
}
