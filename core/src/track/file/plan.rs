//! From what a file's readers want to requests: gathers the situation, lets the scheduler decide, carries it out.

use std::sync::Arc;

use super::FileTrack;
use crate::action::CancelReason;
use crate::context::Context;
use crate::flight::{Credit, Flight, Pulse};
use crate::http::{Asked, FetchRequest};
use crate::link::Meter;
use crate::schedule::{Class, Demand, Lane, Plan, Situation, Start, plan};
use crate::slots::Ticket;
use crate::{Action, ByteRange, FetchId, Instant};

impl FileTrack {
    /// Decides anew what to fetch.
    pub(super) fn reschedule(&mut self, context: &mut Context<'_>) {
        self.dirty = false;
        if self.listeners.is_offline() {
            return;
        }
        if self.unproven {
            return self.ask_version(context);
        }
        let plan = self.plan(context);
        self.unserved = plan.unserved;
        self.blocked = plan.blocked;
        self.lacking = false;
        let now = context.now;
        for (flight, class) in self.flights.iter_mut().zip(&plan.serves) {
            let class = class.unwrap_or(Class::Drain);
            let hurried = flight.is_hurried();
            flight.class = class;
            if flight.is_hurried() && !hurried {
                // It was not hurried before: its trickle counts from now.
                flight.pulse.hurry(now);
            }
        }
        for (fetch, reason) in plan.stops {
            self.stop(fetch, reason, context);
        }
        if plan.starts.is_empty() {
            context.slots.leave_queue(self.id);
        }
        for start in plan.starts {
            if !self.start(start, context) {
                break;
            }
        }
    }

    /// Asks the origin whether what is stored is still so: for one byte, whose answer's head tells.
    fn ask_version(&mut self, context: &mut Context<'_>) {
        let may_start = self.recovery.not_before() <= context.now && !self.endpoint.is_renewing();
        if self.flights.is_empty() && may_start {
            self.recovery.next.probe = true;
            let start = Start { class: Class::Waiting, first: 0, end: Some(1) };
            self.start(start, context);
        }
    }

    fn plan(&self, context: &Context<'_>) -> Plan {
        let ahead = self.ahead(context.spaces.at(self.tier));
        let demands = self.demands(ahead);
        let worth = self.link.worth();
        let lanes: Vec<Lane> = self.flights.iter().map(|flight| flight.lane(worth)).collect();
        let config = context.config;
        let may_start = self.recovery.not_before() <= context.now
            && !self.endpoint.is_renewing()
            && self.stopping <= config.max_stopping
            && !self.flights.iter().any(Flight::decides);
        plan(&Situation {
            held: self.resource.held(),
            total: self.resource.total(),
            lanes: &lanes,
            demands: &demands,
            worth,
            ranges_ignored: self.must_plod(),
            // More than a host or the client allows would have a seek wait for this file's own drain.
            max_lanes: config
                .connections_per_file
                .min(config.connections_per_host)
                .min(config.connections)
                .max(1),
            may_stop: config.max_stopping.max(1).saturating_sub(self.stopping),
            may_start,
            max_request: self.limits.max_request,
        })
    }

