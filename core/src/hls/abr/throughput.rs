//! How many bits a second the link gives while it gives any.

use core::time::Duration;

use crate::Instant;

/// Bytes that make a sample: fewer, and what is measured is a socket buffer or a round trip.
const SAMPLE_BYTES: u64 = 16 * 1024;
/// A sample of so many bytes must have taken this long, unless the link is at rest afterwards.
const SAMPLE_TIME: Duration = Duration::from_millis(50);
/// Time that makes a sample however few bytes there were: the link is that slow.
const SLOW_TIME: Duration = Duration::from_secs(1);
/// The shortest time that a sample is said to have taken.
const SHORTEST: Duration = Duration::from_millis(1);
/// Half-lives of the two averages, in seconds of transfer.
const HALF_LIVES: [f64; 2] = [3.0, 8.0];

/// An estimate of the link's throughput: the lower of two averages, one quick and one slow, each weighted by time.
///
/// Only time in which a body is under way counts, so that neither the wait for a first byte nor a pause between requests
/// looks like a slow link; small bodies are added up until they make a sample (FAULTS C33, C34). What comes from a cache is
/// not to be told.
#[derive(Clone, Debug, Default)]
pub struct Throughput {
    /// Bodies under way.
    bodies: u32,
    /// Until when time is counted, while there are any.
    counted: Instant,
    sample: Sample,
    averages: [f64; 2],
    /// Time that all samples took together, in seconds.
    weight: f64,
}

/// What is not in the averages yet.
#[derive(Clone, Copy, Debug, Default)]
struct Sample {
    bytes: u64,
    took: Duration,
}

impl Throughput {
    /// Nothing is measured yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A response's head arrived, and its body is awaited: or a body goes on that was held up by the receiver.
    pub fn body_started(&mut self, now: Instant) {
        self.pass(now);
        self.bodies = self.bodies.saturating_add(1);
        self.counted = self.counted.max(now);
    }

    /// So many bytes of a body arrived.
    pub fn bytes(&mut self, now: Instant, bytes: u64) {
        self.pass(now);
        self.sample.bytes = self.sample.bytes.saturating_add(bytes);
        if self.sample.is_long() || self.sample.is_large() && self.sample.took >= SAMPLE_TIME {
            self.take();
        }
    }

    /// A body ended, however it did: or it is held up by the receiver, who has no room.
    pub fn body_ended(&mut self, now: Instant) {
        self.pass(now);
        self.bodies = self.bodies.saturating_sub(1);
        if self.bodies == 0 && self.sample.is_large() {
            self.take();
        }
    }

    /// Bits a second, once there was a sample. A body that has stood still for long counts already.
    pub fn estimate(&self, now: Instant) -> Option<u64> {
        let mut so_far = self.clone();
        so_far.pass(now);
        if so_far.sample.is_long() {
            so_far.take();
        }
        so_far.lower_average().map(|rate| rate as u64)
    }

    fn pass(&mut self, now: Instant) {
        if self.bodies > 0 {
            self.sample.took = self.sample.took.saturating_add(now - self.counted);
            self.counted = self.counted.max(now);
        }
    }

    fn take(&mut self) {
        let Sample { bytes, took } = core::mem::take(&mut self.sample);
        let seconds = took.max(SHORTEST).as_secs_f64();
        let rate = bytes as f64 * 8.0 / seconds;
        for (average, half_life) in self.averages.iter_mut().zip(HALF_LIVES) {
            let kept = halved(seconds / half_life);
            *average = *average * kept + rate * (1.0 - kept);
        }
        self.weight += seconds;
    }

    /// Averages begin at 0: what that takes away at first is given back.
    fn lower_average(&self) -> Option<f64> {
        let averages = self.averages.iter().zip(HALF_LIVES);
        let full = |(average, half_life)| average / (1.0 - halved(self.weight / half_life));
        (self.weight > 0.0).then(|| averages.map(full).fold(f64::INFINITY, f64::min))
    }
}

impl Sample {
    fn is_large(&self) -> bool {
        self.bytes >= SAMPLE_BYTES
    }

    fn is_long(&self) -> bool {
        self.took >= SLOW_TIME
    }
}

/// 2 to the power of `-times`, by nothing but additions and multiplications: the same on every processor.
fn halved(times: f64) -> f64 {
    // Eight halvings of the exponent leave at most 0.25 for the series, which then has no error to speak of.
    let x = times.clamp(0.0, 64.0) * core::f64::consts::LN_2 / 256.0;
    let series = 1.0 - x * (1.0 - x / 2.0 * (1.0 - x / 3.0 * (1.0 - x / 4.0 * (1.0 - x / 5.0))));
    (0..8).fold(series, |power, _| power * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::ZERO + Duration::from_millis(millis)
    }

    #[test]
    fn only_time_in_which_a_body_is_under_way_counts() {
        let mut link = Throughput::new();
        assert_eq!(link.estimate(at(0)), None);
        link.body_started(at(1000));
        link.bytes(at(2000), 100_000);
        link.body_ended(at(2000));
        // A pause, then the same again.
        link.body_started(at(60_000));
        link.bytes(at(61_000), 100_000);
        link.body_ended(at(61_000));
        let estimate = link.estimate(at(90_000)).unwrap();
        assert!((799_000..=801_000).contains(&estimate), "{estimate}");
    }

    #[test]
    fn c33_small_bodies_make_a_sample_together() {
        let mut link = Throughput::new();
        for body in 0..5 {
            link.body_started(at(body * 1000));
            link.bytes(at(body * 1000 + 20), 2_000);
            link.body_ended(at(body * 1000 + 20));
        }
        assert_eq!(link.estimate(at(10_000)), None, "10 kB say nothing yet");
        link.body_started(at(20_000));
        link.bytes(at(20_100), 10_000);
        link.body_ended(at(20_100));
        let estimate = link.estimate(at(21_000)).unwrap();
        assert!((799_000..=801_000).contains(&estimate), "20 kB in 200 ms: {estimate}");
    }

    #[test]
    fn bodies_side_by_side_share_one_link() {
        let mut link = Throughput::new();
        link.body_started(at(0));
        link.body_started(at(0));
        for step in 1..=20 {
            link.bytes(at(step * 100), 10_000);
            link.bytes(at(step * 100), 10_000);
        }
        let estimate = link.estimate(at(2000)).unwrap();
        assert!((1_590_000..=1_610_000).contains(&estimate), "{estimate}");
    }

    #[test]
    fn a_body_that_stands_still_counts_while_it_does() {
        let mut link = Throughput::new();
        link.body_started(at(0));
        for step in 1..=10 {
            link.bytes(at(step * 100), 12_500);
        }
        let quick = link.estimate(at(1000)).unwrap();
        let slow = link.estimate(at(11_000)).unwrap();
        assert!(slow < quick / 4, "{slow} after {quick}");
    }
}
