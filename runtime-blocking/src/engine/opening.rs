//! Opening: a track for a source, and its first reader once the first answer has been judged.

use std::sync::Arc;
use std::task::{Context, Poll, ready};

use infill_core::{Cause, Error, HlsOptions, OpenOptions, SourceSpec, redacted};

use super::hub::{Hub, Link};
use super::reader::{Access, Reader};
use super::track::Track;
use super::{Letter, Order, What};
use crate::local;
use crate::source::{Place, Renew, Source};

impl Hub {
    /// Begins to open. A local file is ready at once. `access` says how its readers come to stored bytes.
    pub fn open(
        self: &Arc<Self>,
        source: &Source,
        options: OpenOptions,
        access: Access,
    ) -> Result<Opening, Error> {
        let track = match source.place() {
            Place::Nowhere(error) => return Err(error.clone()),
            Place::Local(path) => Arc::new(local::open(self.next_track(), path)?),
            Place::Remote(url) => {
                self.order(source.spec(url)?, What::File(options), source.take_renew())
            }
        };
        let mut reader = Reader::new(self.link(track), 0, access);
        reader.attach();
        Ok(Opening { reader: Some(reader) })
    }

    /// Begins to open a presentation.
    pub fn open_hls(
        self: &Arc<Self>,
        source: &Source,
        options: HlsOptions,
        access: Access,
    ) -> Result<Opening, Error> {
        let url = match source.place() {
            Place::Nowhere(error) => return Err(error.clone()),
            Place::Local(_) => {
                let what = "presentations in local files; serve them over http";
                return Err(Cause::Unsupported(what.into()).into());
            }
            Place::Remote(url) => url,
        };
        let what = What::Hls(Box::new(options));
        let track = self.order(source.spec(url)?, what, source.take_renew());
        let mut reader = Reader::new(self.link(track), 0, access);
        reader.attach();
        Ok(Opening { reader: Some(reader) })
    }

    /// Has the engine open a remote track.
    pub(super) fn order(&self, spec: SourceSpec, what: What, renew: Option<Renew>) -> Arc<Track> {
        let inbox = Some(Arc::clone(self.inbox()));
        let track = Arc::new(Track::new(self.next_track(), redacted(&spec.url), inbox));
        let order = Order { track: Arc::clone(&track), source: Box::new(spec), what, renew };
        if !track.post(Letter::Open(Box::new(order))) {
            track.finish_close();
        }
        track
    }

    pub(super) fn link(self: &Arc<Self>, track: Arc<Track>) -> Arc<Link> {
        Link::new(Arc::clone(self), track)
    }
}

/// A track that is being opened. Dropping it closes the track.
pub struct Opening {
    reader: Option<Reader>,
}

impl Opening {
    #[cfg(test)]
    pub(super) fn track(&self) -> infill_core::TrackId {
        self.reader.as_ref().expect("not to be asked once it is open").track().id()
    }

    /// The first reader, at position 0, once the first answer has been judged. Not to be polled again afterwards.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Reader, Error>> {
        let Some(reader) = &self.reader else {
            return Poll::Pending;
        };
        let result = ready!(reader.track().poll_opened(cx.waker()));
        let reader = self.reader.take();
        Poll::Ready(result.and_then(|()| reader.ok_or_else(|| Cause::Closed.into())))
    }
}
