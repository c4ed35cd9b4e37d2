//! What must hold after every event. The ledger follows the machine's actions with a model of its own, and panics at
//! the first that breaks a promise; whoever runs the session adds the seed.

mod kept;
mod requests;
mod resources;
mod tally;

use std::collections::{BTreeMap, BTreeSet};

use infill_core::{
    Action, Answer, ByteRange, Config, Error, ErrorKind, Event, FetchId, Instant, ReaderId,
    RequestId, ResourceId, TrackId, View,
};

use super::content::Content;
use super::origin::Origins;
use super::store::Store;

use kept::{KeptBytes, Owed};
pub use tally::Tally;

/// Panics because a promise is broken.
macro_rules! violated {
    ($($message:tt)*) => { panic!("promise broken: {}", format_args!($($message)*)) };
}
pub(super) use violated;

/// How long after its time a wait may end: the time that its last event took.
const GRACE: core::time::Duration = core::time::Duration::from_millis(500);

/// The model.
#[derive(Debug)]
pub(super) struct Ledger {
    config: Config,
    /// Whether no error is justified.
    clean: bool,
    tracks: BTreeMap<TrackId, TrackEntry>,
    fetches: BTreeMap<FetchId, FetchEntry>,
    resources: BTreeMap<ResourceId, ResourceEntry>,
    readers: BTreeMap<ReaderId, TrackId>,
    requests: BTreeMap<(ReaderId, RequestId), Waiting>,
    owed: Owed,
    seen_fetches: BTreeSet<FetchId>,
    pub(super) tally: Tally,
}

#[derive(Debug)]
struct TrackEntry {
    site: usize,
    stage: Life,
    opened: bool,
    current: Option<ResourceId>,
    last_progress: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Open,
    Closing,
    Closed,
}

#[derive(Debug)]
struct FetchEntry {
    track: TrackId,
    host: String,
    credit: u64,
    stopping: bool,
}

#[derive(Debug)]
struct ResourceEntry {
    /// Who reads it.
    tracks: Vec<TrackId>,
    kept: KeptBytes,
    site: usize,
    view: View,
    /// The versions that all bytes published so far agree with.
    versions: Option<Vec<Content>>,
    committed: bool,
    released: bool,
}

#[derive(Debug)]
struct Waiting {
    since: Instant,
    range: ByteRange,
    latched: Option<ResourceId>,
    superseded: bool,
    /// Its reader sought meanwhile: it may be dropped as superseded, or answered.
    sought: bool,
}

impl Ledger {
    pub(super) fn new(config: Config, clean: bool) -> Self {
        Self {
            config,
            clean,
            tracks: BTreeMap::new(),
            fetches: BTreeMap::new(),
            resources: BTreeMap::new(),
            readers: BTreeMap::new(),
            requests: BTreeMap::new(),
            owed: Owed::default(),
            seen_fetches: BTreeSet::new(),
            tally: Tally::default(),
        }
    }

    /// Notes a track that is about to be opened.
    pub(super) fn opening(&mut self, track: TrackId, site: usize, now: Instant) {
        let entry = TrackEntry {
            site,
            stage: Life::Open,
            opened: false,
            current: None,
            last_progress: now,
        };
        self.tracks.insert(track, entry);
    }

    /// Notes an event before the machine sees it.
    pub(super) fn before(&mut self, now: Instant, event: &Event) {
        self.resources.values_mut().for_each(|entry| entry.kept.checked());
        match event {
            Event::Attach { track, reader, .. } => {
                self.readers.insert(*reader, *track);
            }
            Event::Detach { reader } => {
                self.readers.remove(reader);
                self.requests.retain(|(other, _), _| other != reader);
            }
            Event::Close { track } => {
                if let Some(entry) = self.tracks.get_mut(track) {
                    entry.stage = Life::Closing;
                }
            }
            Event::ReadRequest { reader, request, latched, range } => {
                for ((other, _), waiting) in &mut self.requests {
                    waiting.superseded |= other == reader;
                }
                let waiting = Waiting {
                    since: now,
                    range: *range,
                    latched: *latched,
                    superseded: false,
                    sought: false,
                };
                self.requests.insert((*reader, *request), waiting);
            }
            // What failed on the old network is past: patience begins anew.
            Event::NetworkChanged => {
                self.tracks.values_mut().for_each(|track| track.last_progress = now);
            }
            Event::Command { command, .. } => self.owed.asked(*command),
            Event::Open { track, options, .. } => self.owed.opened(*track, options.intent),
            Event::Written { .. } | Event::Verified { .. } | Event::Synced { .. } => {
                self.stored(event);
            }
            Event::Seek { reader, .. } => {
                for ((other, _), waiting) in &mut self.requests {
                    waiting.sought |= other == reader;
                }
            }
            Event::BytesReceived { fetch, bytes } => {
                let Some(entry) = self.fetches.get_mut(fetch) else {
                    return;
                };
                let length = bytes.len() as u64;
                assert!(entry.credit >= length, "the simulator delivers more than was granted");
                entry.credit -= length;
                // The way to a byte through present ones is progress too, where ranges are ignored.
                // It is that of all who read the same file.
                let site = self.tracks.get(&entry.track).map(|track| track.site);
                for track in self.tracks.values_mut().filter(|track| Some(track.site) == site) {
                    track.last_progress = now;
                }
                self.tally.delivered += length;
                if entry.stopping {
                    self.tally.late += length;
                }
            }
            Event::StreamEnded { fetch } | Event::FetchFailed { fetch, .. } => {
                self.fetches.remove(fetch);
            }
            _ => {}
        }
    }

