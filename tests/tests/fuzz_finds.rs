//! What the fuzzer found in the machine, one test for each, named after what went wrong.

use std::time::Duration;

use bytes::Bytes;
use infill_core::catalog::{
    Catalog, Extent, Generation, Key, Place, Record, ResourceKey, StoredFacts,
};
use infill_core::http::ResponseHead;
use infill_core::{
    Action, ByteRange, Change, Config, Event, FetchId, Instant, Machine, OpId, OpenOptions,
    ReaderId, RequestId, ResourceId, Restored, Revalidate, SourceSpec, StoreFailure, Sum, TrackId,
    Verification,
};

const URL: &str = "http://origin.example/a.mp3";

fn open(track: u64, options: OpenOptions) -> Event {
    let url = URL.parse().expect("a URL");
    let source = SourceSpec::new(url);
    Event::Open { track: TrackId(track), source: Box::new(source), options }
}

/// A machine with an open track, and its first request.
fn opened(config: Config, options: OpenOptions) -> (Machine, FetchId) {
    let mut machine = Machine::new(config);
    machine.handle(Instant::ZERO, open(1, options));
    let fetch = std::iter::from_fn(|| machine.poll_action()).find_map(|action| match action {
        Action::FetchRange { request, .. } => Some(request.fetch),
        _ => None,
    });
    (machine, fetch.expect("the first request goes out at once"))
}

#[test]
fn opening_with_a_bounded_request_size_hung_while_the_length_was_unknown() {
    let options = OpenOptions { max_request_bytes: Some(1), ..OpenOptions::default() };
    opened(Config::default(), options);
}

#[test]
fn more_bytes_than_there_are_positions_overflowed() {
    let (mut machine, fetch) = opened(Config::default(), OpenOptions::default());
    let range = b"bytes 18446744073709551613-18446744073709551613/18446744073709551615";
    let head = Box::new(ResponseHead::new(206).with_field("Content-Range", range));
    machine.handle(Instant::ZERO, Event::ResponseStarted { fetch, head });
    let bytes = Bytes::from_static(&[7; 64]);
    machine.handle(Instant::ZERO, Event::BytesReceived { fetch, bytes });
    let writes: Vec<_> = std::iter::from_fn(|| machine.poll_action())
        .filter_map(|action| match action {
            Action::Write { offset, bytes, .. } => Some((offset, bytes.len())),
            _ => None,
        })
        .collect();
    assert_eq!(writes, [(u64::MAX - 2, 1)], "no more than was announced");
}

#[test]
fn a_fetch_at_the_end_of_time_was_due_without_end() {
    let (mut machine, _) = opened(Config::default(), OpenOptions::default());
    let end = Instant::from_nanos(u64::MAX);
    machine.handle(end, Event::Tick);
    machine.handle(end, Event::Tick);
    assert_eq!(machine.poll_timeout(), None, "no later moment can come");
}

#[test]
fn a_reader_of_a_closing_track_was_taken_in_and_never_answered() {
    let (mut machine, fetch) = opened(Config::default(), OpenOptions::default());
    let (track, reader) = (TrackId(1), ReaderId(1));
    let head = Box::new(ResponseHead::new(200));
    let bytes = Bytes::from_static(b"ID3");
    let range = ByteRange::at(0, 1);
    let read =
        |request| Event::ReadRequest { reader, request: RequestId(request), latched: None, range };
    // The write is not answered, so that the track goes on closing.
    for event in [
        Event::ResponseStarted { fetch, head },
        Event::BytesReceived { fetch, bytes },
        Event::Close { track },
        Event::Attach { track, reader, position: 0 },
        read(1),
        read(2),
    ] {
        machine.handle(Instant::ZERO, event);
    }
    let woken = std::iter::from_fn(|| machine.poll_action())
        .any(|action| matches!(action, Action::WakeReader { .. }));
    assert!(!woken, "a reader that came too late is not known");
}

/// A machine with a cache, whose answers are given by hand.
struct Cached {
    machine: Machine,
    now: Instant,
}

impl Cached {
    fn new(catalog: Catalog) -> Self {
        let mut cached = Self { machine: Machine::new(Config::default()), now: Instant::ZERO };
        let restored = Restored { catalog, journal_bytes: 4096, salt: 1, damage: None };
        cached.handle(Event::Restored(Box::new(restored)));
        cached
    }

    /// What an event leads to; the journal answers at once.
    fn handle(&mut self, event: Event) -> Vec<Action> {
        self.machine.handle(self.now, event);
        let mut all = Vec::new();
        while let Some(action) = self.machine.poll_action() {
            if let Action::Append { op, .. } = action {
                self.machine.handle(self.now, Event::Appended { op, result: Ok(4096) });
            }
            all.push(action);
        }
        all
    }

