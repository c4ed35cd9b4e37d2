//! What happened: every request with its answer, and the connections. Tests read it as a value and wait on it.

use std::{
    collections::HashMap,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::request::{RangeSpec, Request};

/// One request and what became of it.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// Which request of its path it is, from 0.
    pub nth: usize,
    /// Which connection brought it, from 0.
    pub connection: usize,
    /// The request as it was sent.
    pub request: Request,
    /// When its head was complete.
    pub at: Instant,
    /// The status, once the head of the answer is on its way.
    pub status: Option<u16>,
    /// Bytes of the body that were handed to the socket, without the framing of chunks.
    pub body_bytes: u64,
    /// How it ended.
    pub outcome: Outcome,
}

/// How an exchange ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It goes on.
    Running,
    /// All of the reply was handed to the socket.
    Complete,
    /// An injection ended it.
    Injected,
    /// The client left (or read nothing for the send time-out, or the origin ended) before the reply was out.
    Broken,
}

/// All that happened so far.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    /// Connections accepted.
    pub connections: usize,
    /// Connections that are open now.
    pub open_connections: usize,
    /// The most connections that were open at once.
    pub peak_connections: usize,
    /// All requests, in the order they came.
    pub exchanges: Vec<Exchange>,
    /// What was not a request that this origin accepts, with the reason.
    pub refused: Vec<String>,
}

impl Exchange {
    /// The `Range` it asked for, as sent.
    pub fn range_field(&self) -> Option<&str> {
        self.request.headers.value("Range")
    }

    /// The single byte range it asked for.
    pub fn range(&self) -> Option<RangeSpec> {
        self.request.range()
    }

    /// The `If-Range` it sent.
    pub fn if_range(&self) -> Option<&str> {
        self.request.headers.value("If-Range")
    }

    /// Whether it came on a connection that had served another.
    pub fn reused(&self) -> bool {
        self.request.reused
    }
}

impl Stats {
    /// The requests of one path.
    pub fn requests<'a>(&'a self, path: &'a str) -> impl Iterator<Item = &'a Exchange> {
        self.exchanges.iter().filter(move |exchange| exchange.request.path == path)
    }

    /// The bytes of the bodies of one path.
    pub fn bytes_sent(&self, path: &str) -> u64 {
        self.requests(path).map(|exchange| exchange.body_bytes).sum()
    }

    /// How many requests of one path go on.
    pub fn running(&self, path: &str) -> usize {
        self.requests(path).filter(|exchange| exchange.outcome == Outcome::Running).count()
    }

    /// A line for each request, for the message of a failed test.
    pub fn describe(&self) -> String {
        let mut text = format!(
            "{} connections ({} open, {} at most), {} requests\n",
            self.connections,
            self.open_connections,
            self.peak_connections,
            self.exchanges.len()
        );
        for exchange in &self.exchanges {
            let Exchange { nth, connection, request, status, body_bytes, outcome, .. } = exchange;
            text.push_str(&format!(
                "#{nth} on connection {connection}: {:?} {} range {:?} if-range {:?} -> {status:?}, {body_bytes} \
                 bytes, {outcome:?}\n",
                request.method,
                request.path,
                exchange.range_field(),
                exchange.if_range(),
            ));
        }
        for reason in &self.refused {
            text.push_str(&format!("refused: {reason}\n"));
        }
        text
    }
}

/// The log that the connections write.
#[derive(Debug, Default)]
pub(super) struct Log {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    stats: Stats,
    /// Requests by path, so that counting does not search.
    counts: HashMap<String, usize>,
}

/// The place of one exchange in the log.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ticket {
    place: usize,
    pub(super) nth: usize,
    pub(super) at: Instant,
}

impl Log {
    /// A connection was accepted; its number.
    pub(super) fn opened(&self) -> usize {
        self.change(|state| {
            let stats = &mut state.stats;
            stats.connections += 1;
            stats.open_connections += 1;
            stats.peak_connections = stats.peak_connections.max(stats.open_connections);
            stats.connections - 1
        })
    }

    /// A connection is closed.
    pub(super) fn closed(&self) {
        self.change(|state| state.stats.open_connections -= 1);
    }

    /// Something came that is not an acceptable request.
    pub(super) fn refuse(&self, reason: String) {
        self.change(|state| state.stats.refused.push(reason));
    }

    /// A request came.
    pub(super) fn begin(&self, connection: usize, request: &Request) -> Ticket {
        let at = Instant::now();
        self.change(|state| {
            let count = state.counts.entry(request.path.clone()).or_default();
            let nth = *count;
            *count += 1;
            let place = state.stats.exchanges.len();
            state.stats.exchanges.push(Exchange {
                nth,
                connection,
                request: request.clone(),
                at,
                status: None,
                body_bytes: 0,
                outcome: Outcome::Running,
            });
            Ticket { place, nth, at }
        })
    }

    /// The head of its answer is about to be written.
    pub(super) fn answered(&self, ticket: Ticket, status: u16) {
        self.change(|state| state.stats.exchanges[ticket.place].status = Some(status));
    }

    /// Bytes of its body are about to be written: counted before, so that a client that has them finds them counted.
    pub(super) fn sending(&self, ticket: Ticket, bytes: u64) {
        self.change(|state| state.stats.exchanges[ticket.place].body_bytes += bytes);
    }

    /// Bytes that were announced were not written.
    pub(super) fn unsent(&self, ticket: Ticket, bytes: u64) {
        self.change(|state| state.stats.exchanges[ticket.place].body_bytes -= bytes);
    }

    /// It ended.
    pub(super) fn ended(&self, ticket: Ticket, outcome: Outcome) {
        self.change(|state| state.stats.exchanges[ticket.place].outcome = outcome);
    }

    /// Looks at the log without a copy.
    pub(super) fn read<T>(&self, look: impl FnOnce(&Stats) -> T) -> T {
        look(&self.lock().stats)
    }

    /// Waits until `done` holds; the error is the log as text.
    pub(super) fn wait_for(
        &self,
        timeout: Duration,
        mut done: impl FnMut(&Stats) -> bool,
    ) -> Result<(), String> {
        let deadline = Instant::now() + timeout;
        let mut state = self.lock();
        while !done(&state.stats) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(format!("not within {timeout:?}: {}", state.stats.describe()));
            }
            state = match self.changed.wait_timeout(state, left) {
                Ok((state, _)) => state,
                Err(poison) => poison.into_inner().0,
            };
        }
        Ok(())
    }

    fn change<T>(&self, edit: impl FnOnce(&mut State) -> T) -> T {
        let result = edit(&mut self.lock());
        self.changed.notify_all();
        result
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
