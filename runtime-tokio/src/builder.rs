//! A client's settings.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use infill_blocking::StoreKind;
use infill_core::{Config, Error};
use tokio::runtime::Handle;

use crate::client::Client;

/// Settings of a [`Client`]. What is not set has a default that suits a player.
#[must_use = "a builder does nothing until `build`"]
pub struct ClientBuilder {
    pub(crate) config: Config,
    pub(crate) store: StoreKind,
    pub(crate) http: Option<reqwest::Client>,
    pub(crate) runtime: Option<Handle>,
}

impl ClientBuilder {
    pub(crate) fn new() -> Self {
        let mut config = Config::default();
        // Only for the jitter of retries: clients shall not retry in step.
        config.seed = RandomState::new().hash_one(());
        Self {
            config,
            store: StoreKind::default(),
            http: None,
            runtime: None,
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

    /// How long a connect may take, name look-up and TLS included. Default: 10 s. A client given with
    /// [`ClientBuilder::http`] brings its own.
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

    /// Makes requests with this client: for a proxy, other certificates, another resolver.
    ///
    /// Its settings stand, and some of them break promises; the [crate's page](crate#a-client-of-your-own) lists them.
    pub fn http(mut self, client: reqwest::Client) -> Self {
        self.http = Some(client);
        self
    }

    /// The runtime that the client's tasks run on, with IO and time enabled. Default: the one that
    /// [`build`](Self::build) is called in.
    pub fn runtime(mut self, runtime: Handle) -> Self {
        self.runtime = Some(runtime);
        self
    }

    /// The client. Fails if there is no runtime, the store can't be made, or TLS can't be set up.
    pub fn build(self) -> Result<Client, Error> {
        Client::start(self)
    }
}

impl core::fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("config", &self.config)
            .field("store", &self.store)
            .field("http", &self.http)
            .finish_non_exhaustive()
    }
}
