//! A client's settings.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use infill_core::{Config, Error};

use crate::client::Client;
use crate::http::{self, AgentFactory};
use crate::store::StoreKind;

/// Settings of a [`Client`]. What is not set has a default that suits a player.
#[must_use = "a builder does nothing until `build`"]
pub struct ClientBuilder {
    pub(crate) config: Config,
    pub(crate) store: StoreKind,
    pub(crate) agent_factory: Arc<AgentFactory>,
}

impl ClientBuilder {
    pub(crate) fn new() -> Self {
        let mut config = Config::default();
        // Only for the jitter of retries: clients shall not retry in step.
        // Two buffers: one is read into while the other is written. At wire speed half as many hand-overs, and CPU time,
        // as with half of it.
        config.fetch_credit_bytes = 2 * http::BUFFER_BYTES as u32;
        config.seed = RandomState::new().hash_one(());
        Self {
            config,
            store: StoreKind::default(),
            agent_factory: Arc::new(http::default_agent),
        }
    }

    /// Where bytes are kept. Default: 64 MiB of memory.
    pub fn store(mut self, store: StoreKind) -> Self {
        self.store = store;
        self
    }

    /// How far ahead of its readers a file is fetched, in bytes. Default: all of it, at the speed of the network; slow
    /// readers are often cut off by servers.
    pub fn read_ahead(mut self, bytes: u64) -> Self {
        self.config.read_ahead_bytes = Some(bytes);
        self
    }

    /// The largest range that one request asks for, in bytes. Default: no bound.
    pub fn max_request(mut self, bytes: u64) -> Self {
        self.config.max_request_bytes = Some(bytes);
        self
    }

    /// How long `open` and reads wait without progress before they fail with the last cause. Default: 60 s.
    pub fn give_up_after(mut self, time: Duration) -> Self {
        self.config.give_up_after = time;
        self
    }

    /// How long a connect may take, TLS included. Default: 10 s.
    pub fn connect_timeout(mut self, time: Duration) -> Self {
        self.config.connect_timeout = time;
        self
    }

    /// How long an origin may take to answer, connect included. Default: 20 s.
    pub fn head_timeout(mut self, time: Duration) -> Self {
        self.config.head_timeout = time;
        self
    }

    /// How long a body may be silent while it is wanted. Default: 10 s.
    pub fn stall_timeout(mut self, time: Duration) -> Self {
        self.config.stall_timeout = time;
        self
    }

    /// Connections for one file. Default: 2, one that goes on while the other seeks.
    pub fn connections_per_file(mut self, count: usize) -> Self {
        self.config.connections_per_file = count.max(1);
        self
    }

    /// Connections to one host. Default: 6.
    pub fn connections_per_host(mut self, count: usize) -> Self {
        self.config.connections_per_host = count.max(1);
        self
    }

    /// Connections of this client. Default: 64.
    pub fn connections(mut self, count: usize) -> Self {
        self.config.connections = count.max(1);
        self
    }

    /// The seed of the jitter in retries, which is the only randomness there is. Default: another one each time.
    pub fn seed(mut self, seed: u64) -> Self {
        self.config.seed = seed;
        self
    }

    /// Settings that have no method of their own, for tests that can't wait.
    #[doc(hidden)]
    pub fn configure(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(&mut self.config);
        self
    }

    /// Makes the HTTP agents: for a proxy, other certificates, another resolver.
    ///
    /// Called for each new connection, from its thread. Each call must give an agent of its own, not a clone: stopping
    /// a request shuts its agent down, and with it all clones. Statuses as errors, redirects and time-outs are set for
    /// each request, whatever the agent says. Don't turn decompression on (ureq's features `gzip` and `brotli`): bytes
    /// would no longer be where the origin says they are.
    pub fn agent_factory(
        mut self,
        factory: impl Fn() -> ureq::Agent + Send + Sync + 'static,
    ) -> Self {
        self.agent_factory = Arc::new(factory);
        self
    }

    /// The client. Fails if the store can't be made or no thread can be started.
    pub fn build(self) -> Result<Client, Error> {
        Client::start(self)
    }
}

impl core::fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("config", &self.config)
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}
