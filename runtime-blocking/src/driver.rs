//! The driver: the one thread of a client that takes turns and sleeps. It ends when the client and its streams are gone.

use std::io;
use std::sync::{Arc, OnceLock};
use std::thread::{self, Thread};
use std::time::Instant;

use infill_core::Config;

use crate::engine::{Engine, Fetcher, Hub, Port, Shelf, Store};

/// Starts the driver of a new engine. `fetcher` is made on this thread, and lives on the driver's.
pub(crate) fn start<F: Fetcher + Send + 'static>(
    config: Config,
    store: Arc<dyn Store>,
    shelf: Option<Shelf>,
    fetcher: impl FnOnce(Port) -> F,
) -> io::Result<Arc<Hub>> {
    let driver: Arc<OnceLock<Thread>> = Arc::default();
    let sleeper = Arc::clone(&driver);
    let wake = move || {
        // Not there yet: then its first turn is still to come.
        if let Some(driver) = sleeper.get() {
            driver.unpark();
        }
    };
    let (hub, engine) = Hub::with_shelf(config, store, shelf, wake);
    let fetcher = fetcher(engine.port());
    thread::Builder::new().name("infill-driver".into()).spawn(move || {
        driver.get_or_init(thread::current);
        drive(engine, fetcher);
    })?;
    Ok(hub)
}

fn drive(mut engine: Engine, mut fetcher: impl Fetcher) {
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
        match engine.deadline() {
            None => thread::park(),
            Some(at) => thread::park_timeout(at.since(now())),
        }
    }
}
