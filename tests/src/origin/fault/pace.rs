//! When the bytes come: rows B8-B11.

use std::time::Duration;

use crate::origin::{pace::Trickle, reply::Reply, rule::Injection};

/// A fault in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaceFault {
    /// More latency before the head.
    Latency(Duration),
    /// Bytes per second of the body.
    Rate(u64),
    /// One rest in the body, after so many bytes.
    Pause(u64, Duration),
    /// The body trickles from this byte on.
    Trickle(u64, Trickle),
    /// The head trickles.
    TrickleHead(Trickle),
    /// The connection is reset when the client reads nothing for as long.
    SendTimeout(Duration),
}

impl PaceFault {
    pub(super) fn apply(self, reply: &mut Reply) {
        let script = &mut reply.script;
        match self {
            Self::Latency(more) => script.latency += more,
            Self::Rate(rate) => script.rate = Some(rate),
            Self::Pause(at, rest) => {
                script.pauses.push((at, rest));
                script.pauses.sort();
            }
            Self::Trickle(from, trickle) => script.trickle = Some((from, trickle)),
            Self::TrickleHead(trickle) => script.head_trickle = Some(trickle),
            Self::SendTimeout(timeout) => script.send_timeout = Some(timeout),
        }
    }
}

/// Faults in time.
impl Injection<'_> {
    /// So much more latency before the head.
    pub fn latency(self, more: Duration) -> Self {
        self.fault(PaceFault::Latency(more))
    }

    /// B9: the body comes at this many bytes per second, smoothly.
    pub fn rate(self, bytes_per_second: u64) -> Self {
        self.fault(PaceFault::Rate(bytes_per_second))
    }

    /// B9: one rest after `k` bytes of the body.
    pub fn pause_at(self, k: u64, rest: Duration) -> Self {
        self.fault(PaceFault::Pause(k, rest))
    }

    /// B10: the body comes `bytes` at a time, with a rest after each.
    pub fn trickle(self, bytes: u64, every: Duration) -> Self {
        self.trickle_from(0, bytes, every)
    }

    /// B10: from byte `k` on the body comes `bytes` at a time, with a rest after each.
    pub fn trickle_from(self, k: u64, bytes: u64, every: Duration) -> Self {
        self.fault(PaceFault::Trickle(k, Trickle { bytes, every }))
    }

    /// B10: the head comes `bytes` at a time, with a rest after each.
    pub fn trickle_head(self, bytes: u64, every: Duration) -> Self {
        self.fault(PaceFault::TrickleHead(Trickle { bytes, every }))
    }

    /// B11: a client that reads nothing for as long is cut off by a RST. It takes the socket buffers to notice: see
    /// [`send_buffer`](crate::origin::OriginBuilder::send_buffer).
    pub fn send_timeout(self, timeout: Duration) -> Self {
        self.fault(PaceFault::SendTimeout(timeout))
    }
}
