//! Scenes played by hand, for golden transcripts: the script is driver, origin and store at once, and decides what
//! happens next. Every event and action becomes a line.

mod cache;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use fastrand::Rng;
use infill_core::catalog::Generation;
use infill_core::http::{FetchRequest, ResponseHead};
use infill_core::{
    Action, ByteRange, Config, Event, FailureKind, FetchFailure, FetchId, Instant, Machine,
    OpenOptions, ReaderId, RequestId, ResourceId, SourceSpec, Tier, TrackId, Verification,
};
use url::Url;

use self::cache::Cache;
use super::content::Content;
use super::store::Stored;
use super::transcript::Transcript;

/// The URL of the track of a scene.
const URL: &str = "http://radio.test/a.mp3";

/// A scene of one track with one machine.
///
/// The store answers at once, in order. Whatever the script doesn't do doesn't happen.
#[derive(Debug)]
pub struct Scene {
    machine: Machine,
    now: Instant,
    transcript: Transcript,
    rng: Rng,
    content: Content,
    /// Requests in the order they were made; those that are over included.
    requests: Vec<FetchRequest>,
    /// How far the body of each answer has come.
    positions: BTreeMap<FetchId, u64>,
    stored: BTreeMap<ResourceId, Stored>,
    acks: VecDeque<Event>,
    latched: Option<ResourceId>,
    current: Option<ResourceId>,
    answers: usize,
    config: Config,
    /// If there is one.
    cache: Option<Cache>,
    /// Where the cache keeps what.
    places: BTreeMap<ResourceId, Generation>,
}

impl Scene {
    /// A track of `total` bytes, opened at time 0, with a reader `rd1` at 0.
    pub fn open(config: Config, total: u64) -> Self {
        let mut scene = Self::new(config, total, None);
        scene.begin();
        scene
    }

    /// The same with a cache, in which nothing is yet.
    pub fn open_cached(config: Config, total: u64) -> Self {
        let mut scene = Self::new(config, total, Some(Cache::default()));
        scene.begin();
        scene
    }

    fn new(config: Config, total: u64, cache: Option<Cache>) -> Self {
        let mut rng = Rng::with_seed(1);
        Self {
            machine: Machine::new(config.clone()),
            now: Instant::ZERO,
            transcript: Transcript::default(),
            content: Content::new(total, &mut rng),
            rng,
            requests: Vec::new(),
            positions: BTreeMap::new(),
            stored: BTreeMap::new(),
            acks: VecDeque::new(),
            latched: None,
            current: None,
            answers: 0,
            config,
            cache,
            places: BTreeMap::new(),
        }
    }

    /// The process is killed, and started again: nothing is left but the cache.
    pub fn kill(&mut self) {
        self.transcript.remark(self.now, "killed, and started again");
        self.machine = Machine::new(self.config.clone());
        self.requests.clear();
        self.positions.clear();
        self.stored.clear();
        self.places.clear();
        (self.latched, self.current) = (None, None);
        self.begin();
    }

    fn begin(&mut self) {
        if let Some(cache) = &mut self.cache {
            let restored = cache.restore();
            self.event(Event::Restored(Box::new(restored)));
        }
        let url = Url::parse(URL).expect("a constant, well-formed URL");
        let source = Box::new(SourceSpec::new(url));
        let track = TrackId(1);
        self.event(Event::Open { track, source, options: OpenOptions::default() });
        self.event(Event::Attach { track, reader: ReaderId(1), position: 0 });
    }

    /// The last request that was made.
    pub fn last_fetch(&self) -> FetchId {
        self.requests.last().expect("the machine makes a request at the opening").fetch
    }

    /// How many requests were made.
    pub fn fetches(&self) -> usize {
        self.requests.len()
    }

    /// How many requests of readers were answered.
    pub fn answers(&self) -> usize {
        self.answers
    }

    /// The reader has read a byte of the current version.
    pub fn latch(&mut self) {
        self.latched = self.current;
    }

    /// The reader begins again with whatever version is current.
    pub fn reopen(&mut self) {
        self.latched = None;
    }

    /// The reader asks for `length` bytes at `start`.
    pub fn read(&mut self, request: u64, start: u64, length: u64) {
        self.event(Event::ReadRequest {
            reader: ReaderId(1),
            request: RequestId(request),
            latched: self.latched,
            range: ByteRange::at(start, length),
        });
    }

    /// The reader moves.
    pub fn seek(&mut self, position: u64) {
        self.event(Event::Seek { reader: ReaderId(1), position });
    }

    /// The answer to a request is a part, from `first` to before `end`, with this ETag.
    pub fn part(&mut self, fetch: FetchId, first: u64, end: u64, etag: &str) {
        let total = self.content.total();
        let fields = [
            ("Content-Range", format!("bytes {first}-{}/{total}", end - 1)),
            ("Content-Length", (end - first).to_string()),
            ("Content-Type", "audio/mpeg".into()),
            ("ETag", etag.into()),
        ];
        self.head(fetch, 206, &fields);
        self.positions.insert(fetch, first);
    }

    /// The answer to a request is everything, with this ETag.
    pub fn whole(&mut self, fetch: FetchId, etag: &str) {
        let fields = [
            ("Content-Length", self.content.total().to_string()),
            ("Content-Type", "audio/mpeg".into()),
            ("ETag", etag.into()),
        ];
        self.head(fetch, 200, &fields);
        self.positions.insert(fetch, 0);
    }

    /// The head of the answer to a request.
    pub fn head(&mut self, fetch: FetchId, status: u16, fields: &[(&str, String)]) {
        let head = fields.iter().fold(ResponseHead::new(status), |head, (name, value)| {
            head.with_field(name, value.as_bytes())
        });
        self.event(Event::ResponseStarted { fetch, head: Box::new(head) });
    }