    /// What is wanted, most urgent first.
    fn demands(&self, ahead: Option<u64>) -> Vec<Demand> {
        // Whether the store's bound will matter is not known before the length: the first request is an ordinary one.
        let reach = match (self.resource.total(), self.limits.read_ahead) {
            (None, None) => None,
            _ => ahead,
        };
        let reach = |at: u64| reach.map_or(u64::MAX, |reach| at.saturating_add(reach));
        let mut demands = Vec::with_capacity(self.readers.table.len() + 2);
        let one = |class, at: u64| Demand {
            class,
            range: ByteRange::at(at, 1),
            start_below: u64::MAX,
            ask_to: reach(at),
        };
        let opening = self.listeners.is_opening();
        if self.listeners.is_opening_to_play() {
            demands.push(one(Class::Waiting, 0));
        }
        let readers = || self.readers.table.values().filter(|reader| !reader.is_stale());
        let mut waits: Vec<_> = readers().filter_map(|reader| reader.waiting()).collect();
        waits.sort_unstable_by_key(|wait| wait.turn);
        demands.extend(waits.iter().map(|wait| one(Class::Waiting, wait.range.start)));
        if self.recovery.is_resting() {
            return demands;
        }
        let sought = readers().filter(|reader| reader.has_sought());
        demands.extend(sought.map(|reader| one(Class::Sought, reader.position())));
        let window = ahead.unwrap_or_else(|| self.link.worth());
        // The first reader will come: until then it counts as one at the beginning.
        let expected = (!self.readers.ever && self.listeners.plays()).then_some(0);
        let positions = readers().map(|reader| reader.position()).chain(expected);
        demands.extend(positions.map(|at| Demand {
            class: Class::Window,
            range: ByteRange::at(at, window),
            start_below: at.saturating_add(window.div_ceil(2)),
            ask_to: reach(at),
        }));
        let read = opening || !self.readers.ever || readers().next().is_some();
        let drained = (ahead.is_none() && read && self.listeners.plays()).then_some(u64::MAX);
        if let Some(end) = drained.max(self.listeners.fill_to()) {
            demands.push(Demand {
                class: Class::Drain,
                range: ByteRange::new(0, end),
                start_below: u64::MAX,
                ask_to: end,
            });
        }
        demands
    }

    /// Whether a transfer must go through whatever lies in its way, for a new request would begin at 0.
    pub(super) fn must_plod(&self) -> bool {
        let plain = self.flights.iter().any(|flight| flight.asked.plain);
        self.ranges_ignored || self.recovery.next.plain || plain
    }

    /// Since when the most patient of those who wait does so.
    fn waiting_since(&self, now: Instant) -> Instant {
        let waits = self.readers.table.values().filter_map(|reader| reader.waiting());
        waits.map(|wait| wait.since).min().unwrap_or(now)
    }

    /// Makes a request. `false` if there is no connection or no room for it now.
    fn start(&mut self, start: Start, context: &mut Context<'_>) -> bool {
        let now = context.now;
        if self.compares_next(start) && self.must_verify_before(start.first, context) {
            // It is asked for when that is done.
            return false;
        }
        let Some(credit) = self.first_credit(start.class, context) else {
            return false;
        };
        let id = context.out.fetch();
        let ticket = Ticket { class: start.class, since: self.waiting_since(now), track: self.id };
        if !context.slots.acquire(id, self.endpoint.host(), ticket) {
            context.spaces.of(self.tier).release(credit);
            return false;
        }
        let compares = self.recovery.next.overlap;
        let (asked, end) = self.ask(start, context.config.overlap_bytes);
        let request = self.request(id, asked, end, credit, compares, context);
        self.flights.push(Flight {
            id,
            asked,
            asked_end: end,
            since: now,
            transfer: None,
            unread: None,
            claim: None,
            meter: Meter::new(now),
            credit: Credit { granted: credit, owed: 0 },
            pulse: Pulse::new(now),
            passed: None,
            choked_since: None,
            writes: 0,
            brought: 0,
            class: start.class,
            redirected: self.endpoint.is_redirected(),
            compares: compares && ranged(&asked),
            doubtful: false,
            over: false,
        });
        let track = self.listeners.lead();
        context.out.push(Action::FetchRange { track, request: Box::new(request) });
        true
    }

    /// Whether what is asked for is to be compared with what is there.
    fn compares_next(&self, start: Start) -> bool {
        let next = &self.recovery.next;
        let doubtful = self.resource.is_answered() && self.resource.if_range().is_none();
        !next.probe && !next.plain && (next.overlap || doubtful && start.first > 0)
    }