    /// So much time passes.
    fn pass(&mut self, time: Duration) -> Vec<Action> {
        self.now = self.now + time;
        self.handle(Event::Tick)
    }

    /// The first answer to `fetch`, and zeros.
    fn answer(&mut self, fetch: FetchId, head: ResponseHead, zeros: usize) -> Vec<Action> {
        let head = Box::new(head);
        let mut all = self.handle(Event::ResponseStarted { fetch, head });
        all.extend(self.receive(fetch, zeros));
        all
    }

    fn receive(&mut self, fetch: FetchId, zeros: usize) -> Vec<Action> {
        self.handle(Event::BytesReceived { fetch, bytes: Bytes::from(vec![0; zeros]) })
    }

    /// A write of the cache is done.
    fn written(&mut self, (resource, op): (ResourceId, OpId), start: u64) -> Vec<Action> {
        let result = Ok(Some(Sum { start, digest: 7 }));
        self.handle(Event::Written { resource, op, result })
    }
}

fn fetched(actions: &[Action]) -> FetchId {
    let mut fetches = actions.iter().filter_map(|action| match action {
        Action::FetchRange { request, .. } => Some(request.fetch),
        _ => None,
    });
    fetches.next().expect("something is fetched")
}

fn written(actions: &[Action]) -> (ResourceId, OpId) {
    let mut writes = actions.iter().filter_map(|action| match action {
        Action::Write { resource, op, .. } => Some((*resource, *op)),
        _ => None,
    });
    writes.next().expect("something is written")
}

fn asked(actions: &[Action]) -> Vec<(ResourceId, OpId, ByteRange)> {
    let verify = |action: &Action| match action {
        Action::Verify { resource, op, range } => Some((*resource, *op, *range)),
        _ => None,
    };
    actions.iter().filter_map(verify).collect()
}

/// What an earlier session left: the first `len` bytes, with the digest 7.
fn claimed(len: u32, total: u64) -> Catalog {
    let url = URL.parse().expect("a URL");
    let generation = Generation(1 << 32);
    let key = ResourceKey::file(Key::of(&url, None, &[]));
    let place = Place { key, generation, file_bits: 24 };
    let facts = StoredFacts { total: Some(total), ..StoredFacts::default() };
    let extents = vec![Extent { start: 0, digest: 7, len }];
    let mut catalog = Catalog::new();
    catalog.apply(&Record::Open { place, label: URL.into(), facts });
    catalog.apply(&Record::Extents { generation, extents });
    catalog
}

fn part(first: u64, total: u64) -> ResponseHead {
    let range = format!("bytes {first}-{}/{total}", total - 1);
    ResponseHead::new(206).with_field("content-range", range.as_bytes())
}

#[test]
fn what_followed_an_open_that_had_to_wait_again_was_lost() {
    let mut cached = Cached::new(Catalog::new());
    let fetch = fetched(&cached.handle(open(1, OpenOptions::default())));
    let write = written(&cached.answer(fetch, part(0, 100_000), 1000));
    cached.handle(Event::Close { track: TrackId(1) });
    cached.handle(Event::FetchFailed {
        fetch,
        failure: infill_core::FetchFailure::new(infill_core::FailureKind::Stopped, "told to"),
    });
    // Both wait for the first, and then the third for the second, which has a claim verified.
    for track in [2, 3] {
        let waiting = cached.handle(open(track, OpenOptions::default()));
        assert_eq!(waiting, [], "it begins when the first is closed");
        cached.handle(Event::Close { track: TrackId(track) });
    }
    let mut actions = cached.written(write, 0);
    while let Some((resource, op, _)) = asked(&actions).first().copied() {
        let result = Verification::Digest(7);
        actions.extend(cached.handle(Event::Verified { resource, op, result }));
        actions.retain(|action| !matches!(action, Action::Verify { op: of, .. } if *of == op));
    }
    let closed =
        |of| actions.iter().any(|a| matches!(a, Action::Closed { track } if track.0 == of));
    assert!(closed(2) && closed(3), "{actions:?}");
    assert!(cached.machine.is_quiescent());
}

#[test]
fn what_must_not_be_stored_took_room_in_the_cache_for_ever() {
    let mut cached = Cached::new(Catalog::new());
    let fetch = fetched(&cached.handle(open(1, OpenOptions::default())));
    let head = part(0, 100_000).with_field("cache-control", b"no-store");
    let (resource, op) = written(&cached.answer(fetch, head, 1000));
    cached.handle(Event::Written { resource, op, result: Ok(None) });
    cached.handle(Event::Close { track: TrackId(1) });
    let failure = infill_core::FetchFailure::new(infill_core::FailureKind::Stopped, "told to");
    cached.handle(Event::FetchFailed { fetch, failure });
    assert!(cached.machine.is_quiescent(), "nothing is open, and nothing is used");
}

