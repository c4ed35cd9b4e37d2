//! Bringing a reader to a frame, exactly.
//!
//! Every way there ends the same: decode from a little before, drop what comes before the frame, cut the block that
//! holds it. The ways differ in what they read; a way that a container refuses, or that turns out to land late, is
//! followed by one that reads more, and the last one, from the start, is always right.

use infill_core::Error;
use symphonia::core::formats::FormatId;
use symphonia::core::formats::well_known::{
    FORMAT_ID_AIFF, FORMAT_ID_CAF, FORMAT_ID_FLAC, FORMAT_ID_MP3, FORMAT_ID_OGG, FORMAT_ID_WAVE,
};

use super::block::Block;
use super::mpeg::{ConstantRate, Place};
use super::reader::{Reader, Sought};
use super::{Audio, State};

/// The longest Ogg page, in bytes.
const OGG_PAGE: u64 = 65_307;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// On from where the reader is.
    Onward,
    /// To a frame of an MP3 file whose place can be computed.
    Constant,
    /// As the container finds it, so many seconds early.
    Container { early_seconds: u64 },
    /// From the start.
    Linear,
}

/// FLAC's bisection fails when it meets the end inside the last frame (they reach 24 KiB): a little earlier works.
const WAYS: [Way; 6] = [
    Way::Onward,
    Way::Constant,
    Way::Container { early_seconds: 0 },
    Way::Container { early_seconds: 2 },
    Way::Container { early_seconds: 10 },
    Way::Linear,
];

/// Where a way leads.
enum Led {
    /// Somewhere before the target.
    There(Reader),
    /// Nowhere; the reader is good for the next way.
    Nowhere(Reader),
    PastTheEnd,
}

/// What decoding up to the target came to.
enum Arrival {
    Exact,
    Late,
    Ended,
}

impl Audio {
    /// Brings the reader to `next`, and makes the samples there ready. The state is `Lost` if it fails.
    pub(super) fn locate(&mut self) -> Result<(), Error> {
        let located = self.try_ways();
        if located.is_err() {
            self.reader = None;
            self.state = State::Lost;
        }
        located
    }

    fn try_ways(&mut self) -> Result<(), Error> {
        let mut reader = match self.reader.take() {
            Some(reader) => reader,
            None => Reader::open(&self.source)?,
        };
        if self.is_past_the_end(&reader)? {
            self.reader = Some(reader);
            self.state = State::Ended;
            return Ok(());
        }
        for way in WAYS {
            reader = match self.follow(way, reader)? {
                Led::There(reader) => reader,
                Led::Nowhere(unmoved) => {
                    reader = unmoved;
                    continue;
                }
                Led::PastTheEnd => break,
            };
            match self.arrive(&mut reader)? {
                Arrival::Late if way != Way::Linear => {
                    tracing::debug!(?way, frame = self.next, "the seek landed late");
                }
                Arrival::Late | Arrival::Exact => {
                    self.reader = Some(reader);
                    return Ok(());
                }
                Arrival::Ended => break,
            }
        }
        self.end();
        Ok(())
    }

    fn follow(&mut self, way: Way, reader: Reader) -> Result<Led, Error> {
        let target = self.base.saturating_add_unsigned(self.next);
        match way {
            Way::Onward => Ok(match reader.expected() {
                Some(at) if at <= target && self.is_worth_reading(at.abs_diff(target)) => {
                    Led::There(reader)
                }
                _ => Led::Nowhere(reader),
            }),
            Way::Constant => self.compute(target, reader),
            Way::Container { early_seconds } => self.search(target, early_seconds, reader),
            Way::Linear => self.start_over(reader).map(Led::There),
        }
    }

    /// Whether to decode that many frames instead of seeking over them.
    fn is_worth_reading(&self, frames: u64) -> bool {
        frames <= u64::from(self.rate / 2) || self.source.seekable_len().is_none()
    }

    fn compute(&mut self, target: i64, reader: Reader) -> Result<Led, Error> {
        if !reader.is_mp3() {
            return Ok(Led::Nowhere(reader));
        }
        let Some(constant) = self.constant_rate()? else {
            return Ok(Led::Nowhere(reader));
        };
        let samples = u64::try_from(target.saturating_sub(reader.start())).unwrap_or(0);
        Ok(match constant.place(&self.source, samples)? {
            Place::At(landing) => Led::There(Reader::in_the_middle(&reader, landing)?),
            Place::PastTheEnd => Led::PastTheEnd,
            Place::Unknown => Led::Nowhere(reader),
        })
    }

