//! The body of a response: its bytes on their way to the store, and its end, which is not 'complete'.

use bytes::Bytes;

use super::FileTrack;
use super::response::COMPARISON_LIMIT;
use crate::action::CancelReason;
use crate::context::Context;
use crate::event::FetchFailure;
use crate::flight::Flight;
use crate::http::{Expect, Remedy};
use crate::resource::Question;
use crate::transfer::{Piece, StreamEnd, Transfer};
use crate::{Action, Cause, FetchId, Notice};

impl FileTrack {
    /// Bytes came.
    pub(crate) fn bytes(&mut self, id: FetchId, bytes: Bytes, context: &mut Context<'_>) {
        let now = context.now;
        let len = bytes.len() as u64;
        let Some(index) = self.flights.iter().position(|flight| flight.id == id) else {
            return;
        };
        let flight = &mut self.flights[index];
        let granted = len.min(flight.credit.granted);
        flight.credit.granted -= granted;
        // What was not granted is the driver's fault; it is dealt with all the same.
        context.spaces.of(self.tier).take(len - granted);
        flight.pulse.beat(now, len);
        flight.meter.add(now, len, &mut self.link);
        if let Some(unread) = flight.unread.take() {
            if let Some(cause) = not_media(&bytes, self.expect) {
                context.spaces.of(self.tier).release(len);
                self.refuse_body(id, &cause, context);
                return;
            }
            let tier = self.tier;
            self.head_again(id, &unread, context);
            if self.tier != tier {
                // These bytes are here, and so don't count among those on their way, which went along.
                context.spaces.of(tier).release(len);
                context.spaces.of(self.tier).take(len);
            }
        }
        // Stopped by what its first bytes showed, or without a head.
        let flight = self.flights.iter_mut().find(|flight| flight.id == id);
        let Some(transfer) = flight.and_then(|flight| flight.transfer.as_mut()) else {
            context.spaces.of(self.tier).release(len);
            return;
        };
        let excess = transfer.excess(len);
        let mut pieces = core::mem::take(&mut self.pieces);
        transfer.receive(bytes, self.resource.held(), |piece| pieces.push(piece));
        self.place(id, &mut pieces, context);
        self.pieces = pieces;
        self.ask_store(id, context);
        if excess > 0 || self.is_to_be_cut(id) {
            self.finish_full(id, context);
        } else {
            let transfer = self.flight(id).and_then(|flight| flight.transfer.as_ref());
            let at = transfer.map_or(0, Transfer::at);
            self.dirty |= self.resource.held().contains(at);
        }
    }

    /// Sends new bytes to the store and gives the credit of the others back.
    pub(super) fn place(
        &mut self,
        id: FetchId,
        pieces: &mut Vec<Piece>,
        context: &mut Context<'_>,
    ) {
        let Some(index) = self.flights.iter().position(|flight| flight.id == id) else {
            pieces.clear();
            return;
        };
        for piece in pieces.drain(..) {
            let flight = &mut self.flights[index];
            match piece {
                Piece::Held => {}
                Piece::Skipped(bytes) => {
                    context.spaces.of(self.tier).release(bytes);
                    flight.credit.owed += bytes;
                    flight.passed = Some(context.now);
                }
                Piece::New(offset, bytes) => {
                    flight.brought += bytes.len() as u64;
                    self.recovery.set_proven();
                    self.store(id, offset, bytes, context);
                }
            }
        }
    }

    /// Asks the store for the digest of what a body is to be compared with, once all of it has come.
    fn ask_store(&mut self, id: FetchId, context: &mut Context<'_>) {
        let out = &mut *context.out;
        let Some(flight) = self.flights.iter_mut().find(|flight| flight.id == id) else {
            return;
        };
        let question = flight.transfer.as_mut().and_then(|t| t.take_question(|| out.op()));
        if let Some((op, range)) = question {
            self.resource.verifying(op, Question::Compare(id), range);
            out.push(Action::Verify { resource: self.resource.id(), op, range });
        }
    }

    /// Whether a body has brought all that is wanted of it, and goes on.
    pub(super) fn is_to_be_cut(&mut self, id: FetchId) -> bool {
        let transfer = self.flight(id).and_then(|flight| flight.transfer.as_ref());
        transfer.is_some_and(Transfer::is_to_be_cut)
    }

    /// The origin sends more than it announced, or than is wanted: what is wanted is here (FAULTS A5, C5).
    pub(super) fn finish_full(&mut self, id: FetchId, context: &mut Context<'_>) {
        if self.flights.iter().any(|flight| flight.id == id && flight.is_held()) {
            return;
        }
        if let Some(flight) = self.stop(id, CancelReason::Refused, context) {
            self.finish(&flight, context);
        }
    }

    fn refuse_body(&mut self, id: FetchId, cause: &Cause, context: &mut Context<'_>) {
        if let Some(flight) = self.stop(id, CancelReason::Refused, context) {
            let remedy = if self.recovery.is_proven() { Remedy::Retry } else { Remedy::GiveUp };
            self.fail(&flight, cause, remedy, None, context);
        }
    }

    /// A body ended as its framing said.
    pub(crate) fn ended(&mut self, id: FetchId, context: &mut Context<'_>) {
        if let Some(flight) = self.flight(id).filter(|flight| flight.awaits_store()) {
            flight.over = true;
            return;
        }
        if self.ended_short(id) {
            if let Some(flight) = self.flight(id) {
                flight.over = true;
            }
            self.change_version(Some(id), context);
            self.let_go(id, context);
            return;
        }
        if let Some(flight) = self.take_flight(id, context) {
            self.finish(&flight, context);
        }
    }

