//! A download into the cache, without a stream.

use infill_core::Error;

use crate::engine::Filling;
use crate::handle::StreamHandle;
use crate::park;

/// A download into the cache. It runs from the moment that it was asked for, below playback in priority. Dropping it
/// stops it; what has arrived stays in the cache.
#[must_use = "a download that is dropped is stopped"]
pub struct Download {
    filling: Filling,
}

impl Download {
    pub(crate) fn of(filling: Filling) -> Self {
        Self { filling }
    }

    /// Never evict it, also after it is done.
    pub fn pin(mut self) -> Self {
        self.filling.pin();
        self
    }

    /// A handle, to look at it and to stop it from elsewhere.
    pub fn handle(&self) -> StreamHandle {
        self.filling.handle()
    }

    /// Waits until all that was asked for is there; fails with the last cause if it is not to be had.
    pub fn wait(mut self) -> Result<(), Error> {
        park::block_on_poll(|cx| self.filling.poll(cx))
    }
}

impl core::fmt::Debug for Download {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Download").field("handle", &self.handle()).finish_non_exhaustive()
    }
}
