//! A file: one remote resource, its readers, and the policy that fills it.
//!
//! The parts are types of their own; this one wires them, and turns their outcomes into actions. Each file beside this
//! one handles the events of one kind. After every event [`FileTrack::settle`] runs: what can be answered is answered,
//! what can be fetched is fetched.

mod body;
mod claims;
mod failure;
mod keeping;
mod listeners;
mod part;
mod plan;
mod readers;
mod refusal;
mod report;
mod response;
mod room;
mod stored;
mod version;

use crate::action::CancelReason;
use crate::catalog::{Download, ResourceKey};
use crate::config::Revalidate;
use crate::context::Context;
use crate::endpoint::Endpoint;
use crate::event::{Intent, OpenOptions, SourceSpec};
use crate::flight::Flight;
use crate::http::Expect;
use crate::link::Link;
use crate::resource::Resource;
use crate::timers::Armed;
use crate::transfer::Piece;
use crate::{
    Action, Answer, ByteRange, Cause, Config, Error, FetchId, Instant, Notice, ReaderId, Tier,
    TrackId,
};

use failure::Recovery;
use listeners::Listeners;
use readers::Readers;
use refusal::Parked;
use report::Report;

/// One open file.
#[derive(Debug)]
pub(crate) struct FileTrack {
    /// Its place among the machine's deadlines.
    pub(crate) armed: Armed,
    id: TrackId,
    key: ResourceKey,
    listeners: Listeners,
    limits: Limits,
    endpoint: Endpoint,
    link: Link,
    resource: Resource,
    /// Versions that are no more, until the store has answered for them.
    retired: Vec<Resource>,
    flights: Vec<Flight>,
    /// Requests that were told to stop and have not reported.
    stopping: usize,
    readers: Readers,
    recovery: Recovery,
    report: Report,
    /// The last answer to a range was everything.
    ranges_ignored: bool,
    /// What the plan depends on has changed.
    dirty: bool,
    /// The last plan has a waiting demand without a connection.
    unserved: bool,
    /// The last plan has a request that a failure holds back.
    blocked: bool,
    /// There was no room in the store for something that is wanted.
    lacking: bool,
    /// Where what is granted now will be kept.
    tier: Tier,
    /// What its body should be.
    expect: Expect,
    /// The origin forbids to store what it sends, or whoever opened it does.
    no_store: bool,
    /// The cache is full of what others have open.
    crowded_out: bool,
    /// The origin is to be asked whether what is stored is still so, before anybody sees it.
    unproven: bool,
    /// The disk is to be asked without waiting for its turn.
    sync_now: bool,
    /// Bytes that wait for the room that a removal makes.
    parked: Vec<Parked>,
    closing: bool,
    /// Kept for its capacity.
    pieces: Vec<Piece>,
}

/// What this track may do.
#[derive(Clone, Copy, Debug)]
struct Limits {
    read_ahead: Option<u64>,
    max_request: u64,
}

impl Limits {
    fn new(options: OpenOptions, config: &Config) -> Self {
        let max_request = options.max_request_bytes.or(config.max_request_bytes);
        let read_ahead = options.read_ahead_bytes.or(config.read_ahead_bytes);
        Self {
            read_ahead: read_ahead.map(|bytes| bytes.max(1)),
            max_request: max_request.map_or(u64::MAX, |bytes| bytes.max(1)),
        }
    }

    /// Of several, the widest win.
    fn widen(&mut self, other: Self) {
        self.read_ahead = self.read_ahead.zip(other.read_ahead).map(|(one, two)| one.max(two));
        self.max_request = self.max_request.max(other.max_request);
    }
}

