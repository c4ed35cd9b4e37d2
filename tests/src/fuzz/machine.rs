//! Any events in any order, ids that nobody gave among them: the machine keeps its contract, and when everything is
//! closed and answered it comes to rest.

mod disk;

use std::time::Duration;

use arbitrary::{Result, Unstructured};
use bytes::Bytes;
use infill_core::catalog::Key;
use infill_core::http::{Header, ResponseHead};
use infill_core::{
    ByteRange, Command, Config, Durability, Event, FailureKind, FetchFailure, FetchId, Instant,
    Intent, Machine, OpId, OpenOptions, ReaderId, RequestId, ResourceId, Revalidate, SourceSpec,
    StoreFailure, Sum, Tier, TrackId, Verification,
};
use xxhash_rust::xxh3::xxh3_64;

use super::contract::Ledger;
use super::stored::{Stored, Write};
use super::{cached, draw};

/// More actions than any single event of so small a world can call for.
const MAX_ACTIONS: usize = 20_000;
/// Inputs are cut after so many events, so that each run is short.
const MAX_EVENTS: usize = 1_000;
/// The length that an honest answer announces: within one block of extents, or over three.
const TOTALS: [u64; 2] = [100_000, 600_000];
/// All bytes of all bodies, but for the page that an origin shows instead.
static ZEROS: [u8; 512 * 1024] = [0; 512 * 1024];

/// At most so many readers and tracks at once.
/// So many deadlines are left at most when everything is closed: of a track that is gone, and of the journal.
const MAX_REST_TICKS: usize = 4;

const READERS: usize = 6;
const TRACKS: usize = 4;
const URLS: [&str; 4] = [
    "http://one.example/a.mp3",
    "https://user:pass@two.example/b.flac?q=1#f",
    "http://one.example/c.ogg",
    "ftp://three.example/d.wav",
];

/// Runs one input.
pub fn run(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let Ok(config) = config(&mut input) else {
        return;
    };
    let mut world = World::new(config);
    if world.restore(&mut input).is_err() {
        return;
    }
    for _ in 0..MAX_EVENTS {
        // An input that ends within an event ends the run there.
        if input.is_empty() || world.step(&mut input).is_err() {
            break;
        }
    }
    world.come_to_rest();
}

/// Opens a track, answers its first request with `head` and `bytes` of body, lets time pass, and comes to rest.
pub(super) fn answer_with(head: &ResponseHead, bytes: usize) {
    let mut world = World::new(Config::default());
    let (track, reader) = (TrackId(0), ReaderId(0));
    world.open(track, 0, OpenOptions::default());
    world.attach(track, reader, 0);
    let range = ByteRange::at(1000, 1);
    world.ask(reader, 0, None, range);
    for _ in 0..4 {
        let Some(fetch) = world.ledger.fetches.keys().next_back().copied() else {
            break;
        };
        let head = Box::new(head.clone());
        world.handle(Event::ResponseStarted { fetch, head });
        let bytes = Bytes::from_static(&ZEROS[..bytes.min(ZEROS.len())]);
        if !bytes.is_empty() {
            world.handle(Event::BytesReceived { fetch, bytes });
        }
        world.acknowledge();
        world.ledger.fetches.remove(&fetch);
        world.handle(Event::StreamEnded { fetch });
        world.tick();
    }
    world.come_to_rest();
}

/// Limits as they are set, and as nobody should set them.
fn config(input: &mut Unstructured<'_>) -> Result<Config> {
    let mut config = Config::default();
    let (odd, bits): (u8, u8) = input.arbitrary()?;
    config.store_limit_bytes = [None, Some(1 << 20), Some(300_000), Some(1)][usize::from(bits & 3)];
    config.read_ahead_bytes = [None, Some(64 * 1024)][usize::from(bits >> 2 & 1)];
    config.max_request_bytes = [None, Some(10_000)][usize::from(bits >> 3 & 1)];
    config.fetch_credit_bytes = [256 * 1024, 4096][usize::from(bits >> 4 & 1)];
    config.connections_per_host = [6, 2][usize::from(bits >> 5 & 1)];
    config.connections = [64, 3][usize::from(bits >> 6 & 1)];
    let bits: u8 = input.arbitrary()?;
    config.cache_limit_bytes = [None, Some(2 << 20), Some(300_000), Some(1)][usize::from(bits & 3)];
    config.durability = [Durability::Fast, Durability::Flush][usize::from(bits >> 2 & 1)];
    config.revalidate = [Revalidate::Never, Revalidate::Always][usize::from(bits >> 3 & 1)];
    if odd == 0xff {
        config.store_block_bytes = 0;
        config.overlap_bytes = u64::MAX;
        config.prior_bandwidth = 0;
        config.give_up_after = Duration::ZERO;
    } else if odd == 0xfe {
        config.prior_bandwidth = u64::MAX;
        config.prior_reconnect = Duration::MAX;
        config.give_up_after = Duration::MAX;
        config.backoff_max = Duration::MAX;
    }
    Ok(config)
}

