//! A download into the cache, without a stream.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use infill_blocking::StreamHandle;
use infill_blocking::engine::Filling;
use infill_core::Error;

/// A download into the cache. It runs from the moment that it was asked for, below playback in priority, whether it is
/// awaited or not. Dropping it stops it; what has arrived stays in the cache.
///
/// As a future, it is ready once all that was asked for is there, or fails with the last cause if it is not to be had.
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

    /// The same as awaiting it.
    pub async fn wait(self) -> Result<(), Error> {
        self.await
    }
}

impl Future for Download {
    type Output = Result<(), Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.filling.poll(cx)
    }
}

impl core::fmt::Debug for Download {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Download").field("handle", &self.handle()).finish_non_exhaustive()
    }
}
