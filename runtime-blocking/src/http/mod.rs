//! HTTP with ureq: one thread and one agent for each running fetch.
//!
//! A *lane* is a thread with its agent and the connections that it keeps alive. Shutting one agent down frees its
//! stalled socket at once and ends its clones, which is why lanes don't share one. A lane that finished well waits a
//! moment for another fetch of the same origin; a stopped or failed one is thrown away.

mod buffer;
mod control;
mod exchange;
mod failure;
mod lane;

use std::sync::Arc;
use std::time::Duration;

use infill_core::http::FetchRequest;
use infill_core::{CancelReason, FailureKind, FetchFailure, FetchId, TrackId};

use crate::engine::{Fetcher, Port};

pub(crate) use buffer::BUFFER_BYTES;

use buffer::Buffers;
use control::Control;
use lane::{Job, Lanes};

/// Makes the agent of a lane.
pub(crate) type AgentFactory = dyn Fn() -> ureq::Agent + Send + Sync;

/// How long a lane without a fetch keeps its thread and its connections.
const IDLE: Duration = Duration::from_secs(2);

/// How many lanes wait like that at most.
const MAX_IDLE: usize = 8;

/// The fetcher of the threaded runtime.
pub(crate) struct HttpFetcher {
    port: Port,
    lanes: Arc<Lanes>,
}

impl HttpFetcher {
    pub(crate) fn new(port: Port, factory: Arc<AgentFactory>) -> Self {
        let lanes = Arc::new(Lanes::new(factory, Buffers::new()));
        Self { port, lanes }
    }
}

impl Fetcher for HttpFetcher {
    fn start(&mut self, _track: TrackId, request: Box<FetchRequest>) {
        let fetch = request.fetch;
        let job = Job {
            control: Arc::new(Control::new(request.credit)),
            port: self.port.clone(),
            request,
        };
        if let Err(error) = self.lanes.start(job) {
            let detail = format!("no thread for the request: {error}");
            let failure = FetchFailure::new(FailureKind::Connect, detail);
            self.port.failed(fetch, failure);
        }
    }

    fn cancel(&mut self, fetch: FetchId, _reason: CancelReason) {
        if let Some(control) = self.lanes.running(fetch) {
            control.cancel();
        }
    }

    fn grant(&mut self, fetch: FetchId, bytes: u32) {
        if let Some(control) = self.lanes.running(fetch) {
            control.grant(bytes);
        }
    }

    fn rest(&mut self) {
        self.lanes.rest();
    }
}

impl Drop for HttpFetcher {
    fn drop(&mut self) {
        self.lanes.close();
    }
}

/// The agent that lanes have unless the embedder makes them.
pub(crate) fn default_agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .proxy(None)
        // ureq gives at most what its own buffer holds.
        .input_buffer_size(BUFFER_BYTES)
        .user_agent(concat!("infill/", env!("CARGO_PKG_VERSION")));
    #[cfg(feature = "rustls")]
    let config = config.tls_config(tls());
    #[cfg(all(feature = "native-tls", not(feature = "rustls")))]
    let config = config.tls_config(
        ureq::tls::TlsConfig::builder().provider(ureq::tls::TlsProvider::NativeTls).build(),
    );
    config.build().into()
}

/// rustls with ring. The roots are Mozilla's, unless the platform's verifier was asked for.
#[cfg(feature = "rustls")]
fn tls() -> ureq::tls::TlsConfig {
    let tls = ureq::tls::TlsConfig::builder().provider(ureq::tls::TlsProvider::Rustls);
    #[cfg(feature = "platform-verifier")]
    let tls = tls.root_certs(ureq::tls::RootCerts::PlatformVerifier);
    tls.build()
}