/// How the disk takes what is for the cache.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Disk {
    Good,
    Full,
    Broken,
}

struct World {
    machine: Machine,
    config: Config,
    now: Instant,
    ledger: Ledger,
    total: u64,
    disk: Disk,
    /// The journal and the disk answer at once.
    prompt: bool,
    tracks: u64,
    readers: u64,
    commands: u64,
    lives: u32,
}

impl World {
    fn new(config: Config) -> Self {
        Self {
            machine: Machine::new(config.clone()),
            config,
            now: Instant::ZERO,
            ledger: Ledger::default(),
            total: TOTALS[0],
            disk: Disk::Good,
            prompt: false,
            tracks: 0,
            readers: 0,
            commands: 0,
            lives: 0,
        }
    }

    fn handle(&mut self, event: Event) {
        self.machine.handle(self.now, event);
        let mut actions = 0;
        while let Some(action) = self.machine.poll_action() {
            self.ledger.record(action);
            actions += 1;
            assert!(actions < MAX_ACTIONS, "actions without end");
        }
        let Config { connections_per_file, connections, .. } = self.config;
        self.ledger.check_connections(connections_per_file, connections);
        self.ledger.check_places();
        let due = self.machine.poll_timeout();
        assert!(due.is_none_or(|at| at > self.now), "due now, but not done");
        if self.prompt {
            // It comes back here until nothing is owed.
            // At the end of time whatever is to be tried later is due at once.
            let late = self.now > Instant::from_nanos(u64::MAX / 2);
            self.answer_one(late || self.disk == Disk::Good);
        }
    }

    fn step(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        match input.arbitrary::<u8>()? % 32 {
            0..8 => self.step_reader(input),
            8..17 => self.step_fetch(input),
            17..21 => self.step_store(input),
            21 => {
                let track = self.track(input)?;
                let choice: u8 = input.arbitrary()?;
                let url = URLS.get(usize::from(choice % 5)).and_then(|url| url.parse().ok());
                self.handle(Event::FreshUrl { track, url });
                Ok(())
            }
            22 => {
                match input.arbitrary::<u8>()? {
                    0xe0.. => self.handle(Event::NetworkChanged),
                    0xd0..0xe0 => self.crash(),
                    0xc0..0xd0 if self.ledger.kept.on => {
                        self.handle(Event::Restored(Box::default()));
                    }
                    choice => {
                        let disks = [Disk::Good, Disk::Full, Disk::Broken];
                        self.disk = disks[usize::from(choice) % disks.len()];
                    }
                }
                Ok(())
            }
            23..27 => self.step_time(input),
            27 | 28 => self.step_command(input),
            _ => self.step_disk(input),
        }
    }

    fn step_time(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        match input.arbitrary::<u8>()? {
            0xff => self.now = Instant::from_nanos(input.arbitrary()?),
            0x80.. => {
                self.tick();
                return Ok(());
            }
            some => self.now = self.now + Duration::from_millis(u64::from(some).pow(2)),
        }
        self.handle(Event::Tick);
        Ok(())
    }

