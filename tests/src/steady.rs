//! Tracks in the steady state, for what must be shown of the hot path: its time and its allocations.

use bytes::Bytes;
use infill_core::http::ResponseHead;
use infill_core::{
    Action, Config, Event, FetchId, Instant, Machine, OpId, OpenOptions, ReaderId, ResourceId,
    SourceSpec, TrackId,
};

/// One chunk of a body.
pub const CHUNK: usize = 16 * 1024;

/// Many downloads that run at once, each with its response begun.
pub struct Steady {
    machine: Machine,
    now: u64,
    streams: Vec<Stream>,
    chunk: Bytes,
    next: usize,
}

struct Stream {
    fetch: FetchId,
    resource: ResourceId,
}

impl Steady {
    /// So many tracks, each with one running fetch of an endless file.
    pub fn new(tracks: u64) -> Self {
        let mut config = Config::default();
        config.connections = tracks as usize;
        config.connections_per_host = tracks as usize;
        let mut steady = Self {
            machine: Machine::new(config),
            now: 1,
            streams: Vec::new(),
            chunk: Bytes::from(vec![7; CHUNK]),
            next: 0,
        };
        for track in 0..tracks {
            steady.open(TrackId(track));
        }
        // Every table reaches its size.
        for _ in 0..tracks * 4 {
            steady.chunk();
        }
        steady
    }

    fn open(&mut self, track: TrackId) {
        let url = format!("http://origin.example/endless-{track}.mp3");
        let source = SourceSpec {
            url: url.parse().expect("a URL"),
            cache_key: None,
            headers: [].into(),
            renewable: false,
            slice: None,
        };
        let options = OpenOptions::default();
        let source = Box::new(source);
        let reader = ReaderId(track.0);
        let mut resource = None;
        let mut fetch = None;
        for event in
            [Event::Open { track, source, options }, Event::Attach { track, reader, position: 0 }]
        {
            self.machine.handle(Instant::from_nanos(self.now), event);
            while let Some(action) = self.machine.poll_action() {
                match action {
                    Action::OpenResource { resource: id, .. } => resource = Some(id),
                    Action::FetchRange { request, .. } => fetch = Some(request.fetch),
                    _ => {}
                }
            }
        }
        let (fetch, resource) = (fetch.expect("asked"), resource.expect("opened"));
        let head = ResponseHead::new(206)
            .with_field("Content-Range", b"bytes 0-1125899906842622/1125899906842623")
            .with_field("ETag", b"\"v1\"");
        let head = Box::new(head);
        self.machine.handle(Instant::from_nanos(self.now), Event::ResponseStarted { fetch, head });
        while self.machine.poll_action().is_some() {}
        self.streams.push(Stream { fetch, resource });
    }

    /// One chunk of one track arrives and is written. Gives the number of actions that came of it.
    pub fn chunk(&mut self) -> usize {
        let index = self.next;
        self.next = (index + 1) % self.streams.len();
        let Stream { fetch, resource } = self.streams[index];
        self.now += 10_000;
        let now = Instant::from_nanos(self.now);
        let bytes = self.chunk.clone();
        self.machine.handle(now, Event::BytesReceived { fetch, bytes });
        let mut actions = 0;
        let mut op: Option<OpId> = None;
        while let Some(action) = self.machine.poll_action() {
            actions += 1;
            if let Action::Write { op: id, .. } = action {
                op = Some(id);
            }
        }
        let op = op.expect("a chunk is written");
        let result = Ok(None);
        self.machine.handle(now, Event::Written { resource, op, result });
        while self.machine.poll_action().is_some() {
            actions += 1;
        }
        actions
    }

    /// Only the arrival: what `handle(BytesReceived)` and its actions cost. The write is answered by
    /// [`Steady::answer`].
    pub fn arrive(&mut self) -> (usize, OpId) {
        let index = self.next;
        self.now += 10_000;
        let now = Instant::from_nanos(self.now);
        let bytes = self.chunk.clone();
        let fetch = self.streams[index].fetch;
        self.machine.handle(now, Event::BytesReceived { fetch, bytes });
        let mut op = None;
        while let Some(action) = self.machine.poll_action() {
            if let Action::Write { op: id, .. } = action {
                op = Some(id);
            }
        }
        (index, op.expect("a chunk is written"))
    }

    /// The store answers the write of an arrival.
    pub fn answer(&mut self, (index, op): (usize, OpId)) {
        let resource = self.streams[index].resource;
        let result = Ok(None);
        let now = Instant::from_nanos(self.now);
        self.machine.handle(now, Event::Written { resource, op, result });
        while self.machine.poll_action().is_some() {}
        self.next = (index + 1) % self.streams.len();
    }
}
