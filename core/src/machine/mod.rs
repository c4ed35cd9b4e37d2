//! The machine: events in, actions out.
//!
//! It routes each event to its track by id, owns the tables that tracks share, and passes on what one track's event
//! sets free for another: a connection, or room in the store.

mod caching;
mod presenting;
mod room;
mod sharing;
mod waiting;

use std::collections::BTreeMap;

use fastrand::Rng;

use crate::cache::Cache;
use crate::context::Context;
use crate::out::Out;
use crate::slots::Slots;
use crate::space::Spaces;
use crate::timers::{Armed, Timers};
use crate::track::FileTrack;
use crate::{Action, Config, Event, FetchId, Instant, ReaderId, ResourceId, TrackId};

use presenting::Presenting;
use sharing::Sharing;
use waiting::Waiting;

/// The machine that fills holes. See the crate's documentation for its lifecycle.
#[derive(Debug)]
pub struct Machine {
    config: Config,
    now: Instant,
    /// The downloads, each by the track that it began with.
    tracks: BTreeMap<TrackId, FileTrack>,
    sharing: Sharing,
    presenting: Presenting,
    waiting: Waiting,
    timers: Timers,
    out: Out,
    slots: Slots,
    spaces: Spaces,
    cache: Cache,
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
            sharing: Sharing::default(),
            presenting: Presenting::default(),
            waiting: Waiting::default(),
            timers: Timers::default(),
            out: Out::default(),
            slots: Slots::new(&config),
            spaces: Spaces::new(&config),
            cache: Cache::default(),
            rng: Rng::with_seed(config.seed),
            config,
        }
    }

    /// Takes an event in. Total: any event in any state, never panics, never fails. Time that goes backwards is
    /// clamped.
    pub fn handle(&mut self, now: Instant, event: Event) {
        self.now = self.now.max(now);
        self.submit(event);
        while let Some(track) = self.timers.pop_due(self.now) {
            if !self.wake_hls(track) {
                self.with(track, |file, _| file.armed = Armed::default());
                self.settle(track);
            }
        }
        self.conduct();
        self.share_out();
        // What was shared out may have been reported.
        self.conduct();
        self.keep_cache();
    }

    /// Takes an event in, unless its track waits.
    fn submit(&mut self, event: Event) {
        if let Some(event) = self.waiting.hold(event) {
            self.take(event);
        }
    }

    /// Deals with one event, and with what it makes possible for its track.
    fn take(&mut self, event: Event) {
        match self.dispatch(event) {
            Target::Track(track) => self.settle(track),
            Target::Nothing => {}
            Target::All => {
                let all: Vec<TrackId> = self.tracks.keys().copied().collect();
                all.into_iter().for_each(|track| self.settle(track));
                self.presenting.unsettle_all();
            }
        }
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
        self.timers.next().into_iter().chain(self.cache.deadline(self.now)).min()
    }

    /// Whether nothing is in flight and nothing is owed: no fetch, no operation, no unanswered request, no action.
    pub fn is_quiescent(&self) -> bool {
        let tracks = self.tracks.values().all(FileTrack::is_quiescent);
        let idle = self.out.is_empty() && self.slots.is_idle() && self.cache.is_idle();
        let idle = idle && self.waiting.is_empty() && self.presenting.is_quiescent();
        tracks && idle && (!self.tracks.is_empty() || self.spaces.is_unused())
    }

    fn dispatch(&mut self, event: Event) -> Target {
        match event {
            Event::Attach { track, .. }
            | Event::Close { track }
            | Event::FreshUrl { track, .. }
                if self.presenting.has(track) =>
            {
                self.dispatch_hls(event)
            }
            Event::Detach { reader } if self.presenting.has_reader(reader) => {
                self.dispatch_hls(event)
            }
            Event::Open { track, source, options } => self.open(track, source, options),
            Event::Attach { track, reader, position } => self.attach(track, reader, position),
            Event::Detach { reader } => match self.sharing.detach(reader) {
                Some(download) => self.with(download, |file, _| file.detach(reader)),
                None => Target::Nothing,
            },
            Event::Close { track } => self.close(track),
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
            Event::FreshUrl { track, url } => match self.sharing.download(track) {
                Some(download) => self.with(download, |file, context| file.fresh_url(url, context)),
                None => Target::Nothing,
            },
            Event::NetworkChanged => self.network_changed(),
            Event::Tick => Target::Nothing,
            event => self.dispatch_io(event),
        }
    }

    /// Events of fetches and of the store.
    fn dispatch_io(&mut self, event: Event) -> Target {
        match event {
            Event::ResponseStarted { fetch, head } => {
                self.part_streams(self.slots.track_of(fetch), true);
                self.with_fetch(fetch, |file, context| file.head(fetch, &head, context))
            }
            Event::BytesReceived { fetch, bytes } => {
                let len = bytes.len() as u64;
                let target =
                    self.with_fetch(fetch, |file, context| file.bytes(fetch, bytes, context));
                self.part_received(fetch, len);
                target
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
            event => self.dispatch_cache(event),
        }
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
            spaces: &mut self.spaces,
            cache: &mut self.cache,
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
        match self.sharing.read_by(reader) {
            Some(download) => self.with(download, handle),
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
        let download = self.slots.ended(fetch);
        self.part_streams(download, false);
        match download {
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
            self.begin_waiting(track);
        } else if lacking {
            self.make_room(track);
        }
    }
}