    /// Notes an answer of the store.
    fn stored(&mut self, event: &Event) {
        match event {
            Event::Written { resource, op, result } => {
                if let Some(entry) = self.resources.get_mut(resource) {
                    entry.kept.written(*op, result.is_ok());
                }
            }
            Event::Verified { resource, op, result } => {
                if let Some(entry) = self.resources.get_mut(resource) {
                    entry.kept.verified(*op, result);
                }
            }
            Event::Synced { resource, result, .. } => {
                if let Some(entry) = self.resources.get_mut(resource) {
                    entry.kept.synced(result.is_ok());
                }
            }
            _ => {}
        }
    }

    /// Checks an action.
    pub(super) fn action(
        &mut self,
        now: Instant,
        action: &Action,
        store: &Store,
        origins: &Origins,
    ) {
        self.check_names(action);
        match action {
            Action::FetchRange { track, request } => self.fetch(*track, request),
            Action::CancelFetch { fetch, .. } => {
                let entry = self.fetches.get_mut(fetch).expect("check_names saw it");
                if entry.stopping {
                    violated!("{fetch} is cancelled twice");
                }
                entry.stopping = true;
            }
            Action::Grant { fetch, bytes } => self.grant(*fetch, *bytes),
            Action::OpenResource { track, resource } => self.open_resource(*track, *resource),
            Action::Release { resource } => {
                if store.is_busy(*resource) {
                    violated!("{resource} is released while operations on it are under way");
                }
                self.resource(*resource).released = true;
            }
            Action::Write { resource, op, offset, bytes, tier } => {
                let range = ByteRange::at(*offset, bytes.len() as u64);
                self.resource(*resource).kept.writes(*op, range, *tier);
                self.write(*resource, range, store);
            }
            Action::Discard { resource, range } => {
                self.resource(*resource).kept.discarded(*range);
                let present = self.resource(*resource).view.present().len_within(*range);
                if present > 0 {
                    violated!(
                        "{resource} discards {range}, of which {present} bytes are published"
                    );
                }
            }
            Action::Publish { resource, change } => {
                self.publish(now, *resource, change, store, origins);
            }
            Action::Commit { resource, final_len } => self.commit(*resource, *final_len),
            Action::Opened { track, result } => self.opened(*track, result),
            Action::WakeReader { reader, request, answer } => {
                self.answered(now, *reader, *request, answer);
            }
            Action::Closed { track } => {
                let entry = self.track(*track);
                if entry.stage != Life::Closing {
                    violated!("{track} is closed though nobody asked");
                }
                entry.stage = Life::Closed;
                self.owed.closed(*track);
            }
            Action::Place { resource, .. } => self.resource(*resource).kept.placed(*resource),
            Action::Verify { resource, op, range } => {
                self.resource(*resource).kept.verifies(*op, *range);
            }
            Action::Join { track, resource } => self.join(*track, *resource),
            Action::Filled { track, result } => {
                if let Some(end) = self.owed.filled(*track, result) {
                    self.check_filled(*track, end);
                }
            }
            Action::Answered { command, .. } => self.owed.answered(*command),
            Action::Sync { resource, .. } => self.resource(*resource).kept.syncs(),
            // What they name was checked.
            _ => {}
        }
    }

    /// Checks what must hold when an event was handled.
    pub(super) fn after(&self, now: Instant, timeout: Option<Instant>) {
        if let Some(at) = timeout
            && at <= now
        {
            violated!("the next deadline is {at:?}, which is not after {now:?}: a busy loop");
        }
        for ((reader, request), waiting) in &self.requests {
            if waiting.superseded {
                violated!("{request} of {reader} was replaced and has got no answer");
            }
            let track = self.readers.get(reader).and_then(|track| self.tracks.get(track));
            let Some(track) = track else { continue };
            if track.stage != Life::Open {
                violated!("{request} of {reader} has got no answer though its track was closed");
            }
            let from = waiting.since.max(track.last_progress);
            if now.since(from) > self.config.give_up_after + GRACE {
                violated!(
                    "{request} of {reader} has been waiting without progress since {from:?}; \
                     it should have been given up after {:?}",
                    self.config.give_up_after
                );
            }
        }
        for track in self.tracks.values().filter(|track| track.stage == Life::Open) {
            let Some(entry) = track.current.and_then(|id| self.resources.get(&id)) else {
                continue;
            };
            let seen = |range: &ByteRange| entry.view.present().len_within(*range) > 0;
            if let Some(range) = entry.kept.lost().iter().find(seen) {
                violated!("the disk has not kept {range}, which is still said to be there");
            }
        }
        for (id, track) in &self.tracks {
            if track.stage != Life::Open && !track.opened {
                violated!("{id} was closed and its Open has got no answer");
            }
        }
    }

