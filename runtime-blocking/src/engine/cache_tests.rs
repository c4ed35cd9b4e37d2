//! The engine with a cache that is a list of what was asked for: what actions come to, whatever the machine thinks of it.

use std::io;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use infill_core::catalog::{Generation, Key, Place, Record, ResourceKey};
use infill_core::http::FetchRequest;
use infill_core::{
    Action, ByteRange, CancelReason, Cause, Change, Command, Config, Error, ErrorKind, Event,
    FetchId, Instant, OpId, OpenOptions, ResourceId, Restored, StoreFailure, Sum, Tier, TrackId,
};

use super::{
    Access, Archive, ArchiveFile, Engine, Fetcher, Filling, Hub, Lease, Letter, Reader, Shelf,
};
use crate::{Source, StoreKind, StreamHandle};

struct NoNetwork;

impl Fetcher for NoNetwork {
    fn start(&mut self, _track: TrackId, _request: Box<FetchRequest>) {}
    fn cancel(&mut self, _fetch: FetchId, _reason: CancelReason) {}
    fn grant(&mut self, _fetch: FetchId, _bytes: u32) {}
    fn rest(&mut self) {}
}

#[derive(Default)]
struct Log(Mutex<Vec<String>>);

impl Log {
    fn note(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }

    fn take(&self) -> Vec<String> {
        core::mem::take(&mut self.0.lock().unwrap())
    }
}

struct Logged {
    log: Arc<Log>,
}

#[derive(Default)]
struct LoggedFile {
    log: Arc<Log>,
    bytes: Mutex<Vec<u8>>,
}

impl Archive for Logged {
    fn file(&self, _place: &Place) -> Arc<dyn ArchiveFile> {
        Arc::new(LoggedFile { log: Arc::clone(&self.log), bytes: Mutex::default() })
    }

    fn append(&self, records: &[Record], durable: bool) -> io::Result<u64> {
        self.log.note(format!("append {} {durable}", records.len()));
        Ok(1)
    }

    fn compact(&self, records: &[Record]) -> io::Result<u64> {
        std::thread::sleep(Duration::from_millis(20));
        self.log.note(format!("compact {}", records.len()));
        Ok(2)
    }

    fn remove(&self, _place: &Place) -> io::Result<()> {
        std::thread::sleep(Duration::from_millis(20));
        self.log.note("remove");
        Err(io::Error::other("no"))
    }

    fn sweep(&self, keep: &[Place]) {
        self.log.note(format!("sweep {}", keep.len()));
    }
}

impl ArchiveFile for LoggedFile {
    fn restore(&self, stored: &[ByteRange]) {
        self.log.note(format!("restore {stored:?}"));
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<Sum> {
        self.log.note(format!("write {offset}"));
        let (mut all, from) = (self.bytes.lock().unwrap(), offset as usize);
        let len = all.len().max(from + bytes.len());
        all.resize(len, 0);
        all[from..from + bytes.len()].copy_from_slice(bytes);
        Ok(Sum { start: offset, digest: 0 })
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let all = self.bytes.lock().unwrap();
        let there = all.get(offset as usize..).unwrap_or_default();
        let count = there.len().min(buf.len());
        buf[..count].copy_from_slice(&there[..count]);
        Ok(count)
    }

    fn sync(&self) -> io::Result<()> {
        self.log.note("sync");
        Ok(())
    }

    fn discard(&self, _range: ByteRange) {
        self.log.note("discard");
    }
}

impl Lease for Log {
    fn ends(&self, _hasten: Option<Box<dyn Fn() + Send + Sync>>) {
        self.note("ends");
    }
}

pub(super) struct World {
    pub(super) hub: Option<Arc<Hub>>,
    pub(super) engine: Engine,
    log: Arc<Log>,
}

/// As the machine would name it; it knows nothing of it.
pub(super) const RESOURCE: ResourceId = ResourceId(1000);

impl World {
    pub(super) fn new() -> Self {
        let log = Arc::new(Log::default());
        let shelf = Shelf {
            archive: Arc::new(Logged { log: Arc::clone(&log) }),
            restored: Restored::default(),
            lease: Arc::clone(&log) as _,
        };
        let store = StoreKind::default().create().unwrap();
        let (hub, engine) = Hub::with_shelf(Config::default(), store, Some(shelf), || ());
        let mut world = Self { hub: Some(hub), engine, log };
        world.turn();
        // What belongs to nothing is swept, beside all else.
        assert_eq!(world.logged(1), ["sweep 0"]);
        world
    }