    /// Whether a body of the whole resource ended before the bytes that it was to be compared with: then it is of
    /// another version, a shorter one. Where a cut would look the same it is asked again, twice at most (FAULTS B4).
    fn ended_short(&mut self, id: FetchId) -> bool {
        let flight = self.flights.iter().find(|flight| flight.id == id);
        let held = flight
            .and_then(|flight| flight.transfer.as_ref())
            .filter(|transfer| transfer.is_held());
        let Some(end) = held.map(Transfer::ended).filter(|end| end.whole) else {
            return false;
        };
        let next = &mut self.recovery.next;
        let sure = !end.unverified || next.comparisons >= COMPARISON_LIMIT;
        next.comparisons += u32::from(!sure);
        sure
    }

    /// A fetch failed.
    pub(crate) fn failed(&mut self, id: FetchId, failure: FetchFailure, context: &mut Context<'_>) {
        if let Some(flight) = self.take_flight(id, context) {
            if flight.transfer.as_ref().is_some_and(Transfer::is_full) {
                // All that was announced is here; what broke is the framing after it (FAULTS A23, B5).
                return self.finish(&flight, context);
            }
            let cause = failure.into_cause();
            self.fail(&flight, &cause, Remedy::Retry, None, context);
        }
    }

    /// Draws the conclusions from the end of a body. Whether the resource is complete is not among them.
    pub(super) fn finish(&mut self, flight: &Flight, context: &mut Context<'_>) {
        let Some(end) = flight.transfer.as_ref().map(Transfer::ended) else {
            return self.fail(flight, &Cause::Truncated, Remedy::Retry, None, context);
        };
        if flight.is_held() {
            // It ended before it could be compared.
            return self.fail(flight, &Cause::Truncated, Remedy::Retry, None, context);
        }
        let StreamEnd { at, expected, announced, whole, unverified } = end;
        match expected {
            Some(expected) if at < expected && whole && !announced && !unverified => {
                self.ended_before_length(flight, at, context);
            }
            Some(expected) if at < expected => {
                self.fail(flight, &Cause::Truncated, Remedy::Retry, None, context);
            }
            None if at == 0 => {
                self.fail(flight, &Cause::NoContent(200), Remedy::Retry, None, context);
            }
            // Others brought bytes that lie beyond: a cut that looks like the end, or another version.
            None if whole && self.resource.held().first_present(at).is_some() => {
                self.ended_before_length(flight, at, context);
            }
            // A cut would look the same: what follows is asked for first.
            None if whole && unverified && !self.ranges_ignored => {
                self.recovery.next.unverified_end = Some(at);
            }
            None if whole => self.prove_end(at, unverified, context),
            _ if flight.brought == 0 && !flight.asked.probe => {
                // It ran into what others brought, or the origin answers beside the question: no reason to hurry.
                self.fail(flight, &Cause::Truncated, Remedy::Retry, None, context);
            }
            _ => {}
        }
    }

    /// The whole resource came, and ended properly, but other answers gave a larger length or later bytes. Somebody may
    /// have cut it (FAULTS B3, B4); if it ends there again, the resource is another one, and shorter.
    fn ended_before_length(&mut self, flight: &Flight, at: u64, context: &mut Context<'_>) {
        let again = self.recovery.next.short_end.replace(at) == Some(at);
        if again {
            self.recovery.next.short_end = None;
            self.change_version(None, context);
        }
        self.fail(flight, &Cause::Truncated, Remedy::Retry, None, context);
    }

    /// The body of the whole resource ended: that is its length.
    pub(super) fn prove_end(&mut self, total: u64, unverified: bool, context: &mut Context<'_>) {
        if self.resource.prove_total(total, unverified) {
            self.publish_facts(context);
            self.record_facts(context);
            if unverified {
                self.notify(&Notice::Unverified, context);
            }
        }
    }
}

/// What a body is that is no audio, by its first bytes: a media type may lie, or be none (FAULTS B20).
fn not_media(bytes: &[u8], expect: Expect) -> Option<Cause> {
    if expect == Expect::Opaque {
        return None;
    }
    let unmarked = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    if expect == Expect::Media && unmarked.starts_with(b"#EXTM3U") {
        Some(Cause::hls())
    } else if is_markup(bytes) {
        Some(Cause::NotMedia("markup".to_owned()))
    } else {
        None
    }
}

/// Whether a body begins like a page: `<` and what markup goes on with (FAULTS B19). No audio format does.
fn is_markup(bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii_start();
    let next = text.get(1).copied().unwrap_or(b'!');
    text.first() == Some(&b'<') && (next.is_ascii_alphabetic() || matches!(next, b'!' | b'?'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b19_pages_and_playlists_are_told_from_audio_by_their_first_bytes() {
        let page = Some(Cause::NotMedia("markup".to_owned()));
        let media = |bytes| not_media(bytes, Expect::Media);
        assert_eq!(media(b"<!DOCTYPE html>"), page);
        assert_eq!(media(b"  <html>"), page);
        assert_eq!(not_media(b"<html>", Expect::Playlist), page);
        assert_eq!(not_media(b"#EXTM3U\n", Expect::Playlist), None);
        assert_eq!(not_media(b"<a 16-byte key!>", Expect::Opaque), None);
        assert_eq!(media(b"#EXTM3U\n#EXT-X-VERSION:7\n"), Some(Cause::hls()));
        assert_eq!(media(b"\xEF\xBB\xBF#EXTM3U\r\n"), Some(Cause::hls()));
        for audio in [&b"ID3\x04"[..], b"\xFF\xFB\x90", b"fLaC", b"OggS", b"RIFF", b"#", b""] {
            assert_eq!(media(audio), None);
        }
    }
}
