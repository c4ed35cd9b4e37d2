//! The driver: the one task of a client that takes turns and sleeps. It ends when the client and its streams are gone,
//! or with its runtime; either way the engine's end ends all waits.

use std::sync::Arc;

use infill_blocking::engine::{Engine, Hub, Store};
use infill_core::Config;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::http::{Clients, HttpFetcher};

/// Starts the driver of a new engine.
pub(crate) fn start(
    config: Config,
    store: Arc<dyn Store>,
    runtime: &Handle,
    clients: Clients,
) -> Arc<Hub> {
    let letters = Arc::new(Notify::new());
    let wake = Arc::clone(&letters);
    let (hub, engine) = Hub::new(config, store, move || wake.notify_one());
    let fetcher = HttpFetcher::new(engine.port(), runtime.clone(), clients);
    // On a runtime that was shut down, the task ends at once, and the engine with it.
    runtime.spawn(drive(engine, fetcher, letters));
    hub
}

async fn drive(mut engine: Engine, mut fetcher: HttpFetcher, letters: Arc<Notify>) {
    // The runtime's clock, also where it is paused: deadlines and sleeping must agree.
    let epoch = Instant::now();
    let now = || {
        let nanos = epoch.elapsed().as_nanos();
        infill_core::Instant::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    };
    loop {
        engine.turn(now(), &mut fetcher);
        if engine.is_done() {
            return;
        }
        let idle = fetcher.sweep(Instant::now());
        let due = engine.deadline().map(|at| epoch + at.since(infill_core::Instant::ZERO));
        match due.into_iter().chain(idle).min() {
            None => letters.notified().await,
            // Time or a letter: a turn is taken either way.
            Some(at) => drop(timeout_at(at, letters.notified()).await),
        }
    }
}
