//! Both runtimes behind one face, so that one script proves both: [`Runtime`] makes a [`Client`], which opens a
//! [`Stream`] that reads and seeks as `std::io` says. Knows nothing of what is tested with it.

use std::{fmt, path::PathBuf, time::Duration};

use infill_core::Config;
pub use infill_tokio::{
    CacheEntry, CacheKey, CacheState, Cause, Durability, Error, ErrorKind, Notice, Noticed,
    Notices, ResourceStatus, Revalidate, Source, State, StoreKind, StreamHandle, Verified,
};

mod cache;
mod client;
mod stream;

pub use cache::{Cache, Download};
pub use client::{Client, tokio_runtime};
pub use stream::{Reading, Stream, of_infill};

use crate::origin::CertificateAuthority;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runtime {
    /// `infill-blocking`.
    Blocking,
    /// `infill-tokio`, driven from threads: each call of the script is a `block_on`.
    Tokio,
}

impl Runtime {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Blocking, Self::Tokio];

    /// A client with these settings.
    ///
    /// # Panics
    /// If there is none to be had, which leaves a test nothing to do.
    pub fn client(self, settings: &Settings) -> Client {
        self.try_client(settings).unwrap_or_else(|error| panic!("no client of {self:?}: {error}"))
    }

    /// The same, where there may be none: a cache's directory may be taken.
    pub fn try_client(self, settings: &Settings) -> Result<Client, Error> {
        Client::build(self, settings)
    }
}

impl fmt::Display for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Blocking => "blocking",
            Self::Tokio => "tokio",
        })
    }
}

/// Settings of a client of either runtime.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The machine's.
    pub config: Config,
    /// Where bytes are kept that are not cached.
    pub store: StoreKind,
    /// Where the cache is, if there is one.
    pub cache_dir: Option<PathBuf>,
    /// The only authority to be trusted; without one, Mozilla's.
    pub authority: Option<CertificateAuthority>,
}

impl Settings {
    /// As an embedder has them who sets nothing, but with a fixed seed.
    pub fn new() -> Self {
        Self {
            config: Config::default(),
            store: StoreKind::default(),
            cache_dir: None,
            authority: None,
        }
    }

    /// For tests that make failures: retries come soon. Deadlines stay long, because a busy machine must not trip over
    /// one that a test is not about.
    pub fn quick() -> Self {
        Self::new().with(|config| {
            config.backoff_min = Duration::from_millis(10);
            config.give_up_after = Duration::from_secs(10);
        })
    }

    /// Changes the machine's settings.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(&mut self.config);
        self
    }

    /// Keeps bytes there.
    #[must_use]
    pub fn store(mut self, store: StoreKind) -> Self {
        self.store = store;
        self
    }

    /// Keeps a cache there. Its other settings are the machine's.
    #[must_use]
    pub fn cache(mut self, dir: impl Into<PathBuf>) -> Self {
        self.cache_dir = Some(dir.into());
        self
    }

    /// Trusts this authority.
    #[must_use]
    pub fn trust(mut self, authority: &CertificateAuthority) -> Self {
        self.authority = Some(authority.clone());
        self
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::new()
    }
}