    fn step_reader(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let choice: u8 = input.arbitrary()?;
        match choice % 8 {
            0 => {
                let track = self.new_track(input)?;
                let (bits, options) = self.options(input)?;
                self.open(track, bits >> 4, options);
            }
            1 if self.ledger.reader_ids().len() < READERS => {
                let track = self.track(input)?;
                self.readers += 1;
                let reader = ReaderId(self.readers);
                self.attach(track, reader, self.position(input)?);
            }
            2 if choice > 0xc0 => {
                let reader = self.reader(input)?;
                self.ledger.detach(reader);
                self.handle(Event::Detach { reader });
            }
            3 if choice > 0xc0 => {
                let track = self.track(input)?;
                self.close(track);
            }
            4 => {
                let (reader, position) = (self.reader(input)?, self.position(input)?);
                self.handle(Event::Seek { reader, position });
            }
            5 => {
                let (reader, position) = (self.reader(input)?, self.position(input)?);
                self.handle(Event::Advanced { reader, position });
            }
            _ => {
                let (reader, number) = (self.reader(input)?, input.arbitrary::<u8>()?);
                let latched = match number & 3 {
                    0 => Some(self.resource(input)?),
                    _ => None,
                };
                let range = draw::range(input)?;
                let range = ByteRange::at(self.scaled(range.start), range.len());
                self.ask(reader, u64::from(number), latched, range);
            }
        }
        Ok(())
    }

    /// A new track, or now and then an open one's id, which is ignored.
    fn new_track(&mut self, input: &mut Unstructured<'_>) -> Result<TrackId> {
        let open = self.ledger.open_tracks();
        if let Some(id) = open.first().filter(|_| self.ledger.track_ids().len() >= TRACKS) {
            return Ok(TrackId(*id));
        }
        let choice: u8 = input.arbitrary()?;
        match open.get(usize::from(choice)) {
            Some(id) if choice & 0xf0 == 0xf0 => Ok(TrackId(*id)),
            _ => {
                self.tracks += 1;
                Ok(TrackId(self.tracks))
            }
        }
    }

    fn options(&self, input: &mut Unstructured<'_>) -> Result<(u8, OpenOptions)> {
        let (bits, more): (u8, u8) = input.arbitrary()?;
        let intent = match more & 7 {
            4 => Intent::Fill(u64::MAX),
            5 => Intent::Fill(self.position(input)?),
            6 => Intent::Verify,
            _ => Intent::Play,
        };
        let asset = if more >> 6 == 3 { Some(cached::key(input, &keys())?) } else { None };
        let always = [None, None, Some(Revalidate::Always), Some(Revalidate::Never)];
        let options = OpenOptions {
            intent,
            pin: more & 8 != 0,
            asset,
            revalidate: always[usize::from(more >> 4 & 3)],
            read_ahead_bytes: [None, Some(0), Some(20_000)][usize::from(bits & 3) % 3],
            max_request_bytes: [None, Some(0), Some(5_000)][usize::from(bits >> 2 & 3) % 3],
            ..OpenOptions::default()
        };
        Ok((bits, options))
    }

    fn step_fetch(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let ids: Vec<u64> = self.ledger.fetches.keys().map(|id| id.0).collect();
        let fetch = FetchId(draw::id(input, &ids)?);
        let choice: u8 = input.arbitrary()?;
        match choice % 8 {
            0..3 => {
                let head = Box::new(self.answer(fetch, input)?);
                self.handle(Event::ResponseStarted { fetch, head });
            }
            3..6 => {
                let len = usize::from(input.arbitrary::<u16>()?).max(1);
                let page: &'static [u8] = b"<html>";
                let body = if choice == 0xff { page } else { &ZEROS[..len] };
                let bytes = Bytes::from_static(body);
                self.handle(Event::BytesReceived { fetch, bytes });
            }
            6 => {
                self.ledger.fetches.remove(&fetch);
                self.handle(Event::StreamEnded { fetch });
            }
            _ => {
                let kinds = [
                    FailureKind::Connect,
                    FailureKind::NotProcessed,
                    FailureKind::Reset,
                    FailureKind::Truncated,
                    FailureKind::Protocol,
                    FailureKind::Stopped,
                ];
                self.fail(fetch, kinds[usize::from(choice >> 3) % kinds.len()]);
            }
        }
        Ok(())
    }

