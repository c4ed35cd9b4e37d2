//! Decoding: from a stream to samples, with sample-accurate seeks.
//!
//! [`Audio::open`] finds out what a source holds: MP3, AAC in MP4 (`moov` at either end) or ADTS, ALAC, FLAC, Ogg
//! Vorbis, WAV, AIFF or CAF. [`Audio::next_block`] gives its samples; after [`Audio::seek`] the first sample is the one
//! that a decode from the start would give at that time. A player that must not block takes [`Audio::spawn`].
//!
//! # Errors
//! The error is the source's own where it has one: a refused connection is never 'unsupported format'. After an error,
//! the next call of [`Audio::next_block`] or [`Audio::seek`] tries again at the same place, and loses no sample.
//! Damaged packets are skipped. Where the bytes end before the container says, the audio ends there.
//!
//! # What a seek costs
//! Bytes that are present are never fetched again, so this is about the others. MP4, WAV, AIFF, CAF and MP3 of a
//! constant bit rate need one jump, FLAC and Ogg 5 to 8 (they bisect). MP3 of a variable rate, ADTS and fragmented MP4
//! say nowhere at which byte a time lies: an exact seek forward reads all up to there; one back costs nothing new. The
//! samples equal those of a decode from the start bit for bit, but for AAC encoded with noise substitution, where the
//! decoder invents other noise.
//!
//! # Layout
//! [`Audio::rate`] and [`Audio::channels`] are fixed at the start. Where the number of channels changes later, samples
//! are remixed; a change of the sample rate is an error.

mod block;
mod explain;
mod mpeg;
mod probe;
mod reader;
mod seek;
mod source;
mod spawn;
mod stream;
mod track;

pub use block::Block;
pub use source::{AudioSource, SourceControl};
pub use spawn::{Control, Output};

use core::fmt;
use core::time::Duration;

use infill_core::Error;
use symphonia::core::formats::well_known::FORMAT_ID_OGG;

use block::{frame_at, remix, time_of};
use explain::unsupported;
use mpeg::ConstantRate;
use reader::{Chunk, Reader};
use source::Shared;

/// A source that is being decoded.
pub struct Audio {
    source: Shared,
    /// None after an error or the end: made anew when it is needed.
    reader: Option<Reader>,
    rate: u32,
    channels: u16,
    /// What the container's clock says at frame 0.
    base: i64,
    total: Option<u64>,
    /// Whether MP3 frames have one length; found out at the first seek.
    constant_rate: Option<Option<ConstantRate>>,
    /// The frame to hand out next.
    next: u64,
    state: State,
}

enum State {
    /// The reader goes on at `next`.
    Goes,
    /// Decoded already: the samples at `next`.
    Ready(Block),
    /// The reader has to be brought to `next` first.
    Lost,
    Ended,
}

impl Audio {
    /// Finds out what `source` holds, and decodes its first samples.
    ///
    /// # Errors
    /// The source's own error; or what is not supported, by name.
    pub fn open(source: impl AudioSource) -> Result<Self, Error> {
        let source = Shared::new(source);
        let mut reader = Reader::open(&source)?;
        let first = reader.next()?;
        let (rate, channels) = match (&first, reader.declared()) {
            (Some(chunk), _) => (chunk.rate, chunk.channels),
            (None, Some(declared)) if !reader.is_damaged() => declared,
            (None, _) => return Err(reader.why_nothing()),
        };
        let base = first.as_ref().map_or(0, |chunk| chunk.start);
        // Ogg's clock need not begin at 0, and its length is where that clock ends.
        let skipped = if reader.format() == FORMAT_ID_OGG { base } else { 0 };
        let mut audio = Self {
            total: reader
                .total()
                .map(|total| total.saturating_add_signed(skipped.saturating_neg())),
            source,
            reader: Some(reader),
            rate,
            channels,
            base,
            constant_rate: None,
            next: 0,
            state: State::Ended,
        };
        if let Some(chunk) = first {
            audio.state = State::Ready(audio.block(chunk, 0)?);
        }
        Ok(audio)
    }