    /// Checks that nothing is left when all tracks are closed.
    pub(super) fn finished(&self) {
        if let Some(fetch) = self.fetches.keys().next() {
            violated!("{fetch} is still under way at the end");
        }
        for (track, entry) in &self.tracks {
            if entry.stage != Life::Closed {
                violated!("{track} was never reported as closed");
            }
        }
        for (resource, entry) in &self.resources {
            if !entry.released {
                violated!("{resource} was never released");
            }
        }
        self.owed.finished();
    }

    /// Takes the sums of an earlier life over.
    pub(super) fn inherit(&mut self, earlier: &Self) {
        self.tally = earlier.tally;
    }

    /// Everything before `end` is there.
    fn check_filled(&self, track: TrackId, end: u64) {
        let resource = self.tracks[&track].current;
        let view = resource.map(|resource| self.view(resource));
        let there = view.map_or(0, |view| view.present().first_missing(0));
        let total = view.and_then(|view| view.facts().total);
        if there < end && total.is_none_or(|total| there < total) {
            violated!("{track} is said to be filled up to {end} of {total:?}, and has {there}");
        }
    }

    /// The open tracks of a site.
    pub(super) fn open_tracks(&self, site: usize) -> Vec<TrackId> {
        let open = |track: &TrackEntry| track.site == site && track.stage == Life::Open;
        let tracks = self.tracks.iter().filter(|(_, track)| open(track));
        tracks.map(|(track, _)| *track).collect()
    }

    /// What readers see of a resource.
    pub(super) fn view(&self, resource: ResourceId) -> &View {
        &self.resources[&resource].view
    }

    /// The current version of a track.
    pub(super) fn current(&self, track: TrackId) -> Option<ResourceId> {
        self.tracks.get(&track)?.current
    }

    /// Whether a resource is complete.
    pub(super) fn is_committed(&self, resource: ResourceId) -> bool {
        self.resources[&resource].committed
    }

    /// Requests that were not answered yet.
    pub(super) fn unanswered(&self) -> Vec<(ReaderId, RequestId)> {
        self.requests.keys().copied().collect()
    }

    /// A live resource and a fetch that is past, for events that make no sense.
    pub(super) fn past(&self) -> (Option<ResourceId>, Option<FetchId>) {
        let fetch = self.seen_fetches.iter().find(|fetch| !self.fetches.contains_key(fetch));
        (self.resources.keys().next_back().copied(), fetch.copied())
    }

    /// Checks that `bytes` are what a reader of this resource must get at `start`.
    pub(super) fn check_bytes(
        &mut self,
        resource: ResourceId,
        start: u64,
        bytes: &[u8],
        origins: &Origins,
    ) {
        let entry = self.resource(resource);
        let site = entry.site;
        let versions = entry.versions.get_or_insert_with(|| all_versions(origins, site));
        versions.retain(|version| version.matches(start, bytes));
        if versions.is_empty() {
            let end = start + bytes.len() as u64;
            violated!("{resource} has at {start}..{end} what no version of it has: a wrong byte");
        }
    }

    /// Checks that a resource may end at or before `position`.
    pub(super) fn check_end(&self, resource: ResourceId, position: u64, origins: &Origins) {
        let entry = &self.resources[&resource];
        let true_end = match &entry.versions {
            Some(versions) => versions.iter().any(|version| version.total() <= position),
            None => all_versions(origins, entry.site).iter().any(|v| v.total() <= position),
        };
        if !true_end && !entry.view.facts().unverified {
            violated!(
                "{resource} ends at {position}, which is inside of every version: a false end"
            );
        }
    }

    fn track(&mut self, track: TrackId) -> &mut TrackEntry {
        match self.tracks.get_mut(&track) {
            Some(entry) => entry,
            None => violated!("{track} was never opened"),
        }
    }

    fn resource(&mut self, resource: ResourceId) -> &mut ResourceEntry {
        match self.resources.get_mut(&resource) {
            Some(entry) => entry,
            None => violated!("{resource} was never opened"),
        }
    }

