//! What both runtimes share: the driver's tables around [`infill_core::Machine`], the data plane, the hand-over.
//!
//! A runtime brings a [`Fetcher`] and a loop:
//!
//! ```text
//! let (hub, mut engine) = Hub::new(config, store, wake)?;      // `wake`: unpark a thread, notify a task
//! loop {
//!     engine.turn(now(), &mut fetcher);                        // takes letters, does actions
//!     if engine.is_done() { break }                            // the client and all its streams are gone
//!     sleep until engine.deadline() or until woken;
//! }
//! ```
//!
//! [`Hub::open`] gives an [`Opening`] to poll, then [`Reader`]s to poll; fetches post to a [`Port`]. With a cache, a
//! [`Shelf`], [`Hub::fill`] and [`Hub::verify`] give a [`Filling`] to poll, [`Hub::command`] a [`Ticket`]. The engine
//! knows no socket and no clock. Not part of the public interface: it changes without notice.

mod archive;
mod blob;
mod block;
mod cache_ops;
#[cfg(test)]
mod cache_tests;
mod fetcher;
mod fill;
mod filling;
mod hls;
mod hub;
mod inbox;
mod opening;
#[cfg(test)]
mod part_tests;
mod parts;
mod pool;
mod reader;
mod redirect;
mod resource;
mod shown;
mod slot;
mod store_ops;
mod sync;
mod tables;
mod target;
mod ticket;
mod tiers;
mod track;
mod turn;
mod uri;

use std::sync::Arc;

use infill_core::http::ResponseHead;
use infill_core::{Event, FetchFailure, FetchId, HlsOptions, OpenOptions, SourceSpec, TrackId};

pub use archive::{Archive, ArchiveFile, Lease, Shelf};
pub use blob::{Blob, Store};
pub use fetcher::Fetcher;
pub use filling::{Filling, identity};
pub use hls::{Content, Pick, Run, RunId, Runs, Shared};
pub use hub::{Hub, Link};
pub use inbox::Inbox;
pub use opening::Opening;
pub use pool::Pool;
pub use reader::{Access, Family, Reader};
pub use redirect::{MAX_REDIRECTS, redirect};
pub use resource::{Copied, Found, Resource, Stored};
pub use slot::{Mail, Post, Slot};
pub use target::seek_target;
pub use ticket::{Given, Ticket};
pub use track::Track;
pub use turn::Engine;
pub use uri::request_uri;

pub use crate::settings::Settings;
use crate::source::Renew;
pub use infill_core::Config;

/// What a presentation's options take.
pub fn can_decode(
    can: impl Fn(&str, Option<&str>) -> bool + Send + Sync + 'static,
) -> infill_core::PlayableFn {
    infill_core::PlayableFn(Arc::new(can))
}

/// What may come in the mail.
pub enum Letter {
    /// For the machine, as it is.
    Event(Event),
    /// Open a track: a file or a presentation.
    Open(Box<Order>),
    /// Close a track.
    Close(TrackId),
    /// A reader's slot has mail.
    Reader(Arc<Slot>),
    /// A command to the cache.
    Command(Given),
}

/// What to open, and who wants it.
pub struct Order {
    pub(crate) track: Arc<Track>,
    pub(crate) source: Box<SourceSpec>,
    pub(crate) what: What,
    pub(crate) renew: Option<Renew>,
}

/// As what it is opened.
pub(crate) enum What {
    File(OpenOptions),
    Hls(Box<HlsOptions>),
}

/// Where fetches report. Cheap to clone; keeps nothing alive.
#[derive(Clone)]
pub struct Port(pub(crate) Arc<Inbox<Letter>>);

impl Port {
    /// The head of a response, at the end of all redirects.
    pub fn head(&self, fetch: FetchId, head: ResponseHead) {
        let head = Box::new(head);
        self.post(Event::ResponseStarted { fetch, head });
    }

    /// Bytes of the body, in order.
    pub fn bytes(&self, fetch: FetchId, bytes: bytes::Bytes) {
        if !bytes.is_empty() {
            self.post(Event::BytesReceived { fetch, bytes });
        }
    }

    /// The body ended as its framing said.
    pub fn ended(&self, fetch: FetchId) {
        self.post(Event::StreamEnded { fetch });
    }

    /// The fetch failed or was stopped.
    pub fn failed(&self, fetch: FetchId, failure: FetchFailure) {
        self.post(Event::FetchFailed { fetch, failure });
    }

    /// Any other event.
    pub fn post(&self, event: Event) {
        // When the engine is gone, nobody is left to tell.
        let _ = self.0.post(Letter::Event(event));
    }
}
