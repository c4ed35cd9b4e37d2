//! The client's end of an engine: opens tracks, and keeps the driver going while anybody needs it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use infill_core::{Config, Error, OpenOptions, ReaderId, TrackId};

use super::blob::Store;
use super::inbox::Inbox;
use super::pool::Pool;
use super::reader::{Access, Reader};
use super::track::Track;
use super::turn::Engine;
use super::{Letter, Order, Port};
use crate::local;
use crate::source::{Place, Source};

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

    /// Begins to open. A local file is ready at once. `access` says how its readers come to stored bytes.
    pub fn open(
        self: &Arc<Self>,
        source: &Source,
        options: OpenOptions,
        access: Access,
    ) -> Result<Opening, Error> {
        let id = TrackId(self.tracks.fetch_add(1, Ordering::Relaxed));
        let track = match source.place() {
            Place::Nowhere(error) => return Err(error.clone()),
            Place::Local(path) => Arc::new(local::open(id, path)?),
            Place::Remote(url) => {
                let spec = source.spec(url)?;
                let inbox = Some(Arc::clone(&self.inbox));
                let track = Arc::new(Track::new(id, redacted(url), inbox));
                let order = Order {
                    track: Arc::clone(&track),
                    source: Box::new(spec),
                    options,
                    renew: source.take_renew(),
                };
                if !track.post(Letter::Open(Box::new(order))) {
                    track.finish_close();
                }
                track
            }
        };
        let link = Arc::new(Link { hub: Arc::clone(self), track });
        let mut reader = Reader::new(link, 0, access);
        reader.attach();
        Ok(Opening { reader: Some(reader) })
    }

    /// Where fetches report, and other events of the outside.
    pub fn port(&self) -> Port {
        Port(Arc::clone(&self.inbox))
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

/// The URL without what may be secret.
fn redacted(url: &url::Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    // Both fail only for URLs that can't have user-info.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.into()
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

/// A track that is being opened. Dropping it closes the track.
pub struct Opening {
    reader: Option<Reader>,
}

impl Opening {
    /// The first reader, at position 0, once the first answer has been judged. Not to be polled again afterwards.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Reader, Error>> {
        let Some(reader) = &self.reader else {
            return Poll::Pending;
        };
        let result = ready!(reader.track().poll_opened(cx.waker()));
        let reader = self.reader.take();
        Poll::Ready(result.and_then(|()| reader.ok_or_else(|| infill_core::Cause::Closed.into())))
    }
}