    /// Opens what `source` names, and finds out what it holds.
    ///
    /// # Errors
    /// As [`Client::open`](crate::Client::open) and [`Audio::open`].
    #[cfg(feature = "client")]
    pub fn open_source(
        client: &crate::Client,
        source: impl Into<crate::Source>,
    ) -> Result<Self, Error> {
        Self::open(client.open(source)?)
    }

    /// Frames a second.
    pub fn rate(&self) -> u32 {
        self.rate
    }

    /// Samples a frame.
    pub fn channels(&self) -> u16 {
        self.channels
    }

    /// How long the audio is, if its container says so. An estimate for ADTS, and for MP3 without a Xing, Info or VBRI
    /// tag.
    pub fn duration(&self) -> Option<Duration> {
        self.total.map(|total| time_of(total, self.rate))
    }

    /// The presentation time of the next sample.
    pub fn position(&self) -> Duration {
        time_of(self.next, self.rate)
    }

    /// Goes on at another time, exact to the sample. Past the end is the end. Blocks until the first samples there are
    /// decoded.
    ///
    /// # Errors
    /// As [`Audio::next_block`]. The position is the new one all the same: the next call tries again.
    pub fn seek(&mut self, to: Duration) -> Result<(), Error> {
        self.next = frame_at(to, self.rate);
        self.state = State::Lost;
        self.locate()
    }

    /// The next samples; `None` at the end.
    ///
    /// # Errors
    /// The source's own error; [`infill_core::Cause::Unsupported`] if the data is damaged beyond use. The next call
    /// tries again.
    pub fn next_block(&mut self) -> Result<Option<Block>, Error> {
        if matches!(self.state, State::Lost) {
            self.locate()?;
        }
        let block = match core::mem::replace(&mut self.state, State::Lost) {
            State::Ready(block) => block,
            State::Ended => {
                self.state = State::Ended;
                return Ok(None);
            }
            State::Goes | State::Lost => match self.decode_next()? {
                Some(block) => block,
                None => return Ok(None),
            },
        };
        self.state = State::Goes;
        self.next = block.frame() + block.frames() as u64;
        Ok(Some(block))
    }

    /// Decodes on from where the reader is. An error leaves the state `Lost`.
    fn decode_next(&mut self) -> Result<Option<Block>, Error> {
        let reader = self.reader.as_mut().expect("only `Lost` and `Ended` have no reader");
        match reader.next() {
            Ok(Some(chunk)) => {
                let frame = self.frame_of(chunk.start);
                self.block(chunk, frame).map(Some)
            }
            Ok(None) => {
                self.end();
                Ok(None)
            }
            Err(error) => {
                self.reader = None;
                Err(error)
            }
        }
    }

    fn end(&mut self) {
        // After the end, a seek in MP4 can fail: the next one begins with a new reader.
        self.reader = None;
        self.state = State::Ended;
    }

    /// The frame of the presentation at a position of the container's clock.
    fn frame_of(&self, at: i64) -> u64 {
        u64::try_from(at.saturating_sub(self.base)).unwrap_or(0)
    }

    fn block(&self, chunk: Chunk, frame: u64) -> Result<Block, Error> {
        if chunk.rate != self.rate {
            let (from, to) = (self.rate, chunk.rate);
            return Err(unsupported(format!("the sample rate changes from {from} to {to} Hz")));
        }
        let samples = remix(chunk.samples, chunk.channels, self.channels);
        Ok(Block::new(samples, frame, self.rate, self.channels))
    }
}

impl fmt::Debug for Audio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Audio")
            .field("rate", &self.rate)
            .field("channels", &self.channels)
            .field("duration", &self.duration())
            .field("position", &self.position())
            .finish_non_exhaustive()
    }
}
