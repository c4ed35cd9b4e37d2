//! One demuxer and one decoder over the source: packets in, samples with their place in time out.
//!
//! A reader is thrown away after an error and after the end, for Symphonia does not say what it lost; making a new one
//! reads what is present already.

use std::io;
use std::sync::OnceLock;

use infill_core::Error;
use symphonia::core::codecs::audio::{AudioCodecId, AudioDecoder, AudioDecoderOptions, well_known};
use symphonia::core::errors::{Error as MediaError, SeekErrorKind};
use symphonia::core::formats::probe::{Hint, Probe};
use symphonia::core::formats::well_known::FORMAT_ID_OGG;
use symphonia::core::formats::{
    FormatId, FormatOptions, FormatReader, SeekMode, SeekTo, Track, TrackType,
};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::MetadataOptions;
use symphonia::core::packet::Packet;
use symphonia::core::units::{TimeBase, Timestamp};
use symphonia::default::{formats, meta};

use super::explain::{codec_name, explained, guarded, unsupported};
use super::mpeg::Landing;
use super::source::Shared;

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
    track: Selected,
    /// Set when the reader began in the middle of an MP3 file.
    window: Option<Window>,
    /// Where the next samples belong if nothing is missing.
    expected: Option<i64>,
    /// What to add to the clock after another stream began in the same file (chained Ogg).
    shift: i64,
    chain: Chain,
    damaged: u32,
    fresh: bool,
}

