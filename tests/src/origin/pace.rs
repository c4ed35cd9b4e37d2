//! How fast bytes may go: a limit in bytes per second, handed out in small ticks so that it is smooth, and trickles.
//! Knows instants, and sleeps nowhere.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// The largest write: big enough that system calls cost nothing, small enough to stop soon.
pub(super) const WRITE_BYTES: u64 = 256 * 1024;
/// A limit hands its bytes out this often.
const TICKS_PER_SECOND: u64 = 200;
/// What a late wake-up may make up for.
const CATCH_UP: Duration = Duration::from_millis(10);

/// Some bytes at a time, and a rest after each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trickle {
    /// How many bytes at once.
    pub bytes: u64,
    /// The rest after them.
    pub every: Duration,
}

/// A limit in bytes per second, for one reply or shared by all.
#[derive(Debug)]
pub(super) struct Bucket {
    rate: u64,
    due: Mutex<Option<Instant>>,
}

impl Bucket {
    /// A limit of `rate` bytes per second, at least 1.
    pub(super) fn new(rate: u64) -> Self {
        Self { rate: rate.max(1), due: Mutex::new(None) }
    }

    /// How many bytes to send at once.
    pub(super) fn piece_bytes(&self) -> u64 {
        (self.rate / TICKS_PER_SECOND).clamp(1, WRITE_BYTES)
    }

    /// Takes `bytes` from the limit and says when they may go.
    pub(super) fn reserve(&self, now: Instant, bytes: u64) -> Instant {
        let mut slot = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let earliest = now.checked_sub(CATCH_UP).unwrap_or(now);
        let due = slot.map_or(now, |due| due.max(earliest));
        *slot = Some(due + Duration::from_secs_f64(bytes as f64 / self.rate as f64));
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_kept_and_idle_time_is_not_saved_up() {
        let bucket = Bucket::new(1000);
        assert_eq!(bucket.piece_bytes(), 5);
        let start = Instant::now();
        assert_eq!(bucket.reserve(start, 5), start);
        assert_eq!(bucket.reserve(start, 5), start + Duration::from_millis(5));
        assert_eq!(bucket.reserve(start, 500), start + Duration::from_millis(10));
        assert_eq!(bucket.reserve(start, 1), start + Duration::from_millis(510));
        let later = start + Duration::from_secs(9);
        assert_eq!(bucket.reserve(later, 100), later - CATCH_UP);
        assert_eq!(bucket.reserve(later, 1), later + Duration::from_millis(90));
    }
}
