//! The world: a machine among origins, a network, a store and readers. It takes the next thing that happens, hands the
//! machine what comes of it, carries out what the machine asks for, and checks the promises each time.

mod incidents;
mod lives;
mod settled;

use std::collections::BTreeMap;
use std::time::Duration;

use infill_core::{
    Action, Change, Event, Instant, Machine, OpenOptions, ReaderId, ResourceId, SourceSpec, TrackId,
};

use super::fault::{Coverage, Fault};
use super::invariants::{Ledger, Tally, violated};
use super::lived::{Lived, Trial};
use super::network::Network;
use super::origin::Origins;
use super::plan::{Expires, Incident, Plan};
use super::reader::{Reader, ReaderStep, State, Surroundings};
use super::stage::{Happening, Stage};
use super::store::{Health, Store, StoreOp};
use super::transcript::Transcript;
use lives::Lives;

/// A session is over by then, in happenings and in virtual time after the healing.
const MAX_STEPS: u64 = 400_000;
const MAX_TIME: Duration = Duration::from_secs(4 * 3600);

/// How many actions one event may bring: a change of network or a closing touches all there is.
const MAX_ACTIONS: usize = 10_000;

/// How many ticks in a row may come to nothing.
const MAX_IDLE_TICKS: u32 = 1000;

/// What came of a session.
#[derive(Clone, Debug)]
pub struct Report {
    /// What was injected.
    pub coverage: Coverage,
    /// What it has gone through, with a cache.
    pub lived: Lived,
    /// Sums.
    pub tally: Tally,
    /// Events that the machine was given.
    pub events: u64,
    /// Operations of the cache's disk.
    pub operations: u64,
    /// Virtual time.
    pub time: Duration,
}

/// A session under way.
#[derive(Debug)]
pub(super) struct World {
    plan: Plan,
    machine: Machine,
    stage: Stage,
    origins: Origins,
    network: Network,
    store: Store,
    ledger: Ledger,
    readers: Vec<Reader>,
    tracks: Vec<Track>,
    by_id: BTreeMap<TrackId, usize>,
    by_reader: BTreeMap<ReaderId, usize>,
    transcript: Option<Transcript>,
    events: u64,
    idle_ticks: u32,
    lives: Lives,
    /// Tracks that were opened for deeds.
    lives_opened: u64,
}

/// A track as its embedder has it.
#[derive(Clone, Copy, Debug, Default)]
struct Track {
    id: Option<TrackId>,
    opened: bool,
    /// Closed for good.
    gone: bool,
    /// How often it could not be opened though all faults were over.
    failures: u32,
}

/// How far a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Playing,
    Resting,
    Closing,
}

impl World {
    pub(super) fn new(plan: Plan, transcript: Option<Transcript>) -> Self {
        let mut stage = Stage::new(plan.seed);
        let origins = Origins::new(&plan, &mut stage);
        for (track, site) in plan.tracks.iter().enumerate() {
            stage.after(site.open_at, Happening::Open { track });
        }
        let readers: Vec<_> = plan.readers.iter().cloned().enumerate().collect();
        for (reader, reader_plan) in &readers {
            let step = ReaderStep::Begin;
            let happening = Happening::Reader { reader: *reader, turn: 0, step };
            stage.after(reader_plan.attach_at, happening);
        }
        for (index, (at, _)) in plan.incidents.iter().enumerate() {
            stage.after(*at, Happening::Incident(index));
        }
        stage.after(plan.heal_at, Happening::Heal);
        Self {
            machine: Machine::new(plan.config.clone()),
            network: Network::new(plan.network.clone()),
            store: Store::new(plan.store_latency),
            ledger: Ledger::new(plan.config.clone(), plan.is_clean()),
            readers: readers.into_iter().map(|(index, plan)| Reader::new(index, plan)).collect(),
            tracks: vec![Track::default(); plan.tracks.len()],
            by_id: BTreeMap::new(),
            by_reader: BTreeMap::new(),
            events: 0,
            idle_ticks: 0,
            lives: Lives::default(),
            lives_opened: 0,
            origins,
            stage,
            transcript,
            plan,
        }
    }

