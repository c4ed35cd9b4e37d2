//! A third runtime: everything a driver does, over an origin in memory that closes early, in virtual time.
//!
//! A driver has three tables (fetches, stored bytes, views) and one loop: give the machine an event, do its actions,
//! and when nothing is left to do, let time pass to the next deadline.
#![allow(clippy::print_stdout, reason = "what it shows is what it prints")]

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use infill_core::http::{FetchRequest, ResponseHead};
use infill_core::{
    Action, ByteRange, Config, Event, FailureKind, FetchFailure, Instant, Lookup, Machine,
    OpenOptions, ReaderId, RequestId, ResourceId, SourceSpec, TrackId, View,
};

/// What the driver keeps.
#[derive(Default)]
struct Driver {
    events: VecDeque<Event>,
    views: BTreeMap<ResourceId, View>,
    stored: BTreeMap<ResourceId, Vec<u8>>,
    current: Option<ResourceId>,
    requests: u32,
}

impl Driver {
    /// One action becomes IO; what comes of it becomes events.
    fn perform(&mut self, action: Action, origin: &[u8]) {
        match action {
            Action::FetchRange { request, .. } => self.fetch(&request, origin),
            Action::OpenResource { resource, .. } => {
                self.views.insert(resource, View::new());
                self.stored.insert(resource, vec![0; origin.len()]);
                self.current = Some(resource);
            }
            Action::Write { resource, op, offset, bytes, .. } => {
                let store = self.stored.get_mut(&resource).expect("opened before it is written");
                store[offset as usize..][..bytes.len()].copy_from_slice(&bytes);
                let result = Ok(None);
                self.events.push_back(Event::Written { resource, op, result });
            }
            Action::Publish { resource, change } => {
                self.views.get_mut(&resource).expect("opened before").apply(&change);
            }
            Action::Commit { resource, final_len } => {
                self.views.get_mut(&resource).expect("opened before").commit(final_len);
                println!("complete: {final_len} bytes in {} requests", self.requests);
            }
            Action::WakeReader { request, answer, .. } => {
                println!("answer to {request}: {answer:?}");
            }
            // A real driver frees sockets, grants credit, gives space back and shows states.
            _ => {}
        }
    }

    /// The whole network: an origin that closes every connection after 400,000 bytes.
    fn fetch(&mut self, request: &FetchRequest, origin: &[u8]) {
        self.requests += 1;
        println!("GET {} Range: {:?}", request.url, request.range_field());
        let (fetch, total) = (request.fetch, origin.len());
        let first = request.first as usize;
        let end = request.last.map_or(total, |last| last as usize + 1);
        let range = format!("bytes {first}-{}/{total}", end - 1);
        let head = ResponseHead::new(206)
            .with_field("Content-Range", range.as_bytes())
            .with_field("ETag", b"\"v1\"");
        let head = Box::new(head);
        self.events.push_back(Event::ResponseStarted { fetch, head });
        let cut = end.min(first + 400_000);
        for chunk in origin[first..cut].chunks(64 * 1024) {
            let bytes = Bytes::copy_from_slice(chunk);
            self.events.push_back(Event::BytesReceived { fetch, bytes });
        }
        self.events.push_back(if cut == end {
            Event::StreamEnded { fetch }
        } else {
            let failure = FetchFailure::new(FailureKind::Truncated, "closed early");
            Event::FetchFailed { fetch, failure }
        });
    }
}

fn main() {
    let origin: Vec<u8> = (0..1_000_000u32).map(|i| (i ^ (i >> 8)) as u8).collect();
    let (track, reader, request) = (TrackId(1), ReaderId(1), RequestId(1));
    let url = "http://origin.example/song.mp3".parse().expect("a URL");
    let source = Box::new(SourceSpec::new(url));
    let (mut machine, mut driver) = (Machine::new(Config::default()), Driver::default());
    let options = OpenOptions::default();
    driver.events.extend([
        Event::Open { track, source, options },
        Event::Attach { track, reader, position: 0 },
        // A reader that misses asks; here it asks for a byte beyond the early close.
        Event::ReadRequest { reader, request, latched: None, range: ByteRange::at(700_000, 1) },
    ]);
    let mut now = Instant::ZERO;
    loop {
        let event = driver.events.pop_front().unwrap_or(Event::Tick);
        machine.handle(now, event);
        while let Some(action) = machine.poll_action() {
            driver.perform(action, &origin);
        }
        if driver.events.is_empty() {
            let Some(deadline) = machine.poll_timeout() else { break };
            now = now.max(deadline);
        }
    }
    let resource = driver.current.expect("opened");
    assert_eq!(driver.views[&resource].lookup(700_000), Lookup::Hit(1_000_000));
    assert_eq!(driver.stored[&resource], origin, "every byte is the origin's");
}
