//! What a piece of work took: wall time, processor time, and the most memory that its process had. Linux only; elsewhere
//! processor time and memory read as 0.

use std::time::{Duration, Instant};

/// `sysconf(_SC_CLK_TCK)`, which is 100 on every Linux that is in use.
const TICKS_PER_SECOND: u64 = 100;

/// Figures of one run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// From begin to end.
    pub wall: Duration,
    /// Of all threads, user and system.
    pub cpu: Duration,
    /// Resident, at its peak, over the whole process.
    pub peak_kib: u64,
}

impl Usage {
    /// Measures `work`.
    pub fn of<E>(work: impl FnOnce() -> Result<(), E>) -> Result<Self, E> {
        let (start, cpu) = (Instant::now(), cpu_time());
        work()?;
        Ok(Self {
            wall: start.elapsed(),
            cpu: cpu_time().saturating_sub(cpu),
            peak_kib: peak_kib(),
        })
    }

    pub(super) fn to_line(self) -> String {
        let (wall, cpu) = (self.wall.as_micros(), self.cpu.as_micros());
        format!("{wall} {cpu} {}", self.peak_kib)
    }

    pub(super) fn from_line(line: &str) -> Option<Self> {
        let mut numbers = line.split_whitespace().map(str::parse::<u64>);
        let mut next = || numbers.next()?.ok();
        Some(Self {
            wall: Duration::from_micros(next()?),
            cpu: Duration::from_micros(next()?),
            peak_kib: next()?,
        })
    }
}

/// Processor time of this process so far.
pub(super) fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name in parentheses may hold anything; fields 14 and 15 count from the first, so 12 and 13 after it.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks: u64 = ticks.filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND)
}

/// The most memory this process has had so far.
pub(super) fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_survive_the_way_between_processes() {
        let usage = Usage {
            wall: Duration::from_micros(1_234_567),
            cpu: Duration::from_millis(890),
            peak_kib: 4321,
        };
        assert_eq!(Usage::from_line(&usage.to_line()), Some(usage));
        assert_eq!(Usage::from_line("12 x"), None);
    }
}