    fn search(&self, target: i64, early_seconds: u64, reader: Reader) -> Result<Led, Error> {
        if self.source.seekable_len().is_none() {
            return Ok(Led::Nowhere(reader));
        }
        let early = self.margin(&reader) + early_seconds * u64::from(self.rate);
        let at = target.saturating_sub_unsigned(early);
        if at <= reader.start().max(self.base) {
            return self.start_over(reader).map(Led::There);
        }
        let mut reader = match reader.is_in_the_middle() {
            true => Reader::open(&self.source)?,
            false => reader,
        };
        Ok(match reader.seek(at)? {
            Sought::Before => Led::There(reader),
            // In a chained file, that is the end of one stream.
            Sought::End if reader.format() != FORMAT_ID_OGG => Led::PastTheEnd,
            Sought::End | Sought::Refused => Led::Nowhere(Reader::open(&self.source)?),
        })
    }

    fn start_over(&self, reader: Reader) -> Result<Reader, Error> {
        match reader.is_fresh() {
            true => Ok(reader),
            false => Reader::open(&self.source),
        }
    }

    /// Decodes until the target.
    fn arrive(&mut self, reader: &mut Reader) -> Result<Arrival, Error> {
        let target = self.base.saturating_add_unsigned(self.next);
        loop {
            let Some(mut chunk) = reader.next()? else {
                return Ok(Arrival::Ended);
            };
            if chunk.end() <= target {
                continue;
            }
            let late = chunk.start > target;
            let skip = usize::try_from(target.saturating_sub(chunk.start)).unwrap_or(0);
            chunk.samples.drain(..skip * usize::from(chunk.channels));
            let frame = if late { self.frame_of(chunk.start) } else { self.next };
            let block: Block = self.block(chunk, frame)?;
            self.state = State::Ready(block);
            return Ok(if late { Arrival::Late } else { Arrival::Exact });
        }
    }

    /// How many frames before the target to begin.
    fn margin(&self, reader: &Reader) -> u64 {
        let priming = reader.priming();
        if reader.format() != FORMAT_ID_OGG {
            return priming;
        }
        // A seek that lands in the last page gets wrong times from Symphonia, which can't see the padding at its end:
        // land at least a page before.
        let (Some(total), Some(len)) = (self.total, self.source.seekable_len()) else {
            return priming;
        };
        let pages = u128::from(2 * OGG_PAGE) * u128::from(total) / u128::from(len.max(1));
        let pages = u64::try_from(pages).unwrap_or(u64::MAX).min(total);
        if self.next.saturating_add(pages) > total { pages } else { priming }
    }

    /// Whether the target needs no look: where the container's length is the truth.
    fn is_past_the_end(&self, reader: &Reader) -> Result<bool, Error> {
        const TRUSTED: [FormatId; 5] =
            [FORMAT_ID_AIFF, FORMAT_ID_CAF, FORMAT_ID_FLAC, FORMAT_ID_MP3, FORMAT_ID_WAVE];
        if self.total.is_none_or(|total| self.next < total) {
            return Ok(false);
        }
        if reader.format() == FORMAT_ID_OGG {
            // Another stream may follow in the same file.
            return Ok(!reader.is_chained() && self.ends_with(reader.serial())?);
        }
        Ok(TRUSTED.contains(&reader.format()) && !reader.is_estimate())
    }

    /// Whether the last Ogg page belongs to this stream.
    fn ends_with(&self, serial: u32) -> Result<bool, Error> {
        let Some(len) = self.source.seekable_len() else {
            return Ok(false);
        };
        let start = len.saturating_sub(OGG_PAGE);
        let tail = self.source.read_at(start, OGG_PAGE as usize)?;
        let last = tail.windows(18).rev().find(|page| page.starts_with(b"OggS\0"));
        Ok(last.is_some_and(|page| page[14..18] == serial.to_le_bytes()))
    }

    fn constant_rate(&mut self) -> Result<Option<ConstantRate>, Error> {
        if let Some(known) = self.constant_rate {
            return Ok(known);
        }
        if self.source.seekable_len().is_none() {
            return Ok(None);
        }
        let found = ConstantRate::find(&self.source, Reader::first_packet(&self.source)?)?;
        self.constant_rate = Some(found);
        Ok(found)
    }
}
