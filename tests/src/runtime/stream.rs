//! A stream of either runtime.

use std::io::{self, Read, Seek, SeekFrom};

use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};

use super::{Error, StreamHandle, tokio_runtime};
use crate::origin::first_difference;

/// A stream of either runtime, to be read by a thread.
#[derive(Debug)]
pub enum Stream {
    /// Of `infill-blocking`.
    Blocking(infill_blocking::FileStream),
    /// Of `infill-tokio`.
    Tokio(infill_tokio::FileStream),
}

/// What reading to an end gave.
#[derive(Debug)]
pub struct Reading {
    /// How many bytes, all of them right.
    pub count: u64,
    /// How it ended: the true end, or an error.
    pub end: Result<(), Error>,
}

impl Stream {
    /// Reads at a position, beside the stream.
    pub fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Blocking(stream) => stream.read_at(offset, buf),
            Self::Tokio(stream) => tokio_runtime().block_on(stream.read_at(offset, buf)),
        }
    }

    /// Another reader of the same download.
    #[must_use]
    pub fn new_reader(&self) -> Self {
        match self {
            Self::Blocking(stream) => Self::Blocking(stream.new_reader()),
            Self::Tokio(stream) => Self::Tokio(stream.new_reader()),
        }
    }

    /// The length, if known.
    pub fn byte_len(&self) -> Option<u64> {
        match self {
            Self::Blocking(stream) => stream.byte_len(),
            Self::Tokio(stream) => stream.byte_len(),
        }
    }

    /// Whether it can be sought from the end.
    pub fn is_seekable(&self) -> bool {
        match self {
            Self::Blocking(stream) => stream.is_seekable(),
            Self::Tokio(stream) => stream.is_seekable(),
        }
    }

    /// The media type.
    pub fn content_type(&self) -> Option<String> {
        match self {
            Self::Blocking(stream) => stream.content_type(),
            Self::Tokio(stream) => stream.content_type(),
        }
    }

    /// A handle.
    pub fn handle(&self) -> StreamHandle {
        match self {
            Self::Blocking(stream) => stream.handle(),
            Self::Tokio(stream) => stream.handle(),
        }
    }

    /// Reads from where it stands to an end, and compares all of it with the content of `seed`.
    ///
    /// # Panics
    /// At the first wrong byte, and if an error is not one of infill's.
    pub fn read_on(&mut self, seed: u64) -> Reading {
        self.read_most(seed, u64::MAX)
    }

    /// As [`read_on`](Self::read_on), but no more than `most` bytes.
    ///
    /// # Panics
    /// As [`read_on`](Self::read_on).
    pub fn read_most(&mut self, seed: u64, most: u64) -> Reading {
        let mut at = self.stream_position().expect("a position is always known");
        let mut buf = vec![0; 16 * 1024];
        let mut count = 0;
        loop {
            let want = buf.len().min((most - count) as usize);
            let end = match self.read(&mut buf[..want]) {
                Ok(0) => Ok(()),
                Ok(some) => {
                    let wrong = first_difference(seed, at, &buf[..some]);
                    assert_eq!(wrong, None, "a wrong byte");
                    at += some as u64;
                    count += some as u64;
                    continue;
                }
                Err(error) => Err(of_infill(&error)),
            };
            return Reading { count, end };
        }
    }

    /// Seeks to `at`, reads `len` bytes (or up to the end), and compares them.
    ///
    /// # Panics
    /// If one is wrong, or one is not to be had.
    pub fn check_at(&mut self, seed: u64, at: u64, len: u64) {
        let to = self.seek(SeekFrom::Start(at)).expect("a seek moves only");
        assert_eq!(to, at);
        let due = self.byte_len().map_or(len, |total| total.saturating_sub(at).min(len));
        let reading = self.read_most(seed, len);
        assert_eq!(reading.end.err(), None, "reading at {at}");
        assert_eq!(reading.count, due, "reading at {at}");
    }
}

/// The error of infill that an IO error is.
///
/// # Panics
/// If it is none: infill's streams give no others.
pub fn of_infill(error: &io::Error) -> Error {
    let inner = Error::from_io(error);
    inner.unwrap_or_else(|| panic!("not an error of infill: {error:?}")).clone()
}

impl Read for Stream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Blocking(stream) => stream.read(buf),
            Self::Tokio(stream) => tokio_runtime().block_on(stream.read(buf)),
        }
    }
}

impl Seek for Stream {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match self {
            Self::Blocking(stream) => stream.seek(to),
            Self::Tokio(stream) => tokio_runtime().block_on(stream.seek(to)),
        }
    }
}