    /// The body of an answer begins at this position of the content; for heads that [`Scene::head`] gave.
    pub fn starts_at(&mut self, fetch: FetchId, position: u64) {
        self.positions.insert(fetch, position);
    }

    /// The next `length` bytes of an answer's body arrive, in pieces of at most 64 KiB.
    pub fn bytes(&mut self, fetch: FetchId, mut length: u64) {
        while length > 0 {
            let piece = length.min(64 * 1024);
            let start = self.positions[&fetch];
            let bytes = self.content.slice(start, start + piece);
            self.positions.insert(fetch, start + piece);
            self.event(Event::BytesReceived { fetch, bytes });
            length -= piece;
        }
    }

    /// A body ends as its framing said.
    pub fn ends(&mut self, fetch: FetchId) {
        self.event(Event::StreamEnded { fetch });
    }

    /// A request fails.
    pub fn fails(&mut self, fetch: FetchId, kind: FailureKind) {
        self.event(Event::FetchFailed { fetch, failure: FetchFailure::new(kind, "in this scene") });
    }

    /// The origin has other bytes from now on, of this length.
    pub fn replace(&mut self, total: u64) {
        self.content = Content::new(total, &mut self.rng);
    }

    /// The embedder closes the track.
    pub fn close(&mut self) {
        self.event(Event::Close { track: TrackId(1) });
    }

    /// Time passes, and nothing happens in it.
    pub fn pause(&mut self, time: Duration) {
        self.now = self.now + time;
    }

    /// Time passes until the machine's next deadline. Whether there was one.
    pub fn tick(&mut self) -> bool {
        let Some(at) = self.machine.poll_timeout() else {
            return false;
        };
        self.now = self.now.max(at);
        self.event(Event::Tick);
        true
    }

    /// Ticks until the machine has made another request; fails after a thousand.
    pub fn tick_until_fetch(&mut self) {
        let before = self.fetches();
        self.tick_until("a request", |scene| scene.fetches() > before);
    }

    /// Ticks until a reader is answered; fails after a thousand.
    pub fn tick_until_answer(&mut self) {
        let before = self.answers;
        self.tick_until("an answer", |scene| scene.answers > before);
    }

    /// Whether the machine has nothing in flight and owes nothing.
    pub fn is_quiescent(&self) -> bool {
        self.machine.is_quiescent()
    }

    /// What happened, line by line.
    pub fn transcript(&self) -> String {
        self.transcript.text()
    }

    fn tick_until(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        for _ in 0..1000 {
            assert!(
                self.tick(),
                "{what} was expected, and no deadline is set:\n{}",
                self.transcript()
            );
            if done(self) {
                return;
            }
        }
        panic!("{what} was expected within a thousand deadlines:\n{}", self.transcript());
    }

    /// An event, then the store's answers to what came of it, until nothing more comes.
    fn event(&mut self, event: Event) {
        self.acks.push_back(event);
        while let Some(event) = self.acks.pop_front() {
            self.transcript.event(self.now, &event);
            self.machine.handle(self.now, event);
            while let Some(action) = self.machine.poll_action() {
                self.transcript.action(&action);
                self.carry_out(action);
            }
        }
    }

    fn carry_out(&mut self, action: Action) {
        match action {
            Action::FetchRange { request, .. } => self.requests.push(*request),
            // A driver reports the end of what it was told to stop; here at once.
            Action::CancelFetch { fetch, .. } => {
                let failure = FetchFailure::new(FailureKind::Stopped, "stopped");
                self.acks.push_back(Event::FetchFailed { fetch, failure });
            }
            Action::OpenResource { resource, .. } => self.current = Some(resource),
            Action::Write { resource, op, offset, bytes, tier: Tier::Scratch } => {
                self.stored.entry(resource).or_default().put(offset, bytes);
                self.acks.push_back(Event::Written { resource, op, result: Ok(None) });
            }
            Action::Verify { resource, op, range } => {
                let digest = self.digest(resource, range);
                let digest = digest.expect("the machine verifies what it wrote");
                let result = Verification::Digest(digest);
                self.acks.push_back(Event::Verified { resource, op, result });
            }
            Action::WakeReader { .. } => self.answers += 1,
            other => self.keep(other),
        }
    }

    /// What is the cache's to do.
    fn keep(&mut self, action: Action) {
        let Some(cache) = &mut self.cache else {
            return;
        };
        match action {
            Action::Place { resource, place } => {
                self.places.insert(resource, place.generation);
            }
            Action::Write { resource, op, offset, bytes, .. } => {
                let generation = self.places[&resource];
                let result = Ok(Some(cache.write(generation, offset, bytes)));
                self.acks.push_back(Event::Written { resource, op, result });
            }
            Action::Append { op, records, .. } => {
                let result = Ok(cache.append(records));
                self.acks.push_back(Event::Appended { op, result });
            }
            Action::Compact { op, records } => {
                let result = Ok(cache.compact(records));
                self.acks.push_back(Event::Appended { op, result });
            }
            Action::Sync { resource, op } => {
                self.acks.push_back(Event::Synced { resource, op, result: Ok(()) });
            }
            Action::Remove { op, place } => {
                cache.remove(&place);
                self.acks.push_back(Event::Removed { op, result: Ok(()) });
            }
            Action::Sweep { keep } => cache.sweep(&keep),
            _ => {}
        }
    }

    /// Of stored bytes, in whichever tier.
    fn digest(&self, resource: ResourceId, range: ByteRange) -> Option<u64> {
        let placed = self.places.get(&resource);
        let kept = self.cache.as_ref().zip(placed);
        let kept = kept.and_then(|(cache, generation)| cache.digest(*generation, range));
        kept.or_else(|| self.stored.get(&resource)?.digest(range))
    }
}
