//! A file that is read while it downloads.

use std::io::{self, Read, Seek, SeekFrom};

use crate::engine::{Access, Reader, seek_target};
use crate::handle::StreamHandle;
use crate::park;

/// A remote or local file: reads block until the bytes are there.
///
/// A read gives bytes, or 0 at the true end, or an error that names its cause ([`Error::from_io`](crate::Error::from_io)); it never fails with
/// `Interrupted`, `WouldBlock`, `TimedOut` or `UnexpectedEof`. A failed read can be tried again. Seeking moves the
/// position only, and asks for the bytes there at once if they are missing.
///
/// Dropping the last stream of a download (see [`FileStream::new_reader`]) closes it.
pub struct FileStream {
    reader: Reader,
    position: u64,
}

impl FileStream {
    #[doc(hidden)]
    pub fn of(mut reader: Reader) -> Self {
        reader.set_access(Access::Inline);
        Self { reader, position: 0 }
    }

    /// Reads at `offset`, without moving the stream's position: some bytes, or 0 at or after the true end. Several
    /// threads may do so at once.
    pub fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let mut guest = self.reader.guest(offset);
        park::block_on_poll(|cx| guest.poll_read_at(cx, offset, buf))
    }

    /// Another reader of the same download, at position 0. It reads the version that is current when it begins.
    #[must_use]
    pub fn new_reader(&self) -> Self {
        Self::of(self.reader.fork(0, Access::Inline))
    }

    /// The length of the whole file, if it is known: what the origin said, not what has arrived.
    pub fn byte_len(&self) -> Option<u64> {
        self.reader.resource()?.with_view(infill_core::View::len)
    }

    /// Whether a seek can be relative to the end. Without a known length, decoders should take the stream as one that
    /// can't be sought.
    pub fn is_seekable(&self) -> bool {
        self.byte_len().is_some()
    }

    /// The media type that the origin said, in lower case, without parameters.
    pub fn content_type(&self) -> Option<String> {
        let resource = self.reader.resource()?;
        resource.with_view(|view| view.facts().content_type.clone())
    }

    /// A handle, to look at it and to stop it from elsewhere.
    pub fn handle(&self) -> StreamHandle {
        StreamHandle::of(&self.reader)
    }
}

impl Read for FileStream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let (reader, position) = (&mut self.reader, self.position);
        let count = match reader.read_held(position, buf) {
            Some(count) => count,
            None => park::block_on_poll(|cx| reader.poll_read_at(cx, position, buf))?,
        };
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for FileStream {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = seek_target(to, self.position, self.byte_len())?;
        if target != self.position {
            self.position = target;
            self.reader.seek(target);
        }
        Ok(target)
    }

    fn stream_position(&mut self) -> io::Result<u64> {
        Ok(self.position)
    }
}

impl core::fmt::Debug for FileStream {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("FileStream")
            .field("url", &self.reader.track().url())
            .field("position", &self.position)
            .field("byte_len", &self.byte_len())
            .finish_non_exhaustive()
    }
}
