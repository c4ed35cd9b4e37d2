//! The decoding half of a run: seeks by time, and the whole as WAV or to nowhere.

use std::fs::File;
use std::io::BufWriter;
use std::time::Duration;

use infill_blocking::audio::{Audio, AudioSource};
use infill_blocking::{Error, ErrorKind};

use super::args::Options;
use super::failure::Failure;
use super::report::Position;
use super::session::Session;
use super::wav::{Wav, to_pcm};

impl Session {
    /// Decodes: each `--seek`, then all of it, to the WAV file or nowhere. Blocks.
    pub fn decode(&self, stream: impl AudioSource, options: &Options) -> Result<(), Failure> {
        let decoded = self.decode_stream(stream, options);
        match decoded {
            Err(Failure::Stream(error))
                if options.plays_to_nowhere() && error.kind() == ErrorKind::Unsupported =>
            {
                // Its bytes were asked for, whatever they are.
                Ok(())
            }
            other => other,
        }
    }

    fn decode_stream(&self, stream: impl AudioSource, options: &Options) -> Result<(), Failure> {
        let mut audio = Audio::open(stream)?;
        self.note_audio(audio.duration(), None);
        for &to in &options.seeks {
            let seeking = self.seeks(Position::Seconds(to));
            seeking.read(&a_second_from(&mut audio, to)?);
        }
        if options.wav.is_none() && !options.plays_to_nowhere() {
            return Ok(());
        }
        if !options.seeks.is_empty() {
            audio.seek(Duration::ZERO)?;
        }
        let frames = match &options.wav {
            Some(path) => {
                let file = File::create(path).map_err(Failure::output(path))?;
                let wav = Wav::new(BufWriter::new(file), audio.rate(), audio.channels());
                write_all(&mut audio, wav.map_err(Failure::output(path))?, options)?
            }
            None => count_all(&mut audio)?,
        };
        let rate = f64::from(audio.rate());
        let duration =
            audio.duration().unwrap_or_else(|| Duration::from_secs_f64(frames as f64 / rate));
        self.note_audio(Some(duration), Some(frames));
        Ok(())
    }
}

/// A second of samples from a time on, as 16-bit ones.
fn a_second_from(audio: &mut Audio, to: f64) -> Result<Vec<u8>, Error> {
    audio.seek(Duration::from_secs_f64(to))?;
    let wanted = audio.rate() as usize * usize::from(audio.channels());
    let mut samples = Vec::with_capacity(wanted);
    while samples.len() < wanted {
        let Some(block) = audio.next_block()? else {
            break;
        };
        let rest = wanted - samples.len();
        samples.extend(block.samples().iter().take(rest));
    }
    Ok(to_pcm(&samples).collect())
}

/// What was decoded before a failure is kept, and can be heard.
fn write_all(
    audio: &mut Audio,
    mut wav: Wav<BufWriter<File>>,
    options: &Options,
) -> Result<u64, Failure> {
    let path = options.wav.as_deref().unwrap_or("the WAV file".as_ref());
    let mut failure = None;
    loop {
        match audio.next_block() {
            Ok(Some(block)) => wav.write(block.samples()).map_err(Failure::output(path))?,
            Ok(None) => break,
            Err(error) => {
                failure = Some(error);
                break;
            }
        }
    }
    let frames = wav.finish().map_err(Failure::output(path))?;
    failure.map_or(Ok(frames), |error| Err(error.into()))
}

fn count_all(audio: &mut Audio) -> Result<u64, Error> {
    let mut frames = 0;
    while let Some(block) = audio.next_block()? {
        frames += block.frames() as u64;
    }
    Ok(frames)
}
