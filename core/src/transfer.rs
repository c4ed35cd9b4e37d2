//! The body of one response on its way into a resource: the seed's Writer, which never commits.
//!
//! It knows where the next byte belongs, reads at most what the head announced, leaves out what is there already, and
//! holds bytes back while their version is in doubt. That a body ended is all it says of an end
//! ([`StreamEnd`]); whether the resource is complete is for its caller to decide.

use bytes::Bytes;
use xxhash_rust::xxh3::Xxh3;

use crate::http::BodyPlace;
use crate::{ByteRange, ByteRanges, OpId};

/// What came of a piece of a body.
#[derive(Debug, PartialEq)]
pub(crate) enum Piece {
    /// These bytes are new and belong there.
    New(u64, Bytes),
    /// So many bytes were there already, lie past the announced end (FAULTS A5), or are none of the resource.
    Skipped(u64),
    /// So many bytes are held back until a comparison is done.
    Held,
}

/// How a body ended: where, and what was announced. Not 'complete'.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StreamEnd {
    /// The position after the last byte that came.
    pub(crate) at: u64,
    /// Where it should have ended, if that is known.
    pub(crate) expected: Option<u64>,
    /// Whether its own head said so.
    pub(crate) announced: bool,
    /// Whether the end of the body is the end of the resource.
    pub(crate) whole: bool,
    /// Whether a cut would look the same (FAULTS B4).
    pub(crate) unverified: bool,
}

/// One response being written.
#[derive(Debug)]
pub(crate) struct Transfer {
    place: BodyPlace,
    /// Bytes that still come before the first one of the resource.
    skip: u64,
    at: u64,
    check: Option<Box<Check>>,
}

/// A comparison of what comes with what is there, before anything of it is used (FAULTS A10, A11).
struct Check {
    /// What is compared: present bytes, up to where the new ones begin.
    range: ByteRange,
    digest: Xxh3,
    /// The question to the store, once all of the range has come.
    asked: Option<OpId>,
    /// Everything from the range's start on.
    held: Vec<(u64, Bytes)>,
}

/// How a comparison ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compared {
    /// Equal: one version.
    Equal,
    /// Not equal: another version.
    Different,
    /// Not the comparison that runs.
    Unasked,
}

impl Transfer {
    /// A response that is taken at its word.
    pub(crate) fn new(place: BodyPlace) -> Self {
        Self { at: place.at, skip: place.skip, place, check: None }
    }

    /// A response that must show the stored bytes of `range` first.
    pub(crate) fn checked(place: BodyPlace, range: ByteRange) -> Self {
        Self {
            check: Some(Box::new(Check {
                range,
                digest: Xxh3::new(),
                asked: None,
                held: Vec::new(),
            })),
            ..Self::new(place)
        }
    }

    /// Where the next byte of the wire belongs.
    pub(crate) fn at(&self) -> u64 {
        self.at
    }

    /// Where it ends, if that is known.
    pub(crate) fn end(&self) -> Option<u64> {
        self.place.end
    }

    /// Whether it is a part of the resource, asked for as such.
    pub(crate) fn is_part(&self) -> bool {
        !self.place.whole
    }

    /// Whether all that was announced has come and may be used.
    pub(crate) fn is_full(&self) -> bool {
        !self.is_held() && self.place.end.is_some_and(|end| self.at >= end)
    }

    /// Whether all that is wanted of it may be used, and more comes.
    pub(crate) fn is_to_be_cut(&self) -> bool {
        self.place.goes_on && self.is_full()
    }

    /// How many of the next `len` bytes of the wire lie past its end.
    pub(crate) fn excess(&self, len: u64) -> u64 {
        let next = self.at.saturating_add(len.saturating_sub(self.skip));
        self.place.end.map_or(0, |end| next.saturating_sub(end))
    }

    /// Whether a comparison is under way: what comes is not used yet.
    pub(crate) fn is_held(&self) -> bool {
        self.check.is_some()
    }

    /// Where the bytes begin that are held back, or else the next byte of the wire.
    pub(crate) fn held_from(&self) -> u64 {
        let first = self.check.as_ref().and_then(|check| check.held.first());
        first.map_or(self.at, |(at, _)| *at)
    }

    /// Whether the store was asked for a digest and has not answered.
    pub(crate) fn is_asked(&self) -> bool {
        self.check.as_ref().is_some_and(|check| check.asked.is_some())
    }

    /// What is being compared.
    pub(crate) fn checked_range(&self) -> Option<ByteRange> {
        self.check.as_ref().map(|check| check.range)
    }

