//! What a runtime brings: HTTP, and nothing else.

use infill_core::http::FetchRequest;
use infill_core::{CancelReason, FetchId, TrackId};

/// The HTTP side of a runtime. No call may block.
///
/// For each request that was started, the fetcher posts to its [`Port`](super::Port): at most one `ResponseStarted`
/// (after redirects), `BytesReceived` while there is credit, and at the end exactly one `StreamEnded` or `FetchFailed`,
/// cancelled or not. A fetch has `FetchRequest::credit` bytes at its start and more by [`Fetcher::grant`].
pub trait Fetcher {
    /// Makes a request.
    fn start(&mut self, track: TrackId, request: Box<FetchRequest>);

    /// Stops a request and frees its connection, also when it is silent. An unknown or finished one is ignored.
    fn cancel(&mut self, fetch: FetchId, reason: CancelReason);

    /// Lets so many more bytes of a request come. An unknown or finished one is ignored.
    fn grant(&mut self, fetch: FetchId, bytes: u32);

    /// No track is open any more: idle connections can go.
    fn rest(&mut self);
}
