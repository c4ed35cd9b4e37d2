//! What a file does about failures: again, differently, elsewhere, or not at all.

use core::time::Duration;

use super::FileTrack;
use crate::action::CancelReason;
use crate::backoff::Backoff;
use crate::context::Context;
use crate::endpoint::Fallback;
use crate::flight::Flight;
use crate::http::Remedy;
use crate::view::Change;
use crate::{Action, Answer, Cause, Config, Error, ErrorKind, Instant, Notice};

/// New bytes that make a fetch count as progress for the backoff. Less is resumed too, but ever more slowly, or an
/// origin that sends a byte and closes would be asked without end.
const PROGRESS_BYTES: u64 = 4096;

/// How the last failure is being recovered from.
#[derive(Debug)]
pub(super) struct Recovery {
    backoff: Backoff,
    last: Option<Error>,
    progress: Instant,
    /// Asking again can't help; kept so that asking at once again is answered at once.
    fatal: Option<Error>,
    /// Nobody waits and it goes on failing: nothing is fetched until somebody asks.
    resting: bool,
    /// Media came: what the origin holds is no error page.
    proven: bool,
    /// Readers, or the embedder by a notice, were told of a failure.
    told: bool,
    pub(super) next: NextAsk,
}

/// How the next request differs from an ordinary one.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct NextAsk {
    /// Without `Range`, for answers to it can't be placed (FAULTS A4, A21).
    pub(super) plain: bool,
    /// For the length alone (FAULTS A15).
    pub(super) probe: bool,
    /// Over a new connection.
    pub(super) fresh: bool,
    /// With an overlap to compare, whatever the validator (FAULTS A10).
    pub(super) overlap: bool,
    /// Comparisons asked for in a row without one having been made (FAULTS A10).
    pub(super) comparisons: u32,
    /// Where a body of the whole resource ended properly, short of the length that other answers gave (FAULTS B3).
    pub(super) short_end: Option<u64>,
    /// Where a body ended that only its connection delimited: what follows is asked for before that is believed to be
    /// the end (FAULTS B4).
    pub(super) unverified_end: Option<u64>,
    /// Answers in a row that began after the byte that was wanted (FAULTS A2).
    pub(super) misplaced: u32,
}

impl Recovery {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            backoff: Backoff::default(),
            last: None,
            progress: now,
            fatal: None,
            resting: false,
            proven: false,
            told: false,
            next: NextAsk::default(),
        }
    }

    /// Coverage grew: bytes were stored that were not there before. That they came is no progress, or a store that
    /// fails would keep its readers waiting for ever.
    pub(super) fn progressed(&mut self, now: Instant) {
        self.progress = now;
    }

    /// Media came, or the end was found where nothing had come.
    pub(super) fn set_proven(&mut self) {
        self.proven = true;
    }

    pub(super) fn is_proven(&self) -> bool {
        self.proven
    }

    pub(super) fn rest(&mut self, resting: bool) {
        self.resting = resting;
    }

    pub(super) fn is_resting(&self) -> bool {
        self.resting
    }

    /// A failure more: nothing is asked before the wait that it gives is over.
    fn back_off(
        &mut self,
        at_once: bool,
        retry_after: Option<Duration>,
        context: &mut Context<'_>,
    ) -> Duration {
        self.backoff.failed(context.now, at_once, retry_after, context.config, context.rng)
    }

    pub(super) fn last_progress(&self) -> Instant {
        self.progress
    }

    pub(super) fn not_before(&self) -> Instant {
        self.backoff.not_before()
    }

    pub(super) fn attempt(&self) -> u32 {
        self.backoff.attempt()
    }

    pub(super) fn has_failed(&self) -> bool {
        self.last.is_some()
    }

    /// The error that asking again can't mend, while it is too early to ask all the same.
    pub(super) fn still_fatal(&mut self, now: Instant) -> Option<&Error> {
        if self.backoff.not_before() <= now {
            self.fatal = None;
        }
        self.fatal.as_ref()
    }
}

