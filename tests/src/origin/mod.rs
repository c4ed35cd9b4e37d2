//! The fault origin: an HTTP/1.1 server on 127.0.0.1 that is honest until a rule says otherwise, and then misbehaves
//! on the wire exactly as told. Blocking, a thread per connection; everything ends when it is dropped.
//!
//! ```
//! use std::time::Duration;
//! use infill_tests::origin::{Origin, Resource, content};
//!
//! let origin = Origin::builder().latency(Duration::from_millis(2)).start();
//! origin.put("/a.mp3", Resource::new(content(1, 1 << 20)));
//! origin.on("/a.mp3").nth(0).cut_at(512 * 1024);
//! origin.on("/a.mp3").from(1).times(2).status(503).retry_after("2");
//! let url = origin.url("/a.mp3");
//! assert!(url.starts_with("http://127.0.0.1:") && url.ends_with("/a.mp3"));
//! // ... a client reads `url` ...
//! assert_eq!(origin.requests("/a.mp3").len(), 0);
//! assert_eq!(origin.bytes_sent("/a.mp3"), 0);
//! ```
//!
//! How an answer comes about: `connection` reads a request (`request`) and finds the faults of the rules that match
//! (`rule`); they change what the request sees; `respond` makes the honest answer, a `reply`; the faults change that,
//! and its script; `send` writes it on the `wire`, and `log` keeps what happened.

use std::{
    io::{self, Write as _},
    net::{SocketAddr, TcpStream},
    sync::{Arc, PoisonError},
    thread::JoinHandle,
    time::Duration,
};

mod builder;
mod connection;
mod content;
mod fault;
mod headers;
mod log;
mod pace;
mod reply;
mod request;
mod resource;
mod respond;
mod rule;
mod send;
mod shelf;
mod shutdown;
#[cfg(test)]
mod tests;
mod tls;
mod wire;

pub use builder::OriginBuilder;
pub use content::{content, content_at, first_difference};
pub use fault::{
    ContentRangeFault, ContentRangeFlaw, Ending, Fault, FramingFault, IdentityFault, Instead,
    LiveFault, MessageFault, PaceFault, RangeFault, SignedUrls, StatusFault, StopFault,
};
pub use headers::Headers;
pub use log::{Exchange, Outcome, Stats};
pub use pace::Trickle;
pub use request::{Method, RangeSpec, Request};
pub use resource::Resource;
pub use rule::Injection;
pub use tls::CertificateAuthority;

/// A running origin. Dropping it closes its connections and joins its threads.
pub struct Origin {
    shared: Arc<connection::Shared>,
    address: SocketAddr,
    authority: Option<CertificateAuthority>,
    thread: Option<JoinHandle<()>>,
}

impl Origin {
    /// Starts an origin with a builder's defaults.
    ///
    /// # Panics
    /// As [`OriginBuilder::start`].
    pub fn start() -> Self {
        Self::builder().start()
    }

    /// Settings to start with.
    pub fn builder() -> OriginBuilder {
        OriginBuilder::default()
    }

    /// The URL of a path (with its query, if it has one).
    pub fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme(), self.address)
    }

    /// The same URL by the name `localhost`: another host to a client.
    pub fn url_by_name(&self, path: &str) -> String {
        format!("{}://localhost:{}{path}", self.scheme(), self.address.port())
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The authority to trust, if it speaks TLS.
    pub fn authority(&self) -> Option<&CertificateAuthority> {
        self.authority.as_ref()
    }

    /// Serves `resource` at `path` from the next request on, in place of any former version.
    pub fn put(&self, path: &str, resource: impl Into<Resource>) {
        self.shared.shelf.put(path, resource.into());
    }

    /// Serves 404 at `path` from the next request on.
    pub fn remove(&self, path: &str) {
        self.shared.shelf.remove(path);
    }

    /// Begins a rule for a path (without query), or for all paths that begin with what is before a final `*`. The
    /// rule counts from the end of the statement that writes it.
    pub fn on(&self, pattern: &str) -> Injection<'_> {
        self.shared.rules.on(pattern)
    }

    /// Drops the rules that were made for exactly this pattern. Replies under way go on as they began.
    pub fn heal(&self, pattern: &str) {
        self.shared.rules.heal(pattern);
    }

    /// Drops all rules.
    pub fn heal_all(&self) {
        self.shared.rules.heal_all();
    }

    /// Other manners from the next request on: latency, rates and send time-out are taken from `settings`.
    pub fn adjust(&self, settings: &OriginBuilder) {
        let mut manners = self.shared.manners.lock().unwrap_or_else(PoisonError::into_inner);
        *manners = Arc::new(settings.manners());
    }

    /// Closes all connections that are open now, as a restart of the server does.
    pub fn close_connections(&self) {
        self.shared.shutdown.close_connections();
    }

    /// The requests of a path so far, in order.
    pub fn requests(&self, path: &str) -> Vec<Exchange> {
        self.read(|stats| stats.requests(path).cloned().collect())
    }

    /// The bytes of bodies of a path that were handed to the socket so far.
    pub fn bytes_sent(&self, path: &str) -> u64 {
        self.read(|stats| stats.bytes_sent(path))
    }

    /// How many connections were accepted so far.
    pub fn connections(&self) -> usize {
        self.read(|stats| stats.connections)
    }

    /// How many connections are open.
    pub fn open_connections(&self) -> usize {
        self.read(|stats| stats.open_connections)
    }

    /// A copy of all that happened so far.
    pub fn stats(&self) -> Stats {
        self.read(Stats::clone)
    }

    /// Looks at what happened so far without a copy. `look` must not call the origin.
    pub fn read<T>(&self, look: impl FnOnce(&Stats) -> T) -> T {
        self.shared.log.read(look)
    }

    /// Blocks the thread until `done` holds (in async code: `spawn_blocking`, or poll [`read`](Self::read)). The error
    /// is all that happened, as text.
    pub fn wait_for(
        &self,
        timeout: Duration,
        done: impl FnMut(&Stats) -> bool,
    ) -> Result<(), String> {
        self.shared.log.wait_for(timeout, done)
    }

    /// Blocks until no connection is open.
    pub fn wait_until_closed(&self, timeout: Duration) -> Result<(), String> {
        self.wait_for(timeout, |stats| stats.open_connections == 0)
    }

    fn scheme(&self) -> &'static str {
        if self.authority.is_some() { "https" } else { "http" }
    }

    /// Gets the accepting thread out of `accept`.
    fn wake(&self) -> io::Result<()> {
        TcpStream::connect_timeout(&self.address, Duration::from_millis(100))?.flush()
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.shared.shutdown.stop();
        // Fails only if the queue of connects is full, and then the accepting thread is awake anyway.
        let _ = self.wake();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl std::fmt::Debug for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Origin").field("address", &self.address).finish_non_exhaustive()
    }
}
