//! The fetches that are running, and the report that each of them makes at its end, come what may.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use infill_blocking::engine::Port;
use infill_core::{FailureKind, FetchFailure, FetchId};
use tokio::task::AbortHandle;

use super::credit::Credit;

/// The running fetches, shared by the driver and their tasks.
#[derive(Clone, Default)]
pub(super) struct Running(Arc<Mutex<HashMap<FetchId, Entry>>>);

struct Entry {
    credit: Arc<Credit>,
    /// `None` until the task was started.
    task: Option<AbortHandle>,
}

impl Running {
    /// Notes a fetch that is about to start; its end will be reported to `port`.
    pub(super) fn begin(&self, fetch: FetchId, credit: Arc<Credit>, port: Port) -> Report {
        self.table().insert(fetch, Entry { credit, task: None });
        Report { running: self.clone(), port, fetch, result: None }
    }

    /// Notes its task, unless it is over already.
    pub(super) fn set_task(&self, fetch: FetchId, task: AbortHandle) {
        if let Some(entry) = self.table().get_mut(&fetch) {
            entry.task = Some(task);
        }
    }

    pub(super) fn grant(&self, fetch: FetchId, bytes: u32) {
        let credit = self.table().get(&fetch).map(|entry| Arc::clone(&entry.credit));
        if let Some(credit) = credit {
            credit.grant(bytes);
        }
    }

    /// Stops a fetch: its task is dropped, with the response and so the connection; then it reports.
    pub(super) fn stop(&self, fetch: FetchId) {
        let task = self.table().get_mut(&fetch).and_then(|entry| entry.task.take());
        // Not under the lock: the report takes it.
        if let Some(task) = task {
            task.abort();
        }
    }

    /// Stops all.
    pub(super) fn stop_all(&self) {
        let tasks: Vec<_> =
            self.table().values_mut().filter_map(|entry| entry.task.take()).collect();
        tasks.iter().for_each(AbortHandle::abort);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.table().is_empty()
    }

    fn table(&self) -> MutexGuard<'_, HashMap<FetchId, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reports the end of a fetch when it is dropped: after the response, whose connection is free by then.
pub(super) struct Report {
    running: Running,
    port: Port,
    fetch: FetchId,
    /// `None` until the exchange came to its end.
    result: Option<Result<(), FetchFailure>>,
}

impl Report {
    pub(super) fn port(&self) -> &Port {
        &self.port
    }

    /// The exchange came to its end.
    pub(super) fn finish(mut self, result: Result<(), FetchFailure>) {
        self.result = Some(result);
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        // First, so that whoever hears the report finds it gone.
        self.running.table().remove(&self.fetch);
        let result = self.result.take().unwrap_or_else(|| {
            Err(if std::thread::panicking() {
                FetchFailure::new(FailureKind::Protocol, "the HTTP client panicked")
            } else {
                FetchFailure::new(FailureKind::Stopped, "stopped")
            })
        });
        match result {
            Ok(()) => self.port.ended(self.fetch),
            Err(failure) => self.port.failed(self.fetch, failure),
        }
    }
}
