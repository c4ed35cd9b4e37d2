//! What is known of the way to the origin: bandwidth, time to the first byte, and what a new request costs.
//!
//! Knows nothing of requests or ranges: it is told samples and gives estimates. Before the first sample the configured
//! priors stand in.

use core::time::Duration;

use crate::{Config, Instant};

/// Bytes that count as one sample, however short the time: shorter ones measure the socket buffer.
const SAMPLE_BYTES: u64 = 1024 * 1024;
/// A sample of fewer bytes must have taken this long.
const SAMPLE_TIME: Duration = Duration::from_millis(40);
/// How long a file may keep a connection that others wait for, at least.
const TURN_TIME: Duration = Duration::from_millis(100);
/// Bounds of [`Link::worth`]: below, requests would cost more than the bytes; above, one outlier would stop all seeks.
const WORTH_BYTES: core::ops::RangeInclusive<u64> = 16 * 1024..=4 * 1024 * 1024;

/// Estimates for one origin.
#[derive(Debug)]
pub(crate) struct Link {
    bandwidth: u64,
    measured: bool,
    reconnect: Duration,
    answered: bool,
}

impl Link {
    /// Nothing is measured yet.
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            bandwidth: config.prior_bandwidth.max(1),
            measured: false,
            reconnect: config.prior_reconnect,
            answered: false,
        }
    }

    /// A response head came so long after its request was asked for.
    pub(crate) fn first_byte(&mut self, took: Duration) {
        self.reconnect = if self.answered { (self.reconnect * 3 + took) / 4 } else { took };
        self.answered = true;
    }

    /// So many bytes of a body came in this time, during which the origin was free to send.
    fn body(&mut self, bytes: u64, took: Duration) {
        let nanos = took.as_nanos().max(1);
        let rate = u64::try_from(u128::from(bytes) * 1_000_000_000 / nanos).unwrap_or(u64::MAX);
        let rate = rate.max(1);
        self.bandwidth = if self.measured {
            (self.bandwidth / 4).saturating_mul(3).saturating_add(rate / 4).max(1)
        } else {
            rate
        };
        self.measured = true;
    }

    /// Bytes per second, once it was measured.
    pub(crate) fn measured(&self) -> Option<u64> {
        self.measured.then_some(self.bandwidth)
    }

    /// Bytes that pass while a new request would be answered: what a running transfer may skip before a new request is
    /// the quicker way, and what a transfer delivers before another may take its connection.
    pub(crate) fn worth(&self) -> u64 {
        self.bytes_in(self.reconnect)
    }

    /// Bytes that a transfer delivers before another file may take its connection: at least its worth, and on quick
    /// links a turn's length, or files that are read at once would make more requests than progress.
    pub(crate) fn turn(&self) -> u64 {
        self.bytes_in(self.reconnect.max(TURN_TIME))
    }

    fn bytes_in(&self, time: Duration) -> u64 {
        let product = u128::from(self.bandwidth).saturating_mul(time.as_nanos());
        let bytes = product / 1_000_000_000;
        u64::try_from(bytes).unwrap_or(u64::MAX).clamp(*WORTH_BYTES.start(), *WORTH_BYTES.end())
    }
}

/// Collects the bytes of one body until they make a sample.
#[derive(Debug)]
pub(crate) struct Meter {
    since: Instant,
    bytes: u64,
}

impl Meter {
    /// Begins at the response's head.
    pub(crate) fn new(now: Instant) -> Self {
        Self { since: now, bytes: 0 }
    }

    /// Counts bytes and passes a sample on when there is one.
    pub(crate) fn add(&mut self, now: Instant, bytes: u64, link: &mut Link) {
        self.bytes += bytes;
        let took = now - self.since;
        if took >= SAMPLE_TIME || self.bytes >= SAMPLE_BYTES && took > Duration::ZERO {
            link.body(self.bytes, took);
            self.restart(now);
        }
    }

    /// Forgets what was counted: the origin was not free to send.
    pub(crate) fn restart(&mut self, now: Instant) {
        *self = Self::new(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worth_of_a_request_is_bandwidth_times_its_cost() {
        let mut link = Link::new(&Config::default());
        assert_eq!(link.worth(), 157_286, "the priors: 1 MiB/s, 150 ms");
        link.first_byte(Duration::from_millis(30));
        let mut meter = Meter::new(Instant::ZERO);
        let later = Instant::ZERO + Duration::from_millis(100);
        meter.add(later, 400_000, &mut link);
        assert_eq!(link.measured(), Some(4_000_000));
        assert_eq!(link.worth(), 120_000);
    }

    #[test]
    fn a_burst_from_the_socket_buffer_is_no_bandwidth() {
        let mut link = Link::new(&Config::default());
        let mut meter = Meter::new(Instant::ZERO);
        meter.add(Instant::from_nanos(1000), 64 * 1024, &mut link);
        assert_eq!(link.measured(), None);
    }

    #[test]
    fn priors_beyond_all_measure_are_a_large_worth_and_no_overflow() {
        let link = Link::new(&Config {
            prior_bandwidth: u64::MAX,
            prior_reconnect: Duration::MAX,
            ..Config::default()
        });
        assert_eq!(link.worth(), *WORTH_BYTES.end());
    }
}
