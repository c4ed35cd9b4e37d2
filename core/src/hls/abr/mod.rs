//! Which variant to fetch next: adaptive bitrate as pure functions of the link, of what is buffered, and of the ladder.
//!
//! Nothing here has a clock or remembers what it chose. Whoever fetches tells [`Throughput`] of bodies, and asks [`choose`]
//! once before each segment.

mod choose;
mod throughput;

pub use choose::{Situation, choose};
pub use throughput::Throughput;
