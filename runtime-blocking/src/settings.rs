//! The settings that the clients of both runtimes share, and the builder methods that set them.

use std::hash::{BuildHasher, RandomState};

use infill_core::Config;

use crate::store::StoreKind;

/// What both clients can be told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The machine's.
    pub config: Config,
    /// Where bytes are kept.
    pub store: StoreKind,
}

impl Default for Settings {
    fn default() -> Self {
        let mut config = Config::default();
        // Only for the jitter of retries: clients shall not retry in step.
        config.seed = RandomState::new().hash_one(());
        let store = StoreKind::default();
        Self { config, store }
    }
}

/// The methods of a builder that has `settings`, once for both runtimes.
#[doc(hidden)]
#[macro_export]
macro_rules! __client_settings {
    ($builder:ident) => {
        impl $builder {
            /// Where bytes are kept. Default: 64 MiB of memory.
            pub fn store(mut self, store: $crate::StoreKind) -> Self {
                self.settings.store = store;
                self
            }

            /// How far ahead of its readers a file is fetched, in bytes. Default: all of it, at the speed of the network; slow
            /// readers are often cut off by servers.
            pub fn read_ahead(mut self, bytes: u64) -> Self {
                self.settings.config.read_ahead_bytes = Some(bytes);
                self
            }

            /// The largest range that one request asks for, in bytes. Default: no bound.
            pub fn max_request(mut self, bytes: u64) -> Self {
                self.settings.config.max_request_bytes = Some(bytes);
                self
            }

            /// How long `open` and reads wait without progress before they fail with the last cause. Default: 60 s.
            pub fn give_up_after(mut self, time: ::core::time::Duration) -> Self {
                self.settings.config.give_up_after = time;
                self
            }

            /// How long a connect may take, TLS included. Default: 10 s. A client of the embedder's may bring its own.
            pub fn connect_timeout(mut self, time: ::core::time::Duration) -> Self {
                self.settings.config.connect_timeout = time;
                self
            }

            /// How long an origin may take to answer, connect included. Default: 20 s.
            pub fn head_timeout(mut self, time: ::core::time::Duration) -> Self {
                self.settings.config.head_timeout = time;
                self
            }

            /// How long a body may be silent while it is wanted. Default: 10 s.
            pub fn stall_timeout(mut self, time: ::core::time::Duration) -> Self {
                self.settings.config.stall_timeout = time;
                self
            }

            /// Connections for one file. Default: 2, one that goes on while the other seeks.
            pub fn connections_per_file(mut self, count: usize) -> Self {
                self.settings.config.connections_per_file = count.max(1);
                self
            }

            /// Connections to one host. Default: 6.
            pub fn connections_per_host(mut self, count: usize) -> Self {
                self.settings.config.connections_per_host = count.max(1);
                self
            }

            /// Connections of this client. Default: 64.
            pub fn connections(mut self, count: usize) -> Self {
                self.settings.config.connections = count.max(1);
                self
            }

            /// The seed of the jitter in retries, which is the only randomness there is. Default: another one each time.
            pub fn seed(mut self, seed: u64) -> Self {
                self.settings.config.seed = seed;
                self
            }

            /// Settings that have no method of their own, for tests that can't wait.
            #[doc(hidden)]
            pub fn configure(mut self, change: impl FnOnce(&mut $crate::engine::Config)) -> Self {
                change(&mut self.settings.config);
                self
            }
        }
    };
}