    /// An honest answer to what was asked, or any.
    fn answer(&self, fetch: FetchId, input: &mut Unstructured<'_>) -> Result<ResponseHead> {
        let first = self.ledger.fetches.get(&fetch).map_or(0, |fetch| fetch.first);
        let (choice, total): (u8, u64) = (input.arbitrary()?, self.total);
        let head = match choice % 8 {
            0..4 if first < self.total => {
                let range = format!("bytes {first}-{}/{total}", total - 1);
                ResponseHead::new(206).with_field("content-range", range.as_bytes())
            }
            0..4 => {
                let range = format!("bytes */{total}");
                ResponseHead::new(416).with_field("content-range", range.as_bytes())
            }
            4 => ResponseHead::new(200).with_field("content-length", total.to_string().as_bytes()),
            5 => ResponseHead::new(200).with_field("transfer-encoding", b"chunked"),
            _ => return draw::head(input),
        };
        let head = match choice >> 5 {
            7 => head.with_field("cache-control", b"no-store"),
            _ => head,
        };
        Ok(match choice >> 3 & 3 {
            0 => head,
            1 => head.with_field("etag", b"\"v1\""),
            2 => head.with_field("etag", b"\"v2\""),
            _ => head.with_field("etag", b"W/\"v1\""),
        })
    }

    fn step_store(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let resource = self.resource(input)?;
        match input.arbitrary::<u8>()? {
            choice @ 0..0xa0 => self.write_done(resource, choice),
            choice @ 0xa0..0xe0 => self.verify_done(resource, choice),
            0xe0..0xf0 => {
                let range = draw::range(input)?;
                let failure = fault(false);
                self.handle(Event::ReadFailed { resource, range, failure });
            }
            _ => {
                let (op, result) = (OpId(draw::id(input, &[])?), Ok(None));
                let stored = self.ledger.resources.get(&resource);
                if stored.is_none_or(|stored| stored.oldest() != Some(op)) {
                    self.handle(Event::Written { resource, op, result });
                }
            }
        }
        Ok(())
    }

    fn write_done(&mut self, resource: ResourceId, choice: u8) {
        let Some(stored) = self.ledger.resources.get_mut(&resource) else {
            return;
        };
        let refused = match (stored.writes.front(), self.disk) {
            (Some(write), Disk::Full | Disk::Broken) if write.tier == Tier::Cache => true,
            _ => choice >= 0x90,
        };
        let (op, result) = if refused {
            let Some(Write { op, bytes, .. }) = stored.writes.pop_front() else {
                return;
            };
            let full =
                if self.disk == Disk::Good { op.0 % 2 == 0 } else { self.disk == Disk::Full };
            (op, Err((fault(full), bytes)))
        } else {
            if choice == 0x8f {
                stored.forget_runs();
            }
            let Some((write, run)) = stored.wrote() else { return };
            if let (Some(place), Some(_)) = (stored.place, run) {
                self.ledger.kept.wrote(place, write.range());
            }
            (write.op, Ok(run.and_then(|run| sum(run, choice))))
        };
        self.handle(Event::Written { resource, op, result });
    }

    fn verify_done(&mut self, resource: ResourceId, choice: u8) {
        let stored = self.ledger.resources.get_mut(&resource);
        let Some((op, range)) = stored.and_then(|stored| stored.verifies.pop_front()) else {
            return;
        };
        let len = usize::try_from(range.len()).unwrap_or(usize::MAX);
        let result = match (choice % 8, ZEROS.get(..len)) {
            (0..6, Some(zeros)) => Verification::Digest(xxh3_64(zeros)),
            (0..7, _) => Verification::Digest(0),
            _ => Verification::Failed(fault(false)),
        };
        if let (Verification::Digest(_), Some(stored)) =
            (&result, self.ledger.resources.get_mut(&resource))
        {
            stored.digested(range);
        }
        self.handle(Event::Verified { resource, op, result });
    }

    fn open(&mut self, track: TrackId, url: u8, options: OpenOptions) {
        let url = URLS[usize::from(url) % URLS.len()].parse().expect("a URL");
        let source = Box::new(SourceSpec {
            url,
            cache_key: None,
            headers: headers().into(),
            renewable: track.0 % 2 == 1,
            slice: None,
        });
        self.ledger.open(track, options.intent);
        self.handle(Event::Open { track, source, options });
    }

    fn attach(&mut self, track: TrackId, reader: ReaderId, position: u64) {
        self.ledger.attach(track, reader);
        self.handle(Event::Attach { track, reader, position });
    }

