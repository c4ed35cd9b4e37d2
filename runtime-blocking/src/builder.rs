//! A client's settings.

use std::sync::Arc;

use crate::http::{self, AgentFactory};
use crate::settings::Settings;

/// Settings of a [`Client`](crate::Client). What is not set has a default that suits a player.
#[must_use = "a builder does nothing until `build`"]
pub struct ClientBuilder {
    pub(crate) settings: Settings,
    pub(crate) agent_factory: Arc<AgentFactory>,
}

impl ClientBuilder {
    pub(crate) fn new() -> Self {
        Self { settings: Settings::default(), agent_factory: Arc::new(http::default_agent) }
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
}

crate::__client_settings!(ClientBuilder);
#[cfg(feature = "cache")]
crate::__cache_settings!(ClientBuilder);

impl core::fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ClientBuilder").field("settings", &self.settings).finish_non_exhaustive()
    }
}
