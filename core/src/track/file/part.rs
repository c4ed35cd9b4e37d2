//! What a presentation asks of a resource of its own.

use url::Url;

use super::FileTrack;
use crate::{ResourceId, TrackId};

impl FileTrack {
    /// Whether one of those who opened it still wants it whole. If not, what is there stays, and nothing more is fetched
    /// for it; if so again, it goes on where it stopped, also after it was given up.
    pub(crate) fn set_wanted(&mut self, track: TrackId, wanted: bool) {
        self.listeners.want(track, wanted);
        if wanted {
            self.recovery.rest(false);
        }
        self.dirty = true;
    }

    /// The current version and its length, where every byte of it can be read.
    pub(crate) fn whole(&self) -> Option<(ResourceId, u64)> {
        let total = self.resource.total()?;
        (self.resource.present().first_missing(0) >= total).then(|| (self.resource.id(), total))
    }

    /// Where redirects ended: the base of what a playlist refers to (RFC 3986, section 5.1.3).
    pub(crate) fn final_url(&self) -> &Url {
        self.endpoint.url()
    }

    /// How many bytes there are by now.
    pub(crate) fn stored_len(&self) -> u64 {
        self.resource.held().len()
    }
}
