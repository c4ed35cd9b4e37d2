//! One demuxer and one decoder over the source: packets in, samples with their place in time out.
//!
//! A reader is thrown away after an error and after the end, for Symphonia does not say what it lost; making a new one
//! reads what is present already.

use std::io;

use infill_core::Error;
use symphonia::core::codecs::audio::{AudioDecoder, well_known};
use symphonia::core::errors::{Error as MediaError, SeekErrorKind};
use symphonia::core::formats::well_known::{FORMAT_ID_MP3, FORMAT_ID_OGG};
use symphonia::core::formats::{FormatId, FormatOptions, FormatReader, SeekMode, SeekTo};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::packet::Packet;
use symphonia::core::units::Timestamp;
use symphonia::default::formats;

use super::explain::{explained, guarded, unsupported};
use super::mpeg::Landing;
use super::probe::probed;
use super::source::Shared;
use super::track::AudioTrack;

/// Damaged packets in a row after which the rest is given up.
const MAX_DAMAGED: u32 = 256;
/// Damaged packets in a row after which the decoder is made anew: some can't leave the layout of their first packet.
const STALE_DECODER: u32 = 4;

/// Samples, and where they belong.
pub(super) struct Chunk {
    pub(super) samples: Vec<f32>,
    /// The first frame, on the clock of the container: it need not begin at 0.
    pub(super) start: i64,
    pub(super) frames: u64,
    pub(super) rate: u32,
    pub(super) channels: u16,
}

impl Chunk {
    pub(super) fn end(&self) -> i64 {
        self.start.saturating_add_unsigned(self.frames)
    }
}

/// What a seek of the container came to.
pub(super) enum Sought {
    /// Decoding goes on at or before the target.
    Before,
    /// The target is past the end.
    End,
    /// The container can't say: read on from the start.
    Refused,
}

pub(super) struct Reader {
    shared: Shared,
    format: Box<dyn FormatReader>,
    decoder: Box<dyn AudioDecoder>,
    track: AudioTrack,
    /// Set when the reader began in the middle of an MP3 file.
    window: Option<Window>,
    /// Where the next samples belong if nothing is missing.
    expected: Option<i64>,
    /// What to add to the clock after another stream began in the same file (chained Ogg).
    shift: i64,
    chain: Chain,
    damaged: u32,
    /// The last thing that was wrong with the data.
    damage: Option<MediaError>,
    fresh: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Chain {
    First,
    Begins,
    Goes,
}

/// The clock of a reader that began in the middle.
#[derive(Clone, Copy)]
struct Window {
    /// Where its first packet belongs.
    first: i64,
    /// Of the whole file.
    start: i64,
    total: Option<u64>,
}

impl Reader {
    /// Finds the format and a track that can be decoded, from the start of the source.
    pub(super) fn open(shared: &Shared) -> Result<Self, Error> {
        let (format, _) = probed(shared)?;
        Self::over(shared, format)
    }

    /// Begins at `landing` in an MP3 file of which `whole` is a reader from the start.
    pub(super) fn in_the_middle(whole: &Self, landing: Landing) -> Result<Self, Error> {
        let shared = &whole.shared;
        let stream = MediaSourceStream::new(Box::new(shared.tap(landing.byte)), Default::default());
        let format = guarded(|| formats::MpaReader::try_new(stream, FormatOptions::default()));
        let format = shared.judge(format)?.map_err(explained)?;
        let window = Window {
            first: whole.start().saturating_add_unsigned(landing.frames_before),
            start: whole.start(),
            total: whole.total().filter(|_| !whole.is_estimate()),
        };
        let mut reader = Self::over(shared, Box::new(format))?;
        reader.window = Some(window);
        // The trims are those of the whole file, which only the window knows.
        reader.renew_decoder();
        reader.fresh = false;
        Ok(reader)
    }

    /// Where the first packet of the source begins.
    pub(super) fn first_packet(shared: &Shared) -> Result<u64, Error> {
        let (format, base) = probed(shared)?;
        Ok(base + symphonia::core::io::ReadBytes::pos(&format.into_inner()))
    }

    fn over(shared: &Shared, format: Box<dyn FormatReader>) -> Result<Self, Error> {
        let (track, decoder) = AudioTrack::select(format.as_ref())?;
        Ok(Self {
            shared: shared.clone(),
            format,
            decoder,
            track,
            window: None,
            expected: None,
            shift: 0,
            chain: Chain::First,
            damaged: 0,
            damage: None,
            fresh: true,
        })
    }

