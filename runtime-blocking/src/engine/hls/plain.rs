//! The plaintext of one part, from its first byte to its last.

use std::task::{Context, Poll, ready};

use infill_core::Error;
use infill_core::hls::{Cipher, Decryptor};

use super::run::media_error;
use crate::engine::{Access, Reader};

/// How much is read at once.
const STEP: usize = 32 * 1024;

/// Reads a part in order and decrypts it.
pub(super) struct Plain {
    reader: Reader,
    at: u64,
    decryptor: Option<Decryptor>,
    raw: Vec<u8>,
    ended: bool,
}

impl Plain {
    pub(super) fn new(reader: Reader, cipher: Option<Cipher>) -> Self {
        let decryptor = cipher.map(Decryptor::new);
        Self { reader, at: 0, decryptor, raw: Vec::new(), ended: false }
    }

    pub(super) fn set_access(&mut self, access: Access) {
        self.reader.set_access(access);
    }

    /// Gives up a read that waits; it has moved nothing.
    pub(super) fn withdraw(&mut self) {
        self.reader.withdraw();
    }

    /// The reader of its bytes as they are stored.
    pub(super) fn into_reader(self) -> Reader {
        self.reader
    }

    /// Adds more plaintext to `out`; false at the proven end. A step may add nothing, under encryption.
    pub(super) fn poll_more(
        &mut self,
        cx: &mut Context<'_>,
        out: &mut Vec<u8>,
    ) -> Poll<Result<bool, Error>> {
        if self.ended {
            return Poll::Ready(Ok(false));
        }
        self.raw.resize(STEP, 0);
        let read = ready!(self.reader.poll_read_at(cx, self.at, &mut self.raw));
        let count = read.map_err(|error| cause_of(&error))?;
        self.at += count as u64;
        let result = match (&mut self.decryptor, self.raw.get(..count)) {
            (_, None | Some([])) => {
                self.ended = true;
                self.raw = Vec::new();
                self.decryptor.as_mut().map_or(Ok(()), |decryptor| decryptor.end(out))
            }
            (Some(decryptor), Some(raw)) => decryptor.push(raw, out),
            (None, Some(raw)) => {
                out.extend_from_slice(raw);
                Ok(())
            }
        };
        result.map_err(media_error)?;
        Poll::Ready(Ok(!self.ended))
    }
}

/// The cause of a failed read: all of them have one.
pub(super) fn cause_of(error: &std::io::Error) -> Error {
    Error::from_io(error).cloned().unwrap_or_else(|| {
        infill_core::Cause::Store(format!("a part can't be read: {error}")).into()
    })
}
