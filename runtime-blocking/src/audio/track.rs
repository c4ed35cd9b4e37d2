//! The track that is decoded, its clock and its decoder.

use infill_core::Error;
use symphonia::core::codecs::audio::{
    AudioCodecId, AudioCodecParameters, AudioDecoder, AudioDecoderOptions, well_known,
};
use symphonia::core::errors::Error as MediaError;
use symphonia::core::formats::well_known::FORMAT_ID_ADTS;
use symphonia::core::formats::{FormatId, FormatReader, Track, TrackType};
use symphonia::core::units::TimeBase;

use super::explain::{codec_name, guarded, unsupported};

/// An audio track of a container.
#[derive(Clone, Copy)]
pub(super) struct AudioTrack {
    pub(super) id: u32,
    pub(super) codec: AudioCodecId,
    time_base: Option<TimeBase>,
    pub(super) start: i64,
    pub(super) rate: Option<u32>,
    pub(super) channels: Option<u16>,
    /// The frames that the container promises.
    pub(super) total: Option<u64>,
    /// Whether `total` was computed from the length in bytes.
    pub(super) is_estimate: bool,
}

impl AudioTrack {
    /// The first audio track that can be decoded, the default one before the others, and its decoder; else why the first
    /// one can't.
    pub(super) fn select(
        format: &dyn FormatReader,
    ) -> Result<(Self, Box<dyn AudioDecoder>), Error> {
        let preferred = format.default_track(TrackType::Audio);
        let info = format.format_info();
        let mut refused = None;
        for track in preferred.into_iter().chain(format.tracks()) {
            let Some(codec) = audio_params(track).map(|params| params.codec) else {
                continue;
            };
            let selected = Self::new(track, codec, info.format);
            match selected.decoder(track, true) {
                Ok(decoder) => return Ok((selected, decoder)),
                Err(error) => refused = refused.or(Some(error)),
            }
        }
        let container = info.short_name;
        Err(refused.unwrap_or_else(|| {
            unsupported(format!("no audio track of a known codec in this {container} file"))
        }))
    }

    /// A decoder for this track, which trims what the container says.
    pub(super) fn decoder(
        &self,
        track: &Track,
        trims: bool,
    ) -> Result<Box<dyn AudioDecoder>, Error> {
        // Symphonia cuts MP3 off at its estimate: one file with a variable rate and no tag lost 7 %.
        let trims = trims && !(self.codec == well_known::CODEC_ID_MP3 && self.is_estimate);
        let params =
            audio_params(track).ok_or_else(|| unsupported("a track without audio".into()))?;
        let options = AudioDecoderOptions::default().gapless(trims);
        let codecs = symphonia::default::get_codecs();
        guarded(|| codecs.make_audio_decoder(params, &options)).map_err(|error| {
            let name = codec_name(params.codec);
            unsupported(match error {
                MediaError::Unsupported("core (codec): unsupported audio codec") => {
                    format!("{name} audio")
                }
                MediaError::Unsupported(why) => format!("{name} audio of this kind ({why})"),
                error => format!("{name} audio ({error})"),
            })
        })
    }

    fn new(track: &Track, codec: AudioCodecId, format: FormatId) -> Self {
        let audio = audio_params(track);
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
            // Symphonia estimates for ADTS, and for MP3 without a tag. One that holds no encoder delay is as good as none.
            is_estimate: match codec {
                well_known::CODEC_ID_MP3 => track.delay.is_none(),
                _ => track.num_frames.is_none() || format == FORMAT_ID_ADTS,
            },
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
        // Fragmented MP4 says 0 or all ones for 'unknown'.
        let is_known = |total: &u64| (1..u64::MAX >> 16).contains(total);
        selected.total = selected.total.filter(is_known);
        selected
    }

    /// The frame at `ticks`, and how many frames a tick is (at least 1).
    pub(super) fn frame(&self, ticks: i64, rate: u32) -> (i64, u64) {
        let Some(base) = self.time_base else {
            return (ticks, 1);
        };
        let numer = i128::from(base.numer.get()) * i128::from(rate);
        let denom = i128::from(base.denom.get());
        let frame = (i128::from(ticks) * numer + denom / 2).div_euclid(denom);
        let tick = u64::try_from((numer + denom - 1) / denom).unwrap_or(1).max(1);
        (i64::try_from(frame).unwrap_or(i64::MAX), tick)
    }

    /// The last tick that is not after `frame`.
    pub(super) fn ticks(&self, frame: i64) -> i64 {
        let (Some(base), Some(rate)) = (self.time_base, self.rate) else {
            return frame;
        };
        let numer = i128::from(base.numer.get()) * i128::from(rate);
        let ticks = (i128::from(frame) * i128::from(base.denom.get())).div_euclid(numer.max(1));
        i64::try_from(ticks).unwrap_or(i64::MAX)
    }
}

fn audio_params(track: &Track) -> Option<&AudioCodecParameters> {
    track.codec_params.as_ref()?.audio()
}
