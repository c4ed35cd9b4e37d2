//! The client's end of an engine: keeps the driver going while anybody needs it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use infill_core::{Command, Config, Event, ReaderId, TrackId};

use super::archive::{Lease, Shelf};
use super::blob::Store;
use super::inbox::Inbox;
use super::pool::Pool;
use super::ticket::{Given, Ticket};
use super::track::Track;
use super::turn::Engine;
use super::{Letter, Port};

/// How many threads work for the store at most.
const STORE_WORKERS: usize = 2;

/// What a client and its streams share. When the last of them is gone, the driver may end.
pub struct Hub {
    inbox: Arc<Inbox<Letter>>,
    pool: Arc<Pool>,
    /// The claim on the cache's directory, if there is a cache.
    lease: Option<Arc<dyn Lease>>,
    hasten: OnceLock<Hasten>,
    tracks: AtomicU64,
    readers: AtomicU64,
}

/// Does what is left to be done once nobody is left who could ask for more.
type Hasten = Box<dyn Fn() + Send + Sync>;

impl Hub {
    /// A hub, and the engine for its driver. `wake` must make the driver take a turn soon: see [`Inbox::new`]. The
    /// store's bound goes into the configuration.
    pub fn new(
        config: Config,
        store: Arc<dyn Store>,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> (Arc<Self>, Engine) {
        Self::with_shelf(config, store, None, wake)
    }

    /// The same, with a cache.
    pub fn with_shelf(
        mut config: Config,
        store: Arc<dyn Store>,
        shelf: Option<Shelf>,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> (Arc<Self>, Engine) {
        config.store_limit_bytes = store.limit_bytes();
        let inbox = Arc::new(Inbox::new(wake));
        let pool = Arc::new(Pool::new(STORE_WORKERS));
        let cache = shelf.map(|shelf| {
            // The first letter of all. The inbox is alive: its engine is yet to be made.
            let _ = inbox.post(Letter::Event(Event::Restored(Box::new(shelf.restored))));
            (shelf.archive, shelf.lease)
        });
        let lease = cache.as_ref().map(|(_, lease)| Arc::clone(lease));
        let engine = Engine::new(config, Arc::clone(&inbox), store, cache, Arc::clone(&pool));
        let hub = Self {
            inbox,
            pool,
            lease,
            hasten: OnceLock::new(),
            tracks: AtomicU64::new(1),
            readers: AtomicU64::new(1),
        };
        (Arc::new(hub), engine)
    }

    /// How the driver's last work is done where somebody waits for it who keeps the driver from doing it. Must not keep
    /// the engine alive.
    pub fn set_hasten(&self, hasten: impl Fn() + Send + Sync + 'static) {
        let _ = self.hasten.set(Box::new(hasten));
    }

    /// Whether there is a cache.
    pub fn has_cache(&self) -> bool {
        self.lease.is_some()
    }

    /// Gives a command to the cache.
    pub fn command(&self, what: Command) -> Ticket {
        let (ticket, owed) = Ticket::new();
        // When the engine is gone, the letter is dropped, which is an answer.
        let _ = self.inbox.post(Letter::Command(Given { what, owed }));
        ticket
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
        // First: whoever sees the driver end must find the directory free, or about to be.
        if let Some(lease) = &self.lease {
            lease.ends(self.hasten.take());
        }
        self.inbox.close();
    }
}

/// An open track and its hub: held by each of its readers. Dropping the last one closes the track.
///
/// A part of a presentation is the machine's to close: its link holds that of the presentation instead.
pub struct Link {
    pub(super) hub: Arc<Hub>,
    pub(super) track: Arc<Track>,
    whole: Option<Arc<Link>>,
}

impl Link {
    /// Of a track that was opened here.
    pub(super) fn new(hub: Arc<Hub>, track: Arc<Track>) -> Arc<Self> {
        Arc::new(Self { hub, track, whole: None })
    }

    /// Of a track that the machine has opened for this one.
    pub(super) fn part(self: &Arc<Self>, track: Arc<Track>) -> Arc<Self> {
        Arc::new(Self { hub: Arc::clone(&self.hub), track, whole: Some(Arc::clone(self)) })
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if self.whole.is_none() {
            self.track.request_close();
        }
    }
}
