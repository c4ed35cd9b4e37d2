//! When to try again: exponential, with seeded jitter, and never sooner than the origin asks (RFC 9110, section
//! 10.2.3; FAULTS B7, B24). It outlives the wait that it delays, so that reading a dead resource again and again makes
//! no request storm.

use core::time::Duration;

use fastrand::Rng;

use crate::{Config, Instant};

/// 'Not processed' failures that are repeated at once; one more counts like any other (FAULTS B17).
const FREE_RETRIES: u32 = 2;

/// The failures since the last progress, and the wait that they ask for.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
    free: u32,
    not_before: Instant,
}

impl Backoff {
    /// Something was fetched: the next failure is a first one.
    pub(crate) fn progress(&mut self) {
        *self = Self::default();
    }

    /// A fetch failed. Gives the wait: none for the first failure after progress, for then the answer to an early
    /// close is to resume.
    pub(crate) fn failed(
        &mut self,
        now: Instant,
        progressed: bool,
        retry_after: Option<Duration>,
        config: &Config,
        rng: &mut Rng,
    ) -> Duration {
        self.failures = self.failures.saturating_add(1);
        let asked = retry_after.unwrap_or(Duration::ZERO).min(config.backoff_max);
        let own = if progressed && self.failures == 1 {
            Duration::ZERO
        } else {
            jittered(self.exponential(config), rng)
        };
        let wait = own.max(asked);
        self.not_before = now + wait;
        wait
    }

    /// The origin did nothing with the request: it may be repeated at once, but not for ever.
    pub(crate) fn not_processed(&mut self) -> bool {
        self.free += 1;
        self.free <= FREE_RETRIES
    }

    fn exponential(&self, config: &Config) -> Duration {
        let doublings = self.failures.saturating_sub(1).min(16);
        config.backoff_min.saturating_mul(1 << doublings).min(config.backoff_max)
    }

    /// No request before this moment.
    pub(crate) fn not_before(&self) -> Instant {
        self.not_before
    }

    /// The number of the next attempt.
    pub(crate) fn attempt(&self) -> u32 {
        self.failures.saturating_add(1)
    }
}

/// Between half and all of it, so that many clients don't come back together.
fn jittered(wait: Duration, rng: &mut Rng) -> Duration {
    let nanos = u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX);
    Duration::from_nanos(nanos - rng.u64(0..=nanos / 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fail(backoff: &mut Backoff, progressed: bool, after: Option<u64>) -> Duration {
        let after = after.map(Duration::from_secs);
        let config = Config::default();
        backoff.failed(Instant::ZERO, progressed, after, &config, &mut Rng::with_seed(7))
    }

    #[test]
    fn b7_the_first_failure_after_progress_is_resumed_at_once() {
        let mut backoff = Backoff::default();
        assert_eq!(fail(&mut backoff, true, None), Duration::ZERO);
        assert!(fail(&mut backoff, false, None) >= Duration::from_millis(200));
        backoff.progress();
        assert_eq!(fail(&mut backoff, true, None), Duration::ZERO);
    }

    #[test]
    fn b24_retry_after_is_a_floor_with_a_cap() {
        let mut backoff = Backoff::default();
        assert_eq!(fail(&mut backoff, true, Some(2)), Duration::from_secs(2));
        let huge = fail(&mut backoff, false, Some(1 << 40));
        assert_eq!(huge, Config::default().backoff_max);
        assert_eq!(backoff.not_before(), Instant::ZERO + huge);
    }

    #[test]
    fn grows_to_its_bound_and_no_further() {
        let mut backoff = Backoff::default();
        let waits: Vec<_> = (0..40).map(|_| fail(&mut backoff, false, None)).collect();
        assert!(waits[0] <= Duration::from_millis(200) && waits[0] >= Duration::from_millis(100));
        assert!(waits[39] <= Duration::from_secs(60) && waits[39] >= Duration::from_secs(30));
    }

    #[test]
    fn b17_not_processed_is_free_but_not_for_ever() {
        let mut backoff = Backoff::default();
        assert_eq!([(); 4].map(|()| backoff.not_processed()), [true, true, false, false]);
    }
}
