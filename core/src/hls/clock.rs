//! Presentation time: where on the playlist's timeline the media's own times lie.
//!
//! Media counts from wherever its encoder began, and the playlist from 0. One anchor per discontinuity ties the two
//! together; all variants share it, for they are of one encoder's clock (RFC 8216, section 6.2.4), so that a switch is exact
//! to the frame whatever the playlists round.

use core::time::Duration;
use std::collections::BTreeMap;

use super::fraction::PresentationTime;
use super::media::{MediaTime, TrackConfig};

/// Fragmented MP4 that begins so near to where the playlist says begins there: what is left is its encoder's delay, or
/// rounding.
const NEAR: Duration = Duration::from_millis(250);
/// A segment that is off by more than its own length, and by more than this, gives a new anchor.
const OFF: Duration = Duration::from_secs(1);
/// Apple's packager begins packed audio and transport streams at 10 s, less its encoder's delay.
const APPLE_ORIGIN: i128 = 900_000;
/// That delay, in frames.
const APPLE_DELAY: i128 = 2112;

/// Places media times on the playlist's timeline, by one anchor per discontinuity that all variants share.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// What the media's clock says at presentation time 0, by discontinuity.
    anchors: BTreeMap<u64, PresentationTime>,
}

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
        let said = PresentationTime::from(playlist_start);
        let Some(time) = time else {
            return Placed { start: said, anchored: false, timed: false };
        };
        if let Some(start) = self.at(discontinuity, time, track, playlist_start)
            && start.is_within(said, segment.max(OFF))
        {
            return Placed { start, anchored: false, timed: true };
        }
        let media = edited(time, track);
        let anchor = if time.wraps {
            apple_anchor(time, track).filter(|_| playlist_start.is_zero())
        } else {
            Some(PresentationTime::ZERO).filter(|_| media.is_within(said, NEAR))
        };
        let anchor = anchor.unwrap_or_else(|| media.minus(said));
        self.anchors.insert(discontinuity, anchor);
        Placed { start: media.minus(anchor), anchored: true, timed: true }
    }

    /// Where a time lies by the anchor that there is, without making one. `near` is where the playlist says it lies.
    pub fn at(
        &self,
        discontinuity: u64,
        time: MediaTime,
        track: Option<&TrackConfig>,
        near: Duration,
    ) -> Option<PresentationTime> {
        let anchor = *self.anchors.get(&discontinuity)?;
        let place = edited(time, track).minus(anchor);
        if !time.wraps {
            return Some(place);
        }
        // Which turn of the 33 bits it is, the playlist says (FAULTS C29).
        let turn = PresentationTime::new(i128::from(time.turn()), u64::from(time.timescale));
        Some(place.turned_near(turn, near.into()))
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

/// The time at which what is decoded there plays: an edit list moves it (ISO/IEC 14496-12, section 8.6.6).
fn edited(time: MediaTime, track: Option<&TrackConfig>) -> PresentationTime {
    let place = PresentationTime::new(i128::from(time.ticks), u64::from(time.timescale));
    let edit = track.filter(|_| !time.wraps).and_then(|track| Some((track.edit?, track.timescale)));
    match edit {
        Some((edit, timescale)) => {
            let moved = i128::from(edit.media_time) - i128::from(edit.empty);
            place.minus(PresentationTime::new(moved, u64::from(timescale)))
        }
        None => place,
    }
}

/// The anchor of a stream that begins as Apple's packager lets it.
fn apple_anchor(time: MediaTime, track: Option<&TrackConfig>) -> Option<PresentationTime> {
    let rate = i128::from(track?.sample_rate).max(1);
    let scale = u64::from(MediaTime::MPEG);
    let first = PresentationTime::new(i128::from(time.ticks), u64::from(time.timescale));
    let delay = PresentationTime::new(APPLE_DELAY, u64::try_from(rate).ok()?);
    let origin = PresentationTime::new(APPLE_ORIGIN, scale);
    // Two ticks for rounding.
    let rounding = Duration::from_nanos(2 * 1_000_000_000 / u64::from(MediaTime::MPEG) + 1);
    first.plus(delay).is_within(origin, rounding).then_some(origin)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hls::media::Edit;

    const SEGMENT: Duration = Duration::from_secs(6);

    fn track(edit: Option<Edit>) -> TrackConfig {
        TrackConfig {
            codec: "mp4a.40.2".into(),
            fourcc: *b"mp4a",
            sample_rate: 44_100,
            channels: 2,
            timescale: 44_100,
            edit,
            setup: [].into(),
        }
    }

    fn mp4(ticks: i64) -> Option<MediaTime> {
        Some(MediaTime::new(ticks, 44_100))
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn fragments_near_0_are_anchored_there_and_exact_to_the_frame() {
        let mut clock = Clock::new();
        let track = track(None);
        let first = clock.place(0, mp4(0), Some(&track), Duration::ZERO, SEGMENT);
        assert_eq!((first.start.frames(44_100), first.anchored, first.timed), (0, true, true));
        let end = 264_192; // 258 frames of AAC: 5.99 s
        let second = clock.place(0, mp4(end), Some(&track), SEGMENT, SEGMENT);
        assert_eq!((second.start.frames(44_100), second.anchored), (end, false));
    }

    #[test]
    fn an_edit_list_puts_the_encoders_delay_before_the_beginning() {
        let track = track(Some(Edit { empty: 0, media_time: 1024 }));
        let first = Clock::new().place(0, mp4(0), Some(&track), Duration::ZERO, SEGMENT);
        assert_eq!(first.start.frames(44_100), -1024);
    }

    #[test]
    fn what_begins_elsewhere_is_moved_as_a_whole() {
        let mut clock = Clock::new();
        let track = track(None);
        let at = 44_100 * 1000;
        let first = clock.place(3, mp4(at), Some(&track), seconds(12), SEGMENT);
        assert_eq!(first.start.frames(44_100), 12 * 44_100);
        let second = clock.place(3, mp4(at + 300_000), Some(&track), seconds(18), SEGMENT);
        assert_eq!(second.start.frames(44_100), 12 * 44_100 + 300_000);
        let other = clock.place(4, mp4(0), Some(&track), seconds(24), SEGMENT);
        assert_eq!((other.start.frames(44_100), other.anchored), (24 * 44_100, true));
        let far = clock.place(3, mp4(0), Some(&track), seconds(30), SEGMENT);
        assert!(far.anchored, "off by more than a segment");
    }

    #[test]
    fn c28_without_a_timestamp_the_playlist_is_believed() {
        let placed = Clock::new().place(0, None, None, seconds(12), SEGMENT);
        assert_eq!((placed.start.frames(48_000), placed.timed), (12 * 48_000, false));
    }

    #[test]
    fn c29_33_bits_go_round() {
        let mut clock = Clock::new();
        let last = (1_u64 << 33) - 90_000 * 3;
        clock.place(0, Some(MediaTime::mpeg(last)), None, Duration::ZERO, SEGMENT);
        let after = Some(MediaTime::mpeg(last + 6 * 90_000));
        let second = clock.place(0, after, None, seconds(6), SEGMENT);
        assert_eq!((second.start.frames(48_000), second.anchored), (6 * 48_000, false));
        // Three turns later.
        let day = seconds(3 * 95_443) + Duration::from_nanos(3 * 717_688_889);
        let far = clock.at(0, MediaTime::mpeg(last), None, day).unwrap();
        assert!(far.is_within(day.into(), Duration::from_millis(1)), "{far:?}");
    }

    #[test]
    fn a_stream_of_apples_packager_begins_with_its_delay() {
        let track = track(None);
        let first = MediaTime::mpeg(900_000 - 2112 * 90_000 / 44_100);
        let placed = Clock::new().place(0, Some(first), Some(&track), Duration::ZERO, SEGMENT);
        assert_eq!(placed.start.frames(44_100), -2112);
        let other = MediaTime::mpeg(126_000);
        let placed = Clock::new().place(0, Some(other), Some(&track), Duration::ZERO, SEGMENT);
        assert_eq!(placed.start.frames(44_100), 0, "others begin where the playlist does");
    }
}
