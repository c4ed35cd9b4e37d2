//! When the frames of a segment play, and how many they are.

use crate::hls::media::MediaTime;

/// Counts the frames of a segment, and knows their times by those that have one.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::hls::media) struct Tally {
    rate: u32,
    frames: u64,
    samples: u64,
    start: Option<MediaTime>,
    /// The time that was given last, and the samples before it.
    last: Option<(MediaTime, u64)>,
}

impl Tally {
    /// The tally of the segment that follows: its first frame plays where the last one ended, unless its time is given.
    pub(in crate::hls::media) fn next(&self) -> Self {
        Self { rate: self.rate, last: self.end().map(|end| (end, 0)), ..Self::default() }
    }

    /// Frames are missing: from here on only times that are given count.
    pub(in crate::hls::media) fn gap(&mut self) {
        self.last = None;
    }

    /// A frame of so many samples at this rate, which plays at `time`, 33 bits of 90 kHz.
    pub(in crate::hls::media) fn frame(&mut self, samples: u32, rate: u32, time: Option<u64>) {
        self.rate = rate;
        if let Some(time) = time {
            self.last = Some((MediaTime::mpeg(time), self.samples));
        }
        if self.start.is_none()
            && let Some((time, before)) = self.last
        {
            // Frames without a time before the first that has one.
            self.start = Some(moved(time, -(before as i64), self.rate));
        }
        self.frames += 1;
        self.samples += u64::from(samples);
    }

    pub(in crate::hls::media) fn start(&self) -> Option<MediaTime> {
        self.start
    }

    /// Where the frames so far end.
    pub(in crate::hls::media) fn end(&self) -> Option<MediaTime> {
        let (time, before) = self.last?;
        // A segment without frames ends where the one before it ended.
        Some(moved(time, (self.samples - before) as i64, self.rate))
    }

    pub(in crate::hls::media) fn duration(&self) -> Option<MediaTime> {
        let samples = i64::try_from(self.samples).ok()?;
        (self.rate > 0).then(|| MediaTime::new(samples, self.rate))
    }

    pub(in crate::hls::media) fn frames(&self) -> u64 {
        self.frames
    }
}

/// A time of transport streams, moved by so many samples: exact, in a scale that both fit into.
fn moved(time: MediaTime, samples: i64, rate: u32) -> MediaTime {
    if samples == 0 || rate == 0 {
        return time;
    }
    // The rates are those of frame headers, so that the scale has room: at most 7,056,000.
    let scale = lcm(u64::from(time.timescale), u64::from(rate));
    let Ok(timescale) = u32::try_from(scale) else { return time };
    let ticks = i128::from(time.ticks) * i128::from(scale / u64::from(time.timescale))
        + i128::from(samples) * i128::from(scale / u64::from(rate));
    let around = i128::from(MediaTime { timescale, ..time }.turn());
    MediaTime { ticks: ticks.rem_euclid(around) as i64, timescale, wraps: true }
}

fn lcm(a: u64, b: u64) -> u64 {
    let (mut x, mut y) = (a, b);
    while y != 0 {
        (x, y) = (y, x % y);
    }
    a / x * b
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_exact() {
        let mut tally = Tally::default();
        for n in 0..130 {
            tally.frame(1024, 44_100, (n == 0).then_some(126_000));
        }
        let end = tally.end().unwrap();
        assert_eq!(tally.start(), Some(MediaTime::mpeg(126_000)));
        assert_eq!((end.ticks, end.timescale), (126_000 * 49 + 133_120 * 100, 4_410_000));
        let after = tally.next();
        assert_eq!((after.start(), after.end(), after.frames()), (None, Some(end), 0));
    }

    #[test]
    fn frames_before_the_first_time_are_counted_back() {
        let mut tally = Tally::default();
        tally.frame(1152, 48_000, None);
        assert_eq!((tally.start(), tally.end()), (None, None));
        tally.frame(1152, 48_000, Some(3000));
        assert_eq!(tally.start().unwrap().ticks, (3000 - 2160) * 8);
    }

    #[test]
    fn c29_times_go_round() {
        let mut tally = Tally::default();
        tally.frame(1024, 48_000, Some((1 << 33) - 1920));
        assert_eq!(tally.end().unwrap().ticks, 0);
        // A carried frame before time 0.
        let mut tally = Tally::default();
        tally.frame(1024, 48_000, None);
        tally.frame(1024, 48_000, Some(0));
        let start = tally.start().unwrap();
        assert_eq!(start.ticks, start.turn() - 1920 * i64::from(start.timescale / 90_000));
    }
}