#[derive(Clone, Copy)]
struct Selected {
    id: u32,
    codec: AudioCodecId,
    time_base: Option<TimeBase>,
    start: i64,
    rate: Option<u32>,
    channels: Option<u16>,
    /// The frames that the container promises.
    total: Option<u64>,
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
        let format = judged(shared, format)?.map_err(explained)?;
        let window = Window {
            first: whole.start().saturating_add_unsigned(landing.frames_before),
            start: whole.start(),
            total: whole.total(),
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
        let (track, decoder) = selected(format.as_ref())?;
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
            fresh: true,
        })
    }

    pub(super) fn format(&self) -> FormatId {
        self.format.format_info().format
    }

    pub(super) fn is_mp3(&self) -> bool {
        self.track.codec == well_known::CODEC_ID_MP3
            && self.format() == symphonia::core::formats::well_known::FORMAT_ID_MP3
    }

    /// Frames a second and samples a frame, if the container says so.
    pub(super) fn declared(&self) -> Option<(u32, u16)> {
        self.track.rate.zip(self.track.channels)
    }

    /// The frames that the container promises, counted on its clock from 0.
    pub(super) fn total(&self) -> Option<u64> {
        self.window.map_or(self.track.total, |window| window.total)
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
            match judged(&self.shared, packet)? {
                Ok(None) => return Ok(None),
                Ok(Some(packet)) if packet.track_id != self.track.id => {}
                Ok(Some(packet)) => {
                    if let Some(chunk) = self.decode(packet)? {
                        return Ok(Some(chunk));
                    }
                }
                Err(MediaError::IoError(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    tracing::debug!("the audio is cut off");
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
        match judged(&self.shared, sought)? {
            Ok(_) => Ok(Sought::Before),
            Err(MediaError::SeekError(SeekErrorKind::OutOfRange)) if tracks == 1 => Ok(Sought::End),
            Err(error) => {
                tracing::debug!(%error, "the container can't seek there");
                Ok(Sought::Refused)
            }
        }
    }

    fn decode(&mut self, packet: Packet) -> Result<Option<Chunk>, Error> {
        let mut samples = Vec::new();
        let decoder = &mut self.decoder;
        let decoded = guarded(|| {
            let buffer = decoder.decode(&packet)?;
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
            None => self.place(&packet, rate),
        };
        if samples.is_empty() {
            return Ok(None);
        }
        let frames = (samples.len() / usize::from(channels)) as u64;
        self.expected = Some(start.saturating_add_unsigned(frames));
        Ok(Some(Chunk {
            samples,
            start,
            frames,
            rate,
            channels,
        }))
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
        (self.track, self.decoder) = selected(self.format.as_ref())?;
        self.chain = Chain::Begins;
        Ok(())
    }

    fn count_damage(&mut self, error: MediaError) -> Result<(), Error> {
        self.damaged += 1;
        tracing::debug!(%error, "a packet is damaged");
        if self.damaged > MAX_DAMAGED {
            return Err(explained(error));
        }
        if self.damaged == STALE_DECODER {
            self.renew_decoder();
        }
        Ok(())
    }

    fn renew_decoder(&mut self) {
        let options = AudioDecoderOptions::default().gapless(!self.is_in_the_middle());
        let mut tracks = self.format.tracks().iter();
        let track = tracks.find(|track| track.id == self.track.id);
        match track.map(|track| decoder_for(track, options)) {
            Some(Ok(decoder)) => self.decoder = decoder,
            // It could be made before; should that change, the old one goes on.
            _ => self.decoder.reset(),
        }
    }
}

impl Selected {
    fn new(track: &Track, codec: AudioCodecId) -> Self {
        let audio = track
            .codec_params
            .as_ref()
            .and_then(|params| params.audio());
        let rate = audio.and_then(|audio| audio.sample_rate);
        let mut selected = Self {
            id: track.id,
            codec,
            time_base: track.time_base,
            start: 0,
            rate,
            channels: audio
                .and_then(|audio| audio.channels.as_ref())
                .and_then(|channels| u16::try_from(channels.count()).ok())
                .filter(|&channels| channels > 0),
            total: track.num_frames,
        };
        selected.start = match codec {
            // Symphonia starts the clock of an MP3 file before 0 and trims up to there.
            well_known::CODEC_ID_MP3 => -i64::from(track.delay.unwrap_or(0)),
            _ => selected.frame(track.start_ts.get(), rate.unwrap_or(1)).0,
        };
        if let (None, Some(ticks), Some(rate)) = (selected.total, track.duration, rate) {
            let ticks = i64::try_from(ticks.get()).unwrap_or(i64::MAX);
            selected.total = u64::try_from(selected.frame(ticks, rate).0).ok();
        }
        selected.total = selected.total.filter(|&total| total > 0);
        selected
    }

    /// The frame at `ticks`, and how many frames a tick is (at least 1).
    fn frame(&self, ticks: i64, rate: u32) -> (i64, u64) {
        let Some(base) = self.time_base else {
            return (ticks, 1);
        };
        let numer = i128::from(base.numer.get()) * i128::from(rate);
        let denom = i128::from(base.denom.get());
        let frame = (i128::from(ticks) * numer + denom / 2).div_euclid(denom);
        let tick = u64::try_from((numer + denom - 1) / denom)
            .unwrap_or(1)
            .max(1);
        (i64::try_from(frame).unwrap_or(i64::MAX), tick)
    }

    /// The last tick that is not after `frame`.
    fn ticks(&self, frame: i64) -> i64 {
        let (Some(base), Some(rate)) = (self.time_base, self.rate) else {
            return frame;
        };
        let numer = i128::from(base.numer.get()) * i128::from(rate);
        let ticks = (i128::from(frame) * i128::from(base.denom.get())).div_euclid(numer.max(1));
        i64::try_from(ticks).unwrap_or(i64::MAX)
    }
}

impl Window {
    /// Cuts off what lies outside of the whole file's frames, and says where the rest begins.
    fn trim(self, pts: i64, samples: &mut Vec<f32>, channels: u16) -> i64 {
        let channels = usize::from(channels);
        let frames = samples.len() / channels;
        let begin = self.first.saturating_add(pts);
        let within = |edge: i64| {
            let frame = edge
                .saturating_sub(begin)
                .clamp(0, i64::try_from(frames).unwrap_or(0));
            usize::try_from(frame).unwrap_or(0)
        };
        let end = self
            .total
            .and_then(|total| i64::try_from(total).ok())
            .map_or(frames, within);
        let start = within(0).min(end);
        samples.truncate(end * channels);
        samples.drain(..start * channels);
        begin.saturating_add_unsigned(start as u64)
    }
}

/// The result of a call into Symphonia, unless the source failed meanwhile: then that, whatever became of it.
fn judged<T>(
    shared: &Shared,
    result: Result<T, MediaError>,
) -> Result<Result<T, MediaError>, Error> {
    match shared.failure() {
        Some(error) => Err(error),
        None => Ok(result),
    }
}

/// The container, and where in the source its stream begins.
fn probed(shared: &Shared) -> Result<(Box<dyn FormatReader>, u64), Error> {
    let base = after_tags(shared)?;
    let stream = MediaSourceStream::new(Box::new(shared.tap(base)), Default::default());
    let format = guarded(|| {
        probe().probe(
            &Hint::new(),
            stream,
            FormatOptions::default(),
            MetadataOptions::default(),
        )
    });
    Ok((judged(shared, format)?.map_err(explained)?, base))
}

/// Where the ID3v2 tags at the start end. They may hold megabytes of pictures: skipped, not read.
fn after_tags(shared: &Shared) -> Result<u64, Error> {
    let mut at = 0;
    let Some(len) = shared.seekable_len() else {
        return Ok(0);
    };
    loop {
        let head = shared.read_at(at, 10)?;
        let &[b'I', b'D', b'3', _, _, flags, a, b, c, d] = head.as_slice() else {
            return Ok(at);
        };
        if [a, b, c, d].iter().any(|&byte| byte >= 0x80) {
            return Ok(at);
        }
        let size = [a, b, c, d]
            .iter()
            .fold(0, |size, &byte| size << 7 | u64::from(byte));
        let footer = if flags & 0x10 == 0 { 0 } else { 10 };
        let end = at + 10 + size + footer;
        if end >= len {
            return Ok(at);
        }
        at = end;
    }
}

/// Symphonia's default probe reads the last bytes of every file once anything in the build enables its `id3v1` or
/// `ape`; over a network that is a request, for tags that nobody asked for. This one knows containers, and ID3v2 where
/// it can't be skipped.
fn probe() -> &'static Probe {
    static PROBE: OnceLock<Probe> = OnceLock::new();
    PROBE.get_or_init(|| {
        let mut probe = Probe::default();
        probe.register_format::<formats::AdtsReader<'_>>();
        probe.register_format::<formats::AiffReader<'_>>();
        probe.register_format::<formats::CafReader<'_>>();
        probe.register_format::<formats::FlacReader<'_>>();
        probe.register_format::<formats::IsoMp4Reader<'_>>();
        probe.register_format::<formats::MpaReader<'_>>();
        probe.register_format::<formats::OggReader<'_>>();
        probe.register_format::<formats::WavReader<'_>>();
        probe.register_metadata::<meta::Id3v2Reader<'_>>();
        probe
    })
}

/// The first audio track that can be decoded, the default one before the others; else why the first one can't.
fn selected(format: &dyn FormatReader) -> Result<(Selected, Box<dyn AudioDecoder>), Error> {
    let preferred = format.default_track(TrackType::Audio);
    let others = format.tracks().iter();
    let mut refused = None;
    for track in preferred.into_iter().chain(others) {
        let decoder = decoder_for(track, AudioDecoderOptions::default());
        match (decoder, audio_codec(track)) {
            (Ok(decoder), Some(codec)) => return Ok((Selected::new(track, codec), decoder)),
            (Err(error), Some(_)) => refused = refused.or(Some(error)),
            _ => {}
        }
    }
    Err(refused.unwrap_or_else(|| {
        let container = format.format_info().short_name;
        unsupported(format!(
            "no audio track of a known codec in this {container} file"
        ))
    }))
}

fn audio_codec(track: &Track) -> Option<AudioCodecId> {
    Some(track.codec_params.as_ref()?.audio()?.codec)
}

fn decoder_for(
    track: &Track,
    options: AudioDecoderOptions,
) -> Result<Box<dyn AudioDecoder>, Error> {
    let params = track
        .codec_params
        .as_ref()
        .and_then(|params| params.audio());
    let params = params.ok_or_else(|| unsupported("a track without audio".into()))?;
    let codecs = symphonia::default::get_codecs();
    guarded(|| codecs.make_audio_decoder(params, &options)).map_err(|error| {
        unsupported(match error {
            MediaError::Unsupported(why) => format!("{} audio ({why})", codec_name(params.codec)),
            error => format!("{} audio ({error})", codec_name(params.codec)),
        })
    })
}
