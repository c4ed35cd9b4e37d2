//! Time as media counts it.

/// A time, or a length of time, in the media's own ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MediaTime {
    /// Ticks.
    pub ticks: i64,
    /// Ticks a second; never 0.
    pub timescale: u32,
    /// Whether it begins again after 2^33 ticks of 90 kHz (about 26.5 hours), as in transport streams and packed audio.
    pub wraps: bool,
}

impl MediaTime {
    /// Ticks a second of transport streams.
    pub const MPEG: u32 = 90_000;

    /// A time of 33 bits at 90 kHz. What lies above them is dropped (FAULTS C28).
    pub const fn mpeg(ticks: u64) -> Self {
        Self { ticks: (ticks & ((1 << 33) - 1)) as i64, timescale: Self::MPEG, wraps: true }
    }

    /// A time that doesn't wrap.
    pub const fn new(ticks: i64, timescale: u32) -> Self {
        Self { ticks, timescale, wraps: false }
    }

    /// Ticks after which a time that wraps begins again.
    pub const fn turn(&self) -> i64 {
        (((1_u128 << 33) * self.timescale as u128) / Self::MPEG as u128) as i64
    }
}
