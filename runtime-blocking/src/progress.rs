//! Where a stream stands: for progress bars and buttons.

use std::ops::Range;
use std::time::Duration;

use infill_core::Error;

/// What a stream is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// No answer yet.
    Connecting,
    /// Bytes are coming.
    Downloading,
    /// A failure is being waited out.
    Waiting {
        /// How long, from now on.
        retry_in: Duration,
    },
    /// Nothing is wanted now.
    Idle,
    /// Everything is here.
    Complete,
    /// Given up, until somebody reads or seeks again.
    Failed,
    /// Closed or dropped.
    Closed,
}

/// A snapshot; taking it never waits.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Progress {
    /// The length of the whole, once it is known.
    pub byte_len: Option<u64>,
    /// What can be read without waiting for the network, in order. What an earlier session left in the cache is among
    /// it; it is compared with its digest before it is read.
    pub buffered: Vec<Range<u64>>,
    /// Where the stream reads.
    pub position: u64,
    /// Bytes per second, as measured lately.
    pub rate: u64,
    /// Whether a read waits for bytes right now.
    pub starving: bool,
    /// What it is doing.
    pub state: State,
    /// The cause of the last failure, until a read succeeds.
    pub error: Option<Error>,
}
