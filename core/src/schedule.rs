//! What to fetch next: a pure function of demands, coverage, running transfers and the link.
//!
//! There is one rule for sequential and on-demand. The most urgent missing byte is waited for if a running transfer
//! reaches it sooner than a new request could; else it is asked for, from that byte to the end of its hole. A demand
//! may take the connection of a less urgent one once that has delivered what its own request cost.

use crate::action::CancelReason;
use crate::{ByteRange, ByteRanges, FetchId};

/// How urgent a demand is, most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    /// A reader waits for it.
    Waiting,
    /// A reader has sought there and will read.
    Sought,
    /// A reader will come there soon.
    Window,
    /// Nobody asks, but it is missing.
    Drain,
}

/// Bytes that are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Demand {
    pub(crate) class: Class,
    /// What is wanted; a transfer that brings any of it is kept.
    pub(crate) range: ByteRange,
    /// A request is made only for a byte before this position, so that a window is filled in large pieces.
    pub(crate) start_below: u64,
    /// How far such a request may ask.
    pub(crate) ask_to: u64,
}

/// A request that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lane {
    pub(crate) id: FetchId,
    /// Where its next byte belongs.
    pub(crate) at: u64,
    /// Where it ends; `u64::MAX` if its own end will tell.
    pub(crate) end: u64,
    /// Whether it must go through whatever lies in its way: it was asked without a range, or is being compared.
    pub(crate) plods: bool,
    /// Whether it has delivered what its request cost.
    pub(crate) yields: bool,
    /// Whether it is being compared: what its head said, such as the length, is believed only afterwards. It is not
    /// useless, whatever it brings.
    pub(crate) settles: bool,
}

/// All that the decision depends on.
#[derive(Debug)]
pub(crate) struct Situation<'a> {
    /// Present, or on the way to the store.
    pub(crate) held: &'a ByteRanges,
    /// The length, if it is proven.
    pub(crate) total: Option<u64>,
    /// The requests that run.
    pub(crate) lanes: &'a [Lane],
    /// What is wanted, most urgent first.
    pub(crate) demands: &'a [Demand],
    /// Bytes that pass while a new request would be answered: [`Link::worth`](crate::link::Link::worth).
    pub(crate) worth: u64,
    /// Whether the origin answers a range with everything: a new request costs all bytes from 0.
    pub(crate) ranges_ignored: bool,
    /// Requests at once.
    pub(crate) max_lanes: usize,
    /// How many requests may be stopped now: those that were stopped before have not all reported yet.
    pub(crate) may_stop: usize,
    /// Whether a request may be made now: none may while a failure is waited out.
    pub(crate) may_start: bool,
    /// The largest range of one request.
    pub(crate) max_request: u64,
}

/// A request to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Start {
    pub(crate) class: Class,
    pub(crate) first: u64,
    /// The position after its last byte; `None` to the end of the resource.
    pub(crate) end: Option<u64>,
}

/// What to do.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Requests to stop, first.
    pub(crate) stops: Vec<(FetchId, CancelReason)>,
    /// Requests to make, most urgent first.
    pub(crate) starts: Vec<Start>,
    /// For each lane, the most urgent demand that it serves.
    pub(crate) serves: Vec<Option<Class>>,
    /// Whether somebody waits for a connection that must still deliver: decide again when bytes have come.
    pub(crate) unserved: bool,
    /// Whether a request would be made if one might be made now.
    pub(crate) blocked: bool,
}

/// A lane, or a start that is planned, while the plan is made.
struct Work {
    id: Option<FetchId>,
    at: u64,
    /// The first position that it does not bring.
    reach: u64,
    /// Whether it asks to the end of the resource.
    open: bool,
    yields: bool,
    settles: bool,
    /// The most urgent demand that it serves, by its place in the list.
    serves: Option<(usize, Class)>,
}

/// Decides.
pub(crate) fn plan(situation: &Situation<'_>) -> Plan {
    let mut work: Vec<Work> = situation.lanes.iter().map(|lane| situation.work_of(lane)).collect();
    for (rank, demand) in situation.demands.iter().enumerate() {
        situation.assign(rank, demand, &mut work);
    }
    situation.keep_one_that_plods(&mut work);
    let serves = work[..situation.lanes.len()]
        .iter()
        .map(|work| work.serves.map(|(_, class)| class))
        .collect();
    let mut plan = Plan { serves, ..Plan::default() };
    situation.stop_useless(&work, &mut plan);
    situation.start(&work, &mut plan);
    plan
}

