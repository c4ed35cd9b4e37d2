//! The driver: the one task of a client that takes turns and sleeps. It ends when the client and its streams are gone,
//! or with its runtime; either way the engine's end ends all waits.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use infill_blocking::engine::{Engine, Hub, Shelf, Store};
use infill_core::Config;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::http::{Clients, HttpFetcher};

/// Starts the driver of a new engine.
pub(crate) fn start(
    config: Config,
    store: Arc<dyn Store>,
    shelf: Option<Shelf>,
    runtime: &Handle,
    clients: Clients,
) -> Arc<Hub> {
    let letters = Arc::new(Notify::new());
    let wake = Arc::clone(&letters);
    let (hub, engine) = Hub::with_shelf(config, store, shelf, move || wake.notify_one());
    let fetcher = HttpFetcher::new(engine.port(), runtime.clone(), clients);
    let driver =
        Arc::new(Driver(Mutex::new(Some(Work { engine, fetcher, epoch: Instant::now() }))));
    // Whoever opens the same cache next may hold the only thread of the runtime, which then never comes to this task.
    let driven = Arc::downgrade(&driver);
    hub.set_hasten(move || {
        if let Some(driver) = Weak::upgrade(&driven) {
            // What is next is the task's business.
            let _ = driver.turn();
        }
    });
    // On a runtime that was shut down, the task ends at once, and the engine with it.
    runtime.spawn(drive(driver, letters));
    hub
}

/// What the task does its work with; nothing once that is done.
struct Driver(Mutex<Option<Work>>);

struct Work {
    engine: Engine,
    fetcher: HttpFetcher,
    /// By the runtime's clock, also where it is paused: deadlines and sleeping must agree.
    epoch: Instant,
}

impl Driver {
    /// Takes a turn. Gives when to take the next one, unless woken before; `Err` when all is done.
    fn turn(&self) -> Result<Option<Instant>, Done> {
        let mut work = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Work { engine, fetcher, epoch }) = work.as_mut() else {
            return Err(Done);
        };
        let nanos = u64::try_from(epoch.elapsed().as_nanos()).unwrap_or(u64::MAX);
        engine.turn(infill_core::Instant::from_nanos(nanos), fetcher);
        if engine.is_done() {
            let done = work.take();
            // Outside the lock: its end wakes others.
            drop(work);
            drop(done);
            return Err(Done);
        }
        let idle = fetcher.sweep(Instant::now());
        let due = engine.deadline().map(|at| *epoch + at.since(infill_core::Instant::ZERO));
        Ok(due.into_iter().chain(idle).min())
    }
}

/// The client and its streams are gone, and nothing is left to do.
struct Done;

async fn drive(driver: Arc<Driver>, letters: Arc<Notify>) {
    while let Ok(next) = driver.turn() {
        match next {
            None => letters.notified().await,
            // Time or a letter: a turn is taken either way.
            Some(at) => drop(timeout_at(at, letters.notified()).await),
        }
    }
}
