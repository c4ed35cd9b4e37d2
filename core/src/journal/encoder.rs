//! Writes records behind each other.

use core::fmt;

use super::frame::{self, HEAD_BYTES};
use super::{BLOCK_BYTES, HEADER_BYTES, Header, MAX_PAYLOAD, codec};
use crate::catalog::Record;

/// Where a journal ends, and what the next record looks like there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoder {
    epoch: u64,
    offset: u64,
}

impl Encoder {
    /// Behind the header of a new file. The header is not written here: [`Header::encode`].
    pub fn new(header: Header) -> Self {
        Self::at(header, HEADER_BYTES as u64)
    }

    /// Behind the last record of a file: [`Found::end`](super::Found::end).
    pub fn at(header: Header, end: u64) -> Self {
        let mut encoder = Self { epoch: header.epoch, offset: 0 };
        encoder.reset(end);
        encoder
    }

    /// How long the file is with all that was appended.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The file was cut back to an offset that [`Encoder::offset`] once was.
    pub fn reset(&mut self, offset: u64) {
        self.offset = offset.max(HEADER_BYTES as u64);
    }

    /// Appends what is to be written at [`Encoder::offset`], with the zeros that a block may need before it.
    ///
    /// # Errors
    ///
    /// If the record does not fit, nothing is appended, and the journal goes on without it. None is made by the machine
    /// that is so long.
    pub fn append(&mut self, record: &Record, out: &mut Vec<u8>) -> Result<(), TooLong> {
        let payload = codec::len(record).unwrap_or(u64::MAX);
        let error = TooLong { payload };
        let len = u16::try_from(payload).map_err(|_| error)?;
        if usize::from(len) > MAX_PAYLOAD {
            return Err(error);
        }
        let before = out.len();
        let within = (self.offset % BLOCK_BYTES as u64) as usize;
        let left = BLOCK_BYTES - within;
        let padding = if left < HEAD_BYTES + usize::from(len) { left } else { 0 };
        out.resize(before + padding, 0);
        let begin = out.len();
        frame::begin(len, out);
        if codec::write(record, out).is_none() {
            out.truncate(before);
            return Err(error);
        }
        frame::seal(&mut out[begin..], self.epoch, self.offset + padding as u64);
        self.offset += (out.len() - before) as u64;
        Ok(())
    }
}

/// A record does not fit into the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong {
    /// How long it is.
    pub payload: u64,
}

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let payload = self.payload;
        write!(
            f,
            "a record of {payload} bytes does not fit into the journal: the most is {MAX_PAYLOAD}"
        )
    }
}

impl core::error::Error for TooLong {}
