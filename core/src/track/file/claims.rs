//! What an earlier session left: claims, which nobody sees before their digests were compared with their records.
//!
//! What a reader waits for is verified first, then what lies ahead of it; all of it only where somebody wants it all.

use super::FileTrack;
use super::stored::DIGESTS_AT_ONCE;
use crate::catalog::{Extent, Record};
use crate::context::Context;
use crate::event::{StoreFailure, Verification};
use crate::resource::Question;
use crate::view::Change;
use crate::{ByteRange, Cause, Notice};

/// How far ahead of a reader claims are verified.
const AHEAD_BYTES: u64 = 4 * Extent::BLOCK_BYTES;

impl FileTrack {
    /// Asks for the verification of what is wanted.
    pub(super) fn verify_claims(&mut self, context: &mut Context<'_>) {
        if self.resource.cached.claimed().is_empty() {
            return;
        }
        let waits = self.readers.table.values().filter_map(|reader| reader.waiting());
        let waits: Vec<u64> = waits.map(|wait| wait.range.start).collect();
        for at in waits {
            self.verify_at(at, context);
        }
        let positions: Vec<u64> =
            self.readers.table.values().map(|reader| reader.position()).collect();
        // The first reader will come, and begin at the beginning.
        let expected = (!self.readers.ever && self.listeners.plays()).then_some(0);
        for at in positions.into_iter().chain(expected) {
            self.verify_within(ByteRange::at(at, AHEAD_BYTES), context);
        }
        // What is to be complete must be verified; what was complete is, where it is read.
        let whole = self.resource.total().is_some_and(|total| self.resource.held().len() == total);
        if whole && !self.resource.cached.is_complete() || self.listeners.is_filling() {
            let wanted = if self.listeners.verifies() {
                u64::MAX
            } else {
                self.listeners.fill_to().unwrap_or(u64::MAX)
            };
            self.verify_within(ByteRange::new(0, wanted), context);
        }
    }

    fn verify_within(&mut self, range: ByteRange, context: &mut Context<'_>) {
        let mut at = range.start;
        let to_verify = |question| matches!(question, Question::Claim(_));
        while self.resource.asked(to_verify) < DIGESTS_AT_ONCE {
            let Some(claim) = self.resource.cached.claimed().first_present(at) else {
                return;
            };
            if claim >= range.end {
                return;
            }
            at = self.verify_at(claim, context);
        }
    }

    /// Asks for the verification of the claim at `at`, unless it is under way. Gives where it ends.
    pub(super) fn verify_at(&mut self, at: u64, context: &mut Context<'_>) -> u64 {
        if !self.resource.cached.claimed().contains(at) {
            return at.saturating_add(1);
        }
        let home = self.resource.cached.home();
        let download = home.and_then(|place| context.cache.generation(place.generation));
        let Some(extent) = download.and_then(|download| download.extent_at(at)) else {
            // Its record is gone: nothing says what it should be.
            let run = self.resource.cached.claimed().run_at(at).unwrap_or(ByteRange::at(at, 1));
            let rest = ByteRange::at(at, Extent::room(at)).intersect(run);
            self.lose(rest, context);
            return rest.end;
        };
        let range = extent.range();
        if !self.resource.is_verifying(range) {
            self.ask_digest(Question::Claim(extent.digest), range, context);
        }
        range.end
    }

    /// The store has digested a claim.
    pub(super) fn claim_verified(
        &mut self,
        range: ByteRange,
        recorded: u64,
        found: Verification,
        context: &mut Context<'_>,
    ) {
        self.dirty = true;
        // The rest of its extent may be present: a run can grow on while its beginning is doubted.
        let claims: Vec<ByteRange> = self.resource.cached.claimed().parts_of(range).collect();
        let why = match found {
            _ if claims.is_empty() => return,
            Verification::Digest(digest) if digest == recorded => {
                for claim in claims {
                    self.resource.believe_claim(claim);
                    self.publish(Change::Verified(claim), context);
                }
                return;
            }
            Verification::Digest(_) => {
                let detail =
                    "the cache holds other bytes than were written; they are fetched again";
                StoreFailure { full: false, detail: detail.into() }
            }
            Verification::Failed(failure) => failure,
        };
        self.lose(range, context);
        let error = self.error(Cause::Store(why.detail), Some(range.start));
        self.notify(&Notice::StoreFault(error), context);
    }

