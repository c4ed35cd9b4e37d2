//! The head of a response, judged and acted on.

use super::FileTrack;
use crate::action::CancelReason;
use crate::context::Context;
use crate::flight::Claim;
use crate::http::{
    Asked, BodyPlace, Judgement, Known, Ranges, Remedy, ResponseHead, Version, judge,
};
use crate::link::Meter;
use crate::transfer::Transfer;
use crate::view::Change;
use crate::{ByteRange, Cause, FetchId, Notice};

/// Answers in a row that leave the wanted byte out before the question is put plainly (FAULTS A2).
const MISPLACED_LIMIT: u32 = 2;

/// Comparisons that are asked for in a row, before an ETag that differs is believed (FAULTS A10).
pub(super) const COMPARISON_LIMIT: u32 = 2;

impl FileTrack {
    /// A response has begun.
    pub(crate) fn head(&mut self, id: FetchId, head: &ResponseHead, context: &mut Context<'_>) {
        let Some(flight) = self.flight(id).filter(|flight| flight.transfer.is_none()) else {
            return;
        };
        let now = context.now;
        let (asked, took) = (flight.asked, now - flight.since);
        flight.pulse.excuse(now);
        flight.meter = Meter::new(now);
        self.link.first_byte(took);
        self.dirty = true;
        let judgement = self.judge(head, asked);
        if let Some(end) = self.end_without_contradiction(&judgement) {
            self.stop(id, CancelReason::NotNeeded, context);
            return self.prove_end(end, true, context);
        }
        match judgement {
            Judgement::Body(place) => {
                if let Some(url) = &head.final_url {
                    self.endpoint.redirected(url.clone());
                }
                if place.begins {
                    if let Some(flight) = self.flight(id) {
                        flight.unread = Some(Box::new(head.clone()));
                    }
                } else {
                    self.accept(id, place, claim(head, place), context);
                }
            }
            Judgement::End { total, version } => self.end_at(id, total, version, head, context),
            Judgement::Refuse { cause, remedy } => {
                if let Some(flight) = self.stop(id, CancelReason::Refused, context) {
                    let after = head.retry_after().map(|after| after.0);
                    self.fail(&flight, &cause, remedy, after, context);
                }
            }
        }
    }

    /// The first bytes of a body have come, and are no page. Its head is judged again: another answer may have settled
    /// the version meanwhile.
    pub(super) fn head_again(
        &mut self,
        id: FetchId,
        head: &ResponseHead,
        context: &mut Context<'_>,
    ) {
        let Some(asked) = self.flight(id).map(|flight| flight.asked) else {
            return;
        };
        match self.judge(head, asked) {
            Judgement::Body(place) => {
                self.accept(id, place, claim(head, place), context);
            }
            Judgement::End { .. } => {}
            Judgement::Refuse { cause, remedy } => {
                if let Some(flight) = self.stop(id, CancelReason::Refused, context) {
                    self.fail(&flight, &cause, remedy, None, context);
                }
            }
        }
    }

    /// What an answer means for the resource, which may be a part of what is there.
    fn judge(&self, head: &ResponseHead, asked: Asked) -> Judgement {
        let slice = self.endpoint.slice();
        let asked = Asked { expect: self.expect, ..asked };
        slice.cut(judge(head, slice.asked(asked), self.known()), asked)
    }