impl FileTrack {
    /// The network is another one: what runs is dead, and what failed is past.
    pub(crate) fn network_changed(&mut self, context: &mut Context<'_>) {
        self.stop_all(CancelReason::NetworkChanged, context);
        let recovery = &mut self.recovery;
        recovery.backoff = Backoff::default();
        recovery.progress = context.now;
        recovery.fatal = None;
        recovery.resting = false;
        recovery.next = NextAsk { fresh: true, ..NextAsk::default() };
        self.dirty = true;
    }

    /// The embedder's answer to the request for a fresh URL.
    pub(crate) fn fresh_url(&mut self, url: Option<url::Url>, context: &mut Context<'_>) {
        match url {
            Some(url) => {
                if self.endpoint.renew(url) {
                    self.recovery.backoff = Backoff::default();
                    self.notify(&Notice::Renewed, context);
                    self.dirty = true;
                }
            }
            None => {
                if self.endpoint.give_up_renewal() {
                    let mut error = self.error(Cause::NotRenewed, None);
                    if let Some(last) = &self.recovery.last {
                        error = error.with_source(last.clone());
                    }
                    self.fatal(error, context);
                }
            }
        }
    }

    /// A fetch has failed, or its answer is of no use. It has left the table of flights already.
    pub(super) fn fail(
        &mut self,
        flight: &Flight,
        cause: &Cause,
        remedy: Remedy,
        retry_after: Option<Duration>,
        context: &mut Context<'_>,
    ) {
        if core::mem::take(&mut self.unproven) {
            // The origin gives no answer: what is stored is better than nothing.
            self.recovery.next.probe = false;
            self.dirty = true;
            return;
        }
        if self.is_nothing_missing() {
            // There is nothing to ask for again, nor a failure to tell.
            self.dirty = true;
            return;
        }
        let at = flight.transfer.as_ref().map_or(flight.asked.first, |t| t.at());
        let error = self.error(cause.clone(), Some(at));
        self.recovery.last = Some(error.clone());
        self.dirty = true;
        let progressed = flight.brought > 0;
        if flight.brought >= PROGRESS_BYTES {
            self.recovery.backoff.progress();
        }
        if *cause == Cause::NotProcessed && self.recovery.backoff.not_processed() {
            self.recovery.next.fresh = true;
            return;
        }
        self.recovery.next.fresh |= matches!(cause, Cause::Stalled(_));
        // What the redirect led to doesn't answer (any more): ask where it came from.
        let elsewhere = cause.kind() == ErrorKind::Network && flight.redirected && !progressed;
        if elsewhere && self.endpoint.forget_redirect() {
            return;
        }
        match remedy {
            Remedy::Retry => self.retry(error, progressed, retry_after, context),
            Remedy::Plain => {
                self.recovery.next.plain = true;
                self.retry(error, self.recovery.attempt() == 1, None, context);
            }
            Remedy::Probe => {
                self.recovery.next.probe = true;
                self.retry(error, self.recovery.attempt() == 1, None, context);
            }
            Remedy::Renew => self.refused(error, context),
            Remedy::GiveUp => self.fatal(error, context),
        }
    }

    /// Whether every byte is there, or on its way to the store: a fetch that fails then has only run late.
    fn is_nothing_missing(&self) -> bool {
        let reach = self.resource.held().first_missing(0);
        self.resource.total().is_some_and(|total| reach >= total)
    }

    fn retry(
        &mut self,
        cause: Error,
        at_once: bool,
        retry_after: Option<Duration>,
        context: &mut Context<'_>,
    ) {
        let wait = self.recovery.back_off(at_once, retry_after, context);
        self.notify(&Notice::Retrying { cause, wait }, context);
        self.recovery.told = true;
        let tired = self.recovery.progress + context.config.give_up_after <= context.now;
        if tired && !self.is_waited_for() {
            self.recovery.resting = true;
        }
    }

    /// 401, 403, 404, 410: the URL may have expired (FAULTS B22, B23).
    fn refused(&mut self, error: Error, context: &mut Context<'_>) {
        match self.endpoint.refused(context.config.max_renewals) {
            Fallback::Original => {}
            Fallback::Renew => {
                let track = self.listeners.renewer();
                context.out.push(Action::NeedFreshUrl { track });
            }
            Fallback::None => self.fatal(error, context),
        }
    }

