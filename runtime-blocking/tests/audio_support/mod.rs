//! Sources that misbehave, and Symphonia by itself over a whole file to compare with.
// Each test file uses a part of it.
#![allow(dead_code, unreachable_pub, missing_docs, clippy::unwrap_used)]

use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex};

use infill_blocking::audio::{Audio, AudioSource, SourceControl};
use infill_core::{Cause, Error};
use symphonia::core::codecs::audio::AudioDecoderOptions;
use symphonia::core::errors::Error as MediaError;
use symphonia::core::formats::TrackType;
use symphonia::core::formats::probe::Hint;
use symphonia::core::io::MediaSourceStream;

pub const FIXTURES: [&str; 10] = [
    "tone-cbr.mp3",
    "tone-vbr.mp3",
    "tone-plain.mp3",
    "tone-front.m4a",
    "tone-end.m4a",
    "tone.flac",
    "tone.ogg",
    "tone.wav",
    "tone-alac.m4a",
    "tone.aac",
];

pub fn fixture(name: &str) -> Vec<u8> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    std::fs::read(root.join("../tests/fixtures").join(name)).unwrap()
}

/// A source in memory, with a fault or two.
pub struct Source {
    bytes: Arc<[u8]>,
    position: u64,
    shared: Arc<Shared>,
}

/// The test's end of a [`Source`].
#[derive(Clone)]
pub struct Remote(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    seekable: bool,
    /// Reads at or past this byte fail, so many times.
    fault: Option<(u64, u32)>,
    /// Reads at or past this byte wait.
    gate: Option<u64>,
    waiting: bool,
    interrupted: bool,
    closed: bool,
    /// What was read, in order.
    reads: Vec<(u64, u64)>,
}

pub fn source(bytes: &[u8]) -> (Source, Remote) {
    let shared = Arc::new(Shared {
        state: Mutex::new(State {
            seekable: true,
            fault: None,
            gate: None,
            waiting: false,
            interrupted: false,
            closed: false,
            reads: Vec::new(),
        }),
        changed: Condvar::new(),
    });
    let source = Source { bytes: bytes.into(), position: 0, shared: shared.clone() };
    (source, Remote(shared))
}

impl Remote {
    fn set(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.0.state.lock().unwrap());
        self.0.changed.notify_all();
    }

    pub fn not_seekable(&self) {
        self.set(|state| state.seekable = false);
    }

    /// Reads at or past `byte` fail, `times` times.
    pub fn fail_from(&self, byte: u64, times: u32) {
        self.set(|state| state.fault = Some((byte, times)));
    }

    /// Reads at or past `byte` wait until the gate is opened.
    pub fn shut_from(&self, byte: u64) {
        self.set(|state| state.gate = Some(byte));
    }

    pub fn open_gate(&self) {
        self.set(|state| state.gate = None);
    }

    pub fn is_waiting(&self) -> bool {
        self.0.state.lock().unwrap().waiting
    }

    pub fn is_closed(&self) -> bool {
        self.0.state.lock().unwrap().closed
    }

    /// Bytes that were read for the first time since the last call.
    pub fn take_reads(&self) -> Vec<(u64, u64)> {
        std::mem::take(&mut self.0.state.lock().unwrap().reads)
    }

    /// Whether the source and everything that holds it are gone.
    pub fn is_alone(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }
}

/// The error of a [`Source`] that fails.
pub fn outage() -> Error {
    Error::new(Cause::Reset("the cable was cut".into())).with_offset(7)
}

impl Read for Source {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let mut state = self.shared.state.lock().unwrap();
        let end = self.position + buf.len() as u64;
        if let Some((byte, times)) = &mut state.fault
            && end > *byte
            && *times > 0
        {
            *times -= 1;
            return Err(outage().into());
        }
        while !state.closed && state.gate.is_some_and(|byte| end > byte) {
            if std::mem::take(&mut state.interrupted) {
                return Err(Error::new(Cause::Superseded).into());
            }
            state.waiting = true;
            state = self.shared.changed.wait(state).unwrap();
            state.waiting = false;
        }
        if state.closed {
            return Err(Error::new(Cause::Closed).into());
        }
        let rest = self.bytes.get(self.position as usize..).unwrap_or(&[]);
        let count = rest.len().min(buf.len());
        buf[..count].copy_from_slice(&rest[..count]);
        state.reads.push((self.position, self.position + count as u64));
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for Source {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let SeekFrom::Start(position) = to else {
            panic!("only absolute seeks are expected");
        };
        self.position = position;
        Ok(position)
    }
}

impl AudioSource for Source {
    fn byte_len(&self) -> Option<u64> {
        Some(self.bytes.len() as u64)
    }

    fn is_seekable(&self) -> bool {
        self.shared.state.lock().unwrap().seekable
    }

    fn control(&self) -> Box<dyn SourceControl> {
        Box::new(Remote(self.shared.clone()))
    }
}

impl SourceControl for Remote {
    fn interrupt(&self) {
        self.set(|state| state.interrupted = true);
    }

    fn clear_interrupt(&self) {
        self.set(|state| state.interrupted = false);
    }

    fn close(&self) {
        self.set(|state| state.closed = true);
    }

    fn error(&self) -> Option<Error> {
        None
    }
}

/// All samples of a file.
#[derive(Debug, PartialEq)]
pub struct Pcm {
    pub samples: Vec<f32>,
    pub rate: u32,
    pub channels: usize,
}

impl Pcm {
    pub fn frames(&self) -> usize {
        self.samples.len() / self.channels
    }
}

/// As Symphonia's own example decodes a file.
pub fn plain(bytes: &[u8]) -> Result<Pcm, MediaError> {
    let stream = MediaSourceStream::new(Box::new(Cursor::new(bytes.to_vec())), Default::default());
    let probe = symphonia::default::get_probe();
    let mut format = probe.probe(&Hint::new(), stream, Default::default(), Default::default())?;
    let track = format.default_track(TrackType::Audio);
    let (id, params) = track
        .and_then(|track| Some((track.id, track.codec_params.as_ref()?.audio()?.clone())))
        .ok_or(MediaError::Unsupported("no audio"))?;
    let codecs = symphonia::default::get_codecs();
    let mut decoder = codecs.make_audio_decoder(&params, &AudioDecoderOptions::default())?;
    let mut pcm = Pcm { samples: Vec::new(), rate: 0, channels: 1 };
    let mut samples: Vec<f32> = Vec::new();
    while let Ok(Some(packet)) = format.next_packet() {
        if packet.track_id != id {
            continue;
        }
        if let Ok(buffer) = decoder.decode(&packet) {
            buffer.copy_to_vec_interleaved(&mut samples);
            pcm.rate = buffer.spec().rate();
            pcm.channels = buffer.spec().channels().count();
            pcm.samples.extend_from_slice(&samples);
        }
    }
    Ok(pcm)
}

/// Everything from here to the end, and that the blocks follow each other.
pub fn rest(audio: &mut Audio) -> Result<Vec<f32>, Error> {
    let mut samples = Vec::new();
    let mut next = None;
    while let Some(block) = audio.next_block()? {
        assert_eq!(*next.get_or_insert(block.frame()), block.frame(), "blocks are contiguous");
        next = Some(block.frame() + block.frames() as u64);
        samples.extend_from_slice(block.samples());
    }
    Ok(samples)
}

/// The greatest difference of two signals.
pub fn difference(one: &[f32], two: &[f32]) -> f32 {
    assert_eq!(one.len(), two.len());
    one.iter().zip(two).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}
