//! The store's answers: what is written is published, what is compared is believed, what is lost is a hole again.

use bytes::Bytes;

use super::FileTrack;
use crate::action::CancelReason;
use crate::context::Context;
use crate::event::{StoreFailure, Sum, Verification};
use crate::flight::Flight;
use crate::resource::{Question, Writing};
use crate::transfer::Compared;
use crate::view::Change;
use crate::{Action, ByteRange, Cause, Error, FetchId, OpId, ResourceId, Tier};

/// How many claims are being verified, and how many runs digested to be recorded, at once, for one file.
pub(super) const DIGESTS_AT_ONCE: usize = 4;

impl FileTrack {
    /// Asks the store for the digest of stored bytes.
    pub(super) fn ask_digest(
        &mut self,
        question: Question,
        range: ByteRange,
        context: &mut Context<'_>,
    ) {
        let op = context.out.op();
        self.resource.verifying(op, question, range);
        context.out.push(Action::Verify { resource: self.resource.id(), op, range });
    }

    /// Stored bytes of `range` are no longer what they were: what was to be compared with them can't be any more.
    pub(super) fn stop_comparing(&mut self, range: ByteRange, context: &mut Context<'_>) {
        for fetch in self.comparing(range) {
            self.stop(fetch, CancelReason::Refused, context);
        }
    }

    /// A write is done.
    pub(crate) fn written(
        &mut self,
        id: ResourceId,
        op: OpId,
        result: Result<Option<Sum>, (StoreFailure, Bytes)>,
        context: &mut Context<'_>,
    ) {
        if id != self.resource.id() {
            return self.retired_written(id, op, result.is_ok(), context);
        }
        let Some(done) = self.resource.written(op, result.is_ok()) else {
            return;
        };
        match result {
            Ok(sum) => {
                self.settle_write(done, context);
                if done.tier == Tier::Cache {
                    self.note_kept(done, sum, context.now);
                }
                self.publish(Change::Present(done.range), context);
                self.recovered(context);
            }
            Err((failure, bytes)) if done.tier == Tier::Cache => {
                self.write_refused(done, failure, bytes, context);
            }
            Err((failure, _)) => {
                self.settle_write(done, context);
                self.unhold(done.range, context);
                self.write_failed(done, failure, context);
            }
        }
        self.dirty |= self.unserved;
    }

    /// The same, of a version that is no more: its readers may still read what is written of it.
    fn retired_written(&mut self, id: ResourceId, op: OpId, good: bool, context: &mut Context<'_>) {
        let Some(old) = self.retired.iter_mut().find(|old| old.id() == id) else {
            return;
        };
        let Some(done) = old.written(op, good) else {
            return;
        };
        if good {
            context.out.push(Action::Publish { resource: id, change: Change::Present(done.range) });
        } else {
            context.spaces.of(done.tier).discard(done.range.len());
            old.retract(done.range);
        }
        self.settle_write(done, context);
        self.dirty |= self.unserved;
        self.release_retired(context);
    }

    pub(super) fn settle_write(&mut self, done: Writing, context: &Context<'_>) {
        let now = context.now;
        if let Some(flight) = self.flights.iter_mut().find(|flight| flight.id == done.fetch) {
            flight.writes = flight.writes.saturating_sub(1);
            flight.credit.owed += done.range.len();
            if flight.writes == 0 {
                flight.pulse.resume(now);
                if flight.credit.granted == 0 {
                    // It had nothing left to send into: what comes next says nothing of the link.
                    flight.meter.restart(now);
                }
            }
        }
    }

    fn write_failed(&mut self, done: Writing, failure: StoreFailure, context: &mut Context<'_>) {
        let error = self.store_error(failure, done.range.start);
        // What the fetch goes on to bring lies behind the new hole: begin anew there.
        self.stop(done.fetch, CancelReason::Refused, context);
        self.store_failed(error, context);
    }

    pub(super) fn store_error(&self, failure: StoreFailure, offset: u64) -> Error {
        let cause = if failure.full {
            Cause::StoreFull(failure.detail)
        } else {
            Cause::Store(failure.detail)
        };
        self.error(cause, Some(offset))
    }

