//! The engine without a runtime: time is a number, HTTP is a table, the store can be told to fail.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::single_range_in_vec_init, reason = "one run is one range")]

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use bytes::Bytes;
use infill_blocking::engine::{Access, Blob, Engine, Fetcher, Hub, Opening, Reader, Store};
use infill_blocking::{Error, ErrorKind, Source, StoreKind, StreamHandle};
use infill_core::http::{FetchRequest, ResponseHead};
use infill_core::{
    ByteRange, CancelReason, Config, FailureKind, FetchFailure, FetchId, Instant, OpenOptions,
    ResourceId, TrackId,
};

const LEN: usize = 400_000;

/// How much of the body is there when an open returns.
const JUDGED: u64 = 100;

fn content() -> Vec<u8> {
    (0..LEN).map(|at| (at * 31 + at / 251) as u8).collect()
}

/// What the engine asked of HTTP.
#[derive(Default)]
struct Table {
    started: VecDeque<FetchRequest>,
    cancelled: Vec<FetchId>,
    granted: u64,
    rests: usize,
}

impl Fetcher for Table {
    fn start(&mut self, _track: TrackId, request: Box<FetchRequest>) {
        self.started.push_back(*request);
    }

    fn cancel(&mut self, fetch: FetchId, _reason: CancelReason) {
        self.cancelled.push(fetch);
    }

    fn grant(&mut self, _fetch: FetchId, bytes: u32) {
        self.granted += u64::from(bytes);
    }

    fn rest(&mut self) {
        self.rests += 1;
    }
}

/// Counts wakes.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

struct World {
    hub: Option<Arc<Hub>>,
    engine: Option<Engine>,
    table: Table,
    now: Instant,
    waker: Waker,
    wakes: Arc<Count>,
}

impl World {
    fn new(store: Arc<dyn Store>) -> Self {
        let (hub, engine) = Hub::new(Config::default(), store, || ());
        let wakes = Arc::new(Count::default());
        Self {
            hub: Some(hub),
            engine: Some(engine),
            table: Table::default(),
            now: Instant::ZERO,
            waker: Waker::from(Arc::clone(&wakes)),
            wakes,
        }
    }

    fn memory() -> Self {
        Self::new(StoreKind::default().create().unwrap())
    }

    fn hub(&self) -> &Arc<Hub> {
        self.hub.as_ref().unwrap()
    }

    fn turn(&mut self) {
        let engine = self.engine.as_mut().unwrap();
        engine.turn(self.now, &mut self.table);
    }

