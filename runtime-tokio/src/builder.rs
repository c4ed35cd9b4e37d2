//! A client's settings.

use infill_blocking::engine::Settings;
use tokio::runtime::Handle;

/// Settings of a [`Client`](crate::Client). What is not set has a default that suits a player.
#[must_use = "a builder does nothing until `build`"]
pub struct ClientBuilder {
    pub(crate) settings: Settings,
    pub(crate) http: Option<reqwest::Client>,
    pub(crate) runtime: Option<Handle>,
}

impl ClientBuilder {
    pub(crate) fn new() -> Self {
        Self { settings: Settings::default(), http: None, runtime: None }
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
}

infill_blocking::__client_settings!(ClientBuilder);
#[cfg(feature = "cache")]
infill_blocking::__cache_settings!(ClientBuilder);

impl core::fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("settings", &self.settings)
            .field("http", &self.http)
            .finish_non_exhaustive()
    }
}
