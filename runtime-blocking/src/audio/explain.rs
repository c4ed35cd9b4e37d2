//! Symphonia's errors in infill's words, and its panics as errors.

use std::panic::{AssertUnwindSafe, catch_unwind};

use infill_core::{Cause, Error};
use symphonia::core::codecs::audio::{AudioCodecId, well_known as codec};
use symphonia::core::errors::Error as MediaError;

/// Calls into Symphonia. Damaged data must not take down the embedder's thread, whatever it does to a decoder.
pub(super) fn guarded<T>(call: impl FnOnce() -> Result<T, MediaError>) -> Result<T, MediaError> {
    catch_unwind(AssertUnwindSafe(call))
        .unwrap_or(Err(MediaError::DecodeError("the decoder panicked")))
}

/// What Symphonia found wrong with the data itself: its source has been asked before.
pub(super) fn explained(error: MediaError) -> Error {
    match error {
        MediaError::DecodeError(what) | MediaError::LimitError(what) => {
            unsupported(format!("damaged audio ({what})"))
        }
        MediaError::Unsupported("core (probe): no suitable format reader found") => {
            unsupported("this is no audio of a known format".into())
        }
        MediaError::Unsupported(what) => unsupported(what.into()),
        MediaError::IoError(error) => unsupported(format!("damaged audio, cut off ({error})")),
        error => unsupported(error.to_string()),
    }
}

pub(super) fn unsupported(what: String) -> Error {
    Error::new(Cause::Unsupported(what))
}

/// What a listener would call the codec.
pub(super) fn codec_name(id: AudioCodecId) -> &'static str {
    match id {
        codec::CODEC_ID_AAC => "AAC",
        codec::CODEC_ID_AC3 => "AC-3",
        codec::CODEC_ID_EAC3 => "E-AC-3",
        codec::CODEC_ID_AC4 => "AC-4",
        codec::CODEC_ID_ALAC => "ALAC",
        codec::CODEC_ID_DCA => "DTS",
        codec::CODEC_ID_FLAC => "FLAC",
        codec::CODEC_ID_MONKEYS_AUDIO => "Monkey's Audio",
        codec::CODEC_ID_MP1 => "MPEG audio layer 1",
        codec::CODEC_ID_MP2 => "MPEG audio layer 2",
        codec::CODEC_ID_MP3 => "MP3",
        codec::CODEC_ID_MUSEPACK => "Musepack",
        codec::CODEC_ID_OPUS => "Opus",
        codec::CODEC_ID_SPEEX => "Speex",
        codec::CODEC_ID_TRUEHD => "TrueHD",
        codec::CODEC_ID_VORBIS => "Vorbis",
        codec::CODEC_ID_WAVPACK => "WavPack",
        codec::CODEC_ID_WMA => "Windows Media Audio",
        _ => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error() {
        let result: Result<(), _> = guarded(|| panic!("on damaged data"));
        let error = explained(result.unwrap_err());
        assert_eq!(error.to_string(), "not supported: damaged audio (the decoder panicked)");
    }
}