impl Situation<'_> {
    fn end_of_resource(&self) -> u64 {
        self.total.unwrap_or(u64::MAX)
    }

    fn work_of(&self, lane: &Lane) -> Work {
        let skip = if self.ranges_ignored || lane.plods { u64::MAX } else { self.worth };
        let end = lane.end.min(self.end_of_resource());
        Work {
            id: Some(lane.id),
            at: lane.at,
            reach: self.reach(lane.at, end, skip),
            open: false,
            yields: lane.yields,
            settles: lane.settles,
            serves: None,
        }
    }

    /// How far a transfer goes on bringing something: up to the first run of present bytes that is not worth skipping,
    /// or that nothing follows.
    fn reach(&self, at: u64, end: u64, skip: u64) -> u64 {
        let mut reach = at;
        while let Some(present) = self.held.first_present(reach).filter(|at| *at < end) {
            let run_end = self.held.first_missing(present);
            if run_end >= end || run_end - present > skip {
                return present;
            }
            reach = run_end;
        }
        end.max(at)
    }

    /// Gives each missing byte of a demand to the transfer that brings it, or plans one.
    fn assign(&self, rank: usize, demand: &Demand, work: &mut Vec<Work>) {
        let until = demand.range.end.min(self.end_of_resource());
        let mut from = demand.range.start;
        loop {
            let missing = self.held.first_missing(from);
            if missing >= until {
                return;
            }
            let nearest = work
                .iter_mut()
                .filter(|work| work.at <= missing && missing < work.reach)
                .min_by_key(|work| (missing - work.at, work.id));
            let near =
                nearest.as_ref().is_some_and(|work| self.is_near(work, missing, demand.class));
            if let Some(work) = nearest {
                // A transfer that is too far away is still not useless: it comes there in the end.
                let far = (usize::MAX, Class::Drain);
                let serves = if near { (rank, demand.class) } else { far };
                work.serves = Some(work.serves.map_or(serves, |before| before.min(serves)));
            }
            // More requests than connections are not planned: an unknown length in pieces would have no last one.
            let planned = work.iter().filter(|work| work.id.is_none()).count();
            let settled = near || (demand.class > Class::Sought && planned >= self.max_lanes);
            from = if settled || missing >= demand.start_below {
                let bringing = |work: &&Work| work.at <= missing && missing < work.reach;
                let brought = work.iter().filter(bringing).map(|work| work.reach).max();
                brought.unwrap_or_else(|| self.hole_end(missing, work))
            } else {
                work.push(self.plan_start(rank, demand, missing, work));
                work[work.len() - 1].reach
            };
            // One byte is what is waited for; what follows it is the window's business.
            if demand.class <= Class::Sought {
                return;
            }
        }
    }

    fn is_near(&self, work: &Work, missing: u64, class: Class) -> bool {
        let planned = work.id.is_none();
        planned || self.ranges_ignored || class == Class::Drain || missing - work.at <= self.worth
    }

    /// The end of the hole at `missing`: present bytes, a transfer that goes on from there, or the end.
    fn hole_end(&self, missing: u64, work: &[Work]) -> u64 {
        let present = self.held.first_present(missing).unwrap_or(u64::MAX);
        let brought = work
            .iter()
            .filter(|work| work.at > missing && work.reach > work.at)
            .map(|work| work.at);
        brought.fold(present.min(self.end_of_resource()), u64::min)
    }

    fn plan_start(&self, rank: usize, demand: &Demand, first: u64, work: &[Work]) -> Work {
        let hole = self.hole_end(first, work);
        let allowed = demand.ask_to.min(first.saturating_add(self.max_request));
        let reach = hole.min(allowed).max(first.saturating_add(1));
        Work {
            id: None,
            at: first,
            reach,
            open: reach == self.end_of_resource()
                && reach <= allowed
                && self.max_request == u64::MAX,
            yields: false,
            settles: false,
            serves: Some((rank, demand.class)),
        }
    }

    /// Where a new request would begin at 0, a transfer that has filled its reader's window waits for room instead of
    /// ending: all that it brought would come again (FAULTS A1).
    fn keep_one_that_plods(&self, work: &mut [Work]) {
        let running = &mut work[..self.lanes.len()];
        if self.demands.is_empty() || running.iter().any(|work| work.serves.is_some()) {
            return;
        }
        let comes_there = |(lane, work): &(&Lane, &mut Work)| {
            let end = lane.end.min(self.end_of_resource());
            (self.ranges_ignored || lane.plods) && self.held.first_missing(work.at) < end
        };
        let candidates = self.lanes.iter().zip(running).filter(comes_there);
        if let Some((_, work)) = candidates.max_by_key(|(lane, _)| lane.at) {
            work.serves = Some((usize::MAX, Class::Drain));
        }
    }

    /// A transfer that brings nothing that is wanted ends.
    fn stop_useless(&self, work: &[Work], plan: &mut Plan) {
        for (lane, work) in self.lanes.iter().zip(work) {
            let useless = work.serves.is_none() && !lane.settles;
            if useless && plan.stops.len() < self.may_stop {
                plan.stops.push((lane.id, CancelReason::NotNeeded));
            }
        }
    }

    fn start(&self, work: &[Work], plan: &mut Plan) {
        let (lanes, planned) = work.split_at(self.lanes.len());
        let mut running = lanes.len() - plan.stops.len();
        for start in planned {
            let Some((rank, class)) = start.serves else {
                continue;
            };
            if !self.may_start {
                plan.blocked = true;
                continue;
            }
            let free = running < self.max_lanes;
            if class == Class::Drain && running > 0 {
                continue;
            }
            if !free && class <= Class::Sought {
                let victim = self.victim(rank, lanes, plan);
                let Some(victim) = victim.filter(|_| plan.stops.len() < self.may_stop) else {
                    plan.unserved = true;
                    continue;
                };
                plan.stops.push((victim, CancelReason::Preempted));
                running -= 1;
            } else if !free {
                continue;
            }
            running += 1;
            plan.starts.push(Start {
                class,
                first: start.at,
                end: (!start.open).then_some(start.reach),
            });
        }
    }

    /// The transfer that gives way: the least urgent, then the newest. A drain gives way at once, others after they
    /// have delivered what their request cost; none to a demand that came later.
    fn victim(&self, rank: usize, lanes: &[Work], plan: &Plan) -> Option<FetchId> {
        lanes
            .iter()
            .filter(|lane| !plan.stops.iter().any(|(id, _)| Some(*id) == lane.id))
            .filter_map(|lane| {
                let (theirs, class) = lane.serves?;
                let paid = class == Class::Drain || lane.yields;
                let gives_way = theirs > rank && paid && !lane.settles;
                gives_way.then_some((theirs, lane.id?))
            })
            .max()
            .map(|(_, id)| id)
    }
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;