    /// Claims that are none: holes again. Whatever extent shares a byte with them goes with them, for what is left of it
    /// could not be verified.
    pub(super) fn lose(&mut self, range: ByteRange, context: &mut Context<'_>) {
        let mut lost = range;
        if let Some(home) = self.resource.cached.home() {
            let download = context.cache.generation(home.generation);
            for at in [range.start, range.end.saturating_sub(1)] {
                if let Some(extent) = download.and_then(|download| download.extent_at(at)) {
                    lost.start = lost.start.min(extent.start);
                    lost.end = lost.end.max(extent.range().end);
                }
            }
        }
        let claims: Vec<ByteRange> = self.resource.cached.claimed().parts_of(lost).collect();
        for claim in claims {
            self.publish(Change::Unclaimed(claim), context);
            self.unhold(claim, context);
        }
        self.stop_comparing(lost, context);
        self.forget_records(range, context);
    }

    /// Something is wrong with the file that holds `range`: whatever else is in it has to be verified anew, and what no
    /// record names is a hole.
    pub(super) fn doubt_file(&mut self, range: ByteRange, context: &mut Context<'_>) {
        let Some(home) = self.resource.cached.home() else {
            return;
        };
        let size = 1u64.checked_shl(home.file_bits.into()).unwrap_or(u64::MAX);
        let first = range.start / size * size;
        let last = range.end.saturating_sub(1).max(range.start) / size * size;
        let file = ByteRange::new(first, last.saturating_add(size));
        self.stop_comparing(file, context);
        let present = self.resource.present();
        let within = self.resource.cached.within().parts_of(file);
        let runs: Vec<ByteRange> = within.flat_map(|part| present.parts_of(part)).collect();
        for run in runs {
            self.publish(Change::Retracted(run), context);
            self.doubt_run(run, context);
        }
        self.dirty = true;
    }

    fn doubt_run(&mut self, run: ByteRange, context: &mut Context<'_>) {
        let home = self.resource.cached.home();
        let download = home.and_then(|home| context.cache.generation(home.generation));
        let recorded = download.map(|download| download.extents_within(run)).unwrap_or_default();
        let inside = |extent: &&Extent| run.start <= extent.start && extent.range().end <= run.end;
        let claims: Vec<ByteRange> = recorded.iter().filter(inside).map(Extent::range).collect();
        let mut at = run.start;
        for claim in claims {
            self.unrecord(ByteRange::new(at, claim.start), context);
            self.resource.doubt(claim);
            self.publish(Change::Claimed(claim), context);
            at = claim.end;
        }
        self.unrecord(ByteRange::new(at, run.end), context);
    }

    /// Holes again, with what a record says of them and of more than is doubted.
    fn unrecord(&mut self, range: ByteRange, context: &mut Context<'_>) {
        if !range.is_empty() {
            self.unhold(range, context);
            self.forget_records(range, context);
        }
    }

    /// What is not there any more is not recorded any more.
    pub(super) fn forget_records(&mut self, range: ByteRange, context: &mut Context<'_>) {
        if let Some(home) = self.resource.cached.home() {
            let generation = home.generation;
            let download = context.cache.generation(generation);
            let named = download.map(|download| download.extents_within(range)).unwrap_or_default();
            if named.is_empty() {
                return;
            }
            // What is left of the extents that go needs others.
            for extent in named {
                let all = extent.range();
                let before = ByteRange::new(all.start, range.start.max(all.start));
                let after = ByteRange::new(range.end.min(all.end), all.end);
                for rest in [before, after].into_iter().filter(|rest| !rest.is_empty()) {
                    if self.resource.present().contains_range(rest) {
                        self.resource.cached.sealing.loosen(context.now, rest);
                    }
                }
            }
            context.cache.record(Record::Retract { generation, range });
        }
    }

    /// What a fetch from `first` on is to be compared with has to be verified first: asks for that, if so.
    pub(super) fn must_verify_before(&mut self, first: u64, context: &mut Context<'_>) -> bool {
        let claimed = self.resource.cached.claimed();
        let bordering = first.checked_sub(1).filter(|last| claimed.contains(*last));
        // Nothing borders on what is wanted: anything will do.
        let any = || claimed.iter().next_back().map(|run| run.end - 1);
        let none_present = self.resource.present().is_empty();
        let at = bordering.or_else(|| none_present.then(any).flatten());
        if let Some(at) = at {
            self.verify_at(at, context);
        }
        at.is_some()
    }
}
