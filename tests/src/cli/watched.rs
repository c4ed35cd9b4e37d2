//! A stream with an eye on it: notes when the first read ends, and before it closes, what it came to.

use std::io::{self, Read, Seek, SeekFrom};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use infill_blocking::StreamHandle;
use infill_blocking::audio::{AudioSource, SourceControl};
use tokio::io::{AsyncRead, AsyncSeek, ReadBuf};

use super::session::Session;

/// A stream of either runtime.
pub trait Opened {
    /// A handle on it.
    fn handle(&self) -> StreamHandle;
}

/// A stream that is watched. It behaves like the stream in it.
#[derive(Debug)]
pub struct Watched<S> {
    /// Dropped before the stream.
    note: Note,
    stream: S,
}

#[derive(Debug)]
struct Note(Session);

impl Drop for Note {
    fn drop(&mut self) {
        self.0.note_stream();
    }
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S, session: Session) -> Self {
        Self { note: Note(session), stream }
    }
}

impl Watched<infill_tokio::FileStream> {
    /// The same stream for threads.
    #[must_use]
    pub fn into_blocking(self) -> Watched<infill_blocking::FileStream> {
        Watched { note: self.note, stream: self.stream.into_blocking() }
    }
}

impl Opened for infill_blocking::FileStream {
    fn handle(&self) -> StreamHandle {
        Self::handle(self)
    }
}

impl Opened for infill_tokio::FileStream {
    fn handle(&self) -> StreamHandle {
        Self::handle(self)
    }
}

impl<S: Read> Read for Watched<S> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let count = self.stream.read(buf)?;
        self.note.0.note_read();
        Ok(count)
    }
}

impl<S: Seek> Seek for Watched<S> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.stream.seek(to)
    }
}

impl<S: AudioSource> AudioSource for Watched<S> {
    fn byte_len(&self) -> Option<u64> {
        self.stream.byte_len()
    }

    fn is_seekable(&self) -> bool {
        self.stream.is_seekable()
    }

    fn control(&self) -> Box<dyn SourceControl> {
        self.stream.control()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        self.note.0.note_read();
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncSeek + Unpin> AsyncSeek for Watched<S> {
    fn start_seek(mut self: Pin<&mut Self>, to: SeekFrom) -> io::Result<()> {
        Pin::new(&mut self.stream).start_seek(to)
    }

    fn poll_complete(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<u64>> {
        Pin::new(&mut self.stream).poll_complete(cx)
    }
}