    /// Asking again can't help: all that wait are told.
    fn fatal(&mut self, error: Error, context: &mut Context<'_>) {
        let recovery = &mut self.recovery;
        recovery.back_off(false, None, context);
        recovery.fatal = Some(error.clone());
        recovery.last = Some(error.clone());
        recovery.resting = true;
        // Before the answers: who is told of the failure finds it in the view.
        self.tell_failure(error.clone(), context);
        self.answer_waits(context);
        self.answer_all(&Answer::Failed(error.clone()), context);
        self.answer_open(|_| true, &Err(error), context);
    }

    /// Patience has ended for some that waited.
    pub(super) fn given_up(&mut self) {
        self.endpoint.give_up_renewal();
        if !self.is_waited_for() {
            self.recovery.resting = self.flights.is_empty();
        }
        self.dirty = true;
    }

    /// What those who gave up are told.
    pub(super) fn last_cause(&self, waited: Duration) -> Error {
        let silent = || self.error(Cause::Stalled(waited), None);
        self.recovery.last.clone().unwrap_or_else(silent)
    }

    pub(super) fn tell_failure(&mut self, error: Error, context: &mut Context<'_>) {
        self.recovery.told = true;
        let change = Change::Failed(error);
        self.publish(change, context);
    }

    /// Bytes are stored that were not there before.
    pub(super) fn recovered(&mut self, context: &mut Context<'_>) {
        self.recovery.progressed(context.now);
        if !self.recovery.has_failed() {
            return;
        }
        self.recovery.fatal = None;
        self.recovery.last = None;
        self.endpoint.worked();
        if core::mem::take(&mut self.recovery.told) {
            self.publish(Change::Recovered, context);
        }
    }

    /// The store could not keep or find bytes: they are fetched again, but not without end.
    pub(super) fn store_failed(&mut self, error: Error, context: &mut Context<'_>) {
        self.recovery.last = Some(error.clone());
        self.recovery.back_off(false, None, context);
        self.notify(&Notice::StoreFault(error), context);
        self.dirty = true;
    }

    /// Ends what has waited too long: silent fetches, and readers whose patience is over.
    pub(super) fn expire(&mut self, context: &mut Context<'_>) {
        let (now, config) = (context.now, context.config);
        let mut index = 0;
        while index < self.flights.len() {
            if self.is_choked_out(index, now, config) {
                let id = self.flights[index].id;
                self.stop(id, CancelReason::NotNeeded, context);
                continue;
            }
            if !self.flights[index].is_dead(now, config) {
                index += 1;
                continue;
            }
            let id = self.flights[index].id;
            let silence = self.flights[index].silence(now);
            if let Some(flight) = self.stop(id, CancelReason::Stalled, context) {
                self.fail(&flight, &Cause::Stalled(silence), Remedy::Retry, None, context);
            }
        }
        if self.patience(config).is_some_and(|end| end <= now) {
            self.give_up(context);
        }
    }

    /// Whether a body waits for room in the store longer than origins bear (FAULTS B11): better asked again later.
    fn is_choked_out(&self, index: usize, now: Instant, config: &Config) -> bool {
        let flight = &self.flights[index];
        let since = flight.choked_since.filter(|_| flight.is_choked());
        !self.must_plod() && since.is_some_and(|since| since + config.stall_timeout <= now)
    }

    /// When a flight is due, for one reason or the other. While the store works on its bytes that is never, but saying
    /// so would move a timer with every chunk: a tick to look again costs less.
    pub(super) fn flight_deadline(
        &self,
        flight: &Flight,
        now: Instant,
        config: &Config,
    ) -> Option<Instant> {
        if flight.writes > 0 {
            return Some(now + config.stall_timeout);
        }
        let choked = flight.choked_since.filter(|_| flight.is_choked() && !self.must_plod());
        choked.map(|since| since + config.stall_timeout).or_else(|| flight.deadline(config))
    }
}