    /// Published bytes could not be read: they are a hole.
    pub(crate) fn read_failed(
        &mut self,
        id: ResourceId,
        range: ByteRange,
        failure: StoreFailure,
        context: &mut Context<'_>,
    ) {
        if id != self.resource.id() {
            return;
        }
        let error = self.store_error(failure, range.start);
        self.retract_run(range, context);
        self.doubt_file(range, context);
        self.store_failed(error, context);
    }

    /// The fetches that will be compared with stored bytes of `range`.
    pub(super) fn comparing(&self, range: ByteRange) -> Vec<FetchId> {
        let checked = |flight: &Flight| flight.transfer.as_ref()?.checked_range();
        let overlaps = |flight: &&Flight| {
            checked(flight).is_some_and(|checked| !checked.intersect(range).is_empty())
        };
        let found = self.flights.iter().filter(overlaps);
        found.map(|flight| flight.id).collect()
    }

    /// A comparison is done.
    pub(crate) fn verified(
        &mut self,
        id: ResourceId,
        op: OpId,
        result: Verification,
        context: &mut Context<'_>,
    ) {
        if id != self.resource.id() {
            if let Some(old) = self.retired.iter_mut().find(|old| old.id() == id) {
                old.verified(op);
            }
            self.release_retired(context);
            return;
        }
        let Some((question, range)) = self.resource.verified(op) else {
            return;
        };
        let fetch = match question {
            Question::Compare(fetch) => fetch,
            Question::Claim(digest) => return self.claim_verified(range, digest, result, context),
            Question::Record => return self.digested(range, result, context),
        };
        self.dirty = true;
        let digest = match result {
            Verification::Digest(digest) => Some(digest),
            Verification::Failed(failure) => {
                self.comparison_failed(fetch, failure, context);
                return;
            }
        };
        self.recovery.next.comparisons = 0;
        let compared = self
            .flight(fetch)
            .and_then(|flight| flight.transfer.as_ref())
            .map_or(Compared::Unasked, |transfer| transfer.compare(op, digest));
        match compared {
            Compared::Equal => self.trust(fetch, context),
            Compared::Different => self.change_version(Some(fetch), context),
            Compared::Unasked => return,
        }
        self.let_go(fetch, context);
    }

    /// The stored bytes can't be read, so nothing was compared: they are fetched anew.
    fn comparison_failed(&mut self, fetch: FetchId, why: StoreFailure, context: &mut Context<'_>) {
        let id = self.resource.id();
        let Some(flight) = self.stop(fetch, CancelReason::Refused, context) else {
            return;
        };
        let range = flight.transfer.as_ref().and_then(|transfer| transfer.checked_range());
        if let Some(range) = range {
            self.read_failed(id, range, why, context);
        }
    }

    /// The bytes are equal, so the version is the same, whatever its ETag says (FAULTS A10).
    fn trust(&mut self, fetch: FetchId, context: &mut Context<'_>) {
        self.unproven = false;
        let claim = self.flight(fetch).and_then(|flight| flight.claim.take());
        if let Some(claim) = claim {
            if self.resource.validator().etag_differs(&claim.validator) {
                self.resource.distrust_etags();
            }
            self.believe(&claim, context);
        }
    }

    /// Lets go of the bytes that were held back.
    pub(super) fn let_go(&mut self, fetch: FetchId, context: &mut Context<'_>) {
        let mut pieces = core::mem::take(&mut self.pieces);
        let Some(flight) = self.flights.iter_mut().find(|flight| flight.id == fetch) else {
            self.pieces = pieces;
            return;
        };
        if let Some(transfer) = &mut flight.transfer {
            transfer.release(self.resource.held(), |piece| pieces.push(piece));
        }
        let over = flight.over;
        self.place(fetch, &mut pieces, context);
        self.pieces = pieces;
        if !over {
            if self.is_to_be_cut(fetch) {
                self.finish_full(fetch, context);
            }
            return;
        }
        if let Some(flight) = self.take_flight(fetch, context) {
            self.finish(&flight, context);
        }
    }

    /// Takes published bytes back.
    pub(super) fn retract(&mut self, range: ByteRange, context: &mut Context<'_>) {
        self.publish(Change::Retracted(range), context);
        self.unhold(range, context);
        self.forget_records(range, context);
    }
}
