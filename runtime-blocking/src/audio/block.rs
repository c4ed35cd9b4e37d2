//! Decoded audio, and the arithmetic between frames and time.

use core::time::Duration;

const NANOS: u128 = 1_000_000_000;

/// A piece of decoded audio.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    samples: Vec<f32>,
    frame: u64,
    rate: u32,
    channels: u16,
}

impl Block {
    pub(super) fn new(samples: Vec<f32>, frame: u64, rate: u32, channels: u16) -> Self {
        debug_assert_eq!(samples.len() % usize::from(channels), 0, "whole frames");
        Self { samples, frame, rate, channels }
    }

    /// The samples, interleaved: one of each channel, then the next of each. At full scale they reach from -1 to 1.
    pub fn samples(&self) -> &[f32] {
        &self.samples
    }

    /// The samples, to keep.
    pub fn into_samples(self) -> Vec<f32> {
        self.samples
    }

    /// How many frames: samples per channel.
    pub fn frames(&self) -> usize {
        self.samples.len() / usize::from(self.channels)
    }

    /// The number of the first frame, counted from the start of the presentation.
    pub fn frame(&self) -> u64 {
        self.frame
    }

    /// The presentation time of the first frame.
    pub fn time(&self) -> Duration {
        time_of(self.frame, self.rate)
    }

    /// Frames a second.
    pub fn rate(&self) -> u32 {
        self.rate
    }

    /// Samples a frame.
    pub fn channels(&self) -> u16 {
        self.channels
    }
}

/// When a frame is heard.
pub(super) fn time_of(frame: u64, rate: u32) -> Duration {
    let rate = u128::from(rate.max(1));
    let nanos = (u128::from(frame) * NANOS + rate / 2) / rate;
    let (secs, nanos) = (nanos / NANOS, nanos % NANOS);
    Duration::new(u64::try_from(secs).unwrap_or(u64::MAX), nanos as u32)
}

/// The frame nearest to a time.
pub(super) fn frame_at(time: Duration, rate: u32) -> u64 {
    let frames = (time.as_nanos() * u128::from(rate) + NANOS / 2) / NANOS;
    // Positions stay far from where signed timestamps overflow.
    u64::try_from(frames).unwrap_or(u64::MAX).min(u64::MAX >> 8)
}

/// Gives `samples` another number of channels: the mean for mono, the same in each from mono, else as many as both
/// have, and silence in the rest.
pub(super) fn remix(samples: Vec<f32>, from: u16, to: u16) -> Vec<f32> {
    if from == to || from == 0 {
        return samples;
    }
    let mut mixed = Vec::with_capacity(samples.len() / usize::from(from) * usize::from(to));
    for frame in samples.chunks_exact(usize::from(from)) {
        match (from, to) {
            (_, 1) => mixed.push(frame.iter().sum::<f32>() / f32::from(from)),
            (1, _) => mixed.extend((0..to).map(|_| frame[0])),
            _ => mixed.extend((0..usize::from(to)).map(|c| frame.get(c).copied().unwrap_or(0.0))),
        }
    }
    mixed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_survives_the_way_through_time() {
        for rate in [1, 8_000, 11_025, 22_050, 44_100, 48_000, 96_000, 384_000] {
            for frame in (0..5_000).chain(1_000_000_007..1_000_000_207) {
                assert_eq!(frame_at(time_of(frame, rate), rate), frame, "at {rate} Hz");
            }
        }
        assert_eq!(frame_at(Duration::MAX, 384_000), u64::MAX >> 8);
    }

    #[test]
    fn channels_are_remixed() {
        assert_eq!(remix(vec![0.5, -0.5, 1.0, 0.0], 2, 1), [0.0, 0.5]);
        assert_eq!(remix(vec![0.5, 0.25], 1, 2), [0.5, 0.5, 0.25, 0.25]);
        assert_eq!(remix(vec![0.1, 0.2, 0.3], 3, 2), [0.1, 0.2]);
        assert_eq!(remix(vec![0.1, 0.2], 2, 3), [0.1, 0.2, 0.0]);
        assert_eq!(remix(vec![0.1, 0.2], 2, 2), [0.1, 0.2]);
    }
}
