//! What the scripts have in common: an origin with one resource, a client in a hurry, and the checks at the end.

use std::{
    io::{Read as _, Seek as _, SeekFrom},
    thread,
    time::{Duration, Instant},
};

use infill_tests::{
    origin::{Exchange, Injection, Origin, OriginBuilder, RangeSpec, Resource, content},
    runtime::{Client, Error, Noticed, Runtime, Settings, Source, State, Stream},
};

pub(crate) const SEED: u64 = 41;
pub(crate) const OTHER_SEED: u64 = 42;
pub(crate) const LEN: u64 = 300_000;
pub(crate) const PATH: &str = "/a";

/// An origin that serves the content of [`SEED`] at [`PATH`], and how it is read.
pub(crate) struct Case {
    pub(crate) origin: Origin,
    pub(crate) settings: Settings,
    pub(crate) runtime: Runtime,
}

impl Case {
    pub(crate) fn new(runtime: Runtime) -> Self {
        Self::at(runtime, Origin::builder())
    }

    pub(crate) fn at(runtime: Runtime, origin: OriginBuilder) -> Self {
        let origin = origin.start();
        origin.put(PATH, content(SEED, LEN));
        let settings = match origin.authority() {
            Some(authority) => Settings::quick().trust(authority),
            None => Settings::quick(),
        };
        Self { origin, settings, runtime }
    }

    /// Changes the client's settings.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut infill_core::Config)) -> Self {
        self.settings = self.settings.with(change);
        self
    }

    /// Gives up after a third of a second.
    pub(crate) fn impatient(self) -> Self {
        self.with(|config| config.give_up_after = Duration::from_millis(300))
    }

    /// Asks for so many bytes at a time, one request after the other.
    pub(crate) fn piecewise(self, bytes: u64) -> Self {
        self.with(|config| {
            config.max_request_bytes = Some(bytes);
            config.connections_per_file = 1;
        })
    }

    pub(crate) fn put(&self, resource: Resource) {
        self.origin.put(PATH, resource);
    }

    pub(crate) fn on(&self) -> Injection<'_> {
        self.origin.on(PATH)
    }

    pub(crate) fn url(&self) -> String {
        self.origin.url(PATH)
    }

    pub(crate) fn client(&self) -> Client {
        self.runtime.client(&self.settings)
    }

    pub(crate) fn open(&self) -> Stream {
        self.open_source(self.url())
    }

    pub(crate) fn open_source(&self, source: impl Into<Source>) -> Stream {
        let opened = self.client().open(source);
        opened.unwrap_or_else(|error| panic!("{error}\n{}", self.story()))
    }

    /// An open that must fail.
    pub(crate) fn refused(&self) -> Error {
        match self.client().open(self.url()) {
            Ok(stream) => panic!("{stream:?} opened\n{}", self.story()),
            Err(error) => error,
        }
    }

    /// Opens and reads all of it, which must be right, end at the true end, and cost so many requests.
    pub(crate) fn plays_with(&self, requests: usize) -> Stream {
        let mut stream = self.open();
        self.reads_on(&mut stream);
        self.rests(&mut stream);
        let made = self.requests().len();
        assert_eq!(made, requests, "{}\n{:?}", self.story(), notices(&stream));
        stream
    }

    /// As [`plays_with`](Self::plays_with), where chance has a say in the number of requests.
    pub(crate) fn plays_within(&self, requests: usize) -> Stream {
        let mut stream = self.open();
        self.reads_on(&mut stream);
        self.rests(&mut stream);
        assert!(self.requests().len() <= requests, "{}", self.story());
        stream
    }

    /// Reads to the true end.
    pub(crate) fn reads_on(&self, stream: &mut Stream) {
        let from = stream.stream_position().unwrap();
        let reading = stream.read_on(SEED);
        assert_eq!((reading.count, reading.end), (LEN - from, Ok(())), "{}", self.story());
    }

    /// All is read: it is complete, the end stays the end, seeks cost nothing, and no request follows.
    pub(crate) fn rests(&self, stream: &mut Stream) {
        let handle = stream.handle();
        eventually("complete", || handle.progress().state == State::Complete);
        assert_eq!(stream.byte_len(), Some(LEN));
        let requests = handle.stats().requests;
        assert_eq!(stream.read(&mut [0; 9]).unwrap(), 0);
        for at in [0, LEN / 2 + 1, LEN - 10, LEN + 7] {
            stream.check_at(SEED, at, 1000);
        }
        assert_eq!(stream.seek(SeekFrom::End(0)).unwrap(), LEN);
        assert_eq!(stream.read(&mut [0; 9]).unwrap(), 0);
        thread::sleep(Duration::from_millis(25));
        assert_eq!(handle.stats().requests, requests, "after the end: {}", self.story());
        assert_eq!(handle.error(), None);
    }

    pub(crate) fn requests(&self) -> Vec<Exchange> {
        self.origin.requests(PATH)
    }

    /// The first positions that were asked for; `None` for a request without a range.
    pub(crate) fn firsts(&self) -> Vec<Option<u64>> {
        let requests = self.requests();
        let first = |exchange: &Exchange| exchange.range().and_then(RangeSpec::first);
        requests.iter().map(first).collect()
    }

    /// What happened, for the message of a failed test.
    pub(crate) fn story(&self) -> String {
        format!("{}: {}", self.runtime, self.origin.stats().describe())
    }
}

/// Runs a script through both runtimes.
pub(crate) fn through_both(script: fn(Runtime)) {
    thread::scope(|scope| {
        for runtime in Runtime::ALL {
            let thread = thread::Builder::new().name(runtime.to_string());
            let started = thread.spawn_scoped(scope, move || script(runtime));
            started.expect("a test needs its threads");
        }
    });
}

/// All notices so far.
pub(crate) fn notices(stream: &Stream) -> Vec<Noticed> {
    let mut notices = stream.handle().notices();
    std::iter::from_fn(|| notices.try_next()).collect()
}

/// Waits until it holds; no longer than a test may take.
pub(crate) fn eventually(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(10), "never: {what}");
        thread::sleep(Duration::from_millis(1));
    }
}
