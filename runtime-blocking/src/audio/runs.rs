//! A presentation as a source of audio: one *run* after the other.
//!
//! A run is what one decoder can be given: a Media Initialization Section, if there is one, and consecutive segments of
//! one variant. It is read forward, and ends where the variant, the section or the discontinuity sequence number
//! changes, or where a segment can't be had. What follows is another run, whose place in time is known.

use core::time::Duration;

use infill_core::Error;
use infill_core::hls::media::Container;

use super::source::SourceControl;

/// A source that gives its audio in runs: an `HlsStream`, or anything else that behaves like one.
///
/// It begins at the start of the presentation. A call that can't be served yet blocks. After one that failed, the run is
/// over; whoever reads seeks to where it was, and thereby tries again.
pub trait RunSource: Send + 'static {
    /// The next run begins with the segment that holds `to`. Returns at once.
    fn seek(&mut self, to: Duration);

    /// Goes on to the next run, wherever the present one was left. `None` at the end of the presentation.
    ///
    /// It begins with the segment that holds the time at which the one before ended: what it has in common with that
    /// one is decoded and dropped.
    ///
    /// # Errors
    /// What the next segment can't be had for.
    fn next_run(&mut self) -> Result<Option<Run>, Error>;

    /// The run that [`RunSource::next_run`] gave begins after what is needed, and nothing of it was read: takes the
    /// segment before it, too. `None` if there is none, and then the run is as it was.
    ///
    /// # Errors
    /// As [`RunSource::next_run`].
    fn earlier_run(&mut self) -> Result<Option<Run>, Error>;

    /// Bytes of the run, as a decoder wants them: what [`infill_core::hls::media::Filter`] gives. 0 at its end, again and
    /// again; not before, unless `buf` is empty.
    ///
    /// # Errors
    /// What the bytes can't be had for.
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, Error>;

    /// The run can't be decoded, or not from `at` on: its variant is not taken any more. The next run is another
    /// variant's, and begins with the segment that holds `at`; it is an error if there is none.
    fn reject(&mut self, at: Duration, why: Error);

    /// How long the presentation is, as far as is known.
    fn duration(&self) -> Option<Duration>;

    /// What another thread needs while this one is blocked.
    fn control(&self) -> Box<dyn SourceControl>;
}

/// A run, before anything of it is read.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Run {
    /// Of which variant.
    pub variant: usize,
    /// Its first segment.
    pub segment: usize,
    /// The discontinuity sequence number of its segments: within one, all variants share a clock.
    pub discontinuity: u64,
    /// What it is made of.
    pub content: Content,
    /// The presentation time of its first frame, as the media says. It may lie before 0. `None` if the media says
    /// nothing; then it is `playlist_start`.
    pub start: Option<Start>,
    /// When its first segment begins, as the playlist says.
    pub playlist_start: Duration,
}

impl Run {
    /// The run of that variant that begins with that segment. The rest is set by hand.
    pub fn new(variant: usize, segment: usize, content: Content) -> Self {
        Self {
            variant,
            segment,
            discontinuity: 0,
            content,
            start: None,
            playlist_start: Duration::ZERO,
        }
    }
}

/// What a run is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Content {
    /// Bytes for a decoder.
    Media(Container),
    /// Nothing to read: silence, of this length (`EXT-X-GAP`).
    Gap(Duration),
}

/// When a run begins, on the presentation's timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// In units of `timescale`.
    pub ticks: i64,
    /// Units a second.
    pub timescale: u32,
    /// Whether the encoder's delay is accounted for: an edit list or the packager's habit tells it, or the codec has
    /// none. Otherwise the first frames may be priming.
    pub exact: bool,
}

impl Start {
    /// In frames at `rate`, rounded to the nearest.
    pub(super) fn frame(self, rate: u32) -> i64 {
        let scale = i128::from(self.timescale.max(1));
        let frames = (i128::from(self.ticks) * i128::from(rate) * 2 + scale).div_euclid(2 * scale);
        // Positions stay far from where sums of them overflow.
        i64::try_from(frames).unwrap_or(i64::MAX).clamp(i64::MIN >> 8, i64::MAX >> 8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_is_the_nearest_frame() {
        let start = |ticks, timescale| Start { ticks, timescale, exact: true };
        assert_eq!(start(90_000, 90_000).frame(44_100), 44_100);
        // 1024 frames at 44.1 kHz are 2089.8 ticks of 90 kHz.
        assert_eq!(start(2090, 90_000).frame(44_100), 1024);
        assert_eq!(start(-2090, 90_000).frame(44_100), -1024);
        assert_eq!(start(-1024, 48_000).frame(48_000), -1024);
        assert_eq!(start(i64::MIN, 0).frame(u32::MAX), i64::MIN >> 8);
    }
}
