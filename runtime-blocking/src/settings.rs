//! The settings that the clients of both runtimes share, and the builder methods that set them.

use std::hash::{BuildHasher, RandomState};

use infill_core::{Config, Error, HlsOptions};

use crate::engine::Shelf;
use crate::store::StoreKind;

/// What both clients can be told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The machine's.
    pub config: Config,
    /// How presentations are opened.
    pub hls: HlsOptions,
    /// Where bytes are kept that are gone with the process.
    pub store: StoreKind,
    /// Where the cache is, if there is one.
    #[cfg(feature = "cache")]
    pub cache_dir: Option<std::path::PathBuf>,
}

impl Settings {
    /// Opens the cache, if there is to be one.
    pub fn open_cache(&self) -> Result<Option<Shelf>, Error> {
        #[cfg(feature = "cache")]
        if let Some(root) = &self.cache_dir {
            return crate::cache::open(root).map(Some);
        }
        Ok(None)
    }
}

impl Default for Settings {
    fn default() -> Self {
        let mut config = Config::default();
        // Only for the jitter of retries: clients shall not retry in step.
        config.seed = RandomState::new().hash_one(());
        Self {
            config,
            hls: HlsOptions::default(),
            store: StoreKind::default(),
            #[cfg(feature = "cache")]
            cache_dir: None,
        }
    }
}

/// The methods of a builder that has `settings`, once for both runtimes.
#[doc(hidden)]
#[macro_export]
macro_rules! __client_settings {
    ($builder:ident) => {
        impl $builder {
            /// Where bytes are kept that are not cached: all of them without a cache; with one, those of what the origin
            /// forbids to store (`no-store`), and those that the cache's disk refuses. Default: 64 MiB of memory.
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

            /// How far ahead of its reader a presentation is fetched. Default: three minutes on a disk, one in memory.
            pub fn hls_read_ahead(mut self, time: ::core::time::Duration) -> Self {
                self.settings.config.hls.read_ahead = Some(time);
                self
            }

            /// The same in bytes, whichever is reached first. Default: 32 MiB.
            pub fn hls_read_ahead_bytes(mut self, bytes: u64) -> Self {
                self.settings.config.hls.read_ahead_bytes = bytes;
                self
            }

            /// Which variant presentations begin with. Default: what the link allows.
            pub fn hls_variant(mut self, choice: $crate::VariantChoice) -> Self {
                self.settings.hls.choice = choice;
                self
            }

            /// Which variants can be decoded, told from their `CODECS` and `CHANNELS`. Default: all.
            pub fn hls_can_decode(
                mut self,
                can: impl Fn(&str, Option<&str>) -> bool + Send + Sync + 'static,
            ) -> Self {
                self.settings.hls.can_decode = Some($crate::engine::can_decode(can));
                self
            }

            /// Whether playlists are refused that RFC 8216 says must be. Default: they are read as they were most likely
            /// meant, and [notices]($crate::Notice::Playlist) say so.
            pub fn hls_strict(mut self, strict: bool) -> Self {
                self.settings.hls.strict = strict;
                self
            }

            /// Whether AES keys are kept in the cache, so that what is encrypted plays offline. Default: they stay in
            /// memory.
            pub fn hls_keep_keys(mut self, keep: bool) -> Self {
                self.settings.hls.keep_keys = keep;
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

/// The methods of a builder that concern the cache.
#[cfg(feature = "cache")]
#[doc(hidden)]
#[macro_export]
macro_rules! __cache_settings {
    ($builder:ident) => {
        impl $builder {
            /// Keeps a cache in this directory, which is made if it is not there: what was fetched is used again, also after
            /// a restart or a crash. Default: no cache.
            ///
            /// One client at a time has a directory; where another one of this process is just giving it back, `build` waits
            /// for that, for two seconds at most. Give the cache one of its own: in it, the cache deletes files that have
            /// names such as it gives, and no others.
            pub fn cache_dir(mut self, path: impl Into<::std::path::PathBuf>) -> Self {
                self.settings.cache_dir = Some(path.into());
                self
            }

            /// How many bytes of the disk the cache may take. What was used least recently goes first; what is pinned or open
            /// stays. Default: as much as there is.
            pub fn cache_limit(mut self, bytes: u64) -> Self {
                self.settings.config.cache_limit_bytes = Some(bytes);
                self
            }

            /// What the cache promises to keep. Default: [`Durability::Fast`]($crate::Durability::Fast).
            pub fn durability(mut self, durability: $crate::Durability) -> Self {
                self.settings.config.durability = durability;
                self
            }

            /// Whether the origin is asked if a file that is in the cache is still the same. Default:
            /// [`Revalidate::Never`]($crate::Revalidate::Never).
            pub fn revalidate(mut self, revalidate: $crate::Revalidate) -> Self {
                self.settings.config.revalidate = revalidate;
                self
            }
        }
    };
}
