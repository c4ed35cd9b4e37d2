//! Plays a URL with kira.

use std::io::{self, Read, Seek, SeekFrom};

use infill_blocking::FileStream;
use kira::backend::Backend;
use kira::sound::FromFileError;
use kira::sound::streaming::{StreamingSoundData, StreamingSoundHandle};
use kira::{AudioManager, PlaySoundError};
use symphonia::core::io::MediaSource;

use crate::Any;

/// Plays `url`; the sound goes on after this returns.
pub fn play<B: Backend>(
    url: &str,
    manager: &mut AudioManager<B>,
) -> Result<StreamingSoundHandle<FromFileError>, Any> {
    let stream = infill_blocking::Client::new()?.open(url)?;
    let handle = stream.handle();
    let sound = StreamingSoundData::from_media_source(Media(stream));
    let played = sound.map(|sound| manager.play(sound));
    match played {
        Ok(Ok(sound)) => Ok(sound),
        // What went wrong with the bytes, where that is why the format is not known.
        Ok(Err(PlaySoundError::IntoSoundError(error))) | Err(error) => {
            Err(handle.error().map_or_else(|| error.into(), Any::from))
        }
        Ok(Err(PlaySoundError::SoundLimitReached)) => Err("too many sounds".into()),
    }
}

/// A stream as Symphonia, and so kira, wants it.
pub struct Media(pub FileStream);

impl Read for Media {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf)
    }
}

impl Seek for Media {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

impl MediaSource for Media {
    fn is_seekable(&self) -> bool {
        self.0.is_seekable()
    }

    fn byte_len(&self) -> Option<u64> {
        self.0.byte_len()
    }
}
