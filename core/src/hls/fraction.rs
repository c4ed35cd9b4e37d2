//! A time as an exact fraction of a second, so that frames are counted without rounding.

use core::time::Duration;

/// Nanoseconds a second.
const NANOS: u64 = 1_000_000_000;

/// A time on the playlist's timeline, exact: a fraction of a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PresentationTime {
    ticks: i128,
    timescale: u64,
}

impl PresentationTime {
    pub(super) const ZERO: Self = Self { ticks: 0, timescale: 1 };

    /// So many ticks of which there are `timescale` a second; a timescale of 0 counts as 1.
    pub(super) fn new(ticks: i128, timescale: u64) -> Self {
        let timescale = timescale.max(1);
        let common = gcd(ticks.unsigned_abs(), u128::from(timescale)).max(1);
        // A divisor of a number is no larger than it.
        let (ticks, timescale) = (ticks / common as i128, timescale / common as u64);
        Self { ticks, timescale }
    }

    /// The nearest frame at this rate. Halves go up.
    pub fn frames(self, rate: u32) -> i64 {
        self.scaled(u64::from(rate))
    }

    /// The nearest nanosecond.
    pub fn nanos(self) -> i64 {
        self.scaled(NANOS)
    }

    /// The nearest nanosecond as a duration; zero where it is negative.
    pub fn saturating_duration(self) -> Duration {
        Duration::from_nanos(u64::try_from(self.nanos()).unwrap_or(0))
    }

    /// Later by so much.
    pub(super) fn plus(self, other: Self) -> Self {
        self.sum(other).unwrap_or_else(|| {
            // Timescales that have nothing in common: to the nanosecond.
            let nanos = i128::from(self.nanos()) + i128::from(other.nanos());
            Self::new(nanos, NANOS)
        })
    }

    /// Earlier by so much.
    pub(super) fn minus(self, other: Self) -> Self {
        self.plus(Self { ticks: other.ticks.saturating_neg(), ..other })
    }

    /// Whether the two are not farther apart than that.
    pub(super) fn is_within(self, other: Self, distance: Duration) -> bool {
        let apart = self.minus(other).nanos().unsigned_abs();
        u128::from(apart) <= distance.as_nanos()
    }

    /// The time that is nearest to `near`, of those that are whole turns away from this one.
    pub(super) fn turned_near(self, turn: Self, near: Self) -> Self {
        let (apart, length) = (near.minus(self).nanos(), turn.nanos().max(1));
        let turns = (i128::from(apart) * 2 + i128::from(length)).div_euclid(2 * i128::from(length));
        self.plus(Self::new(turn.ticks.saturating_mul(turns), turn.timescale))
    }

    fn sum(self, other: Self) -> Option<Self> {
        let common = gcd(u128::from(self.timescale), u128::from(other.timescale)) as u64;
        let (mine, theirs) = (self.timescale / common, other.timescale / common);
        let timescale = self.timescale.checked_mul(theirs)?;
        let one = self.ticks.checked_mul(i128::from(theirs))?;
        let two = other.ticks.checked_mul(i128::from(mine))?;
        Some(Self::new(one.checked_add(two)?, timescale))
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
        Self::new(nanos, NANOS)
    }
}

fn gcd(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn sums_are_exact_and_no_number_panics(
            a in any::<i64>(), b in any::<i64>(), s in 1_u32.., t in 1_u32.., rate in any::<u32>(),
        ) {
            let one = PresentationTime::new(i128::from(a), u64::from(s));
            let two = PresentationTime::new(i128::from(b), u64::from(t));
            prop_assert_eq!(one.plus(two).minus(two), one);
            let _ = (one.frames(rate), one.nanos(), one.saturating_duration());
            let _ = one.turned_near(two, one);
        }
    }

    #[test]
    fn timescales_with_nothing_in_common_are_added_to_the_nanosecond() {
        let one = PresentationTime::new(1, (1 << 61) - 1);
        let two = PresentationTime::new(1, (1 << 62) - 57);
        assert_eq!(one.plus(two).nanos(), 0);
    }
}