    /// The end is known by other means (FAULTS B3).
    pub(crate) fn bound(&mut self, total: u64) {
        self.place.end = Some(self.place.end.unwrap_or(total).min(total));
    }

    /// Takes the next bytes of the wire. `have` is what needs no writing; pieces go to `emit` in order.
    pub(crate) fn receive(&mut self, bytes: Bytes, have: &ByteRanges, mut emit: impl FnMut(Piece)) {
        let mut bytes = bytes;
        let before = self.skip.min(bytes.len() as u64);
        if before > 0 {
            self.skip -= before;
            bytes = bytes.slice(before as usize..);
            emit(Piece::Skipped(before));
        }
        let room = self.place.end.map_or(u64::MAX, |end| end.saturating_sub(self.at));
        let excess = (bytes.len() as u64).saturating_sub(room);
        if excess > 0 {
            bytes.truncate((bytes.len() as u64 - excess) as usize);
        }
        let at = self.at;
        self.at += bytes.len() as u64;
        match &mut self.check {
            Some(check) => check.receive(at, bytes, &mut emit),
            None => split(at, bytes, have, &mut emit),
        }
        if excess > 0 {
            emit(Piece::Skipped(excess));
        }
    }

    /// The range whose digest is to be asked of the store, once: when all of it has come.
    pub(crate) fn take_question(&mut self, op: impl FnOnce() -> OpId) -> Option<(OpId, ByteRange)> {
        let at = self.at;
        let check = self.check.as_mut()?;
        if check.asked.is_some() || at < check.range.end {
            return None;
        }
        let op = op();
        check.asked = Some(op);
        Some((op, check.range))
    }

    /// The store's answer: the digest of what is there, `None` if it could not be read.
    pub(crate) fn compare(&self, op: OpId, stored: Option<u64>) -> Compared {
        match &self.check {
            Some(check) if check.asked == Some(op) => {
                if stored == Some(check.digest.digest()) {
                    Compared::Equal
                } else {
                    Compared::Different
                }
            }
            _ => Compared::Unasked,
        }
    }

    /// Ends the comparison and lets go of what was held, against what is there now: nothing, for another version.
    pub(crate) fn release(&mut self, have: &ByteRanges, mut emit: impl FnMut(Piece)) {
        for (at, bytes) in self.check.take().into_iter().flat_map(|check| check.held) {
            split(at, bytes, have, &mut emit);
        }
    }

    /// How many bytes are held.
    pub(crate) fn held_len(&self) -> u64 {
        let held = self.check.iter().flat_map(|check| &check.held);
        held.map(|(_, bytes)| bytes.len() as u64).sum()
    }

    /// The body ended as its framing said.
    pub(crate) fn ended(&self) -> StreamEnd {
        StreamEnd {
            at: self.at,
            expected: self.place.end,
            announced: self.place.total.is_some() || !self.place.whole,
            whole: self.place.whole,
            unverified: self.place.unverified,
        }
    }
}

impl Check {
    fn receive(&mut self, at: u64, mut bytes: Bytes, emit: &mut impl FnMut(Piece)) {
        let before = self.range.start.saturating_sub(at).min(bytes.len() as u64);
        if before > 0 {
            emit(Piece::Skipped(before));
            bytes = bytes.slice(before as usize..);
        }
        if bytes.is_empty() {
            return;
        }
        let at = at + before;
        let inside = self.range.end.saturating_sub(at).min(bytes.len() as u64);
        self.digest.update(&bytes[..inside as usize]);
        emit(Piece::Held);
        self.held.push((at, bytes));
    }
}

impl core::fmt::Debug for Check {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Check")
            .field("range", &self.range)
            .field("asked", &self.asked)
            .finish_non_exhaustive()
    }
}

