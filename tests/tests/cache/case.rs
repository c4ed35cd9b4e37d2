//! What the scripts have in common: an origin with one file, a directory, and clients that come and go.

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use infill_tests::{
    origin::{Exchange, Injection, Origin, RangeSpec, Resource, content},
    runtime::{
        Cache, CacheEntry, CacheKey, Client, ErrorKind, Notice, Noticed, Runtime, Settings, Source,
        State, Stream,
    },
};

pub(crate) const SEED: u64 = 61;
pub(crate) const OTHER_SEED: u64 = 62;
/// Four blocks and a bit: the last one is not full.
pub(crate) const LEN: u64 = 1_100_000;
pub(crate) const PATH: &str = "/a";

/// How much is verified and recorded at once.
pub(crate) const BLOCK: u64 = 256 * 1024;

/// An origin that serves the content of [`SEED`] at [`PATH`], a cache directory, and how both are used.
pub(crate) struct Case {
    pub(crate) origin: Origin,
    pub(crate) settings: Settings,
    pub(crate) runtime: Runtime,
    dir: tempfile::TempDir,
}

impl Case {
    pub(crate) fn new(runtime: Runtime) -> Self {
        Self::of(runtime, LEN)
    }

    /// With a file of this length.
    pub(crate) fn of(runtime: Runtime, len: u64) -> Self {
        let origin = Origin::start();
        origin.put(PATH, content(SEED, len));
        let dir = tempfile::tempdir().unwrap();
        let settings = Settings::quick().cache(dir.path().join("cache"));
        Self { origin, settings, runtime, dir }
    }

    /// Changes the client's settings.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut infill_core::Config)) -> Self {
        self.settings = self.settings.with(change);
        self
    }

    /// Gives up after a second: less trips over a busy machine.
    pub(crate) fn impatient(self) -> Self {
        self.with(|config| config.give_up_after = Duration::from_secs(1))
    }

    /// Where the cache is.
    pub(crate) fn root(&self) -> PathBuf {
        self.dir.path().join("cache")
    }

    pub(crate) fn journal(&self) -> PathBuf {
        self.root().join("_index/journal.bin")
    }

    pub(crate) fn put(&self, resource: impl Into<Resource>) {
        self.origin.put(PATH, resource);
    }

    pub(crate) fn on(&self) -> Injection<'_> {
        self.origin.on(PATH)
    }

    pub(crate) fn url(&self) -> String {
        self.origin.url(PATH)
    }

    /// A new client, once the one before has let go of the directory.
    pub(crate) fn client(&self) -> Client {
        let begun = Instant::now();
        loop {
            match self.runtime.try_client(&self.settings) {
                Ok(client) => return client,
                Err(error) => {
                    let waited = begun.elapsed();
                    assert!(waited < Duration::from_secs(5), "{}: {error}", self.runtime);
                    assert!(is_lock(&error.to_string()), "{}: {error}", self.runtime);
                }
            }
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Waits until nobody has the directory any more.
    pub(crate) fn is_let_go(&self) {
        let lock = self.root().join("lock");
        eventually("the lock is free", || fs::File::open(&lock).unwrap().try_lock().is_ok());
    }

    /// Opens with a new client: a new life.
    pub(crate) fn open(&self) -> Stream {
        let opened = self.client().open(self.url());
        opened.unwrap_or_else(|error| panic!("{error}\n{}", self.story()))
    }

    /// A life that reads so much, of a file that stops there, and closes.
    pub(crate) fn begins_with(&self, bytes: u64) {
        let nth = self.requests().len();
        self.on().nth(nth).stall_at(bytes);
        let mut stream = self.open();
        let reading = stream.read_most(SEED, bytes);
        assert_eq!((reading.count, reading.end), (bytes, Ok(())), "{}", self.story());
    }

    /// A life that reads all of it, to the true end, and closes when it is complete.
    pub(crate) fn plays(&self) {
        let mut stream = self.open();
        self.reads_on(&mut stream);
    }

    /// Reads to the true end, and until it is known to be complete.
    pub(crate) fn reads_on(&self, stream: &mut Stream) {
        let from = std::io::Seek::stream_position(stream).unwrap();
        let reading = stream.read_on(SEED);
        let total = stream.byte_len().unwrap_or(0);
        assert_eq!((reading.count, reading.end), (total - from, Ok(())), "{}", self.story());
        let handle = stream.handle();
        eventually("complete", || handle.progress().state == State::Complete);
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

    /// Body bytes that the origin has sent.
    pub(crate) fn sent(&self) -> u64 {
        self.origin.bytes_sent(PATH)
    }

    /// What happened, for the message of a failed test.
    pub(crate) fn story(&self) -> String {
        format!("{}: {}", self.runtime, self.origin.stats().describe())
    }

    /// All data files, by name.
    pub(crate) fn data_files(&self) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = files(&self.root());
        files.retain(|file| !is_own(&self.root(), file));
        files.sort();
        files
    }
}

/// What belongs to the cache as a whole.
fn is_own(root: &Path, file: &Path) -> bool {
    file.starts_with(root.join("_index")) || file == root.join("lock")
}

/// All files beneath a directory.
pub(crate) fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// Whether an error says that somebody else has the directory.
pub(crate) fn is_lock(error: &str) -> bool {
    error.contains("lock")
}

/// The cache of a client that has one.
pub(crate) fn cache_of(client: &Client) -> Cache {
    client.cache().expect("the settings name a directory")
}

/// The one entry of a cache.
pub(crate) fn only(cache: &Cache) -> CacheEntry {
    let entries = cache.list().unwrap();
    assert_eq!(entries.len(), 1, "{entries:?}");
    entries.into_iter().next().unwrap()
}

/// The key of a plain URL.
pub(crate) fn key_of(cache: &Cache, url: &str) -> CacheKey {
    cache.key(&Source::url(url)).unwrap()
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
pub(crate) fn notices(stream: &Stream) -> Vec<Notice> {
    let mut notices = stream.handle().notices();
    let noticed = std::iter::from_fn(|| notices.try_next());
    noticed
        .filter_map(|noticed| match noticed {
            Noticed::Notice(notice) => Some(notice),
            _ => None,
        })
        .collect()
}

/// Whether the disk was complained of.
pub(crate) fn is_of_the_disk(notice: &Notice) -> bool {
    match notice {
        Notice::StoreFault(error) | Notice::NotCached(error) => error.kind() == ErrorKind::Store,
        _ => false,
    }
}

/// Waits until it holds; no longer than a test may take.
pub(crate) fn eventually(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(10), "never: {what}");
        thread::sleep(Duration::from_millis(1));
    }
}
