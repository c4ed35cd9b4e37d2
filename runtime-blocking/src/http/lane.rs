//! Lanes: threads with an agent each, and which of them are running or idle.

use std::collections::HashMap;
use std::io;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use bytes::Bytes;
use infill_core::http::FetchRequest;
use infill_core::{FailureKind, FetchFailure, FetchId};
use url::Origin;

use super::buffer::Buffers;
use super::control::Control;
use super::exchange::{Exchange, stopped};
use super::{AgentFactory, IDLE, MAX_IDLE};
use crate::engine::Port;

/// A fetch for a lane.
pub(super) struct Job {
    pub(super) request: Box<FetchRequest>,
    pub(super) control: Arc<Control>,
    pub(super) port: Port,
}

/// All lanes of a client.
pub(super) struct Lanes {
    table: Mutex<Table>,
    factory: Arc<AgentFactory>,
    buffers: Arc<Buffers>,
}

#[derive(Default)]
struct Table {
    running: HashMap<FetchId, Arc<Control>>,
    /// Most recently used last.
    idle: Vec<Idle>,
    named: u64,
    closed: bool,
}

/// A lane that waits for a fetch. Dropping it ends its thread.
struct Idle {
    name: u64,
    origins: Vec<Origin>,
    jobs: Sender<Job>,
}

impl Lanes {
    pub(super) fn new(factory: Arc<AgentFactory>, buffers: Arc<Buffers>) -> Self {
        Self { table: Mutex::default(), factory, buffers }
    }

    /// Starts a fetch: on an idle lane of its origin, or on a new one.
    pub(super) fn start(self: &Arc<Self>, job: Job) -> io::Result<()> {
        let (fetch, origin) = (job.request.fetch, job.request.url.origin());
        let mut table = self.table();
        table.running.insert(fetch, Arc::clone(&job.control));
        let waiting = table
            .idle
            .iter()
            .rposition(|lane| !job.request.fresh && lane.origins.contains(&origin));
        let idle = waiting.map(|index| table.idle.remove(index));
        let name = table.named;
        table.named += 1;
        drop(table);
        let Some(idle) = idle else {
            return self.spawn(name, job).inspect_err(|_| self.forget(fetch));
        };
        // A lane whose thread was lost takes no job: it goes to a new one.
        match idle.jobs.send(job) {
            Ok(()) => Ok(()),
            Err(mpsc::SendError(job)) => self.spawn(name, job).inspect_err(|_| self.forget(fetch)),
        }
    }

    /// The control of a running fetch.
    pub(super) fn running(&self, fetch: FetchId) -> Option<Arc<Control>> {
        self.table().running.get(&fetch).cloned()
    }

    /// Ends all idle lanes.
    pub(super) fn rest(&self) {
        let idle = core::mem::take(&mut self.table().idle);
        drop(idle);
    }

    /// Ends all lanes.
    pub(super) fn close(&self) {
        let mut table = self.table();
        table.closed = true;
        let running = core::mem::take(&mut table.running);
        drop(table);
        running.values().for_each(|control| control.cancel());
        self.rest();
    }

    fn spawn(self: &Arc<Self>, name: u64, job: Job) -> io::Result<()> {
        let lanes = Arc::clone(self);
        thread::Builder::new()
            .name("infill-fetch".into())
            .spawn(move || lanes.run_lane(name, job))
            .map(drop)
    }

    /// A lane's life.
    fn run_lane(&self, name: u64, first: Job) {
        let agent = (self.factory)();
        let mut origins = Vec::new();
        let mut next = Some(first);
        while let Some(job) = next {
            let jobs = self.run_job(&agent, &mut origins, &job, name);
            drop(job);
            next = jobs.and_then(|jobs| self.next_job(name, &jobs));
        }
    }

    /// Runs one fetch, and reports its end; gives where the next one will come from, unless the lane is spent.
    fn run_job(
        &self,
        agent: &ureq::Agent,
        origins: &mut Vec<Origin>,
        job: &Job,
        name: u64,
    ) -> Option<Receiver<Job>> {
        let fetch = job.request.fetch;
        let mut report = Report {
            lanes: self,
            job,
            last: Bytes::new(),
            // Stands unless the exchange gets to its end: the core must hear of each fetch, come what may.
            failure: Some(FetchFailure::new(FailureKind::Protocol, "the HTTP client panicked")),
        };
        let result = match job.control.arm(agent) {
            false => Err(stopped()),
            true => Exchange {
                agent,
                control: &job.control,
                port: &job.port,
                buffers: &self.buffers,
                origins,
            }
            .run(&job.request),
        };
        let untouched = job.control.disarm();
        report.failure = match result {
            Ok(last) => {
                report.last = last;
                None
            }
            Err(failure) => Some(failure),
        };
        match &mut report.failure {
            // Idle before it is reported: the next request may be the answer to the report. From here on the fetch can't
            // be stopped any more, and need not be.
            None if untouched => self.idle(fetch, name, origins),
            None => None,
            Some(failure) => {
                if !untouched {
                    *failure = stopped();
                }
                None
            }
        }
    }

    fn idle(&self, fetch: FetchId, name: u64, origins: &[Origin]) -> Option<Receiver<Job>> {
        let mut table = self.table();
        table.running.remove(&fetch);
        if table.closed {
            return None;
        }
        let (jobs, receiver) = mpsc::channel();
        table.idle.push(Idle { name, origins: origins.to_vec(), jobs });
        let oldest = (table.idle.len() > MAX_IDLE).then(|| table.idle.remove(0));
        drop(table);
        drop(oldest);
        Some(receiver)
    }

    /// Waits for the next job, not too long.
    fn next_job(&self, name: u64, receiver: &Receiver<Job>) -> Option<Job> {
        match receiver.recv_timeout(IDLE) {
            Ok(job) => Some(job),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => {
                let mut table = self.table();
                let index = table.idle.iter().position(|lane| lane.name == name);
                let idle = index.map(|index| table.idle.remove(index));
                drop(table);
                match idle {
                    Some(_) => None,
                    // Somebody took it from the table just now: a job is on its way, or the end.
                    None => receiver.recv().ok(),
                }
            }
        }
    }

    fn forget(&self, fetch: FetchId) {
        self.table().running.remove(&fetch);
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reports the end of a fetch when it is dropped.
struct Report<'a> {
    lanes: &'a Lanes,
    job: &'a Job,
    last: Bytes,
    failure: Option<FetchFailure>,
}

impl Drop for Report<'_> {
    fn drop(&mut self) {
        let fetch = self.job.request.fetch;
        self.lanes.forget(fetch);
        match self.failure.take() {
            None => {
                self.job.port.bytes(fetch, core::mem::take(&mut self.last));
                self.job.port.ended(fetch);
            }
            Some(failure) => self.job.port.failed(fetch, failure),
        }
    }
}
