//! The machine: events in, actions out.
//!
//! It routes each event to its track by id, owns the tables that tracks share, and passes on what one track's event
//! sets free for another: a connection, or room in the store.

use std::collections::BTreeMap;

use fastrand::Rng;

use crate::context::{Context, Out};
use crate::event::{OpenOptions, SourceSpec};
use crate::schedule::Class;
use crate::slots::Slots;
use crate::space::Space;
use crate::timers::{Armed, Timers};
use crate::track::FileTrack;
use crate::{Action, Cause, Config, Error, Event, FetchId, Instant, ReaderId, ResourceId, TrackId};

/// The machine that fills holes. See the crate's documentation for its lifecycle.
#[derive(Debug)]
pub struct Machine {
    config: Config,
    now: Instant,
    tracks: BTreeMap<TrackId, FileTrack>,
    readers: BTreeMap<ReaderId, TrackId>,
    timers: Timers,
    out: Out,
    slots: Slots,
    space: Space,
    rng: Rng,
}

/// What an event is about.
enum Target {
    Track(TrackId),
    Nothing,
    /// All tracks, for time has passed or the network is another.
    All,
}

impl Machine {
    /// A machine without tracks.
    pub fn new(config: Config) -> Self {
        Self {
            now: Instant::ZERO,
            tracks: BTreeMap::new(),
            readers: BTreeMap::new(),
            timers: Timers::default(),
            out: Out::default(),
            slots: Slots::new(&config),
            space: Space::new(&config),
            rng: Rng::with_seed(config.seed),
            config,
        }
    }

    /// Takes an event in. Total: any event in any state, never panics, never fails. Time that goes backwards is
    /// clamped.
    pub fn handle(&mut self, now: Instant, event: Event) {
        self.now = self.now.max(now);
        match self.dispatch(event) {
            Target::Track(track) => self.settle(track),
            Target::Nothing => {}
            Target::All => {
                let all: Vec<TrackId> = self.tracks.keys().copied().collect();
                all.into_iter().for_each(|track| self.settle(track));
            }
        }
        while let Some(track) = self.timers.pop_due(self.now) {
            self.with(track, |file, _| file.armed = Armed::default());
            self.settle(track);
        }
        self.share_out();
    }

    /// The next thing to do, until `None`. Only pops: all logic ran in [`Machine::handle`].
    #[must_use]
    pub fn poll_action(&mut self) -> Option<Action> {
        self.out.pop()
    }

    /// When to send [`Event::Tick`], unless another event comes first. Work that is due now is already queued. It may
    /// be earlier than anything is due: the tick then does nothing.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// Whether nothing is in flight and nothing is owed: no fetch, no operation, no unanswered request, no action.
    pub fn is_quiescent(&self) -> bool {
        let tracks = self.tracks.values().all(FileTrack::is_quiescent);
        let idle = self.out.is_empty() && self.slots.is_idle();
        tracks && idle && (!self.tracks.is_empty() || self.space.is_unused())
    }

    fn dispatch(&mut self, event: Event) -> Target {
        match event {
            Event::Open { track, source, options } => self.open(track, *source, options),
            Event::Attach { track, reader, position } => self.attach(track, reader, position),
            Event::Detach { reader } => match self.readers.remove(&reader) {
                Some(track) => self.with(track, |file, _| file.detach(reader)),
                None => Target::Nothing,
            },
            Event::Close { track } => {
                self.readers.retain(|_, of| *of != track);
                self.with(track, FileTrack::close)
            }
            Event::ReadRequest { reader, request, latched, range } => {
                self.with_reader(reader, |file, context| {
                    file.read(reader, request, latched, range, context);
                })
            }
            Event::Seek { reader, position } => {
                self.with_reader(reader, |file, context| file.seek(reader, position, context))
            }
            Event::Advanced { reader, position } => {
                self.with_reader(reader, |file, _| file.advance(reader, position))
            }
            Event::FreshUrl { track, url } => {
                self.with(track, |file, context| file.fresh_url(url, context))
            }
            Event::NetworkChanged => self.network_changed(),
            Event::Tick => Target::Nothing,
            event => self.dispatch_io(event),
        }
    }