    pub(super) fn format(&self) -> FormatId {
        self.format.format_info().format
    }

    pub(super) fn is_mp3(&self) -> bool {
        self.track.codec == well_known::CODEC_ID_MP3 && self.format() == FORMAT_ID_MP3
    }

    /// Frames a second and samples a frame, if the container says so.
    pub(super) fn declared(&self) -> Option<(u32, u16)> {
        self.track.rate.zip(self.track.channels)
    }

    /// The frames that the container promises, counted on its clock from 0.
    pub(super) fn total(&self) -> Option<u64> {
        self.window.map_or(self.track.total, |window| window.total)
    }

    /// Whether [`Reader::total`] is only about right.
    pub(super) fn is_estimate(&self) -> bool {
        self.window.map_or(self.track.is_estimate, |window| window.total.is_none())
    }

    /// Why a source without samples has none.
    pub(super) fn why_nothing(self) -> Error {
        match self.damage {
            Some(error) => explained(error),
            None => unsupported("the audio is empty".into()),
        }
    }

    /// Whether data was skipped.
    pub(super) fn is_damaged(&self) -> bool {
        self.damage.is_some()
    }

    /// Where the clock starts. Negative in an MP3 file with an encoder delay.
    pub(super) fn start(&self) -> i64 {
        self.window.map_or(self.track.start, |window| window.start)
    }

    /// Whether it began at a [`Landing`]: it can't seek.
    pub(super) fn is_in_the_middle(&self) -> bool {
        self.window.is_some()
    }

    /// Whether nothing has been read from it.
    pub(super) fn is_fresh(&self) -> bool {
        self.fresh
    }

    /// Where the next samples belong, once there were some.
    pub(super) fn expected(&self) -> Option<i64> {
        self.expected
    }

    /// Whether a later stream of a chained file has begun.
    pub(super) fn is_chained(&self) -> bool {
        self.chain != Chain::First
    }

    /// The stream of an Ogg file that is decoded.
    pub(super) fn serial(&self) -> u32 {
        self.track.id
    }

    /// How many frames a decoder that starts afresh needs before its output is what a linear decode gives.
    pub(super) fn priming(&self) -> u64 {
        match self.track.codec {
            // The second half of the packet before.
            well_known::CODEC_ID_AAC => 1024,
            // The bit reservoir, then the packet before; at the least bit rates that variable rates go down to.
            well_known::CODEC_ID_MP3 => 16 * 1152,
            // The demuxer goes back far enough itself.
            _ => 0,
        }
    }