/// Cuts `bytes` at what is there already.
fn split(at: u64, mut bytes: Bytes, have: &ByteRanges, emit: &mut impl FnMut(Piece)) {
    let mut at = at;
    while !bytes.is_empty() {
        let whole = ByteRange::at(at, bytes.len() as u64);
        let there = have.run_end(at).map_or(at, |end| end.min(whole.end));
        if there > at {
            emit(Piece::Skipped(there - at));
            bytes = bytes.slice((there - at) as usize..);
            at = there;
            continue;
        }
        let next = have.overlapping(whole).next().map_or(whole.end, |run| run.start);
        let rest = bytes.split_off((next - at) as usize);
        emit(Piece::New(at, bytes));
        (at, bytes) = (next, rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Ranges, Version};
    use xxhash_rust::xxh3::xxh3_64;

    fn place(at: u64, end: Option<u64>) -> BodyPlace {
        BodyPlace {
            at,
            skip: 0,
            end,
            goes_on: false,
            total: None,
            behind: None,
            begins: at == 0,
            whole: end.is_none(),
            unverified: false,
            ranges: Ranges::Honoured,
            version: Version::Same,
        }
    }

    fn receive(transfer: &mut Transfer, bytes: &'static [u8], have: &ByteRanges) -> Vec<Piece> {
        let mut pieces = Vec::new();
        transfer.receive(Bytes::from_static(bytes), have, |piece| pieces.push(piece));
        pieces
    }

    fn new(at: u64, bytes: &'static [u8]) -> Piece {
        Piece::New(at, Bytes::from_static(bytes))
    }

    #[test]
    fn a5_reads_at_most_what_was_announced() {
        let mut transfer = Transfer::new(place(10, Some(13)));
        let have = ByteRanges::new();
        assert_eq!(receive(&mut transfer, b"abcdef", &have), [new(10, b"abc"), Piece::Skipped(3)]);
        assert_eq!(receive(&mut transfer, b"gh", &have), [Piece::Skipped(2)]);
        assert_eq!(transfer.ended().at, 13);
    }

    #[test]
    fn c5_what_lies_before_and_behind_a_slice_is_passed_over() {
        let place = BodyPlace { skip: 3, goes_on: true, ..place(0, Some(4)) };
        let mut transfer = Transfer::new(place);
        let have = ByteRanges::new();
        assert_eq!(transfer.excess(7), 0);
        assert_eq!(receive(&mut transfer, b"xx", &have), [Piece::Skipped(2)]);
        assert_eq!((transfer.at(), transfer.excess(6)), (0, 1));
        assert_eq!(receive(&mut transfer, b"xab", &have), [Piece::Skipped(1), new(0, b"ab")]);
        assert!(!transfer.is_to_be_cut());
        assert_eq!(receive(&mut transfer, b"cdy", &have), [new(2, b"cd"), Piece::Skipped(1)]);
        assert!(transfer.is_to_be_cut());
    }

    #[test]
    fn what_is_there_is_left_out() {
        let mut transfer = Transfer::new(place(0, None));
        let have: ByteRanges = [ByteRange::new(2, 4), ByteRange::new(6, 100)].into_iter().collect();
        assert_eq!(
            receive(&mut transfer, b"abcdefgh", &have),
            [new(0, b"ab"), Piece::Skipped(2), new(4, b"ef"), Piece::Skipped(2)]
        );
    }

    #[test]
    fn seed_2_a_body_that_ended_says_so_and_commits_nothing() {
        let mut transfer = Transfer::new(place(0, Some(1 << 20)));
        receive(&mut transfer, &[7; 512], &ByteRanges::new());
        let end = transfer.ended();
        assert_eq!((end.at, end.expected), (512, Some(1 << 20)));
    }

    #[test]
    fn a10_bytes_in_doubt_are_held_until_the_overlap_is_compared() {
        let have: ByteRanges = [ByteRange::new(0, 6)].into_iter().collect();
        let mut transfer = Transfer::checked(place(2, Some(9)), ByteRange::new(3, 6));
        assert_eq!(receive(&mut transfer, b"cde", &have), [Piece::Skipped(1), Piece::Held]);
        assert_eq!(transfer.take_question(|| OpId(1)), None);
        assert_eq!(receive(&mut transfer, b"fgh", &have), [Piece::Held]);
        let question = transfer.take_question(|| OpId(2));
        assert_eq!(question, Some((OpId(2), ByteRange::new(3, 6))));
        assert_eq!(transfer.take_question(|| OpId(3)), None, "asked once");
        let right = Some(xxh3_64(b"def"));
        assert_eq!(transfer.compare(OpId(1), right), Compared::Unasked);
        assert_eq!(transfer.compare(OpId(2), right), Compared::Equal);
        assert_eq!(transfer.compare(OpId(2), Some(0)), Compared::Different);
        assert_eq!(transfer.compare(OpId(2), None), Compared::Different);
        let mut pieces = Vec::new();
        transfer.release(&have, |piece| pieces.push(piece));
        assert_eq!(pieces, [Piece::Skipped(2), Piece::Skipped(1), new(6, b"gh")]);
        assert_eq!(receive(&mut transfer, b"i", &have), [new(8, b"i")]);
    }
}