    /// Events of fetches and of the store.
    fn dispatch_io(&mut self, event: Event) -> Target {
        match event {
            Event::ResponseStarted { fetch, head } => {
                self.with_fetch(fetch, |file, context| file.head(fetch, &head, context))
            }
            Event::BytesReceived { fetch, bytes } => {
                self.with_fetch(fetch, |file, context| file.bytes(fetch, bytes, context))
            }
            Event::StreamEnded { fetch } => {
                self.end_fetch(fetch, |file, context| file.ended(fetch, context))
            }
            Event::FetchFailed { fetch, failure } => {
                self.end_fetch(fetch, |file, context| file.failed(fetch, failure, context))
            }
            Event::Written { resource, op, result } => {
                self.with_resource(resource, |file, context| {
                    file.written(resource, op, result, context);
                })
            }
            Event::Verified { resource, op, result } => {
                self.with_resource(resource, |file, context| {
                    file.verified(resource, op, result, context);
                })
            }
            Event::ReadFailed { resource, range, failure } => {
                self.with_resource(resource, |file, context| {
                    file.read_failed(resource, range, failure, context);
                })
            }
            _ => Target::Nothing,
        }
    }

    fn open(&mut self, track: TrackId, source: SourceSpec, options: OpenOptions) -> Target {
        if self.tracks.contains_key(&track) {
            return Target::Nothing;
        }
        if !matches!(source.url.scheme(), "http" | "https") {
            let what = format!("the scheme {:?}; use http or https", source.url.scheme());
            let error = Error::new(Cause::Unsupported(what)).with_url(&source.url);
            let result = Err(error);
            self.out.push(Action::Opened { track, result });
            self.out.push(Action::Closed { track });
            return Target::Nothing;
        }
        let (mut context, ..) = self.lend();
        let file = FileTrack::open(track, source, options, &mut context);
        self.tracks.insert(track, file);
        Target::Track(track)
    }

    fn attach(&mut self, track: TrackId, reader: ReaderId, position: u64) -> Target {
        // Where a track closes nobody would answer, nor take the reader out again.
        let open = self.tracks.get(&track).is_some_and(|file| !file.is_closing());
        if !open || self.readers.contains_key(&reader) {
            return Target::Nothing;
        }
        self.readers.insert(reader, track);
        self.with(track, |file, _| file.attach(reader, position))
    }

    fn network_changed(&mut self) -> Target {
        let (mut context, tracks, _) = self.lend();
        for file in tracks.values_mut() {
            file.network_changed(&mut context);
        }
        Target::All
    }

    /// Splits the machine into the tracks, what they share, and their deadlines.
    fn lend(&mut self) -> (Context<'_>, &mut BTreeMap<TrackId, FileTrack>, &mut Timers) {
        let context = Context {
            now: self.now,
            config: &self.config,
            out: &mut self.out,
            slots: &mut self.slots,
            space: &mut self.space,
            rng: &mut self.rng,
        };
        (context, &mut self.tracks, &mut self.timers)
    }