    /// Plays the session to its end. Panics when a promise is broken.
    pub(super) fn run(mut self) -> Report {
        let mut phase = Phase::Playing;
        self.begin_lives();
        for _ in 0..MAX_STEPS {
            let more = self.step();
            if self.at_boundary() {
                self.die_at_boundary();
                phase = Phase::Playing;
                continue;
            }
            self.maybe_killed();
            self.maybe_reborn();
            self.measure();
            if self.stage.now > Instant::ZERO + self.plan.heal_at + MAX_TIME {
                violated!("no end in sight after {:?}: {}", self.stage.now, self.situation());
            }
            match phase {
                Phase::Playing if self.stage.healed && self.all_have_read() => {
                    phase = Phase::Resting;
                }
                Phase::Playing if !more => {
                    violated!("nothing will ever happen again: {}", self.situation());
                }
                Phase::Resting if !more => {
                    self.check_rest();
                    phase = Phase::Closing;
                    self.close_all();
                }
                Phase::Closing if !more => {
                    self.check_end();
                    let operations = self.check_cache();
                    return Report {
                        operations,
                        coverage: self.stage.coverage.clone(),
                        lived: self.stage.lived.clone(),
                        tally: self.ledger.tally,
                        events: self.events,
                        time: self.stage.now.since(Instant::ZERO),
                    };
                }
                Phase::Playing | Phase::Resting | Phase::Closing => {}
            }
        }
        violated!("no end in sight after {MAX_STEPS} steps: {}", self.situation());
    }

    /// Lets the next thing happen; `false` when there is none.
    fn step(&mut self) -> bool {
        let due = self.stage.next_at();
        match self.machine.poll_timeout() {
            Some(at) if due.is_none_or(|due| at <= due) => {
                self.stage.now = self.stage.now.max(at);
                let actions = self.deliver(Event::Tick);
                self.idle_ticks = if actions == 0 { self.idle_ticks + 1 } else { 0 };
                if self.idle_ticks > MAX_IDLE_TICKS {
                    violated!("{MAX_IDLE_TICKS} deadlines in a row came to nothing");
                }
                true
            }
            _ => match self.stage.pop() {
                Some(happening) => {
                    self.idle_ticks = 0;
                    self.happen(happening);
                    true
                }
                None => false,
            },
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Open { track } => self.open(track),
            Happening::Shut { track, again } => self.shut(track, again),
            Happening::Incident(index) => self.incident(self.plan.incidents[index].1),
            Happening::NetworkBack => self.network.come_back(),
            Happening::StoreBack => {
                self.store.health = Health::Good;
                self.disk_back();
            }
            Happening::FreshUrl { track } => self.fresh_url(track),
            Happening::Net(fetch, step) => {
                if let Some(event) =
                    self.network.step(&mut self.stage, &mut self.origins, fetch, step)
                {
                    self.deliver(event);
                }
            }
            Happening::Store(resource) => {
                let event = self.store.step(&mut self.stage, resource);
                self.hear(event);
            }
            Happening::Reader { reader, turn, step } => self.reader(reader, turn, step),
            Happening::Cache(step) => {
                let cache = self.store.cache.as_mut();
                let event = cache.and_then(|cache| cache.step(&mut self.stage, step));
                self.hear(event);
            }
            Happening::Deed(index) => self.deed(index),
            Happening::DeedDone(track) => self.deed_done(track),
            Happening::Die => self.die(),
            // First the next process begins.
            Happening::Heal if self.lives.closing => {
                self.stage.after(Duration::from_millis(20), Happening::Heal);
            }
            Happening::Heal => self.heal(),
        }
    }