impl FileTrack {
    /// Opens a file: the first request goes out at once, unless what is wanted is in the cache.
    pub(crate) fn open(
        id: TrackId,
        key: ResourceKey,
        source: SourceSpec,
        options: OpenOptions,
        context: &mut Context<'_>,
    ) -> Self {
        let config = context.config;
        if !id.is_part() {
            // The resources of a presentation share what is its.
            context.spaces.join();
        }
        let mut listeners = Listeners::new(id);
        listeners.add(id, source.renewable, options, context.now);
        let resource_id = context.out.open_resource(id, id);
        let len = source.slice.map(ByteRange::len);
        // A record of another part is none of this one.
        let fits = |download: &&Download| len.is_none() || download.total() == len;
        let resource = match context.cache.open(&key, options.pin).filter(fits) {
            Some(download) => Resource::restored(resource_id, download),
            None => Resource::new(resource_id),
        };
        let mut file = Self {
            armed: Armed::default(),
            id,
            key,
            listeners,
            limits: Limits::new(options, config),
            endpoint: Endpoint::new(source),
            link: Link::new(config),
            resource,
            retired: Vec::new(),
            flights: Vec::new(),
            stopping: 0,
            readers: Readers::default(),
            recovery: Recovery::new(context.now),
            report: Report::default(),
            ranges_ignored: false,
            dirty: true,
            unserved: false,
            blocked: false,
            lacking: false,
            tier: context.cache.tier(context.now),
            expect: options.expect,
            no_store: options.transient,
            crowded_out: false,
            unproven: false,
            sync_now: false,
            parked: Vec::new(),
            closing: false,
            pieces: Vec::new(),
        };
        file.begin(options, context);
        file.know_length(context);
        file
    }

    /// Shows what an earlier session left.
    fn begin(&mut self, options: OpenOptions, context: &mut Context<'_>) {
        if let Some(damage) = context.cache.take_damage() {
            self.notify(&Notice::CacheDamaged(damage), context);
        }
        let Some(home) = self.resource.cached.home() else {
            if self.listeners.is_offline() {
                let error = self.error(Cause::Caller("it is not in the cache".into()), None);
                self.answer_open(|_| true, &Err(error), context);
            }
            return;
        };
        // What is open counts as used, whoever left it.
        let stored = self.resource.holds(Tier::Cache);
        context.spaces.of(Tier::Cache).take(stored);
        context.spaces.of(Tier::Cache).store(stored);
        let resource = self.resource.id();
        context.out.push(Action::Place { resource, place: Box::new(home) });
        self.publish_facts(context);
        self.publish_claims(context);
        self.recovery.set_proven();
        // Without a validator what comes has to be compared before it may stand beside what is there.
        self.recovery.next.overlap = self.resource.if_range().is_none();
        let always = options.revalidate.unwrap_or(context.config.revalidate) == Revalidate::Always;
        self.unproven = always && options.intent != Intent::Verify;
    }

    /// The length of a part of what is at the URL is known before anything was asked.
    fn know_length(&mut self, context: &mut Context<'_>) {
        let Some(len) = self.endpoint.slice().len() else {
            return;
        };
        if self.resource.prove_total(len, false) {
            self.publish_facts(context);
        }
        if len == 0 {
            // There is nothing that could prove anything.
            self.recovery.set_proven();
        }
    }

    /// Somebody else opens it, too.
    pub(crate) fn join(
        &mut self,
        track: TrackId,
        source: SourceSpec,
        options: OpenOptions,
        context: &mut Context<'_>,
    ) {
        let renewable = source.renewable;
        if self.listeners.is_offline() {
            // Whoever verifies may know no more than its name.
            self.endpoint = Endpoint::new(source);
            self.know_length(context);
        }
        self.listeners.add(track, renewable, options, context.now);
        self.limits.widen(Limits::new(options, context.config));
        let resource = self.resource.id();
        context.out.push(Action::Join { track, resource });
        if options.pin {
            context.cache.pin_open(self.key.asset);
        }
        self.recovery.rest(false);
        self.report = Report::default();
        self.dirty = true;
        if let Some(error) = self.recovery.still_fatal(context.now).cloned() {
            self.answer_open(|_| true, &Err(error), context);
        }
    }

    /// One of those who opened it closes it: its readers are told, and when it was the last, fetches stop and the
    /// resources go as soon as the store has answered.
    pub(crate) fn close(
        &mut self,
        track: TrackId,
        readers: &[ReaderId],
        context: &mut Context<'_>,
    ) {
        if self.closing {
            return;
        }
        let closed = self.error(Cause::Closed, None);
        self.listeners.answer_closed(track, &closed, context);
        for reader in readers {
            self.answer_one(*reader, Answer::Failed(closed.clone()), context);
            self.detach(*reader);
        }
        self.dirty = true;
        if !self.listeners.remove(track) {
            context.out.push(Action::Closed { track });
            return;
        }
        self.closing = true;
        self.stop_all(CancelReason::Closed, context);
        context.slots.leave_queue(self.id);
    }

