//! stub
mod throughput;
use core::time::Duration;
pub use throughput::Throughput;
/// s
pub struct Situation<'a> {
    /// s
    pub ladder: &'a [u64],
    /// s
    pub current: Option<usize>,
    /// s
    pub throughput: Option<u64>,
    /// s
    pub level: Duration,
    /// s
    pub read_ahead: Duration,
    /// s
    pub segment: Duration,
}
/// s
pub fn choose(situation: &Situation<'_>) -> usize {
    let t = situation.throughput.unwrap_or(0);
    situation.ladder.iter().rposition(|rate| *rate <= t).unwrap_or(0)
}