    /// Gives the machine an event and does what it asks for; how many actions that were.
    fn deliver(&mut self, event: Event) -> usize {
        self.deliver_at(self.stage.now, event)
    }

    /// The disk has done something, which the process hears of if it is still there.
    fn hear(&mut self, event: Option<Event>) {
        if let Some(event) = event.filter(|_| !self.at_boundary()) {
            self.deliver(event);
        }
    }

    fn deliver_at(&mut self, now: Instant, event: Event) -> usize {
        self.events += 1;
        if let Some(transcript) = &self.transcript {
            transcript.event(now, &event);
        }
        self.ledger.before(self.stage.now, &event);
        self.machine.handle(now, event);
        let mut count = 0;
        while let Some(action) = self.machine.poll_action() {
            count += 1;
            if count > MAX_ACTIONS {
                violated!("one event has brought {MAX_ACTIONS} actions, and more come");
            }
            if let Some(transcript) = &self.transcript {
                transcript.action(&action);
            }
            self.ledger.action(self.stage.now, &action, &self.store, &self.origins);
            self.carry_out(action);
        }
        self.ledger.after(self.stage.now, self.machine.poll_timeout());
        count
    }

    fn carry_out(&mut self, action: Action) {
        let stage = &mut self.stage;
        match action {
            Action::FetchRange { request, .. } => self.network.start(stage, request),
            Action::CancelFetch { fetch, .. } => self.network.cancel(stage, fetch),
            Action::Grant { fetch, bytes } => self.network.grant(stage, fetch, bytes),
            Action::Write { resource, op, offset, bytes, tier } => {
                self.store.submit(stage, resource, StoreOp::Write { op, offset, bytes, tier });
            }
            Action::Verify { resource, op, range } => {
                self.store.submit(stage, resource, StoreOp::Verify { op, range });
            }
            Action::Discard { resource, range } => {
                self.store.submit(stage, resource, StoreOp::Discard { range });
            }
            Action::Opened { track, result } => self.opened(track, result.is_ok()),
            Action::WakeReader { reader, request, answer } => {
                let index = self.by_reader[&reader];
                self.readers[index].answered(stage, request, answer);
            }
            Action::Mark { reader, at } => {
                let index = self.by_reader[&reader];
                self.readers[index].set_mark(at);
            }
            Action::NeedFreshUrl { track } => {
                let delay = stage.between(Duration::from_millis(10), Duration::from_secs(2));
                stage.after(delay, Happening::FreshUrl { track: self.by_id[&track] });
            }
            Action::Place { .. }
            | Action::Sync { .. }
            | Action::Append { .. }
            | Action::Compact { .. }
            | Action::Remove { .. }
            | Action::Sweep { .. } => {
                if let Action::Remove { place, .. } = &action {
                    self.check_removal(place);
                }
                match &mut self.store.cache {
                    Some(cache) => cache.submit(&mut self.stage, action),
                    None => violated!("{action:?} though there is no cache"),
                }
            }
            Action::Filled { track, result } => {
                if result.is_ok() {
                    self.filled(track);
                }
                self.stage.after(Duration::ZERO, Happening::DeedDone(track));
            }
            Action::Publish { resource, change } => self.published(resource, &change),
            Action::OpenPart { .. }
            | Action::Presented { .. }
            | Action::Buffered { .. }
            | Action::Load { .. } => violated!("{action:?}, and no presentation is open"),
            Action::Answered { .. }
            | Action::Join { .. }
            | Action::OpenResource { .. }
            | Action::Release { .. }
            | Action::Commit { .. }
            | Action::State { .. }
            | Action::Notify { .. }
            | Action::Closed { .. } => {}
        }
    }

