//! Events that name what is past or never was. Any event may come in any state; these must make no difference.

use bytes::Bytes;
use infill_core::http::ResponseHead;
use infill_core::{
    ByteRange, Event, FailureKind, FetchFailure, FetchId, OpId, ReaderId, ResourceId, StoreFailure,
    TrackId, Verification,
};

/// Such events: of a resource that lives, if one does, and of a request that is over, if one is.
pub(super) fn events(resource: Option<ResourceId>, fetch: Option<FetchId>) -> Vec<Event> {
    let never = u64::MAX;
    let track = TrackId(never);
    let reader = ReaderId(never);
    let range = ByteRange::new(0, 10);
    let bytes = Bytes::from_static(b"late");
    let failure = || StoreFailure { full: false, detail: "late".into() };
    let mut events = vec![
        Event::Attach { track, reader, position: 0 },
        Event::Detach { reader: ReaderId(never - 1) },
        Event::Close { track: TrackId(never - 1) },
        Event::Seek { reader, position: 5 },
        Event::Advanced { reader, position: 5 },
        Event::FreshUrl { track, url: None },
        Event::Written { resource: ResourceId(never), op: OpId(never), result: Ok(None) },
        Event::ReadFailed { resource: ResourceId(never), range, failure: failure() },
        Event::Tick,
    ];
    for fetch in [Some(FetchId(never)), fetch].into_iter().flatten() {
        let failure = FetchFailure::new(FailureKind::Stopped, "late");
        events.extend([
            Event::ResponseStarted { fetch, head: Box::new(ResponseHead::new(200)) },
            Event::BytesReceived { fetch, bytes: bytes.clone() },
            Event::StreamEnded { fetch },
            Event::FetchFailed { fetch, failure },
        ]);
    }
    if let Some(resource) = resource {
        events.extend([
            Event::Written { resource, op: OpId(never), result: Err((failure(), bytes)) },
            Event::Verified { resource, op: OpId(never), result: Verification::Digest(1) },
        ]);
    }
    events
}
