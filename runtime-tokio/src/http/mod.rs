//! HTTP with reqwest: one task for each running fetch.

mod clients;
mod credit;
mod exchange;
mod failure;
mod running;
#[cfg(feature = "rustls")]
mod tls;

use std::sync::Arc;
use std::time::Duration;

use infill_blocking::engine::{Fetcher, Port};
use infill_core::http::FetchRequest;
use infill_core::{CancelReason, FailureKind, FetchFailure, FetchId, TrackId};
use tokio::runtime::Handle;
use tokio::time::Instant;

pub(crate) use clients::Clients;
pub use clients::reqwest_builder;
use credit::Credit;
use exchange::Exchange;
use running::Running;

/// How long connections are kept while no fetch is running.
const IDLE: Duration = Duration::from_secs(4);

/// The fetcher of the tokio runtime.
pub(crate) struct HttpFetcher {
    port: Port,
    runtime: Handle,
    clients: Clients,
    running: Running,
    idle_since: Option<Instant>,
}

impl HttpFetcher {
    pub(crate) fn new(port: Port, runtime: Handle, clients: Clients) -> Self {
        Self { port, runtime, clients, running: Running::default(), idle_since: None }
    }

    /// Closes connections that were idle long enough; says when to look again.
    pub(crate) fn sweep(&mut self, now: Instant) -> Option<Instant> {
        if self.clients.is_resting() || !self.running.is_empty() {
            self.idle_since = None;
            return None;
        }
        let until = *self.idle_since.get_or_insert(now) + IDLE;
        if now < until {
            return Some(until);
        }
        self.rest();
        None
    }
}

impl Fetcher for HttpFetcher {
    fn start(&mut self, _track: TrackId, request: Box<FetchRequest>) {
        self.idle_since = None;
        let fetch = request.fetch;
        let http = match self.clients.client(&request) {
            Ok(http) => http,
            Err(detail) => {
                let failure = FetchFailure::new(FailureKind::Connect, detail);
                self.port.failed(fetch, failure);
                return;
            }
        };
        let credit = Arc::new(Credit::new(request.credit));
        let report = self.running.begin(fetch, Arc::clone(&credit), self.port.clone());
        let task = self.runtime.spawn(async move {
            // Dropped when it is over, and before the report in any case.
            let exchange = Exchange { http: &http, credit: &credit, port: report.port() };
            let result = exchange.run(&request).await;
            report.finish(result);
        });
        self.running.set_task(fetch, task.abort_handle());
    }

    fn cancel(&mut self, fetch: FetchId, _reason: CancelReason) {
        self.running.stop(fetch);
    }

    fn grant(&mut self, fetch: FetchId, bytes: u32) {
        self.running.grant(fetch, bytes);
    }

    fn rest(&mut self) {
        self.idle_since = None;
        self.clients.rest();
    }
}

impl Drop for HttpFetcher {
    fn drop(&mut self) {
        self.running.stop_all();
    }
}