    /// The cache learns what readers see.
    fn published(&mut self, resource: ResourceId, change: &Change) {
        let (stage, cache) = (&mut self.stage, self.store.cache.as_mut());
        match change {
            Change::Retracted(range) | Change::Unclaimed(range) => {
                let refuted = matches!(change, Change::Unclaimed(_));
                stage.lived.count(if refuted { Trial::ClaimRefuted } else { Trial::TakenBack });
                if let Some(cache) = cache {
                    cache.take_back(stage.now, resource, *range);
                }
            }
            Change::Present(range) => {
                if let Some(cache) = cache {
                    cache.published(stage.now, resource, *range);
                }
            }
            Change::Verified(_) => stage.lived.count(Trial::ClaimVerified),
            Change::Claimed(range) => {
                if let Some(cache) = cache {
                    cache.claimed(resource, *range);
                }
            }
            _ => {}
        }
    }

    fn open(&mut self, track: usize) {
        if self.tracks[track].gone {
            return;
        }
        let id = self.next_track();
        self.by_id.insert(id, track);
        let entry = &mut self.tracks[track];
        entry.id = Some(id);
        entry.opened = false;
        self.ledger.opening(id, track, self.stage.now);
        let expires = matches!(self.plan.tracks[track].expires, Expires::Original(_));
        let source = self.source(track, expires);
        let (source, options) = (Box::new(source), OpenOptions::default());
        self.deliver(Event::Open { track: id, source, options });
        self.begin_readers(track);
    }

    /// An id that no track of this process has.
    fn next_track(&self) -> TrackId {
        TrackId(self.by_id.len() as u64 + self.lives_opened + 1)
    }

    fn source(&mut self, track: usize, expires: bool) -> SourceSpec {
        SourceSpec {
            url: self.origins.give_url(track, self.stage.now),
            cache_key: self.plan.cache.as_ref().map(|_| lives::cache_key(track).into()),
            headers: [].into(),
            renewable: expires && self.stage.chance(192),
            slice: None,
        }
    }

    fn opened(&mut self, id: TrackId, success: bool) {
        // One that only fetches has no readers.
        let Some(track) = self.by_id.get(&id).copied() else {
            return;
        };
        if self.tracks[track].id != Some(id) || self.tracks[track].gone {
            return;
        }
        self.tracks[track].opened = success;
        if success {
            return self.begin_readers(track);
        }
        self.tracks[track].failures += u32::from(self.stage.healed);
        if self.tracks[track].failures > 8 {
            violated!("{id} can't be opened even after all faults are over");
        }
        let delay = self.stage.between(Duration::from_millis(1), Duration::from_secs(5));
        self.stage.after(delay, Happening::Shut { track, again: true });
    }

    /// Lets the readers begin that waited for this track.
    fn begin_readers(&mut self, track: usize) {
        for (index, reader) in self.readers.iter().enumerate() {
            if reader.parked && reader.plan.track == track {
                let step = ReaderStep::Begin;
                let happening = Happening::Reader { reader: index, turn: 0, step };
                self.stage.after(Duration::ZERO, happening);
            }
        }
    }

    /// Closes a track: for good, or to open it again.
    fn shut(&mut self, track: usize, again: bool) {
        self.tracks[track].gone |= !again;
        self.tracks[track].opened = false;
        if let Some(id) = self.tracks[track].id.take() {
            self.deliver(Event::Close { track: id });
        }
        for reader in self.readers.iter_mut().filter(|reader| reader.plan.track == track) {
            reader.lose_track(again);
        }
        if again {
            let delay = self.stage.between(Duration::ZERO, Duration::from_secs(2));
            self.stage.after(delay, Happening::Open { track });
        }
    }

    fn fresh_url(&mut self, track: usize) {
        let Some(id) = self.tracks[track].id else {
            return;
        };
        let gives_up = !self.stage.healed && self.stage.chance(64);
        let url = if gives_up {
            self.stage.injected(Fault::NotRenewed);
            None
        } else {
            Some(self.origins.give_url(track, self.stage.now))
        };
        self.deliver(Event::FreshUrl { track: id, url });
    }

