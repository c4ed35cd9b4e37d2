//! The client's end of an engine: keeps the driver going while anybody needs it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use infill_core::{Config, ReaderId, TrackId};

use super::blob::Store;
use super::inbox::Inbox;
use super::pool::Pool;
use super::track::Track;
use super::turn::Engine;
use super::{Letter, Port};

/// How many threads work for the store at most.
const STORE_WORKERS: usize = 2;

/// What a client and its streams share. When the last of them is gone, the driver may end.
pub struct Hub {
    inbox: Arc<Inbox<Letter>>,
    pool: Arc<Pool>,
    tracks: AtomicU64,
    readers: AtomicU64,
}

impl Hub {
    /// A hub, and the engine for its driver. `wake` must make the driver take a turn soon: see [`Inbox::new`]. The
    /// store's bound goes into the configuration.
    pub fn new(
        mut config: Config,
        store: Arc<dyn Store>,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> (Arc<Self>, Engine) {
        config.store_limit_bytes = store.limit_bytes();
        let inbox = Arc::new(Inbox::new(wake));
        let pool = Arc::new(Pool::new(STORE_WORKERS));
        let engine = Engine::new(config, Arc::clone(&inbox), store, Arc::clone(&pool));
        let hub = Self { inbox, pool, tracks: AtomicU64::new(1), readers: AtomicU64::new(1) };
        (Arc::new(hub), engine)
    }

    /// Where fetches report, and other events of the outside.
    pub fn port(&self) -> Port {
        Port(Arc::clone(&self.inbox))
    }

    pub(super) fn inbox(&self) -> &Arc<Inbox<Letter>> {
        &self.inbox
    }

    pub(super) fn next_track(&self) -> TrackId {
        TrackId(self.tracks.fetch_add(1, Ordering::Relaxed))
    }

    pub(super) fn pool(&self) -> &Pool {
        &self.pool
    }

    pub(super) fn next_reader(&self) -> ReaderId {
        ReaderId(self.readers.fetch_add(1, Ordering::Relaxed))
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.inbox.close();
    }
}

/// An open track and its hub: held by each of its readers. Dropping the last one closes the track.
pub struct Link {
    pub(super) hub: Arc<Hub>,
    pub(super) track: Arc<Track>,
}

impl Drop for Link {
    fn drop(&mut self) {
        self.track.request_close();
    }
}
