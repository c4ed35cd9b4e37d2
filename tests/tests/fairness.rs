//! Who gets a connection when there are not enough of them: readers that wait, first come first served, and nobody for
//! ever.

#![allow(clippy::unwrap_used)] // What is unexpected fails the test.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use infill_core::http::ResponseHead;
use infill_core::{
    Action, Answer, ByteRange, Config, Event, FailureKind, FetchFailure, FetchId, Instant, Machine,
    OpenOptions, ReaderId, RequestId, ResourceId, SourceSpec, TrackId,
};

const TOTAL: u64 = 64 << 20;
const CHUNK: u64 = 64 << 10;

/// A machine, an origin that answers every range, and a store that answers at once. Stopped fetches report when told.
struct Rig {
    machine: Machine,
    now: Instant,
    running: BTreeMap<FetchId, Flow>,
    stopping: Vec<FetchId>,
    most_stopping: usize,
    current: BTreeMap<TrackId, ResourceId>,
    answers: BTreeMap<ReaderId, Vec<Answer>>,
    requests: u64,
}

struct Flow {
    track: TrackId,
    first: u64,
    at: u64,
    end: u64,
    begun: bool,
}

impl Rig {
    fn new(config: Config) -> Self {
        Self {
            machine: Machine::new(config),
            now: Instant::ZERO,
            running: BTreeMap::new(),
            stopping: Vec::new(),
            most_stopping: 0,
            current: BTreeMap::new(),
            answers: BTreeMap::new(),
            requests: 0,
        }
    }

    fn open(&mut self, track: u64) {
        let source = Box::new(SourceSpec {
            url: format!("http://origin.example/{track}").parse().unwrap(),
            cache_key: None,
            headers: [].into(),
            renewable: false,
            slice: None,
        });
        let options = OpenOptions::default();
        let track = TrackId(track);
        self.handle(Event::Open { track, source, options });
    }

    fn attach(&mut self, track: u64, reader: u64) {
        self.handle(Event::Attach { track: TrackId(track), reader: ReaderId(reader), position: 0 });
    }

    fn read(&mut self, reader: u64, at: u64) {
        self.requests += 1;
        self.handle(Event::ReadRequest {
            reader: ReaderId(reader),
            request: RequestId(self.requests),
            latched: None,
            range: ByteRange::at(at, CHUNK),
        });
    }

    fn handle(&mut self, event: Event) {
        self.machine.handle(self.now, event);
        while let Some(action) = self.machine.poll_action() {
            self.perform(action);
        }
    }

    fn perform(&mut self, action: Action) {
        match action {
            Action::FetchRange { track, request } => {
                let flow = Flow {
                    track,
                    first: request.first,
                    at: request.first,
                    end: request.last.map_or(TOTAL, |last| last + 1),
                    begun: false,
                };
                self.running.insert(request.fetch, flow);
            }
            Action::CancelFetch { fetch, .. } => {
                self.running.remove(&fetch);
                self.stopping.push(fetch);
                self.most_stopping = self.most_stopping.max(self.stopping.len());
            }
            Action::OpenResource { track, resource } => {
                self.current.insert(track, resource);
            }
            Action::Write { resource, op, .. } => {
                let result = Ok(None);
                self.machine.handle(self.now, Event::Written { resource, op, result });
            }
            Action::WakeReader { reader, answer, .. } => {
                self.answers.entry(reader).or_default().push(answer);
            }
            _ => {}
        }
    }

    /// A chunk for every running fetch, and 10 ms pass; stopped ones report.
    fn round(&mut self) {
        self.now = self.now + Duration::from_millis(10);
        for fetch in std::mem::take(&mut self.stopping) {
            let failure = FetchFailure::new(FailureKind::Stopped, "");
            self.handle(Event::FetchFailed { fetch, failure });
        }
        let running: Vec<FetchId> = self.running.keys().copied().collect();
        running.into_iter().for_each(|fetch| self.deliver(fetch));
    }

    fn deliver(&mut self, fetch: FetchId) {
        let Some(flow) = self.running.get_mut(&fetch) else {
            return;
        };
        if !std::mem::replace(&mut flow.begun, true) {
            let range = format!("bytes {}-{}/{TOTAL}", flow.first, flow.end - 1);
            let head = ResponseHead::new(206)
                .with_field("Content-Range", range.as_bytes())
                .with_field("ETag", b"\"v1\"");
            let head = Box::new(head);
            return self.handle(Event::ResponseStarted { fetch, head });
        }
        let len = CHUNK.min(flow.end - flow.at);
        flow.at += len;
        let done = flow.at == flow.end;
        if done {
            self.running.remove(&fetch);
        }
        let bytes = Bytes::from(vec![1; len as usize]);
        self.handle(Event::BytesReceived { fetch, bytes });
        if done {
            self.handle(Event::StreamEnded { fetch });
        }
    }

