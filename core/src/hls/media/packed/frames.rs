//! Cuts a stream of bytes into whole frames, and finds the next one where it was lost.
//!
//! A frame is believed when another of the same kind follows it, or when it ends where the segment does; after that, its
//! successors are believed where it says that they begin. What comes out is whole frames alone, so that a decoder never
//! waits for the rest of one inside the next.

use std::collections::VecDeque;

use super::header::{Codec, Header, is_notes};
use super::tally::Tally;
use crate::hls::media::{MediaError, TrackConfig};

/// How many times may wait for the frames that they belong to. Frames overtake them; more than a few are damage.
const MAX_MARKS: usize = 16;

/// How much may be dropped before the first frame.
const MAX_SEARCH: u64 = 64 << 10;

/// Reads the frames of a run.
#[derive(Debug, Default)]
pub(in crate::hls::media) struct Frames {
    /// Bytes of no whole frame yet.
    held: Vec<u8>,
    /// Where `held` begins in all that was pushed.
    at: u64,
    /// Whether the next frame begins where `held` does.
    in_step: bool,
    /// The first frame's header: those of all others are like it.
    like: Option<Header>,
    track: Option<TrackConfig>,
    /// Where in `held` a seam is, of which it isn't known whether the frame before it goes on beyond.
    seam: Option<usize>,
    /// Times, with the byte at or after which their frame begins.
    marks: VecDeque<(u64, u64)>,
    /// The first frame of a segment may hold notes on the stream instead of audio.
    first: bool,
}

impl Frames {
    pub(in crate::hls::media) fn codec(&self) -> Option<Codec> {
        self.like.map(|like| like.codec)
    }

    pub(in crate::hls::media) fn track(&self) -> Option<&TrackConfig> {
        self.track.as_ref()
    }

    /// A segment begins. A frame that is not whole may go on in it.
    pub(in crate::hls::media) fn begin(&mut self) {
        self.first = true;
        if !self.in_step {
            self.drop(self.held.len());
        } else if !self.held.is_empty() {
            self.seam.get_or_insert(self.held.len());
        }
    }

    /// What was held of a frame doesn't go on.
    pub(in crate::hls::media) fn lose(&mut self) {
        self.drop(self.held.len());
        self.marks.clear();
    }

    /// The first frame that begins at what is pushed next, or after it, plays at this time.
    pub(in crate::hls::media) fn mark(&mut self, time: u64) {
        if self.marks.len() == MAX_MARKS {
            self.marks.pop_front();
        }
        self.marks.push_back((self.at + self.held.len() as u64, time));
    }

    /// The next bytes.
    pub(in crate::hls::media) fn push(
        &mut self,
        bytes: &[u8],
        out: &mut Vec<u8>,
        tally: &mut Tally,
    ) -> Result<(), MediaError> {
        self.held.extend_from_slice(bytes);
        self.run(false, out, tally)
    }

    /// The segment is over: a frame that ends with it needs no successor.
    pub(in crate::hls::media) fn end(
        &mut self,
        out: &mut Vec<u8>,
        tally: &mut Tally,
    ) -> Result<(), MediaError> {
        self.run(true, out, tally)
    }

    fn run(&mut self, end: bool, out: &mut Vec<u8>, tally: &mut Tally) -> Result<(), MediaError> {
        loop {
            if let Some(seam) = self.seam {
                let Some(after) = self.held.get(seam..seam + Header::LEN) else { return Ok(()) };
                if Header::read(after).is_some_and(|header| self.is_like(&header)) {
                    // The frame before it was left unfinished.
                    self.drop(seam);
                }
                self.seam = None;
            }
            if !self.in_step && !self.find(end)? {
                return Ok(());
            }
            let Some(header) = self.header()? else {
                if self.held.len() < Header::LEN {
                    return Ok(());
                }
                self.in_step = false;
                continue;
            };
            if self.held.len() < header.len {
                return Ok(());
            }
            self.give(&header, out, tally);
        }
    }

    /// The header where the next frame is to begin.
    fn header(&self) -> Result<Option<Header>, MediaError> {
        let header = Header::read(&self.held);
        match header {
            Some(header) if !self.is_like(&header) => Err(MediaError::broken(
                "frames of another kind, rate or number of channels than the run's: the playlist says nothing of a change",
            )),
            header => Ok(header),
        }
    }

    fn give(&mut self, header: &Header, out: &mut Vec<u8>, tally: &mut Tally) {
        let mut time = None;
        while self.marks.front().is_some_and(|(at, _)| *at <= self.at) {
            time = self.marks.pop_front().map(|(_, time)| time);
        }
        if self.track.is_none() {
            self.track = Some(header.track());
        }
        self.like.get_or_insert(*header);
        let frame = &self.held[..header.len];
        if core::mem::take(&mut self.first) && header.codec == Codec::Mpeg && is_notes(frame) {
            // It plays nothing, so that its time is its successor's.
            self.marks.extend(time.map(|time| (self.at, time)));
        } else {
            out.extend_from_slice(frame);
            tally.frame(header.samples, header.rate, time);
        }
        self.drop(header.len);
    }

    /// Drops bytes up to a frame that is to be believed. Says whether there is one.
    fn find(&mut self, end: bool) -> Result<bool, MediaError> {
        let mut skip = 0;
        let found = loop {
            let rest = &self.held[skip..];
            if rest.len() < Header::LEN {
                break false;
            }
            let Some(header) = Header::read(rest).filter(|header| self.is_like(header)) else {
                skip += 1;
                continue;
            };
            match rest.get(header.len..) {
                Some([]) if end => break true,
                Some(next) if next.len() >= Header::LEN => {
                    if Header::read(next).is_some_and(|next| next.fixed == header.fixed) {
                        break true;
                    }
                    skip += 1;
                }
                // It can't be followed.
                _ if end => skip += 1,
                _ => break false,
            }
        };
        self.drop(skip);
        self.in_step = found;
        if self.like.is_none() && !found && self.at > MAX_SEARCH {
            let what = format!("no frame of AAC or MPEG audio in its first {MAX_SEARCH} bytes");
            return Err(MediaError::broken(what));
        }
        Ok(found)
    }

    fn is_like(&self, header: &Header) -> bool {
        self.like.is_none_or(|like| like.fixed == header.fixed)
    }

    fn drop(&mut self, count: usize) {
        self.held.drain(..count);
        self.at += count as u64;
        if count > 0 {
            self.seam = self.seam.and_then(|seam| seam.checked_sub(count));
        }
    }
}