    fn with(
        &mut self,
        track: TrackId,
        handle: impl FnOnce(&mut FileTrack, &mut Context<'_>),
    ) -> Target {
        let (mut context, tracks, _) = self.lend();
        let Some(file) = tracks.get_mut(&track) else {
            return Target::Nothing;
        };
        handle(file, &mut context);
        Target::Track(track)
    }

    fn with_reader(
        &mut self,
        reader: ReaderId,
        handle: impl FnOnce(&mut FileTrack, &mut Context<'_>),
    ) -> Target {
        match self.readers.get(&reader) {
            Some(track) => self.with(*track, handle),
            None => Target::Nothing,
        }
    }

    fn with_fetch(
        &mut self,
        fetch: FetchId,
        handle: impl FnOnce(&mut FileTrack, &mut Context<'_>),
    ) -> Target {
        match self.slots.track_of(fetch) {
            Some(track) => self.with(track, handle),
            None => Target::Nothing,
        }
    }

    fn with_resource(
        &mut self,
        resource: ResourceId,
        handle: impl FnOnce(&mut FileTrack, &mut Context<'_>),
    ) -> Target {
        match self.out.track_of(resource) {
            Some(track) => self.with(track, handle),
            None => Target::Nothing,
        }
    }

    /// The last event of a fetch. One that was told to stop only reports that it has.
    fn end_fetch(
        &mut self,
        fetch: FetchId,
        handle: impl FnOnce(&mut FileTrack, &mut Context<'_>),
    ) -> Target {
        let running = self.slots.track_of(fetch).is_some();
        match self.slots.ended(fetch) {
            Some(track) if running => self.with(track, handle),
            Some(track) => self.with(track, |file, _| file.stopped()),
            None => Target::Nothing,
        }
    }

    /// Lets a track do what has become possible, and keeps its deadline.
    fn settle(&mut self, track: TrackId) {
        let (mut context, tracks, timers) = self.lend();
        let Some(file) = tracks.get_mut(&track) else {
            return;
        };
        let gone = file.settle(&mut context);
        let deadline = file.deadline(context.now, context.config);
        timers.set(track, &mut file.armed, deadline);
        let lacking = file.is_lacking() && file.is_waited_for();
        if gone {
            self.tracks.remove(&track);
            self.offer_room();
        } else if lacking {
            self.make_room(track);
        }
    }

    /// A track has left its room behind.
    fn offer_room(&mut self) {
        let lacking = self.tracks.iter().filter(|(_, file)| file.is_lacking());
        let lacking: Vec<TrackId> = lacking.map(|(track, _)| *track).collect();
        lacking.into_iter().for_each(|track| self.wake(track));
    }

    /// A track lacks room in the store: whoever holds the most gives back what is more than its share.
    fn make_room(&mut self, hungry: TrackId) {
        let (mut context, tracks, _) = self.lend();
        let share = context.space.share().unwrap_or(u64::MAX);
        let used = |track: &TrackId| tracks.get(track).map_or(0, FileTrack::used);
        if used(&hungry) >= share {
            return;
        }
        let others = tracks.keys().filter(|track| **track != hungry);
        let Some(fattest) = others.max_by_key(|track| used(track)).copied() else {
            return;
        };
        let excess = used(&fattest).saturating_sub(share);
        let want = context.space.lack(u64::from(context.config.fetch_credit_bytes));
        let Some(file) = tracks.get_mut(&fattest).filter(|_| excess > 0) else {
            return;
        };
        if file.reclaim(want.min(excess), Class::Window, &mut context) > 0 {
            self.wake(hungry);
        }
    }

    /// Passes on what was set free: connections first to whoever is most urgent.
    fn share_out(&mut self) {
        while let Some(track) = self.slots.next_ready() {
            self.wake(track);
        }
        let Some((ticket, host)) = self.slots.urgent() else {
            return;
        };
        if let Some((fetch, of)) = self.victim(ticket, host.as_deref()) {
            self.with(of, |file, context| file.preempt(fetch, context));
            self.wake(ticket.track);
            self.settle(of);
        }
    }

    fn wake(&mut self, track: TrackId) {
        self.with(track, |file, _| file.try_again());
        self.settle(track);
    }

    /// The running fetch that gives its connection up: the least urgent, then the one whose reader came last. Nobody
    /// gives way to a later comer.
    fn victim(
        &self,
        ticket: crate::slots::Ticket,
        host: Option<&str>,
    ) -> Option<(FetchId, TrackId)> {
        self.slots
            .running(host)
            .filter(|(_, track)| *track != ticket.track)
            .filter_map(|(fetch, track)| {
                let (class, since) = self.tracks.get(&track)?.may_yield(fetch)?;
                let later = (class, since) > (ticket.class, ticket.since);
                later.then_some((class, since, fetch, track))
            })
            .max_by_key(|(class, since, fetch, _)| (*class, *since, *fetch))
            .map(|(_, _, fetch, track)| (fetch, track))
    }
}
