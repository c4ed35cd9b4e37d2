//! A segment's plaintext at any place, by its virtual offset.

use std::sync::Arc;
use std::task::{Context, Poll, ready};

use infill_core::hls::media::{BLOCK, unpad};
use infill_core::hls::{Cipher, Segment};
use infill_core::{ByteRange, Cause, Entry, Error};

use super::entrance::Entrance;
use super::plain::cause_of;
use super::run::media_error;
use super::stream::Shared;
use crate::engine::Reader;

/// How much ciphertext is read at once.
const MOST: usize = 64 * 1024;

/// One read at a place of a segment.
pub struct Pick {
    entrance: Entrance,
    shared: Arc<Shared>,
    index: usize,
    offset: u64,
    found: Option<Found>,
}

/// The segment that was entered.
struct Found {
    segment: Box<Segment>,
    reader: Reader,
    cipher: Option<Cipher>,
    /// Ciphertext, from the first byte that is needed on.
    raw: Vec<u8>,
    /// Where that is.
    first: u64,
    ended: bool,
}

impl Pick {
    /// A read of that segment, at that byte of its plaintext. `reader` is for this read alone.
    pub fn new(reader: Reader, shared: Arc<Shared>, index: usize, offset: u64) -> Self {
        Self { entrance: Entrance::new(reader), shared, index, offset, found: None }
    }

    /// Some bytes; 0 at or after the segment's end, or after the last segment.
    pub fn poll(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<Result<usize, Error>> {
        if buf.is_empty() && !self.entrance.is_closed() {
            return Poll::Ready(Ok(0));
        }
        if self.found.is_none() {
            let variant = self.shared.bound(self.index);
            let entry = Entry::Exactly { variant, index: self.index };
            let Some(entered) = ready!(self.entrance.poll(cx, entry, true))? else {
                return Poll::Ready(Ok(0));
            };
            let (segment, Some(media)) = (entered.segment, entered.media) else {
                // A gap has no bytes.
                return Poll::Ready(Ok(0));
            };
            let cipher = segment.media.as_ref().and_then(|part| part.cipher);
            let first = cipher.map_or(self.offset, |_| Cipher::needed(self.wanted(buf)).start);
            let (raw, ended) = (Vec::new(), false);
            let reader = media.into_reader();
            self.found = Some(Found { segment, reader, cipher, raw, first, ended });
        }
        let wanted = self.wanted(buf);
        let Some(found) = &mut self.found else {
            return Poll::Ready(Ok(0));
        };
        let result = match found.cipher {
            None => ready!(found.reader.poll_read_at(cx, wanted.start, buf))
                .map_err(|error| cause_of(&error)),
            Some(cipher) => ready!(found.poll_decrypted(cx, cipher, wanted, buf)),
        };
        match &result {
            // From now on the bytes of this segment are that variant's.
            Ok(_)
                if self.shared.bind(self.index, found.segment.variant) != found.segment.variant =>
            {
                // Another read was there first, with another variant's.
                self.found = None;
                self.poll(cx, buf)
            }
            Ok(_) => Poll::Ready(result),
            Err(_) => {
                self.shared.unbind(self.index);
                Poll::Ready(result)
            }
        }
    }

    fn wanted(&self, buf: &[u8]) -> ByteRange {
        ByteRange::at(self.offset, buf.len().min(MOST) as u64)
    }
}

impl Found {
    fn poll_decrypted(
        &mut self,
        cx: &mut Context<'_>,
        cipher: Cipher,
        wanted: ByteRange,
        buf: &mut [u8],
    ) -> Poll<Result<usize, Error>> {
        let block = BLOCK as u64;
        // The block before the first that is wanted, if there is one.
        let before = if wanted.start >= block { BLOCK } else { 0 };
        // A block can be decrypted when it is whole; whether it has padding is known when a byte after it is, or the end.
        while !self.ended && self.raw.len() < before + BLOCK + 1 {
            ready!(self.poll_raw(cx, wanted))?;
        }
        let plain = self.decrypt(cipher, before).map_err(|error| self.blame(error))?;
        let skip = wanted.start % block;
        let skip = usize::try_from(skip).unwrap_or(0);
        let there = plain.get(skip..).unwrap_or_default();
        let count = there.len().min(buf.len());
        buf[..count].copy_from_slice(&there[..count]);
        if count > 0 || self.ended {
            return Poll::Ready(Ok(count));
        }
        Poll::Ready(Err(self.blame(Cause::Segment("its ciphertext has no end".into()).into())))
    }

    /// Reads more of the ciphertext, to one byte after what is needed.
    fn poll_raw(&mut self, cx: &mut Context<'_>, wanted: ByteRange) -> Poll<Result<(), Error>> {
        let end = Cipher::needed(wanted).end.saturating_add(1);
        let at = self.first + self.raw.len() as u64;
        let len =
            usize::try_from(end.saturating_sub(at)).unwrap_or(MOST).clamp(1, MOST + 2 * BLOCK);
        let old = self.raw.len();
        self.raw.resize(old + len, 0);
        let read = self.reader.poll_read_at(cx, at, &mut self.raw[old..]);
        let count = match &read {
            Poll::Ready(Ok(count)) => *count,
            _ => 0,
        };
        self.raw.truncate(old + count);
        let count = ready!(read).map_err(|error| cause_of(&error))?;
        self.ended = count == 0;
        Poll::Ready(Ok(()))
    }

    /// The plaintext of the whole blocks that were read, without the one before them, and without padding.
    fn decrypt(&self, cipher: Cipher, before: usize) -> Result<Vec<u8>, Error> {
        let (previous, rest) = self.raw.split_at(before.min(self.raw.len()));
        // At the end nothing follows; else the last whole block may be the one with the padding.
        let known =
            if self.ended { rest.len() } else { rest.len().saturating_sub(1) / BLOCK * BLOCK };
        if self.ended && rest.is_empty() {
            return Ok(Vec::new());
        }
        let mut plain = rest.get(..known).unwrap_or_default().to_vec();
        let previous = <[u8; BLOCK]>::try_from(previous).ok();
        cipher.decrypt_blocks(previous, &mut plain).map_err(media_error)?;
        if self.ended {
            let last = plain.last_chunk::<BLOCK>();
            let kept = last.map_or(Ok(0), unpad).map_err(media_error)?;
            plain.truncate(plain.len().saturating_sub(BLOCK) + kept);
        }
        Ok(plain)
    }

    fn blame(&self, error: Error) -> Error {
        match error.cause() {
            Cause::Segment(_) => error.with_url(&self.segment.entry.url),
            _ => error,
        }
    }
}
