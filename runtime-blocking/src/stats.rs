//! Counters of one stream.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What a stream has cost so far. A snapshot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Requests that were made, redirects not counted.
    pub requests: u64,
    /// Body bytes that came over the network.
    pub bytes_fetched: u64,
    /// Bytes that an earlier session had left in the cache, and that were found to be what they were.
    pub bytes_from_cache: u64,
    /// Failures that were retried.
    pub retries: u64,
    /// Transfers that were given up because nothing, or next to nothing, came.
    pub stalls: u64,
}

/// The same, while it is counted.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) requests: AtomicU64,
    pub(crate) bytes_fetched: AtomicU64,
    pub(crate) bytes_from_cache: AtomicU64,
    pub(crate) retries: AtomicU64,
    pub(crate) stalls: AtomicU64,
}

impl Counters {
    pub(crate) fn add(counter: &AtomicU64, count: u64) {
        counter.fetch_add(count, Relaxed);
    }

    pub(crate) fn snapshot(&self) -> Stats {
        Stats {
            requests: self.requests.load(Relaxed),
            bytes_fetched: self.bytes_fetched.load(Relaxed),
            bytes_from_cache: self.bytes_from_cache.load(Relaxed),
            retries: self.retries.load(Relaxed),
            stalls: self.stalls.load(Relaxed),
        }
    }
}
