//! Presentation time: where on the playlist's timeline the media's own times lie.

use core::time::Duration;

use super::media::{MediaTime, TrackConfig};

/// Places media times on the playlist's timeline, by one anchor per discontinuity that all variants share.
#[derive(Clone, Debug, Default)]
pub struct Clock {}

impl Clock {
    /// A clock without anchors.
    pub fn new() -> Self {
        Self::default()
    }

    /// Where a segment begins. `time` is its first frame's ([`Filter::media_start`](super::media::Filter::media_start)),
    /// `playlist_start` and `segment` what the playlist says of its start and its length.
    pub fn place(
        &mut self,
        discontinuity: u64,
        time: Option<MediaTime>,
        track: Option<&TrackConfig>,
        playlist_start: Duration,
        segment: Duration,
    ) -> Placed {
        let _ = (discontinuity, time, track, segment);
        Placed { start: PresentationTime::from(playlist_start), anchored: false, timed: false }
    }

    /// Where a time lies by the anchor that there is, without making one. `near` is where the playlist says it lies.
    pub fn at(
        &self,
        discontinuity: u64,
        time: MediaTime,
        track: Option<&TrackConfig>,
        near: Duration,
    ) -> Option<PresentationTime> {
        let _ = (discontinuity, time, track, near);
        None
    }
}

/// Where a segment begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Its start. Negative where frames lie before the presentation: they are to be decoded and trimmed.
    pub start: PresentationTime,
    /// Whether this segment gave its discontinuity a new anchor.
    pub anchored: bool,
    /// Whether the media said when it begins; else `start` is the playlist's word (FAULTS C28).
    pub timed: bool,
}

/// A time on the playlist's timeline, exact: a fraction of a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PresentationTime {
    ticks: i128,
    timescale: u64,
}

impl PresentationTime {
    /// The nearest frame at this rate. Halves go up.
    pub fn frames(self, rate: u32) -> i64 {
        self.scaled(u64::from(rate))
    }

    /// The nearest nanosecond.
    pub fn nanos(self) -> i64 {
        self.scaled(1_000_000_000)
    }

    /// The nearest nanosecond as a duration; zero where it is negative.
    pub fn saturating_duration(self) -> Duration {
        Duration::from_nanos(u64::try_from(self.nanos()).unwrap_or(0))
    }

    fn scaled(self, per_second: u64) -> i64 {
        let scale = i128::from(self.timescale);
        let twice = self.ticks.saturating_mul(2 * i128::from(per_second)).saturating_add(scale);
        let nearest = twice.div_euclid(2 * scale);
        i64::try_from(nearest).unwrap_or(if nearest < 0 { i64::MIN } else { i64::MAX })
    }
}

impl From<Duration> for PresentationTime {
    fn from(time: Duration) -> Self {
        let nanos = i128::try_from(time.as_nanos()).unwrap_or(i128::from(i64::MAX));
        Self { ticks: nanos, timescale: 1_000_000_000 }
    }
}
