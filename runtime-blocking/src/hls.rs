//! A presentation that is read while it downloads.

use std::sync::Arc;
use std::time::Duration;

use infill_core::Error;
use infill_core::hls::{SegmentIndex, VirtualSpace};

use crate::engine::{Access, Pick, Reader, Run, Runs};
use crate::handle::StreamHandle;
use crate::park;

/// Where a stream reads: a segment, and a byte of its plaintext.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HlsPosition {
    /// The variant, by its index.
    pub variant: usize,
    /// The segment, by its place in the variant.
    pub segment: usize,
    /// The byte.
    pub byte: u64,
}

/// An HLS presentation: reads block until the bytes are there.
///
/// It gives its audio in [runs](Run): what one decoder can be given. A run ends where the variant, the init section or the
/// discontinuity changes; the next one begins with the segment that holds the time at which the last one ended, so that
/// what both have in common can be decoded and dropped, and nothing is lost. A segment is readable as it arrives, and
/// never handed out with a hole.
///
/// Dropping the last stream of a presentation closes it.
pub struct HlsStream {
    runs: Runs,
    space: VirtualSpace,
}

impl HlsStream {
    #[doc(hidden)]
    pub fn of(mut runs: Runs, stride_bits: u32) -> Self {
        runs.set_access(Access::Inline);
        Self { runs, space: VirtualSpace::new(stride_bits) }
    }

    /// Goes on to the next run, wherever the present one was left; `None` at the end of the presentation.
    ///
    /// # Errors
    /// [`Cause::PartialSegment`](crate::Cause::PartialSegment) where a segment can be had in no variant; what else its playlist or key can't be had for.
    pub fn next_run(&mut self) -> Result<Option<Run>, Error> {
        let runs = &mut self.runs;
        park::block_on_poll(|cx| runs.poll_next_run(cx))
    }

    /// Bytes of the run: its init section, then its segments, decrypted, without tags and other tracks; transport
    /// streams as frames of AAC or MPEG audio. 0 at its end.
    pub fn read(&mut self, buf: &mut [u8]) -> Result<usize, Error> {
        let runs = &mut self.runs;
        park::block_on_poll(|cx| runs.poll_read(cx, buf))
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
    pub fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, Error> {
        let (index, at) = self.space.locate(offset);
        let reader = self.runs.reader().fork(0, Access::Inline);
        let mut pick = Pick::new(reader, Arc::clone(self.runs.shared()), index, at);
        park::block_on_poll(|cx| pick.poll(cx, buf))
    }

    /// The virtual byte space: where [`HlsStream::read_at`] finds a segment.
    pub fn space(&self) -> VirtualSpace {
        self.space
    }

    /// The segments of a variant, once its playlist was loaded; `None` is the first variant of which that is so.
    pub fn segments(&self, variant: Option<usize>) -> Option<Arc<SegmentIndex>> {
        let what = self.runs.reader().track().presentation()?;
        match variant {
            Some(variant) => what.variants.get(variant)?.segments.clone(),
            None => what.variants.iter().find_map(|variant| variant.segments.clone()),
        }
    }

    /// How long it is in virtual bytes: the end of the last segment's.
    pub fn virtual_len(&self) -> Option<u64> {
        let count = self.segments(None)?.entries().len();
        self.space.offset_of(count, 0).ok()
    }

    /// How long it plays.
    pub fn duration(&self) -> Option<Duration> {
        self.handle().duration()
    }

    /// Where it reads; `None` before the first run.
    pub fn position(&self) -> Option<HlsPosition> {
        let (variant, segment, byte) = self.runs.position()?;
        Some(HlsPosition { variant, segment, byte })
    }

    /// Another reader of the same presentation, at its start.
    #[must_use]
    pub fn new_reader(&self) -> Self {
        Self { runs: self.runs.fork(Access::Inline), space: self.space }
    }

    /// A handle, to look at it and to stop it from elsewhere.
    pub fn handle(&self) -> StreamHandle {
        StreamHandle::of(self.reader())
    }

    fn reader(&self) -> &Reader {
        self.runs.reader()
    }
}

impl std::io::Read for HlsStream {
    /// The bytes of the run, as [`HlsStream::read`] gives them.
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        Ok(Self::read(self, buf)?)
    }
}

impl core::fmt::Debug for HlsStream {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("HlsStream")
            .field("url", &self.reader().track().url())
            .field("position", &self.position())
            .finish_non_exhaustive()
    }
}
