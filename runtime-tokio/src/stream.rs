//! A file that is read while it downloads.

use std::future::poll_fn;
use std::io::{self, Seek, SeekFrom};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use infill_blocking::StreamHandle;
use infill_blocking::engine::{Access, Reader, seek_target};
use tokio::io::{AsyncRead, AsyncSeek, ReadBuf};
use tokio::task::coop;

/// How much of a buffer is filled, and zeroed before, at once.
const STEP_BYTES: usize = 128 * 1024;

/// A remote or local file: reads wait, without blocking, until the bytes are there.
///
/// A read gives bytes, or 0 at the true end, or an error that names its cause ([`Error::from_io`](crate::Error::from_io)); it never fails with
/// `Interrupted`, `WouldBlock`, `TimedOut` or `UnexpectedEof`. A failed read can be tried again. A read that is dropped
/// before it is ready has moved nothing and lost nothing. Seeking moves the position only, and asks for the bytes there
/// at once if they are missing.
///
/// Reads may be polled from any task and any runtime, or from none; the work is done on the client's runtime. Dropping
/// the last stream of a download (see [`FileStream::new_reader`]) closes it.
pub struct FileStream {
    reader: Reader,
    position: u64,
    /// A seek that was started.
    target: Option<u64>,
}

impl FileStream {
    pub(crate) fn of(reader: Reader, position: u64) -> Self {
        Self { reader, position, target: None }
    }

    /// Reads at `offset`, without moving the stream's position: some bytes, or 0 at or after the true end. Several such
    /// reads may wait at once.
    pub async fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let mut guest = self.reader.guest(offset);
        poll_fn(|cx| guest.poll_read_at(cx, offset, buf)).await
    }

    /// Another reader of the same download, at position 0. It reads the version that is current when it begins.
    #[must_use]
    pub fn new_reader(&self) -> Self {
        Self::of(self.reader.fork(0, Access::Hop), 0)
    }

    /// The same stream, at the same position, for threads: `Read + Seek`, for decoders. It needs no runtime to be used
    /// in, but the client's must go on running elsewhere: don't block the only thread of a current-thread runtime with
    /// it.
    #[must_use]
    pub fn into_blocking(mut self) -> infill_blocking::FileStream {
        self.complete_seek();
        let position = self.position;
        let mut stream = infill_blocking::FileStream::of(self.reader);
        // A seek to a position fails only where there is no such position, and the stream stands at this one.
        let sought = stream.seek(SeekFrom::Start(position));
        debug_assert!(matches!(sought, Ok(to) if to == position));
        stream
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

    fn complete_seek(&mut self) {
        if let Some(target) = self.target.take()
            && target != self.position
        {
            self.position = target;
            self.reader.seek(target);
        }
    }
}

impl AsyncRead for FileStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // Bytes that are here would keep a copying task busy for ever: others shall have their turn.
        let turn = ready!(coop::poll_proceed(cx));
        self.complete_seek();
        let position = self.position;
        let space = buf.initialize_unfilled_to(buf.remaining().min(STEP_BYTES));
        let count = match self.reader.read_held(position, space) {
            Some(count) => count,
            None => ready!(self.reader.poll_read_at(cx, position, space))?,
        };
        turn.made_progress();
        buf.advance(count);
        self.position += count as u64;
        Poll::Ready(Ok(()))
    }
}

impl AsyncSeek for FileStream {
    /// Starts a seek; one that was started and not completed is replaced, as if it had never been.
    fn start_seek(mut self: Pin<&mut Self>, to: SeekFrom) -> io::Result<()> {
        let target = seek_target(to, self.position, self.byte_len())?;
        self.target = Some(target);
        Ok(())
    }

    fn poll_complete(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<u64>> {
        self.complete_seek();
        Poll::Ready(Ok(self.position))
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