    fn reader(&mut self, index: usize, turn: u64, step: ReaderStep) {
        if matches!(step, ReaderStep::Begin) {
            return self.begin_reader(index);
        }
        let reader = &mut self.readers[index];
        let Some(track) = self.tracks[reader.plan.track].id else {
            return;
        };
        if !reader.is_turn(turn) || reader.state != State::Busy {
            return;
        }
        let mut around = Surroundings {
            stage: &mut self.stage,
            ledger: &mut self.ledger,
            store: &self.store,
            origins: &self.origins,
            trusted: !self.lives.doubted,
            track,
            backoff_max: self.plan.config.backoff_max,
        };
        for event in reader.step(&mut around, step) {
            self.deliver(event);
        }
    }

    fn begin_reader(&mut self, index: usize) {
        let reader = &mut self.readers[index];
        let track = self.tracks[reader.plan.track];
        if reader.state != State::Away {
            return;
        }
        let Some(id) = track.id.filter(|_| track.opened || !reader.plan.after_opened) else {
            reader.parked = true;
            if track.gone {
                reader.state = State::Gone;
            }
            return;
        };
        let reader_id = ReaderId(self.by_reader.len() as u64 + 1);
        self.by_reader.insert(reader_id, index);
        let event = reader.attach(&mut self.stage, reader_id, id);
        self.deliver(event);
    }

    fn all_have_read(&self) -> bool {
        let opened = self.tracks.iter().all(|track| track.gone || track.opened);
        let settled = |reader: &Reader| matches!(reader.state, State::Done | State::Gone);
        opened && self.readers.iter().all(settled)
    }

    /// At rest: everything is there, and nothing is owed.
    fn check_rest(&self) {
        if let Some((reader, request)) = self.ledger.unanswered().first() {
            violated!("{request} of {reader} will never be answered");
        }
        let config = &self.plan.config;
        let lost =
            |(_, incident): &(Duration, Incident)| matches!(incident, Incident::ReadFailure { .. });
        // What was lost behind all readers is fetched again only where the file is drained.
        let lossy = self.plan.cache.is_some() || self.plan.incidents.iter().any(lost);
        let window = config.read_ahead_bytes.is_some() && lossy;
        // So much holds all that a session has, and what was to be removed.
        let tight = config.cache_limit_bytes.is_some_and(|limit| limit < 2 << 20);
        if config.store_limit_bytes.is_some() || tight || window {
            return;
        }
        for reader in &self.readers[self.plan.readers.len()..] {
            let current = self.tracks[reader.plan.track].id.and_then(|id| self.ledger.current(id));
            if reader.state != State::Gone
                && let Some(resource) = reader.latched().filter(|latched| Some(*latched) == current)
                && !self.ledger.is_committed(resource)
            {
                violated!("{} has read all of {resource}, which is not complete", reader.id);
            }
        }
    }

    fn close_all(&mut self) {
        self.remark("closing");
        for track in 0..self.tracks.len() {
            self.shut(track, false);
        }
        self.close_deeds();
    }

    fn check_end(&self) {
        if !self.machine.is_quiescent() {
            violated!("the machine is not quiescent though everything is closed");
        }
        if !self.network.is_idle() {
            violated!("a connection is left though everything is closed");
        }
        self.ledger.finished();
    }

    fn remark(&self, text: &str) {
        if let Some(transcript) = &self.transcript {
            transcript.remark(self.stage.now, text);
        }
    }

    /// Who waits for what, for the message of a failure.
    fn situation(&self) -> String {
        let readers: Vec<_> = self
            .readers
            .iter()
            .filter(|reader| !matches!(reader.state, State::Done | State::Gone))
            .map(|reader| {
                format!("{} of track {} {:?}", reader.id, reader.plan.track, reader.state)
            })
            .collect();
        format!(
            "unanswered {:?}, readers {readers:?}, tracks {:?}, network idle {} away {}",
            self.ledger.unanswered(),
            self.tracks,
            self.network.is_idle(),
            self.network.is_away(),
        )
    }
}