#[test]
fn what_came_was_compared_with_a_claim_that_was_lost() {
    let mut cached = Cached::new(claimed(100_000, 200_000));
    let revalidate = Some(Revalidate::Always);
    let actions = cached.handle(open(1, OpenOptions { revalidate, ..OpenOptions::default() }));
    let (fetch, claim) = (fetched(&actions), asked(&actions)[0]);
    // Everything comes, to be compared with the end of the claim.
    let head = ResponseHead::new(200).with_field("content-length", b"200000");
    let actions = cached.answer(fetch, head, 50_000);
    assert_eq!(asked(&actions), []);
    let (resource, op, range) = claim;
    assert_eq!(range, ByteRange::new(0, 100_000));
    let result = Verification::Digest(8);
    cached.handle(Event::Verified { resource, op, result });
    let actions = cached.receive(fetch, 60_000);
    assert_eq!(asked(&actions), [], "nothing is there that could be compared");
}

#[test]
fn a_new_version_got_no_answers_once_the_first_track_of_its_download_was_closed() {
    let mut cached = Cached::new(Catalog::new());
    let fetch = fetched(&cached.handle(open(1, OpenOptions::default())));
    cached.handle(open(2, OpenOptions::default()));
    let head = part(0, 100_000).with_field("etag", b"\"v1\"");
    let write = written(&cached.answer(fetch, head, 1000));
    cached.written(write, 0);
    cached.handle(Event::Close { track: TrackId(1) });
    let failure = infill_core::FetchFailure::new(infill_core::FailureKind::Reset, "cut");
    let mut actions = cached.handle(Event::FetchFailed { fetch, failure });
    actions.extend(cached.pass(Duration::from_secs(5)));
    // The rest is of another version, a shorter one.
    let head = part(1000, 50_000).with_field("etag", b"\"v2\"");
    let new = written(&cached.answer(fetched(&actions), head, 500));
    assert_ne!(new.0, write.0, "another version");
    let change = Change::Present(ByteRange::new(1000, 1500));
    let published = Action::Publish { resource: new.0, change };
    assert!(cached.written(new, 0).contains(&published), "it is there to be read");
}

#[test]
fn a_read_at_the_last_position_of_all_overflowed_where_claims_were_left() {
    let mut cached = Cached::new(claimed(100_000, u64::MAX));
    cached.handle(open(1, OpenOptions::default()));
    let (track, reader, request) = (TrackId(1), ReaderId(1), RequestId(1));
    let range = ByteRange::new(u64::MAX - 1, u64::MAX);
    let last = ByteRange { start: u64::MAX, ..range };
    cached.handle(Event::Attach { track, reader, position: u64::MAX });
    let actions = cached.handle(Event::ReadRequest { reader, request, latched: None, range: last });
    let woken = actions.iter().any(|action| matches!(action, Action::WakeReader { .. }));
    assert!(woken, "it is past the end: {actions:?}");
}

#[test]
fn a_record_was_left_of_what_was_given_up_after_a_failed_read() {
    let mut cached = Cached::new(Catalog::new());
    let fetch = fetched(&cached.handle(open(1, OpenOptions::default())));
    let first = written(&cached.answer(fetch, part(0, 200_000), 50_000));
    let second = written(&cached.receive(fetch, 20_000));
    cached.written(first, 0);
    cached.pass(Duration::from_secs(2));
    // What is recorded is doubted, and its run grows on.
    let (resource, range) = (first.0, ByteRange::new(90_000, 91_000));
    let failure = StoreFailure { full: false, detail: "a bad sector".to_owned() };
    cached.handle(Event::ReadFailed { resource, range, failure: failure.clone() });
    cached.written(second, 0);
    cached.pass(Duration::from_secs(2));
    let actions = cached.handle(Event::ReadFailed { resource, range, failure });
    let lost = ByteRange::new(50_000, 70_000);
    assert!(actions.contains(&Action::Discard { resource, range: lost }), "{actions:?}");
    let retracts = |action: &Action| match action {
        Action::Append { records, .. } => records.iter().any(
            |record| matches!(record, Record::Retract { range, .. } if range.start <= lost.start),
        ),
        _ => false,
    };
    assert!(actions.iter().any(retracts), "its record is to be forgotten: {actions:?}");
}

#[test]
fn a_journal_that_is_said_to_be_endless_leaves_no_room_and_no_panic() {
    let mut config = Config::default();
    config.cache_limit_bytes = Some(1 << 30);
    let mut machine = Machine::new(config);
    let restored = Restored { journal_bytes: u64::MAX, ..Restored::default() };
    machine.handle(Instant::ZERO, Event::Restored(Box::new(restored)));
    machine.handle(Instant::ZERO, open(1, OpenOptions::default()));
    let asked = std::iter::from_fn(|| machine.poll_action())
        .any(|action| matches!(action, Action::FetchRange { .. }));
    assert!(asked, "what finds no room in the cache is kept elsewhere");
}