    fn ask(
        &mut self,
        reader: ReaderId,
        number: u64,
        latched: Option<ResourceId>,
        range: ByteRange,
    ) {
        let request = RequestId(number);
        self.ledger.ask(reader, request);
        self.handle(Event::ReadRequest { reader, request, latched, range });
    }

    fn close(&mut self, track: TrackId) {
        self.ledger.close(track);
        self.handle(Event::Close { track });
        self.ledger.closed_readers(track);
    }

    fn fail(&mut self, fetch: FetchId, kind: FailureKind) {
        self.ledger.fetches.remove(&fetch);
        let failure = FetchFailure::new(kind, "as the input says");
        self.handle(Event::FetchFailed { fetch, failure });
    }

    /// Time passes to the next deadline.
    fn tick(&mut self) {
        self.now = self.machine.poll_timeout().unwrap_or(self.now).max(self.now);
        self.handle(Event::Tick);
    }

    fn track(&self, input: &mut Unstructured<'_>) -> Result<TrackId> {
        draw::id(input, &self.ledger.track_ids()).map(TrackId)
    }

    fn resource(&self, input: &mut Unstructured<'_>) -> Result<ResourceId> {
        let ids: Vec<u64> = self.ledger.resources.keys().map(|id| id.0).collect();
        draw::id(input, &ids).map(ResourceId)
    }

    fn reader(&self, input: &mut Unstructured<'_>) -> Result<ReaderId> {
        draw::id(input, &self.ledger.reader_ids()).map(ReaderId)
    }

    fn position(&self, input: &mut Unstructured<'_>) -> Result<u64> {
        draw::position(input).map(|at| self.scaled(at))
    }

    /// A position of a small file, in a large one.
    fn scaled(&self, at: u64) -> u64 {
        if at < 2 * TOTALS[0] { at * (self.total / TOTALS[0]) } else { at }
    }

    /// The store answers all that it owes.
    fn acknowledge(&mut self) {
        while self.answer_one(true) || self.ledger.kept.is_owed() {}
        while let Some(resource) = self.owed() {
            self.write_done(resource, 0);
            self.verify_done(resource, 0xa0);
            while self.answer_one(true) {}
        }
    }

    fn owed(&self) -> Option<ResourceId> {
        let owes = |stored: &Stored| stored.is_owed();
        let mut all = self.ledger.resources.iter();
        all.find(|(_, stored)| owes(stored)).map(|(resource, _)| *resource)
    }

    /// Everything is closed, answered and reported: the machine has nothing left to do, and asks for no tick.
    fn come_to_rest(mut self) {
        self.disk = Disk::Good;
        for track in self.ledger.track_ids() {
            self.close(TrackId(track));
        }
        self.acknowledge();
        while let Some(fetch) = self.ledger.fetches.keys().next().copied() {
            self.fail(fetch, FailureKind::Stopped);
        }
        self.acknowledge();
        if self.ledger.kept.on {
            // A journal that could not be written is written anew, in time.
            for _ in 0..MAX_REST_TICKS {
                self.tick();
                self.acknowledge();
            }
            self.command(Command::List);
        }
        self.ledger.check_rest();
        self.ledger.kept.check_rest();
        assert!(self.machine.is_quiescent(), "not quiescent: {:?}", self.machine);
        assert_eq!(self.machine.poll_timeout(), None, "a deadline without a track");
    }
}

fn headers() -> [Header; 1] {
    [("Authorization".to_owned(), "x".to_owned())]
}

/// What the tracks are called in the cache.
fn keys() -> Vec<Key> {
    let parsed = URLS.iter().filter_map(|url| url.parse().ok());
    parsed.take(3).map(|url| Key::of(&url, None, &headers())).collect()
}

/// What a store says of a run: the truth, as a rule.
fn sum(run: ByteRange, choice: u8) -> Option<Sum> {
    let len = usize::try_from(run.len()).ok()?;
    let digest = ZEROS.get(..len).map_or(0, xxh3_64);
    match choice {
        0x80 => None,
        0x81..0x84 => Some(Sum { start: run.start, digest: 1 }),
        0x84 => Some(Sum { start: run.start.wrapping_sub(1000), digest }),
        _ => Some(Sum { start: run.start, digest }),
    }
}

fn fault(full: bool) -> StoreFailure {
    StoreFailure { full, detail: "as the input says".to_owned() }
}