    /// As many entries of the log, which come when they come.
    fn logged(&self, count: usize) -> Vec<String> {
        for _ in 0..2000 {
            if self.log.0.lock().unwrap().len() >= count {
                return self.log.take();
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        panic!("only {:?}", self.log.take());
    }

    pub(super) fn turn(&mut self) {
        self.engine.turn(Instant::ZERO, &mut NoNetwork);
    }

    /// Takes turns until the store has answered everything.
    pub(super) fn settle(&mut self) {
        // What was done at once is told with the next event.
        self.engine.port().post(Event::Tick);
        for _ in 0..2000 {
            self.turn();
            if self.engine.ops == 0 {
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        panic!("the store never answered");
    }

    /// So many answers to loads, as the store's workers bring them; other letters are dropped.
    pub(super) fn loaded(&self, count: usize) -> Vec<(u64, Result<Bytes, StoreFailure>)> {
        let mut found = Vec::new();
        for _ in 0..2000 {
            let mut letters = std::collections::VecDeque::new();
            self.engine.port().0.take_all(&mut letters);
            for letter in letters {
                if let Letter::Event(Event::Loaded { op, result, .. }) = letter {
                    found.push((op.0, result));
                }
            }
            if found.len() >= count {
                return found;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        panic!("only {found:?}");
    }

    pub(super) fn open(&mut self, path: &str) -> Reader {
        let source = Source::url(format!("http://a.example/{path}"));
        let hub = self.hub.as_ref().unwrap();
        let mut opening = hub.open(&source, OpenOptions::default(), Access::Inline).unwrap();
        self.turn();
        let track = opening.track();
        self.engine.act_on_store(Action::Opened { track, result: Ok(()) });
        match opening.poll(&mut cx()) {
            Poll::Ready(Ok(reader)) => reader,
            other => panic!("{:?}", other.map_ok(drop)),
        }
    }

    pub(super) fn write(&mut self, offset: u64, bytes: &'static str, tier: Tier) {
        let bytes = Bytes::from_static(bytes.as_bytes());
        let range = ByteRange::at(offset, bytes.len() as u64);
        let op = OpId(offset);
        self.engine.act_on_store(Action::Write { resource: RESOURCE, op, offset, bytes, tier });
        self.settle();
        self.publish(Change::Present(range));
    }

    pub(super) fn publish(&mut self, change: Change) {
        self.engine.act_on_store(Action::Publish { resource: RESOURCE, change });
    }

    pub(super) fn place(&mut self) {
        let place = Box::new(place());
        self.engine.act_on_store(Action::Place { resource: RESOURCE, place });
    }
}

fn place() -> Place {
    let key = ResourceKey::file(Key([7; 20]));
    Place { key, generation: Generation(1), file_bits: 24 }
}

pub(super) fn cx() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

pub(super) fn read(reader: &mut Reader, at: u64) -> Poll<Result<String, ErrorKind>> {
    let mut buf = [0; 64];
    reader.poll_read_at(&mut cx(), at, &mut buf).map(|result| match result {
        Ok(count) => Ok(String::from_utf8_lossy(&buf[..count]).into_owned()),
        Err(error) => Err(Error::from_io(&error).unwrap().kind()),
    })
}

pub(super) fn text(text: &str) -> Poll<Result<String, ErrorKind>> {
    Poll::Ready(Ok(text.to_owned()))
}

#[test]
fn a_resource_of_two_tracks_outlives_the_first_and_goes_with_the_last() {
    let mut world = World::new();
    let (mut one, mut two) = (world.open("a"), world.open("b"));
    let (first, second) = (one.track().id(), two.track().id());
    let resource = RESOURCE;
    world.engine.act_on_store(Action::OpenResource { track: first, resource });
    world.engine.act_on_store(Action::Join { track: second, resource });
    world.write(0, "shared", Tier::Scratch);
    assert_eq!(read(&mut one, 0), text("shared"));
    assert_eq!(read(&mut two, 0), text("shared"));
    // What befalls the resource befalls both.
    world.publish(Change::Failed(Cause::Truncated.into()));
    let handles = [StreamHandle::of(&one), StreamHandle::of(&two)];
    assert!(handles.iter().all(|handle| handle.error().is_some()));
    world.publish(Change::Recovered);
    assert!(handles.iter().all(|handle| handle.error().is_none()));

    handles[0].close();
    assert_eq!(read(&mut one, 0), Poll::Ready(Err(ErrorKind::Closed)), "at once");
    world.turn();
    assert_eq!(read(&mut one, 0), Poll::Ready(Err(ErrorKind::Closed)));
    world.write(6, " bytes", Tier::Scratch);
    assert_eq!(read(&mut two, 6), text(" bytes"));

    let shown = two.resource().unwrap();
    handles[1].close();
    world.turn();
    assert!(!shown.is_present(0), "nothing of it is held for those who are closed");
    // An open meanwhile joins it, as it was.
    let mut three = world.open("c");
    world.engine.act_on_store(Action::Join { track: three.track().id(), resource });
    world.write(12, "!", Tier::Scratch);
    assert_eq!(read(&mut three, 0), text("shared bytes!"));
}

#[test]
fn bytes_of_both_tiers_are_read_as_one_and_counted_for_all_tracks() {
    let mut world = World::new();
    let (mut one, two) = (world.open("a"), world.open("b"));
    let (first, second) = (one.track().id(), two.track().id());
    let resource = RESOURCE;
    world.engine.act_on_store(Action::OpenResource { track: first, resource });
    world.engine.act_on_store(Action::Join { track: second, resource });
    world.place();
    world.publish(Change::Claimed(ByteRange::new(100, 140)));
    let handles = [StreamHandle::of(&one), StreamHandle::of(&two)];
    assert_eq!(handles[1].progress().buffered, std::slice::from_ref(&(100..140)));
    world.write(0, "in the cache, ", Tier::Cache);
    world.write(14, "and beside it", Tier::Scratch);
    assert_eq!(world.log.take(), ["restore [100..140]", "write 0"], "told before it is changed");
    // Not from the chunks that were written last: a block across both.
    let resource = one.resource().unwrap();
    let mut buf = [0; 27];
    match resource.find(30) {
        super::Found::Miss => {}
        _ => panic!("nothing is there"),
    }
    world.publish(Change::Retracted(ByteRange::new(0, 27)));
    world.publish(Change::Present(ByteRange::new(0, 27)));
    match resource.find(0) {
        super::Found::Stored(stored) => {
            assert!(matches!(resource.copy(&stored, 0, &mut buf), super::Copied::Good(27)));
        }
        _ => panic!("it is stored"),
    }
    assert_eq!(&buf, b"in the cache, and beside it");
    assert_eq!(read(&mut one, 0), text("in the cache, and beside it"));

    world.publish(Change::Verified(ByteRange::new(100, 130)));
    world.publish(Change::Unclaimed(ByteRange::new(130, 140)));
    for handle in &handles {
        assert_eq!(handle.stats().bytes_from_cache, 30);
    }
    assert_eq!(handles[0].progress().buffered, [0..27, 100..130]);
}

#[test]
fn the_journal_is_written_in_order_and_the_driver_stays_for_it() {
    let mut world = World::new();
    let reader = world.open("a");
    let record = || Record::Use { asset: Key([1; 20]), at: 1 };
    for (op, records) in [(1, 1), (2, 2)] {
        let records = (0..records).map(|_| record()).collect();
        world.engine.act_on_store(Action::Append { op: OpId(op), records, durable: op == 2 });
    }
    world.engine.act_on_store(Action::Compact { op: OpId(3), records: vec![record()] });
    let records = vec![record(), record(), record()];
    world.engine.act_on_store(Action::Append { op: OpId(4), records, durable: false });
    world.engine.act_on_store(Action::Remove { op: OpId(5), place: Box::new(place()) });
    world.engine.act_on_store(Action::Sweep { keep: vec![place()] });
    drop(reader);
    world.hub = None;
    world.turn();
    assert!(!world.engine.is_done(), "a record that was asked for would be lost");
    world.settle();
    assert!(world.engine.is_done());
    let of = |log: &[String], what: &[&str]| -> Vec<String> {
        log.iter().filter(|each| what.iter().any(|it| each.starts_with(it))).cloned().collect()
    };
    // Those, the end that is announced, and the sweep, which answers nobody.
    let log = world.logged(7);
    let journal = of(&log, &["append", "compact"]);
    assert_eq!(journal, ["append 1 false", "append 2 true", "compact 1", "append 3 false"]);
    assert_eq!(of(&log, &["remove", "sweep"]), ["remove", "sweep 1"]);
    assert!(log.contains(&"ends".to_owned()), "its end is announced");
}

#[test]
fn work_of_a_placed_resource_is_done_in_order_in_both_tiers() {
    let mut world = World::new();
    let reader = world.open("a");
    let (track, resource) = (reader.track().id(), RESOURCE);
    world.engine.act_on_store(Action::OpenResource { track, resource });
    world.place();
    for (op, tier) in [(1, Tier::Cache), (2, Tier::Scratch), (3, Tier::Cache)] {
        let (offset, bytes) = (op * 10, Bytes::from_static(b"0123456789"));
        let op = OpId(op);
        world.engine.act_on_store(Action::Write { resource, op, offset, bytes, tier });
    }
    world.engine.act_on_store(Action::Sync { resource, op: OpId(4) });
    let range = ByteRange::new(20, 30);
    world.engine.act_on_store(Action::Discard { resource, range });
    assert!(world.engine.ops == 4, "nothing of it is done on the driver's thread");
    world.settle();
    assert_eq!(world.logged(4), ["write 10", "write 30", "sync", "discard"]);
}

#[test]
fn a_command_and_a_download_are_answered_also_by_the_engines_end() {
    let mut world = World::new();
    let hub = Arc::clone(world.hub.as_ref().unwrap());
    let mut ticket = hub.command(Command::List);
    // The machine's answer, given in its stead.
    let Some(Letter::Command(given)) = take_letter(&world.engine) else {
        panic!("no letter");
    };
    assert!(ticket.poll(&mut cx()).is_pending());
    let command = world.engine.tickets.insert(given.owed);
    world.engine.act_on_store(Action::Answered { command, result: Ok(Vec::new()) });
    assert!(matches!(ticket.poll(&mut cx()), Poll::Ready(Ok(_))));

    let fill = |hub: &Arc<Hub>, source: Source| hub.fill(&source, infill_core::Intent::Fill(1));
    let kind = |filling: &mut Filling| match filling.poll(&mut cx()) {
        Poll::Ready(result) => result.err().map(|error| error.kind()),
        Poll::Pending => panic!("it waits"),
    };
    let local = kind(&mut fill(&hub, Source::path("x.mp3")));
    assert_eq!(local, Some(ErrorKind::Unsupported));
    let mut filling = fill(&hub, Source::url("http://a.example/x"));
    world.turn();
    assert!(filling.poll(&mut cx()).is_pending());
    let track = filling.handle();
    track.close();
    assert_eq!(kind(&mut filling), Some(ErrorKind::Closed));

    let mut filling = fill(&hub, Source::url("http://a.example/y"));
    world.turn();
    let mut late = hub.command(Command::Clear);
    drop(world);
    assert_eq!(kind(&mut filling), Some(ErrorKind::Closed));
    assert!(matches!(late.poll(&mut cx()), Poll::Ready(Err(_))));
    let mut later = hub.command(Command::Clear);
    assert!(matches!(later.poll(&mut cx()), Poll::Ready(Err(_))));
}

fn take_letter(engine: &Engine) -> Option<Letter> {
    let mut letters = std::collections::VecDeque::new();
    engine.port().0.take_all(&mut letters);
    letters.pop_front()
}
