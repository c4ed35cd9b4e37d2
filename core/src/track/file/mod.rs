//! A file: one remote resource, its readers, and the policy that fills it.
//!
//! The parts are types of their own; this one wires them, and turns their outcomes into actions. Each file beside this
//! one handles the events of one kind. After every event [`FileTrack::settle`] runs: what can be answered is answered,
//! what can be fetched is fetched.

mod body;
mod failure;
mod plan;
mod readers;
mod report;
mod response;
mod room;
mod stored;
mod version;

use crate::action::CancelReason;
use crate::context::Context;
use crate::endpoint::Endpoint;
use crate::event::{OpenOptions, SourceSpec};
use crate::flight::Flight;
use crate::link::Link;
use crate::resource::Resource;
use crate::timers::Armed;
use crate::transfer::Piece;
use crate::{Action, Answer, Cause, Config, Error, FetchId, Instant, TrackId};

use failure::Recovery;
use readers::{Opening, Readers};
use report::Report;

/// One open file.
#[derive(Debug)]
pub(crate) struct FileTrack {
    /// Its place among the machine's deadlines.
    pub(crate) armed: Armed,
    id: TrackId,
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
    opening: Opening,
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

impl FileTrack {
    /// Opens a file: the first request goes out at once.
    pub(crate) fn open(
        id: TrackId,
        source: SourceSpec,
        options: OpenOptions,
        context: &mut Context<'_>,
    ) -> Self {
        let config = context.config;
        let max_request = options.max_request_bytes.or(config.max_request_bytes);
        let read_ahead = options.read_ahead_bytes.or(config.read_ahead_bytes);
        context.space.join();
        Self {
            armed: Armed::default(),
            id,
            limits: Limits {
                read_ahead: read_ahead.map(|bytes| bytes.max(1)),
                max_request: max_request.map_or(u64::MAX, |bytes| bytes.max(1)),
            },
            endpoint: Endpoint::new(source),
            link: Link::new(config),
            resource: Resource::new(context.out.open_resource(id)),
            retired: Vec::new(),
            flights: Vec::new(),
            stopping: 0,
            readers: Readers::default(),
            opening: Opening::Pending(context.now),
            recovery: Recovery::new(context.now),
            report: Report::default(),
            ranges_ignored: false,
            dirty: true,
            unserved: false,
            blocked: false,
            lacking: false,
            closing: false,
            pieces: Vec::new(),
        }
    }

    /// Closes: fetches stop, waits are answered, and the resources go as soon as the store has answered.
    pub(crate) fn close(&mut self, context: &mut Context<'_>) {
        if self.closing {
            return;
        }
        self.closing = true;
        let closed = self.error(Cause::Closed, None);
        self.answer_open(Err(closed.clone()), context);
        self.answer_all(&Answer::Failed(closed), context);
        self.stop_all(CancelReason::Closed, context);
        context.slots.leave_queue(self.id);
    }

    /// Does all that has become possible or due. Whether the track is gone.
    pub(crate) fn settle(&mut self, context: &mut Context<'_>) -> bool {
        if self.closing {
            return self.finish_close(context);
        }
        self.expire(context);
        self.answer_waits(context);
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
        if !self.resource.is_settled() || self.retired.iter().any(|old| !old.is_settled()) {
            return false;
        }
        context.space.release(self.used());
        for resource in self.retired.drain(..) {
            context.out.release(resource.id());
        }
        context.out.release(self.resource.id());
        context.out.push(Action::Closed { track: self.id });
        context.space.leave();
        true
    }

    fn commit(&mut self, context: &mut Context<'_>) {
        if let Some(final_len) = self.resource.commit_if_complete() {
            if self.recovery.has_failed() {
                self.recovered(context);
            }
            let resource = self.resource.id();
            context.out.push(Action::Commit { resource, final_len });
        }
    }

    /// When something is due next.
    pub(crate) fn deadline(&self, now: Instant, config: &Config) -> Option<Instant> {
        if self.closing {
            return None;
        }
        let dead = self.flights.iter().filter_map(|f| self.flight_deadline(f, now, config));
        let retry = self.blocked.then(|| self.recovery.not_before());
        dead.chain(retry.filter(|at| *at > now)).chain(self.patience(config)).min()
    }

    /// Bytes of the store's bound that this track uses.
    pub(crate) fn used(&self) -> u64 {
        let stored: u64 = self.retired.iter().map(|old| old.held().len()).sum();
        let flying: u64 = self.flights.iter().map(Flight::reserved).sum();
        stored + flying + self.resource.held().len()
    }

    /// Whether nothing is owed or expected.
    pub(crate) fn is_quiescent(&self) -> bool {
        let settled = self.resource.is_settled() && self.retired.is_empty();
        settled && self.flights.is_empty() && self.stopping == 0 && !self.is_waited_for()
    }

    /// Whether it was closed, and only waits for the store.
    pub(crate) fn is_closing(&self) -> bool {
        self.closing
    }

    /// Whether the track lacks room in the store.
    pub(crate) fn is_lacking(&self) -> bool {
        self.lacking
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
