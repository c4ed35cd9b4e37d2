//! Reads a journal block by block, so that the memory that it takes doesn't depend on the file.

use super::frame::{self, HEAD_BYTES, Next};
use super::{BLOCK_BYTES, HEADER_BYTES, Header, codec};
use crate::catalog::Record;

/// Finds the records of a file.
#[derive(Clone, Debug)]
pub struct Reader {
    epoch: u64,
    /// Where the next block begins.
    offset: u64,
    found: Found,
    /// Damaged blocks behind the last record: the end of the file, unless another record follows.
    doubtful: u64,
    /// So many zeros ended the last block, if zeros did: the next record must not have fitted.
    padding: usize,
}

/// What a file held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where the last record ends: what follows is to be cut off, and the next record goes there.
    pub end: u64,
    /// How many records there were.
    pub records: u64,
    /// How many blocks before that end had a part that was no record. What was cut off a file's end doesn't count: that
    /// is how a killed process leaves it.
    pub damaged: u64,
}

impl Reader {
    /// At the beginning of a file with that header.
    pub fn new(header: Header) -> Self {
        let found = Found { end: HEADER_BYTES as u64, records: 0, damaged: 0 };
        Self { epoch: header.epoch, offset: 0, found, doubtful: 0, padding: 0 }
    }

    /// Takes the next [`BLOCK_BYTES`] of the file, the first with the header in it; only the last may be shorter. Calls
    /// `each` with each record, in order.
    pub fn block(&mut self, bytes: &[u8], mut each: impl FnMut(Record<&str>)) {
        let bytes = &bytes[..bytes.len().min(BLOCK_BYTES)];
        let begin = if self.offset == 0 { HEADER_BYTES.min(bytes.len()) } else { 0 };
        let mut at = begin;
        let mut padding = core::mem::take(&mut self.padding);
        loop {
            let rest = &bytes[at..];
            let offset = self.offset + at as u64;
            let (len, record) = match frame::next(rest, self.epoch, offset) {
                Next::Record(payload) => (HEAD_BYTES + payload.len(), codec::read(payload)),
                // No block is without a record that others follow.
                Next::Padding if at > begin => {
                    self.padding = rest.len();
                    break;
                }
                Next::Padding | Next::Damage => (0, None),
            };
            let Some(record) = record else {
                self.doubtful += 1;
                break;
            };
            // Where there was room for it, no zeros but a record that is lost stood before it.
            self.doubtful += u64::from(len <= core::mem::take(&mut padding));
            at += len;
            self.found.end = self.offset + at as u64;
            self.found.records += 1;
            self.found.damaged += core::mem::take(&mut self.doubtful);
            each(record);
        }
        self.offset += BLOCK_BYTES as u64;
    }

    /// Takes a whole file that is in memory.
    pub fn file(mut self, bytes: &[u8], mut each: impl FnMut(Record<&str>)) -> Found {
        for block in bytes.chunks(BLOCK_BYTES) {
            self.block(block, &mut each);
        }
        self.finish()
    }

    /// What there was.
    pub fn finish(self) -> Found {
        self.found
    }
}
