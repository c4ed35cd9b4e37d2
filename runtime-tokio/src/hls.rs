//! A presentation that is read while it downloads.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use infill_blocking::engine::{Access, Pick, Reader, Runs};
use infill_blocking::{Error, Run, SegmentIndex, StreamHandle, VirtualSpace};

/// An HLS presentation: reads wait, without blocking, until the bytes are there.
///
/// It gives its audio in [runs](Run): what one decoder can be given. A run ends where the variant, the init section or the
/// discontinuity changes; the next one begins with the segment that holds the time at which the last one ended, so that
/// what both have in common can be decoded and dropped, and nothing is lost. A segment is readable as it arrives, and
/// never handed out with a hole. A call that is dropped before it is ready has moved nothing.
///
/// Dropping the last stream of a presentation closes it.
pub struct HlsStream {
    runs: Runs,
    stride_bits: u32,
}

impl HlsStream {
    pub(crate) fn of(runs: Runs, stride_bits: u32) -> Self {
        Self { runs, stride_bits }
    }

    /// Goes on to the next run, wherever the present one was left; `None` at the end of the presentation.
    ///
    /// # Errors
    /// [`Cause::PartialSegment`](crate::Cause::PartialSegment) where a segment can be had in no variant; what else its
    /// playlist or key can't be had for.
    pub async fn next_run(&mut self) -> Result<Option<Run>, Error> {
        poll_fn(|cx| self.runs.poll_next_run(cx)).await
    }

    /// Bytes of the run: its init section, then its segments, decrypted, without tags and other tracks; transport
    /// streams as frames of AAC or MPEG audio. 0 at its end.
    pub async fn read(&mut self, buf: &mut [u8]) -> Result<usize, Error> {
        poll_fn(|cx| self.runs.poll_read(cx, buf)).await
    }

    /// The next run begins with the segment that holds `to`. Returns at once.
    pub fn seek(&mut self, to: Duration) {
        self.runs.seek(to);
    }

    /// The run can't be decoded from `at` on: its variant is not played any more, and the next run is another one's.
    pub fn reject(&mut self, at: Duration, why: Error) {
        self.runs.reject(at, why);
    }

    /// Reads the plaintext of a segment at a [virtual offset](VirtualSpace), without moving the stream: some bytes, or 0 at
    /// the segment's end. The bytes of one segment are one variant's.
    ///
    /// # Errors
    /// As [`HlsStream::next_run`].
    pub async fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, Error> {
        let (index, at) = self.space().locate(offset);
        let reader = self.reader().fork(0, Access::Hop);
        let mut pick = Pick::new(reader, Arc::clone(self.runs.shared()), index, at);
        poll_fn(|cx| pick.poll(cx, buf)).await
    }

    /// The virtual byte space: where [`HlsStream::read_at`] finds a segment.
    pub fn space(&self) -> VirtualSpace {
        VirtualSpace::new(self.stride_bits)
    }

    /// The segments of a variant, once its playlist was loaded; `None` is the first variant of which that is so.
    pub fn segments(&self, variant: Option<usize>) -> Option<Arc<SegmentIndex>> {
        let what = self.reader().track().presentation()?;
        match variant {
            Some(variant) => what.variants.get(variant)?.segments.clone(),
            None => what.variants.iter().find_map(|variant| variant.segments.clone()),
        }
    }

    /// How long it plays.
    pub fn duration(&self) -> Option<Duration> {
        self.handle().duration()
    }

    /// The same stream, at the same place, for threads and decoders. It needs no runtime to be used in, but the client's
    /// must go on running elsewhere.
    #[must_use]
    pub fn into_blocking(self) -> infill_blocking::HlsStream {
        infill_blocking::HlsStream::of(self.runs, self.stride_bits)
    }

    /// Another reader of the same presentation, at its start.
    #[must_use]
    pub fn new_reader(&self) -> Self {
        Self { runs: self.runs.fork(Access::Hop), stride_bits: self.stride_bits }
    }

    /// A handle, to look at it and to stop it from elsewhere.
    pub fn handle(&self) -> StreamHandle {
        StreamHandle::of(self.reader())
    }

    fn reader(&self) -> &Reader {
        self.runs.reader()
    }
}

impl core::fmt::Debug for HlsStream {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("HlsStream")
            .field("url", &self.reader().track().url())
            .field("position", &self.runs.position())
            .finish_non_exhaustive()
    }
}