    /// The next samples. `None` is the end, or where a file that was cut off stops.
    pub(super) fn next(&mut self) -> Result<Option<Chunk>, Error> {
        self.fresh = false;
        loop {
            let packet = guarded(|| self.format.next_packet());
            match self.shared.judge(packet)? {
                Ok(None) => return Ok(None),
                Ok(Some(packet)) if packet.track_id != self.track.id => {}
                Ok(Some(packet)) => {
                    if let Some(chunk) = self.decode(&packet)? {
                        return Ok(Some(chunk));
                    }
                }
                Err(MediaError::IoError(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    tracing::debug!("the audio is cut off");
                    self.damage = Some(MediaError::IoError(error));
                    return Ok(None);
                }
                Err(MediaError::ResetRequired) => self.follow_chain()?,
                Err(error @ MediaError::DecodeError(_)) => self.count_damage(error)?,
                Err(error) => return Err(explained(error)),
            }
        }
    }

    /// Moves to the packet that holds `frame` of the container's clock, or to one before.
    pub(super) fn seek(&mut self, frame: i64) -> Result<Sought, Error> {
        let tracks = self.format.tracks().len();
        // With several streams, Symphonia's Ogg seek never returns once it meets a packet of another.
        let mixed = self.format() == FORMAT_ID_OGG && tracks > 1;
        if mixed || self.is_chained() || self.is_in_the_middle() {
            return Ok(Sought::Refused);
        }
        self.fresh = false;
        // Not just reset: AAC's noise generator would go on, and one seek twice give different samples.
        self.renew_decoder();
        self.expected = None;
        let to = SeekTo::Timestamp {
            ts: Timestamp::new(self.track.ticks(frame)),
            track_id: self.track.id,
        };
        let sought = guarded(|| self.format.seek(SeekMode::Accurate, to));
        match self.shared.judge(sought)? {
            Ok(_) => Ok(Sought::Before),
            Err(MediaError::SeekError(SeekErrorKind::OutOfRange)) if tracks == 1 => Ok(Sought::End),
            Err(error) => {
                tracing::debug!(%error, "the container can't seek there");
                Ok(Sought::Refused)
            }
        }
    }

    fn decode(&mut self, packet: &Packet) -> Result<Option<Chunk>, Error> {
        let mut samples = Vec::new();
        let decoder = &mut self.decoder;
        let decoded = guarded(|| {
            let buffer = decoder.decode(packet)?;
            buffer.copy_to_vec_interleaved(&mut samples);
            Ok((buffer.spec().rate(), buffer.spec().channels().count()))
        });
        let (rate, channels) = match decoded {
            Ok((rate, channels)) => (rate, u16::try_from(channels).unwrap_or(0)),
            // A packet too short for what it says is damaged as well.
            Err(error @ (MediaError::DecodeError(_) | MediaError::IoError(_))) => {
                self.count_damage(error)?;
                return Ok(None);
            }
            Err(error) => return Err(explained(error)),
        };
        self.damaged = 0;
        if samples.is_empty() || channels == 0 || rate == 0 {
            return Ok(None);
        }
        let start = match self.window {
            Some(window) => window.trim(packet.pts.get(), &mut samples, channels),
            None => self.place(packet, rate),
        };
        if samples.is_empty() {
            return Ok(None);
        }
        let frames = (samples.len() / usize::from(channels)) as u64;
        self.expected = Some(start.saturating_add_unsigned(frames));
        Ok(Some(Chunk { samples, start, frames, rate, channels }))
    }

    /// Where the samples of a packet belong. Coarse clocks round: what follows on within a few ticks follows exactly.
    fn place(&mut self, packet: &Packet, rate: u32) -> i64 {
        let trimmed = i64::try_from(packet.trim_start.get()).unwrap_or(i64::MAX);
        let (at, tick) = self.track.frame(packet.pts.get(), rate);
        let at = at.saturating_add(trimmed);
        if self.chain == Chain::Begins {
            self.chain = Chain::Goes;
            self.shift = self.expected.unwrap_or(at).saturating_sub(at);
        }
        let at = at.saturating_add(self.shift);
        match self.expected {
            Some(expected) if tick > 1 && at.abs_diff(expected) <= 2 * tick => expected,
            // A packet of AAC begins at a multiple of its length, whatever the clock could express.
            None if tick > 1 && self.track.codec == well_known::CODEC_ID_AAC => {
                (at.saturating_add(512)).div_euclid(1024) * 1024
            }
            _ => at,
        }
    }

    /// Another stream begins in the same file: new headers, new decoder, the count goes on.
    fn follow_chain(&mut self) -> Result<(), Error> {
        (self.track, self.decoder) = AudioTrack::select(self.format.as_ref())?;
        self.chain = Chain::Begins;
        Ok(())
    }

    fn count_damage(&mut self, error: MediaError) -> Result<(), Error> {
        self.damaged += 1;
        tracing::debug!(%error, "a packet is damaged");
        if self.damaged > MAX_DAMAGED {
            return Err(explained(error));
        }
        self.damage = Some(error);
        if self.damaged == STALE_DECODER {
            self.renew_decoder();
        }
        Ok(())
    }

    fn renew_decoder(&mut self) {
        let mut tracks = self.format.tracks().iter();
        let track = tracks.find(|track| track.id == self.track.id);
        match track.map(|track| self.track.decoder(track, !self.is_in_the_middle())) {
            Some(Ok(decoder)) => self.decoder = decoder,
            // It could be made before; should that change, the old one goes on.
            _ => self.decoder.reset(),
        }
    }
}

impl Window {
    /// Cuts off what lies outside of the whole file's frames, and says where the rest begins.
    fn trim(self, pts: i64, samples: &mut Vec<f32>, channels: u16) -> i64 {
        let channels = usize::from(channels);
        let frames = samples.len() / channels;
        let begin = self.first.saturating_add(pts);
        let within = |edge: i64| {
            let frame = edge.saturating_sub(begin).clamp(0, i64::try_from(frames).unwrap_or(0));
            usize::try_from(frame).unwrap_or(0)
        };
        let end = self.total.and_then(|total| i64::try_from(total).ok()).map_or(frames, within);
        let start = within(0).min(end);
        samples.truncate(end * channels);
        samples.drain(..start * channels);
        begin.saturating_add_unsigned(start as u64)
    }
}