    fn answers_of(&self, reader: u64) -> usize {
        self.answers.get(&ReaderId(reader)).map_or(0, Vec::len)
    }
}

#[test]
fn two_hundred_drains_do_not_starve_a_seek() {
    let mut rig = Rig::new(Config::default());
    for track in 0..200 {
        rig.open(track);
        rig.attach(track, track);
    }
    for _ in 0..300 {
        rig.round();
    }
    assert_eq!(rig.running.len(), Config::default().connections_per_host);
    rig.open(1000);
    rig.attach(1000, 1000);
    rig.round();
    rig.round();
    // A drain gave way at once: the seek's file has its connection, though all were taken.
    assert!(rig.running.values().any(|flow| flow.track == TrackId(1000)));
    rig.read(1000, TOTAL / 2);
    let sought = |flow: &Flow| flow.track == TrackId(1000) && flow.first == TOTAL / 2;
    assert!(rig.running.values().any(sought), "asked for at once");
    rig.round();
    rig.round();
    assert_eq!(rig.answers_of(1000), 1, "and answered with its first bytes");
}

#[test]
fn three_waiting_readers_on_two_connections_all_progress() {
    let mut rig = Rig::new(Config::default());
    rig.open(1);
    for reader in 1..=3 {
        rig.attach(1, reader);
    }
    // Each reads on from its own third; as soon as it is answered it wants what follows.
    let mut at = [0, TOTAL / 3, TOTAL / 3 * 2];
    let mut asked = [0; 3];
    for _ in 0..400 {
        for reader in 0..3 {
            if rig.answers_of(reader as u64 + 1) == asked[reader] {
                at[reader] += if asked[reader] > 0 { CHUNK } else { 0 };
                asked[reader] += 1;
                rig.read(reader as u64 + 1, at[reader]);
            }
        }
        rig.round();
        assert!(rig.running.len() <= 2);
    }
    let progress = [1, 2, 3].map(|reader| rig.answers_of(reader));
    assert!(progress.iter().all(|answers| *answers >= 60), "{progress:?}");
}

#[test]
fn a_hundred_seeks_in_a_second_leave_few_stopping_connects() {
    let config = Config::default();
    let max_stopping = config.max_stopping;
    let mut rig = Rig::new(config);
    rig.open(1);
    rig.attach(1, 1);
    for _ in 0..20 {
        rig.round();
    }
    rig.most_stopping = 0;
    for seek in 0..100 {
        let position = TOTAL / 4 + (seek * 7919 % 100) * (TOTAL / 200);
        rig.handle(Event::Seek { reader: ReaderId(1), position });
        rig.read(1, position);
        rig.now = rig.now + Duration::from_millis(10);
    }
    assert!(rig.most_stopping <= max_stopping, "{}", rig.most_stopping);
    assert!(rig.running.len() <= 2);
    // The stops report: the newest seek is asked for.
    let before = rig.answers_of(1);
    for _ in 0..4 {
        rig.round();
    }
    assert_eq!(rig.answers_of(1), before + 1);
    let last = rig.answers[&ReaderId(1)].last();
    assert_eq!(last, Some(&Answer::Readable));
}

#[test]
fn readers_of_other_tracks_take_turns_when_the_host_allows_one_connection() {
    let mut config = Config::default();
    config.connections_per_host = 1;
    let mut rig = Rig::new(config);
    for track in 1..=3 {
        rig.open(track);
        rig.attach(track, track);
    }
    let mut at = [0; 3];
    let mut asked = [0; 3];
    for _ in 0..400 {
        for track in 0..3 {
            if rig.answers_of(track as u64 + 1) == asked[track] {
                at[track] += if asked[track] > 0 { CHUNK } else { 0 };
                asked[track] += 1;
                rig.read(track as u64 + 1, at[track]);
            }
        }
        rig.round();
        assert!(rig.running.len() <= 1);
    }
    let progress = [1, 2, 3].map(|reader| rig.answers_of(reader));
    assert!(progress.iter().all(|answers| *answers >= 30), "{progress:?}");
}