    /// A track reads another one's resource.
    fn join(&mut self, track: TrackId, resource: ResourceId) {
        let site = self.track(track).site;
        self.track(track).current = Some(resource);
        let entry = self.resource(resource);
        if entry.site != site {
            violated!("{track} joins {resource}, which is another file");
        }
        entry.tracks.push(track);
    }

    /// Actions name only what lives.
    fn check_names(&mut self, action: &Action) {
        let track = match action {
            Action::FetchRange { track, .. }
            | Action::OpenResource { track, .. }
            | Action::Join { track, .. }
            | Action::NeedFreshUrl { track } => {
                if self.track(*track).stage != Life::Open {
                    violated!("{action:?} after {track} was closed");
                }
                Some(*track)
            }
            Action::OpenPart { of: track, .. }
            | Action::Presented { track, .. }
            | Action::Buffered { track, .. }
            | Action::Opened { track, .. }
            | Action::Filled { track, .. }
            | Action::State { track, .. }
            | Action::Notify { track, .. }
            | Action::Closed { track } => Some(*track),
            Action::CancelFetch { fetch, .. } | Action::Grant { fetch, .. } => {
                if !self.fetches.contains_key(fetch) {
                    violated!("{action:?} names a request that is over");
                }
                None
            }
            Action::Append { .. }
            | Action::Compact { .. }
            | Action::Remove { .. }
            | Action::Sweep { .. }
            | Action::Answered { .. } => None,
            Action::Release { resource }
            | Action::Place { resource, .. }
            | Action::Sync { resource, .. }
            | Action::Write { resource, .. }
            | Action::Verify { resource, .. }
            | Action::Load { resource, .. }
            | Action::Discard { resource, .. }
            | Action::Publish { resource, .. }
            | Action::Commit { resource, .. } => {
                let entry = self.resource(*resource);
                if entry.released {
                    violated!("{resource} is named after its release");
                }
                let tracks = entry.tracks.clone();
                let live = tracks.iter().find(|track| self.track(**track).stage != Life::Closed);
                Some(*live.unwrap_or(&tracks[0]))
            }
            Action::WakeReader { reader, .. } | Action::Mark { reader, .. } => {
                if !self.readers.contains_key(reader) {
                    violated!("{action:?} names a reader that is not there");
                }
                None
            }
        };
        if let Some(track) = track
            && self.track(track).stage == Life::Closed
        {
            violated!("{action:?} after {track} was reported as closed");
        }
    }

    fn opened(&mut self, track: TrackId, result: &Result<(), Error>) {
        let clean = self.clean;
        let entry = self.track(track);
        if entry.opened {
            violated!("{track} is opened twice");
        }
        entry.opened = true;
        if let Err(error) = result
            && clean
            && error.kind() != ErrorKind::Closed
        {
            violated!("{track} was not opened though nothing is wrong: {error}");
        }
    }

    fn answered(&mut self, now: Instant, reader: ReaderId, request: RequestId, answer: &Answer) {
        let Some(waiting) = self.requests.remove(&(reader, request)) else {
            violated!("{request} of {reader} is answered {answer:?}, but nothing is waited for");
        };
        let track = self.readers[&reader];
        let closing = self.track(track).stage != Life::Open;
        let resource = waiting.latched.or(self.track(track).current);
        match answer {
            Answer::Superseded if waiting.superseded || waiting.sought => {}
            Answer::Superseded => violated!("{request} of {reader} was not superseded"),
            _ if waiting.superseded => {
                violated!("{request} of {reader} was superseded: {answer:?}")
            }
            Answer::Readable => {
                let start = waiting.range.start;
                let readable = resource.is_some_and(|r| self.view(r).present().contains(start));
                if !readable {
                    violated!("{request} of {reader} is answered 'readable', but {start} is not");
                }
            }
            Answer::Entered(_) => violated!("{request} of {reader} asked for no segment"),
            Answer::End => {
                let start = waiting.range.start;
                let len = resource.and_then(|resource| self.view(resource).len());
                if len.is_none_or(|len| start < len) {
                    violated!("{request} of {reader} is answered 'end' at {start} of {len:?}");
                }
            }
            Answer::Failed(error) => {
                let closed = error.kind() == ErrorKind::Closed;
                if closed != closing {
                    violated!("{request} of {reader} fails with '{error}', closing: {closing}");
                }
                if self.clean && !closing {
                    violated!("{request} of {reader} fails though nothing is wrong: {error}");
                }
                let waited = now.since(waiting.since);
                if error.kind() == ErrorKind::Network && waited < self.config.give_up_after {
                    violated!(
                        "{request} of {reader} is given up after {waited:?} with '{error}', \
                         which may pass"
                    );
                }
            }
        }
    }
}

fn all_versions(origins: &Origins, site: usize) -> Vec<Content> {
    origins.sites[site].versions.iter().map(|version| version.content).collect()
}