    fn known(&self) -> Known<'_> {
        let resource = &self.resource;
        let part = self.endpoint.slice().is_part();
        Known {
            answered: resource.is_answered(),
            total: if part { resource.behind() } else { resource.total() },
            validator: resource.validator(),
            etags_per_node: resource.has_etags_per_node(),
        }
    }

    /// The end that only a closed connection told, if the answer to the question for what follows doesn't say more: the
    /// origin knows no ranges, or nothing at all (any more).
    fn end_without_contradiction(&mut self, judgement: &Judgement) -> Option<u64> {
        let end = self.recovery.next.unverified_end?;
        let silent = match judgement {
            Judgement::Body(place) => {
                let same = matches!(place.version, Version::Same | Version::Unproven);
                place.whole && place.total.is_none() && same
            }
            Judgement::End { .. } => false,
            Judgement::Refuse { remedy, .. } => matches!(remedy, Remedy::GiveUp | Remedy::Renew),
        };
        if silent || matches!(judgement, Judgement::Body(_)) {
            self.recovery.next.unverified_end = None;
        }
        silent.then_some(end)
    }

    /// The body is bytes of the resource: of this version, of another, or in doubt.
    pub(super) fn accept(
        &mut self,
        id: FetchId,
        place: BodyPlace,
        claim: Claim,
        context: &mut Context<'_>,
    ) {
        let overlap = self.resource.overlap(place.at, place.end, context.config.overlap_bytes);
        let transfer = match (place.version, overlap) {
            (Version::Same, _) | (Version::Unproven, None) => Transfer::new(place),
            (Version::Doubtful, overlap)
                if self.comes_late(place, overlap) && self.can_ask_overlap(id) =>
            {
                // Compare before believing an ETag that may be its node's own (FAULTS A10).
                self.recovery.next.overlap = true;
                // Bytes that are still on their way to the store can be compared soon.
                let comparable = !self.resource.present().is_empty();
                self.recovery.next.comparisons += u32::from(comparable);
                self.stop(id, CancelReason::Refused, context);
                return;
            }
            (Version::Unproven | Version::Doubtful, Some(range)) => Transfer::checked(place, range),
            (Version::Doubtful | Version::Other, _) => {
                self.change_version(Some(id), context);
                Transfer::new(place)
            }
        };
        self.learn_ranges(place, id, context);
        if !transfer.is_held() {
            self.believe(&claim, context);
        }
        let compares = self.flight(id).is_some_and(|flight| flight.compares);
        if compares && place.version == Version::Same && !self.resource.has_etags_per_node() {
            // The old ETag is served still, beside the new one: they are their nodes' own (FAULTS A10).
            self.resource.distrust_etags();
        }
        let probe = self.flight(id).is_some_and(|flight| flight.asked.probe);
        if probe && !transfer.is_held() {
            self.unproven = false;
        }
        if probe && self.resource.total().is_none() {
            // It doesn't tell the length: only all of it will (FAULTS A15).
            self.recovery.next.plain = true;
        }
        if let Some(flight) = self.flight(id) {
            flight.doubtful = place.version == Version::Doubtful;
            flight.claim = transfer.is_held().then(|| Box::new(claim));
            flight.transfer = Some(transfer);
        }
    }

    /// Whether a body has nothing that can be compared, or only after more bytes than a request for that would cost.
    fn comes_late(&self, place: BodyPlace, overlap: Option<ByteRange>) -> bool {
        overlap.is_none_or(|range| range.start - place.at + place.skip > self.link.worth())
    }

    /// Whether there are bytes to be compared, and asking for them has a prospect.
    fn can_ask_overlap(&self, id: FetchId) -> bool {
        let asked = self.flights.iter().find(|flight| flight.id == id);
        let ranged = asked.is_some_and(|flight| !flight.asked.plain);
        let held = !self.resource.held().is_empty();
        ranged && held && self.recovery.next.comparisons < COMPARISON_LIMIT
    }

    /// What an answer tells of its origin's ranges: advice until the next one (FAULTS A17, A28). Once a plain question
    /// was answered, ranges get another chance: what could not be placed may have been one cache's fault.
    fn learn_ranges(&mut self, place: BodyPlace, id: FetchId, context: &mut Context<'_>) {
        let Some(flight) = self.flight(id) else {
            return;
        };
        let (late, plain) = (place.at > flight.asked.first, flight.asked.plain);
        let more = |end| place.end.is_none_or(|body| body > end);
        let beyond = flight.asked_end.is_some_and(more);
        let next = &mut self.recovery.next;
        next.plain &= !plain;
        next.misplaced = if late { next.misplaced + 1 } else { 0 };
        next.plain |= next.misplaced >= MISPLACED_LIMIT;
        let ignored = match place.ranges {
            Ranges::Honoured => false,
            // Everything of another version is what `If-Range` asks for (RFC 9110, section 13.1.5).
            Ranges::Ignored if matches!(place.version, Version::Other | Version::Doubtful) => {
                self.ranges_ignored
            }
            Ranges::Ignored => true,
            Ranges::Unknown => beyond || self.ranges_ignored,
        };
        if ignored && !self.ranges_ignored {
            self.notify(&Notice::RangesIgnored, context);
        }
        self.ranges_ignored = ignored;
    }

    /// Takes the facts of an answer over.
    pub(super) fn believe(&mut self, claim: &Claim, context: &mut Context<'_>) {
        let content_type = claim.content_type.as_deref();
        if claim.no_store {
            self.forbid_store(context);
        }
        self.resource.lies_in(claim.behind);
        if self.resource.answered(&claim.validator, claim.total, content_type) {
            self.publish_facts(context);
        }
        if let Some(total) = self.resource.total() {
            let transfers = self.flights.iter_mut().filter_map(|f| f.transfer.as_mut());
            transfers.for_each(|transfer| transfer.bound(total));
        }
        self.record_facts(context);
    }

    /// 416: the resource ends at or before the byte asked for (FAULTS A14).
    fn end_at(
        &mut self,
        id: FetchId,
        total: u64,
        version: Version,
        head: &ResponseHead,
        context: &mut Context<'_>,
    ) {
        let beyond = self.resource.held().first_present(total).is_some();
        let Some(flight) = self.stop(id, CancelReason::NotNeeded, context) else {
            return;
        };
        if version == Version::Other || beyond {
            self.change_version(None, context);
            let cause = Cause::Changed;
            self.fail(&flight, &cause, Remedy::Retry, None, context);
            return;
        }
        if self.must_compare_end() {
            // It may be the end of another version: what is there is compared first.
            self.recovery.next.overlap = true;
            self.recovery.next.comparisons += 1;
            return;
        }
        self.unproven = false;
        self.recovery.set_proven();
        self.believe(&Claim::new(head, Some(total), None), context);
    }

    /// Whether a 416 tells of an end that nothing ties to the bytes that are there: it has no validator of its own.
    fn must_compare_end(&self) -> bool {
        let untied = self.resource.total().is_none() && self.resource.if_range().is_none();
        let present = !self.resource.present().is_empty();
        untied && present && self.recovery.next.comparisons < COMPARISON_LIMIT
    }

    pub(super) fn publish_facts(&mut self, context: &mut Context<'_>) {
        let facts = Box::new(self.resource.facts().clone());
        self.publish(Change::Facts(facts), context);
    }
}

fn claim(head: &ResponseHead, place: BodyPlace) -> Claim {
    Claim::new(head, place.total, place.behind)
}
