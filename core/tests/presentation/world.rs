//! A world in memory: an origin that answers when it is told to, a store that answers at once, and a clock.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use infill_core::hls::{Part, Presentation, Segment};
use infill_core::http::{FetchRequest, ResponseHead};
use infill_core::{
    Action, Answer, Config, Entry, Error, Event, FetchId, HlsOptions, Instant, Machine, Notice,
    ReaderId, RequestId, ResourceId, SourceSpec, TrackId, Verification,
};
use std::sync::Arc;

pub(crate) const TRACK: TrackId = TrackId(1);
pub(crate) const READER: ReaderId = ReaderId(1);

/// The origin and the machine that reads it.
pub(crate) struct World {
    pub(crate) machine: Machine,
    pub(crate) now: Instant,
    origin: BTreeMap<String, Bytes>,
    /// Requests that were not answered yet.
    pub(crate) asked: Vec<FetchRequest>,
    /// All requests, by path and range.
    pub(crate) log: Vec<String>,
    store: BTreeMap<ResourceId, BTreeMap<u64, Bytes>>,
    /// The resource and the URL of each part.
    parts: BTreeMap<TrackId, (Option<ResourceId>, String)>,
    pub(crate) closed: Vec<TrackId>,
    pub(crate) opened: Option<Result<(), Error>>,
    pub(crate) filled: Option<Result<(), Error>>,
    pub(crate) answers: Vec<(RequestId, Answer)>,
    pub(crate) presentation: Option<Arc<Presentation>>,
    pub(crate) notices: Vec<Notice>,
    pub(crate) buffered: Duration,
    requests: u64,
}

impl World {
    pub(crate) fn new(config: Config) -> Self {
        Self {
            machine: Machine::new(config),
            now: Instant::ZERO,
            origin: BTreeMap::new(),
            asked: Vec::new(),
            log: Vec::new(),
            store: BTreeMap::new(),
            parts: BTreeMap::new(),
            closed: Vec::new(),
            opened: None,
            filled: None,
            answers: Vec::new(),
            presentation: None,
            notices: Vec::new(),
            buffered: Duration::ZERO,
            requests: 0,
        }
    }

    /// What is at a path.
    pub(crate) fn put(&mut self, path: &str, bytes: impl Into<Bytes>) {
        self.origin.insert(path.to_owned(), bytes.into());
    }

    pub(crate) fn open(&mut self, path: &str, options: HlsOptions) {
        let url = format!("https://o.example{path}").parse().expect("a URL");
        let source = Box::new(SourceSpec::new(url));
        self.tell(Event::OpenHls { track: TRACK, source, options: Box::new(options) });
        self.tell(Event::Attach { track: TRACK, reader: READER, position: 0 });
    }

