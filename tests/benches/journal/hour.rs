//! An hour of one stream in virtual time: how many records it takes, how long the journal gets, and how often it is
//! compacted.

use std::time::Duration;

use bytes::Bytes;
use infill_core::catalog::{Extent, Record};
use infill_core::http::ResponseHead;
use infill_core::journal::{Encoder, Header};
use infill_core::{
    Action, Config, Durability, Event, FetchId, Instant, Machine, OpenOptions, ReaderId,
    ResourceId, Restored, SourceSpec, Sum, TrackId,
};

/// 128 kb/s, in an eighth of a second.
const CHUNK: u64 = 2_000;
const STEP: Duration = Duration::from_millis(125);
const STEPS: u64 = 8 * 3600;

#[allow(clippy::print_stdout, reason = "a benchmark's output")]
pub(super) fn run() {
    println!("\n{:<34} {:>8} {:>8} {:>12}", "an hour of 128 kb/s", "records", "KiB", "compactions");
    let limit = |bytes: Option<u64>, durability| {
        let mut config = Config::default();
        (config.cache_limit_bytes, config.durability) = (bytes, durability);
        config
    };
    for (name, config) in [
        ("one file", limit(None, Durability::Fast)),
        ("one file, Durability::Flush", limit(None, Durability::Flush)),
        ("a window of 16 MiB", limit(Some(16 << 20), Durability::Fast)),
    ] {
        let mut hour = Hour::new(config);
        hour.passes();
        let kib = hour.encoder.offset() as f64 / 1024.0;
        println!("{name:<34} {:>8} {kib:>8.1} {:>12}", hour.records, hour.compactions);
        assert!(hour.records >= STEPS * CHUNK / Extent::BLOCK_BYTES, "each block has a record");
    }
}

/// The machine, and a driver whose disk takes no time.
struct Hour {
    machine: Machine,
    now: Instant,
    encoder: Encoder,
    records: u64,
    compactions: u64,
    fetch: Option<FetchId>,
    mark: Option<u64>,
}

impl Hour {
    fn new(config: Config) -> Self {
        let (machine, encoder) = (Machine::new(config), Encoder::new(Header { epoch: 1 }));
        let now = Instant::from_nanos(1);
        Self { machine, now, encoder, records: 0, compactions: 0, fetch: None, mark: None }
    }

    fn passes(&mut self) {
        const TRACK: TrackId = TrackId(1);
        const READER: ReaderId = ReaderId(1);
        let journal_bytes = self.encoder.offset();
        let restored = Restored { journal_bytes, salt: 7, ..Restored::default() };
        self.handle(Event::Restored(Box::new(restored)));
        let url = "http://origin.example/hour.mp3".parse().expect("a URL");
        let source = SourceSpec::new(url);
        let (source, options) = (Box::new(source), OpenOptions::default());
        self.handle(Event::Open { track: TRACK, source, options });
        self.handle(Event::Attach { track: TRACK, reader: READER, position: 0 });
        let fetch = self.fetch.expect("it is asked for");
        let len = STEPS * CHUNK;
        let head = ResponseHead::new(206)
            .with_field("Content-Range", format!("bytes 0-{}/{len}", len - 1).as_bytes())
            .with_field("ETag", b"\"v1\"");
        self.handle(Event::ResponseStarted { fetch, head: Box::new(head) });
        let chunk = Bytes::from(vec![7; CHUNK as usize]);
        for step in 1..=STEPS {
            self.now = self.now + STEP;
            let fetch = self.fetch.expect("it goes on");
            self.handle(Event::BytesReceived { fetch, bytes: chunk.clone() });
            // Its reader is at its head.
            let position = step * CHUNK;
            if self.mark.take_if(|mark| *mark <= position).is_some() {
                self.handle(Event::Advanced { reader: READER, position });
            }
            if self.machine.poll_timeout().is_some_and(|at| at <= self.now) {
                self.handle(Event::Tick);
            }
        }
        self.handle(Event::StreamEnded { fetch: self.fetch.expect("it ran to its end") });
        self.handle(Event::Close { track: TRACK });
    }

    fn handle(&mut self, event: Event) {
        self.machine.handle(self.now, event);
        while let Some(action) = self.machine.poll_action() {
            if let Some(event) = self.answer(action) {
                self.machine.handle(self.now, event);
            }
        }
    }

    fn answer(&mut self, action: Action) -> Option<Event> {
        match action {
            Action::FetchRange { request, .. } => {
                assert!(self.fetch.replace(request.fetch).is_none(), "one request is enough");
            }
            Action::Mark { at, .. } => self.mark = at,
            Action::Write { resource, op, offset, .. } => {
                return Some(written(resource, op, offset));
            }
            Action::Sync { resource, op } => {
                return Some(Event::Synced { resource, op, result: Ok(()) });
            }
            Action::Append { op, records, .. } => return Some(self.append(op, &records)),
            Action::Compact { op, records } => {
                self.compactions += 1;
                self.encoder = Encoder::new(Header { epoch: self.compactions + 1 });
                return Some(self.append(op, &records));
            }
            _ => {}
        }
        None
    }

    fn append(&mut self, op: infill_core::OpId, records: &[Record]) -> Event {
        self.records += records.len() as u64;
        for record in records {
            self.encoder.append(record, &mut Vec::new()).expect("none is too long");
        }
        Event::Appended { op, result: Ok(self.encoder.offset()) }
    }
}

/// In order from the beginning on: the run began with its block.
fn written(resource: ResourceId, op: infill_core::OpId, offset: u64) -> Event {
    let start = offset / Extent::BLOCK_BYTES * Extent::BLOCK_BYTES;
    Event::Written { resource, op, result: Ok(Some(Sum { start, digest: offset })) }
}