    /// Takes turns while work of the store comes in.
    fn settle(&mut self, done: impl Fn(&mut Self) -> bool) {
        for _ in 0..2000 {
            self.turn();
            if done(self) {
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        panic!("it never came to that");
    }

    fn pass(&mut self, time: Duration) {
        self.now = self.now + time;
        self.turn();
    }

    fn begin(&mut self, access: Access) -> (Opening, FetchRequest) {
        self.begin_at("http://a.example/x", access)
    }

    fn begin_at(&mut self, url: &str, access: Access) -> (Opening, FetchRequest) {
        let source = Source::from(url);
        let opening = self.hub().open(&source, OpenOptions::default(), access);
        self.turn();
        let request = self.table.started.pop_front().expect("a request at once");
        (opening.unwrap(), request)
    }

    fn open(&mut self, access: Access) -> (Reader, FetchRequest) {
        let (mut opening, request) = self.begin(access);
        assert!(opening.poll(&mut self.cx()).is_pending());
        self.answer(&request);
        // An answer is judged by its first bytes too: a page of text is no audio.
        self.send(&request, ByteRange::new(0, JUDGED));
        match opening.poll(&mut self.cx()) {
            Poll::Ready(Ok(reader)) => (reader, request),
            other => panic!("{:?}", other.map_ok(|_| ())),
        }
    }

    fn answer(&self, request: &FetchRequest) {
        let first = request.first;
        let end = request.last.map_or(LEN as u64, |last| last + 1).min(LEN as u64);
        let head = ResponseHead::new(206)
            .with_field("content-length", (end - first).to_string().as_bytes())
            .with_field("etag", b"\"one\"")
            .with_field("content-type", b"audio/mpeg")
            .with_field("content-range", format!("bytes {first}-{}/{LEN}", end - 1).as_bytes());
        self.hub().port().head(request.fetch, head);
    }

    fn send(&mut self, request: &FetchRequest, range: ByteRange) {
        let bytes = &content()[range.start as usize..range.end as usize];
        let port = self.hub().port();
        port.bytes(request.fetch, Bytes::copy_from_slice(bytes));
        self.turn();
    }

    fn cx(&self) -> Context<'static> {
        // The waker is the same for the whole test.
        Context::from_waker(Box::leak(Box::new(self.waker.clone())))
    }

    fn read(&self, reader: &mut Reader, at: u64, len: usize) -> Poll<Result<Vec<u8>, Error>> {
        let mut buf = vec![0; len];
        let read = reader.poll_read_at(&mut self.cx(), at, &mut buf);
        read.map(|result| match result {
            Ok(count) => {
                buf.truncate(count);
                Ok(buf)
            }
            Err(error) => Err(Error::from_io(&error).expect("an error of infill").clone()),
        })
    }
}

fn expect(at: u64, len: usize) -> Poll<Result<Vec<u8>, Error>> {
    Poll::Ready(Ok(content()[at as usize..at as usize + len].to_vec()))
}

#[test]
fn a_read_waits_is_woken_once_and_reads() {
    let mut world = World::memory();
    let (mut reader, request) = world.open(Access::Inline);
    let handle = StreamHandle::of(&reader);
    assert!(world.read(&mut reader, JUDGED, 10).is_pending());
    world.turn();
    assert!(handle.progress().starving);
    let before = world.wakes.0.load(Ordering::SeqCst);
    world.send(&request, ByteRange::new(JUDGED, 1000));
    assert_eq!(world.wakes.0.load(Ordering::SeqCst), before + 1);
    assert_eq!(world.read(&mut reader, 0, 10), expect(0, 10));
    assert_eq!(world.read(&mut reader, 990, 100), expect(990, 10));
    assert!(!handle.progress().starving);
    assert_eq!(handle.stats().bytes_fetched, 1000);
    assert_eq!(world.table.granted, 0, "credit comes back in large pieces");
    world.send(&request, ByteRange::new(JUDGED + 1000, LEN as u64));
    assert_eq!(
        world.table.granted as usize,
        LEN - JUDGED as usize,
        "credit comes back once it is written"
    );
}

#[test]
fn hits_and_the_end_ask_the_engine_nothing() {
    let mut world = World::memory();
    let (mut reader, request) = world.open(Access::Inline);
    world.send(&request, ByteRange::new(JUDGED, LEN as u64));
    world.hub().port().ended(request.fetch);
    world.turn();
    // No turn from here on.
    assert_eq!(world.read(&mut reader, 5, 10), expect(5, 10));
    assert_eq!(world.read(&mut reader, LEN as u64 - 3, 10), expect(LEN as u64 - 3, 3));
    assert_eq!(world.read(&mut reader, LEN as u64, 10), Poll::Ready(Ok(vec![])));
    assert_eq!(world.read(&mut reader, u64::MAX, 10), Poll::Ready(Ok(vec![])));
    assert_eq!(world.read(&mut reader.guest(70_000), 70_000, 10), expect(70_000, 10));
    assert!(world.table.started.is_empty());
}

#[test]
fn blocks_come_from_the_stores_workers_where_a_reader_must_not_wait() {
    let faults = Arc::new(Faulty::default());
    faults.slow.store(true, Ordering::SeqCst);
    let mut world = World::new(Arc::new(FaultyStore(Arc::clone(&faults))));
    let (mut reader, request) = world.open(Access::Hop);
    let handle = StreamHandle::of(&reader);
    // More pieces than are kept in memory beside the store, so that the first ones are in the store alone.
    let mut from = JUDGED;
    while from < LEN as u64 {
        let to = (from + 2000).min(LEN as u64);
        world.send(&request, ByteRange::new(from, to));
        from = to;
    }
    world.settle(|_| handle.progress().buffered == [0..LEN as u64]);
    let mut all = Vec::new();
    let mut waits = 0;
    while all.len() < LEN {
        match world.read(&mut reader, all.len() as u64, 1000) {
            Poll::Ready(bytes) => all.extend(bytes.unwrap()),
            Poll::Pending => {
                waits += 1;
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        assert!(waits < 5000);
    }
    assert!(all == content());
    let hops = faults.reads.load(Ordering::SeqCst);
    let on_this_thread = faults.reads_here.load(Ordering::SeqCst);
    assert!(hops > 0 && hops <= LEN.div_ceil(128 * 1024), "{hops} hops");
    assert_eq!(on_this_thread, 0);
}

#[test]
fn an_answer_for_a_read_that_was_dropped_disturbs_nobody() {
    let mut world = World::memory();
    let (mut reader, request) = world.open(Access::Inline);
    assert!(world.read(&mut reader, 300_000, 10).is_pending());
    reader.withdraw();
    assert!(world.read(&mut reader, 500, 10).is_pending());
    world.turn();
    world.send(&request, ByteRange::new(JUDGED, 1000));
    assert_eq!(world.read(&mut reader, 500, 10), expect(500, 10));
    // A blocked reader can be dropped; the track goes with its last reader.
    assert!(world.read(&mut reader, 5000, 10).is_pending());
    let mut second = reader.fork(0, Access::Inline);
    drop(reader);
    world.turn();
    assert_eq!(world.read(&mut second, 0, 10), expect(0, 10));
    drop(second);
    world.turn();
    assert!(world.table.cancelled.contains(&request.fetch));
}

#[test]
fn dropping_an_open_closes_it() {
    let mut world = World::memory();
    let (opening, request) = world.begin(Access::Inline);
    drop(opening);
    world.turn();
    assert_eq!(world.table.cancelled, [request.fetch]);
    let stopped = FetchFailure::new(FailureKind::Stopped, "stopped");
    world.hub().port().failed(request.fetch, stopped);
    world.turn();
    assert_eq!(world.table.rests, 1, "idle connections can go");
    world.pass(Duration::from_secs(3600));
    assert!(world.table.started.is_empty(), "no request after closing");
    world.hub = None;
    assert!(world.engine.as_ref().unwrap().is_done());
}

#[test]
fn an_engine_that_is_dropped_leaves_nobody_waiting() {
    let mut world = World::memory();
    let (mut reader, _) = world.open(Access::Inline);
    let (mut opening, _) = world.begin_at("http://a.example/y", Access::Inline);
    assert!(world.read(&mut reader, JUDGED, 10).is_pending());
    assert!(opening.poll(&mut world.cx()).is_pending());
    world.turn();
    let before = world.wakes.0.load(Ordering::SeqCst);
    world.engine = None;
    assert!(world.wakes.0.load(Ordering::SeqCst) >= before + 2);
    let closed = |error: Error| assert_eq!(error.kind(), ErrorKind::Closed);
    match world.read(&mut reader, JUDGED, 10) {
        Poll::Ready(Err(error)) => closed(error),
        other => panic!("{other:?}"),
    }
    match opening.poll(&mut world.cx()) {
        Poll::Ready(Err(error)) => closed(error),
        other => panic!("{:?}", other.map_ok(|_| ())),
    }
    let source = Source::from("http://a.example/x");
    let mut late = world.hub().open(&source, OpenOptions::default(), Access::Inline).unwrap();
    assert!(matches!(late.poll(&mut world.cx()), Poll::Ready(Err(_))));
}

/// A store in memory that fails when told to.
#[derive(Default)]
struct Faulty {
    full: AtomicBool,
    unreadable: AtomicBool,
    /// Work for the pool.
    slow: AtomicBool,
    blobs: AtomicUsize,
    reads: AtomicUsize,
    reads_here: AtomicUsize,
}

struct FaultyStore(Arc<Faulty>);

struct FaultyBlob {
    faults: Arc<Faulty>,
    bytes: Mutex<Vec<u8>>,
}

impl Store for FaultyStore {
    fn limit_bytes(&self) -> Option<u64> {
        None
    }

    fn create(&self, _resource: ResourceId) -> io::Result<Arc<dyn Blob>> {
        self.0.blobs.fetch_add(1, Ordering::SeqCst);
        Ok(Arc::new(FaultyBlob { faults: Arc::clone(&self.0), bytes: Mutex::new(vec![0; LEN]) }))
    }

    fn may_block(&self) -> bool {
        self.0.slow.load(Ordering::SeqCst)
    }
}

impl Drop for FaultyBlob {
    fn drop(&mut self) {
        self.faults.blobs.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Blob for FaultyBlob {
    fn write_at(&self, offset: u64, bytes: &Bytes) -> io::Result<()> {
        if self.faults.full.load(Ordering::SeqCst) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.bytes.lock().unwrap()[offset as usize..][..bytes.len()].copy_from_slice(bytes);
        Ok(())
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let worker = std::thread::current().name() == Some("infill-store");
        let reads = match worker {
            true => &self.faults.reads,
            false => &self.faults.reads_here,
        };
        reads.fetch_add(1, Ordering::SeqCst);
        if self.faults.unreadable.swap(false, Ordering::SeqCst) {
            return Err(io::Error::other("a bad sector"));
        }
        buf.copy_from_slice(&self.bytes.lock().unwrap()[offset as usize..][..buf.len()]);
        Ok(buf.len())
    }

    fn discard(&self, _range: ByteRange) {}
}

#[test]
fn a_full_store_fails_the_read_and_can_recover() {
    let faults = Arc::new(Faulty::default());
    let mut world = World::new(Arc::new(FaultyStore(Arc::clone(&faults))));
    let (mut reader, request) = world.open(Access::Inline);
    assert!(world.read(&mut reader, JUDGED, 10).is_pending());
    world.turn();
    faults.full.store(true, Ordering::SeqCst);
    world.send(&request, ByteRange::new(JUDGED, 1000));
    let mut failure = None;
    for _ in 0..200 {
        if let Poll::Ready(result) = world.read(&mut reader, JUDGED, 10) {
            failure = result.err();
            break;
        }
        world.pass(Duration::from_secs(1));
        while let Some(request) = world.table.started.pop_front() {
            world.answer(&request);
            world.send(&request, ByteRange::new(request.first, request.first + 1000));
        }
    }
    let failure = failure.expect("the read ends with a cause");
    assert_eq!(failure.kind(), ErrorKind::Store, "{failure}");
    assert_eq!(io::Error::from(failure).kind(), io::ErrorKind::StorageFull);
}

#[test]
fn bytes_that_can_not_be_read_back_are_fetched_again() {
    let faults = Arc::new(Faulty::default());
    let mut world = World::new(Arc::new(FaultyStore(Arc::clone(&faults))));
    let (mut reader, request) = world.open(Access::Inline);
    world.send(&request, ByteRange::new(JUDGED, LEN as u64));
    world.hub().port().ended(request.fetch);
    world.turn();
    assert_eq!(world.read(&mut reader, 0, 4096), expect(0, 4096));
    faults.unreadable.store(true, Ordering::SeqCst);
    assert!(world.read(&mut reader, 200_000, 10).is_pending());
    for _ in 0..100 {
        world.pass(Duration::from_millis(100));
        if let Some(again) = world.table.started.pop_front() {
            assert!(again.first <= 200_000, "{again:?}");
            world.answer(&again);
            let end = again.last.map_or(LEN as u64, |last| last + 1);
            world.send(&again, ByteRange::new(again.first, end));
            world.hub().port().ended(again.fetch);
            world.turn();
        }
    }
    assert_eq!(world.read(&mut reader, 200_000, 10), expect(200_000, 10));
}

#[test]
fn what_was_stored_goes_when_the_track_does() {
    let faults = Arc::new(Faulty::default());
    let mut world = World::new(Arc::new(FaultyStore(Arc::clone(&faults))));
    let (reader, request) = world.open(Access::Inline);
    world.send(&request, ByteRange::new(JUDGED, 1000));
    assert_eq!(faults.blobs.load(Ordering::SeqCst), 1);
    let handle = StreamHandle::of(&reader);
    handle.close();
    world.turn();
    assert_eq!(faults.blobs.load(Ordering::SeqCst), 0, "though the reader lives");
    drop(reader);
    world.turn();
    assert_eq!(handle.progress().buffered, []);
}

#[test]
fn streams_of_one_identity_share_one_download_and_close_apart() {
    let mut world = World::memory();
    let (mut one, request) = world.open(Access::Inline);
    let source = Source::from("http://a.example/x");
    let opening = world.hub().open(&source, OpenOptions::default(), Access::Inline);
    world.turn();
    assert!(world.table.started.is_empty(), "one request serves both");
    let Poll::Ready(Ok(mut two)) = opening.unwrap().poll(&mut world.cx()) else {
        panic!("the answer was judged already");
    };
    assert!(world.read(&mut two, 1000, 10).is_pending());
    assert!(world.read(&mut one, 1000, 10).is_pending());
    world.turn();
    StreamHandle::of(&one).close();
    world.turn();
    match world.read(&mut one, 0, 10) {
        Poll::Ready(Err(error)) => assert_eq!(error.kind(), ErrorKind::Closed),
        other => panic!("{other:?}"),
    }
    assert!(world.table.cancelled.is_empty(), "the other one goes on");
    world.send(&request, ByteRange::new(JUDGED, 2000));
    assert_eq!(world.read(&mut two, 1000, 10), expect(1000, 10));
    assert_eq!(world.read(&mut two, 0, 10), expect(0, 10));
    drop(two);
    world.turn();
    assert_eq!(world.table.cancelled, [request.fetch]);
}