    pub(crate) fn tell(&mut self, event: Event) {
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            self.machine.handle(self.now, event);
            while let Some(action) = self.machine.poll_action() {
                self.act(action, &mut events);
            }
        }
    }

    /// Time passes, step by step.
    pub(crate) fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.machine.poll_timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.tell(Event::Tick);
        }
        self.now = end;
        self.tell(Event::Tick);
    }

    fn act(&mut self, action: Action, events: &mut VecDeque<Event>) {
        match action {
            Action::FetchRange { request, .. } => {
                let range = request.range_field().unwrap_or_default();
                self.log.push(format!("{} {range}", request.url.path()));
                self.asked.push(*request);
            }
            Action::CancelFetch { fetch, .. } => {
                self.asked.retain(|request| request.fetch != fetch);
                let kind = infill_core::FailureKind::Stopped;
                let failure = infill_core::FetchFailure::new(kind, "stopped");
                events.push_back(Event::FetchFailed { fetch, failure });
            }
            Action::OpenPart { track, url, .. } => {
                self.parts.insert(track, (None, url.path().to_owned()));
            }
            Action::OpenResource { track, resource } => {
                self.parts.entry(track).or_default().0 = Some(resource);
                self.store.entry(resource).or_default();
            }
            Action::Write { resource, op, offset, bytes, .. } => {
                self.store.entry(resource).or_default().insert(offset, bytes);
                events.push_back(Event::Written { resource, op, result: Ok(None) });
            }
            Action::Verify { resource, op, .. } => {
                let result = Verification::Digest(0);
                events.push_back(Event::Verified { resource, op, result });
            }
            Action::Load { resource, op, range } => {
                let bytes = self.bytes_of(resource);
                assert_eq!(range.len(), bytes.len() as u64, "all of it is loaded");
                events.push_back(Event::Loaded { resource, op, result: Ok(bytes) });
            }
            Action::Opened { track, result } => {
                assert_eq!(track, TRACK, "parts report to their presentation");
                let shown = self.presentation.is_some();
                assert!(shown || result.is_err(), "it is shown before it is told to be open");
                self.opened = Some(result);
            }
            Action::Filled { track, result } => {
                assert_eq!(track, TRACK, "parts report to their presentation");
                self.filled = Some(result);
            }
            Action::WakeReader { request, answer, .. } => {
                if let Answer::Entered(segment) = &answer {
                    let parts = segment.media.iter().chain(&segment.init);
                    let open = |part: &Part| self.parts.contains_key(&part.track);
                    assert!(parts.into_iter().all(open), "what is told of is open: {segment:?}");
                }
                self.answers.push((request, answer));
            }
            Action::Presented { what, .. } => self.presentation = Some(what),
            Action::Buffered { time, .. } => self.buffered = time,
            Action::Notify { notice, .. } => self.notices.push(*notice),
            Action::Closed { track } => self.closed.push(track),
            _ => {}
        }
    }

    fn bytes_of(&self, resource: ResourceId) -> Bytes {
        let pieces = self.store.get(&resource).into_iter().flatten();
        pieces.flat_map(|(_, bytes)| bytes.to_vec()).collect()
    }

    /// Answers the oldest request for `path`, wholly.
    pub(crate) fn serve(&mut self, path: &str) {
        let place = self.asked.iter().position(|request| request.url.path() == path);
        let place =
            place.unwrap_or_else(|| panic!("{path} is not asked for: {:?}", self.pending()));
        self.answer(place);
    }

    /// Answers all requests, and those that come of it, each after `latency`.
    pub(crate) fn serve_all(&mut self) {
        while !self.asked.is_empty() {
            self.answer(0);
        }
    }

    /// The paths that are asked for.
    pub(crate) fn pending(&self) -> Vec<&str> {
        self.asked.iter().map(|request| request.url.path()).collect()
    }

    fn answer(&mut self, place: usize) {
        let request = self.asked.remove(place);
        let fetch = request.fetch;
        let Some(bytes) = self.origin.get(request.url.path()).cloned() else {
            let head = Box::new(ResponseHead::new(404));
            return self.tell(Event::ResponseStarted { fetch, head });
        };
        let total = bytes.len() as u64;
        let last = request.last.map_or(total - 1, |last| last.min(total - 1));
        let range = format!("bytes {}-{last}/{total}", request.first);
        let head = ResponseHead::new(206).with_field("Content-Range", range.as_bytes());
        self.tell(Event::ResponseStarted { fetch, head: Box::new(head) });
        let body = bytes.slice(request.first as usize..=last as usize);
        self.tell(Event::BytesReceived { fetch, bytes: body });
        self.tell(Event::StreamEnded { fetch });
    }

    /// Fails the oldest request for `path`.
    pub(crate) fn refuse(&mut self, path: &str, status: u16) {
        let place = self.asked.iter().position(|request| request.url.path() == path);
        let fetch: FetchId = self.asked.remove(place.expect("it is asked for")).fetch;
        let head = Box::new(ResponseHead::new(status));
        self.tell(Event::ResponseStarted { fetch, head });
    }

    /// Asks for a segment.
    pub(crate) fn enter(&mut self, entry: Entry) -> RequestId {
        self.requests += 1;
        let request = RequestId(self.requests);
        self.tell(Event::Enter { reader: READER, request, entry });
        request
    }

    /// The answer to a request, if it came.
    pub(crate) fn answer_to(&self, request: RequestId) -> Option<&Answer> {
        self.answers.iter().find(|(of, _)| *of == request).map(|(_, answer)| answer)
    }

    /// Asks for a segment that is given at once.
    pub(crate) fn entered(&mut self, entry: Entry) -> Segment {
        let request = self.enter(entry);
        match self.answer_to(request) {
            Some(Answer::Entered(segment)) => (**segment).clone(),
            other => panic!("{entry:?} is answered {other:?}; asked: {:?}", self.pending()),
        }
    }

    /// Enters what follows a segment, at the time that the playlist says.
    pub(crate) fn next(&mut self, segment: &Segment) -> Segment {
        let end = segment.entry.timestamp_end();
        self.entered(Entry::After { variant: segment.variant, index: segment.index, end })
    }
}

/// A media playlist of `count` segments of `seconds` each, named `<name>0.m4s` and so on.
pub(crate) fn media(name: &str, count: usize, seconds: f64) -> String {
    let mut text = format!("#EXTM3U\n#EXT-X-TARGETDURATION:{}\n", seconds.ceil());
    text.push_str(&format!("#EXT-X-VERSION:7\n#EXT-X-MAP:URI=\"{name}-init.mp4\"\n"));
    for index in 0..count {
        text.push_str(&format!("#EXTINF:{seconds:.3},\n{name}{index}.m4s\n"));
    }
    text.push_str("#EXT-X-ENDLIST\n");
    text
}

/// A master playlist of these variants: bits per second and media playlist.
pub(crate) fn master(variants: &[(u64, &str)]) -> String {
    let mut text = "#EXTM3U\n".to_owned();
    for (bandwidth, uri) in variants {
        let codecs = "mp4a.40.2";
        text.push_str(&format!("#EXT-X-STREAM-INF:BANDWIDTH={bandwidth},CODECS=\"{codecs}\"\n"));
        text.push_str(&format!("{uri}\n"));
    }
    text
}

/// A world with a master of variants `a` (64 kb/s) and `b` (256 kb/s), 10 segments of 6 s each.
pub(crate) fn two_variants(config: Config) -> World {
    let mut world = World::new(config);
    world.put("/m.m3u8", master(&[(64_000, "a.m3u8"), (256_000, "b.m3u8")]));
    for (name, len) in [("a", 48_000), ("b", 192_000)] {
        world.put(&format!("/{name}.m3u8"), media(name, 10, 6.0));
        world.put(&format!("/{name}-init.mp4"), vec![1; 700]);
        for index in 0..10 {
            world.put(&format!("/{name}{index}.m4s"), vec![index as u8; len]);
        }
    }
    world
}
