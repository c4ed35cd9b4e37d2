//! A decode without any network, to compare with.

use std::io::{self, Cursor, Read, Seek, SeekFrom};

use infill_blocking::Error;
use infill_blocking::audio::{Audio, AudioSource, SourceControl};

/// What a decoder makes of these bytes without any network.
pub(crate) fn decoded(bytes: &'static [u8]) -> Result<Vec<f32>, Error> {
    samples(Memory(Cursor::new(bytes)))
}

/// All samples of a source.
pub(crate) fn samples(source: impl AudioSource) -> Result<Vec<f32>, Error> {
    let mut audio = Audio::open(source)?;
    let mut samples = Vec::new();
    while let Some(block) = audio.next_block()? {
        samples.extend_from_slice(block.samples());
    }
    Ok(samples)
}

/// Bytes in memory, as a source that never waits and never fails.
struct Memory(Cursor<&'static [u8]>);

impl Read for Memory {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf)
    }
}

impl Seek for Memory {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

impl AudioSource for Memory {
    fn byte_len(&self) -> Option<u64> {
        Some(self.0.get_ref().len() as u64)
    }

    fn is_seekable(&self) -> bool {
        true
    }

    fn control(&self) -> Box<dyn SourceControl> {
        Box::new(NothingToControl)
    }
}

/// A read that never waits needs no help from other threads.
struct NothingToControl;

impl SourceControl for NothingToControl {
    fn interrupt(&self) {}

    fn clear_interrupt(&self) {}

    fn close(&self) {}

    fn error(&self) -> Option<Error> {
        None
    }
}