    /// What is asked on the wire for the bytes that are wanted.
    fn ask(&mut self, start: Start, overlap_bytes: u64) -> (Asked, Option<u64>) {
        let next = &mut self.recovery.next;
        if core::mem::take(&mut next.probe) {
            let asked = Asked { probe: true, ..Asked::default() };
            return (asked, Some(1));
        }
        if next.plain {
            let asked = Asked { first: start.first, plain: true, ..Asked::default() };
            return (asked, None);
        }
        let forced = core::mem::take(&mut next.overlap);
        let doubtful = self.resource.is_answered() && self.resource.if_range().is_none();
        let from = |first| Asked { first, ..Asked::default() };
        let overlap = |run: ByteRange| run.start.max(run.end.saturating_sub(overlap_bytes));
        let present = self.resource.present();
        let before = present.last_before(start.first);
        match before.or_else(|| present.iter().next_back()) {
            Some(run) if run.end == start.first && (forced || doubtful) => {
                (from(overlap(run)), start.end)
            }
            // Nothing borders on what is wanted: what is compared is asked for alone.
            Some(run) if forced => (from(overlap(run)), Some(run.end)),
            _ => (from(start.first), start.end),
        }
    }

    fn request(
        &mut self,
        fetch: FetchId,
        asked: Asked,
        end: Option<u64>,
        credit: u64,
        compares: bool,
        context: &Context<'_>,
    ) -> FetchRequest {
        // What is to be compared is wanted of whatever version there is now.
        let conditional = ranged(&asked) && !compares && !self.resource.held().is_empty();
        let validator = self.resource.if_range().filter(|_| conditional);
        let slice = self.endpoint.slice();
        FetchRequest {
            fetch,
            url: self.endpoint.url().clone(),
            first: slice.asked(asked).first,
            last: slice.last(end),
            plain: asked.plain,
            if_range: validator.map(str::to_owned),
            headers: Arc::clone(&self.endpoint.headers()),
            connect_timeout: context.config.connect_timeout,
            fresh: core::mem::take(&mut self.recovery.next.fresh),
            credit: u32::try_from(credit).unwrap_or(u32::MAX),
            attempt: self.recovery.attempt(),
        }
    }

    /// Tells a request to stop; what it would still have brought is no longer expected.
    pub(super) fn stop(
        &mut self,
        id: FetchId,
        reason: CancelReason,
        context: &mut Context<'_>,
    ) -> Option<Flight> {
        let flight = self.take_flight(id, context)?;
        if !flight.over {
            context.slots.stop(id);
            self.stopping += 1;
            context.out.push(Action::CancelFetch { fetch: id, reason });
        }
        Some(flight)
    }

    /// Tells all requests to stop, the newest first.
    pub(super) fn stop_all(&mut self, reason: CancelReason, context: &mut Context<'_>) {
        while let Some(flight) = self.flights.last() {
            let id = flight.id;
            self.stop(id, reason, context);
        }
    }

    /// Takes a request out of the table, with its credit.
    pub(super) fn take_flight(&mut self, id: FetchId, context: &mut Context<'_>) -> Option<Flight> {
        let index = self.flights.iter().position(|flight| flight.id == id)?;
        let flight = self.flights.remove(index);
        context.spaces.of(self.tier).release(flight.reserved());
        // Nothing more lengthens its run.
        self.resource.cached.sealing.hurry();
        self.dirty = true;
        Some(flight)
    }

    /// A request that was told to stop has reported its end.
    pub(crate) fn stopped(&mut self) {
        self.stopping = self.stopping.saturating_sub(1);
        self.dirty = true;
    }

    /// Whether this request may give its connection to somebody of another track, and how gladly.
    pub(crate) fn may_yield(&self, fetch: FetchId) -> Option<(Class, Instant)> {
        let flight = self.flights.iter().find(|flight| flight.id == fetch)?;
        // The class is of the last plan: whoever waited then may have been answered since.
        let class =
            if self.is_waited_for() { flight.class } else { flight.class.max(Class::Window) };
        let paid = class == Class::Drain || flight.brought >= self.link.turn();
        let free = paid && !flight.over && !flight.decides();
        free.then(|| (class, self.waiting_since(flight.since)))
    }

    /// Gives the connection of this request to somebody of another track.
    pub(crate) fn preempt(&mut self, fetch: FetchId, context: &mut Context<'_>) {
        self.stop(fetch, CancelReason::Preempted, context);
    }
}

/// Whether it is an ordinary question for a part.
fn ranged(asked: &Asked) -> bool {
    !asked.plain && !asked.probe
}