    /// Does all that has become possible or due. Whether the track is gone.
    pub(crate) fn settle(&mut self, context: &mut Context<'_>) -> bool {
        self.choose_tier(context);
        self.keep_records(context);
        if self.closing {
            return self.finish_close(context);
        }
        self.expire(context);
        self.verify_claims(context);
        self.answer_waits(context);
        self.answer_fills(context);
        let retry_due = self.blocked && self.recovery.not_before() <= context.now;
        if self.dirty || retry_due {
            self.reschedule(context);
        }
        self.feed(context);
        self.commit(context);
        self.set_marks(context);
        self.report_state(context);
        false
    }

    fn finish_close(&mut self, context: &mut Context<'_>) -> bool {
        let unsettled = |resource: &Resource| !resource.is_settled();
        if !self.parked.is_empty()
            || unsettled(&self.resource)
            || self.retired.iter().any(unsettled)
        {
            return false;
        }
        self.release_retired(context);
        for tier in [Tier::Scratch, Tier::Cache] {
            context.spaces.of(tier).discard(self.used(tier));
        }
        self.leave_cache(context);
        context.out.release(self.resource.id());
        context.out.push(Action::Closed { track: self.listeners.lead() });
        if !self.id.is_part() {
            context.spaces.leave();
        }
        true
    }

    fn commit(&mut self, context: &mut Context<'_>) {
        if let Some(final_len) = self.resource.commit_if_complete() {
            if self.recovery.has_failed() {
                self.recovered(context);
            }
            let resource = self.resource.id();
            context.out.push(Action::Commit { resource, final_len });
            self.record_commit(final_len, context);
        }
    }

    /// When something is due next.
    pub(crate) fn deadline(&self, now: Instant, config: &Config) -> Option<Instant> {
        // What is due now was dealt with, as far as the store lets it.
        let keeping = self.keeping_deadline(config).filter(|at| *at > now);
        if self.closing {
            return keeping;
        }
        let dead = self.flights.iter().filter_map(|f| self.flight_deadline(f, now, config));
        let retry = self.blocked.then(|| self.recovery.not_before());
        let retry = retry.filter(|at| *at > now);
        dead.chain(retry).chain(self.patience(config)).chain(keeping).min()
    }

    /// Bytes of a tier's bound that this track uses.
    pub(crate) fn used(&self, tier: Tier) -> u64 {
        let stored: u64 = self.retired.iter().map(|old| old.holds(tier)).sum();
        let flying =
            if tier == self.tier { self.flights.iter().map(Flight::reserved).sum() } else { 0 };
        stored + flying + self.resource.holds(tier)
    }

    /// Whether nothing is owed or expected.
    pub(crate) fn is_quiescent(&self) -> bool {
        let settled = self.resource.is_settled() && self.retired.is_empty();
        let kept = self.resource.cached.sealing.is_empty() && self.parked.is_empty();
        settled && kept && self.flights.is_empty() && self.stopping == 0 && !self.is_waited_for()
    }

    /// Whose bytes they are.
    pub(crate) fn key(&self) -> &ResourceKey {
        &self.key
    }

    /// In which tier it lacks room, if it does.
    pub(crate) fn tier(&self) -> Tier {
        self.tier
    }

    /// Whether the track lacks room in the store.
    pub(crate) fn is_lacking(&self) -> bool {
        self.lacking
    }

    /// Whether somebody waits for it to be filled.
    pub(crate) fn is_filling(&self) -> bool {
        self.listeners.is_filling()
    }

    /// What it shares has changed: connections or room.
    pub(crate) fn try_again(&mut self) {
        self.dirty = true;
    }

    fn flight(&mut self, id: FetchId) -> Option<&mut Flight> {
        self.flights.iter_mut().find(|flight| flight.id == id)
    }

    /// An error with this track's URL and the count of attempts.
    fn error(&self, cause: Cause, offset: Option<u64>) -> Error {
        let error = Error::new(cause)
            .with_url(self.endpoint.original())
            .with_attempt(self.recovery.attempt());
        match offset {
            Some(offset) => error.with_offset(offset),
            None => error,
        }
    }
}
