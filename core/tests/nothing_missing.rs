//! A failure is told only where it matters: of bytes that are still missing.

use std::time::Duration;

use bytes::Bytes;
use infill_core::http::ResponseHead;
use infill_core::{
    Action, ByteRange, Change, Config, Error, Event, FailureKind, FetchFailure, FetchId, Instant,
    Intent, Machine, Notice, OpId, OpenOptions, ReaderId, RequestId, SourceSpec, Sum, Tier,
    TrackId,
};

const TOTAL: u64 = 4 << 20;
const TAIL: u64 = TOTAL - 4096;
const READER: ReaderId = ReaderId(1);

/// A track of [`TOTAL`] bytes, whose store answers at once.
struct Case {
    machine: Machine,
    now: Instant,
    fetches: Vec<FetchId>,
    actions: Vec<Action>,
}

impl Case {
    fn new() -> Self {
        let machine = Machine::new(Config::default());
        Self { machine, now: Instant::ZERO, fetches: Vec::new(), actions: Vec::new() }
    }

    fn cached() -> Self {
        let mut case = Self::new();
        case.event(Event::Restored(Box::default()));
        case.begin();
        case
    }

    fn open() -> Self {
        let mut case = Self::new();
        case.begin();
        case
    }

    fn begin(&mut self) {
        self.join(TrackId(1), Intent::Play);
        self.event(Event::Attach { track: TrackId(1), reader: READER, position: 0 });
    }

    fn join(&mut self, track: TrackId, intent: Intent) {
        let url = "http://origin.example/a.mp3".parse().expect("a URL");
        let source = Box::new(SourceSpec::new(url));
        let options = OpenOptions { intent, ..OpenOptions::default() };
        self.event(Event::Open { track, source, options });
    }

    fn event(&mut self, event: Event) {
        let mut events = vec![event];
        while let Some(event) = events.pop() {
            self.machine.handle(self.now, event);
            while let Some(action) = self.machine.poll_action() {
                match &action {
                    Action::FetchRange { request, .. } => self.fetches.push(request.fetch),
                    Action::Write { resource, op, tier, offset, .. } => {
                        let sum = Sum { start: *offset, digest: 1 };
                        let result = Ok((*tier == Tier::Cache).then_some(sum));
                        events.push(Event::Written { resource: *resource, op: *op, result });
                    }
                    _ => {}
                }
                self.actions.push(action);
            }
        }
    }

    /// The journal takes what it was asked to, and what it is asked to thereupon.
    fn append(&mut self) {
        let mut done = 0;
        while let Some(op) = self.append_asked(done) {
            self.event(Event::Appended { op, result: Ok(100) });
            done += 1;
        }
    }

    fn append_asked(&self, number: usize) -> Option<OpId> {
        let mut asked = self.actions.iter().filter_map(|action| match action {
            Action::Append { op, .. } => Some(*op),
            _ => None,
        });
        asked.nth(number)
    }

    fn filled(&self) -> Option<Result<(), Error>> {
        self.actions.iter().find_map(|action| match action {
            Action::Filled { track: TrackId(2), result } => Some(result.clone()),
            _ => None,
        })
    }

    fn later(&mut self, time: Duration) {
        self.now = self.now + time;
    }

    fn head(&mut self, fetch: FetchId, first: u64) {
        let range = format!("bytes {first}-{}/{TOTAL}", TOTAL - 1);
        let head = ResponseHead::new(206)
            .with_field("Content-Range", range.as_bytes())
            .with_field("ETag", b"\"a\"");
        self.event(Event::ResponseStarted { fetch, head: Box::new(head) });
    }

    fn bytes(&mut self, fetch: FetchId, len: u64) {
        self.later(Duration::from_millis(1));
        self.event(Event::BytesReceived { fetch, bytes: Bytes::from(vec![0xff; len as usize]) });
    }

    /// The first request has brought `until` bytes; a second one asks for the tail, for a reader that has sought there.
    fn with_a_second_request(until: u64) -> (Self, FetchId, FetchId) {
        let mut case = Self::open();
        let first = case.fetches[0];
        case.later(Duration::from_millis(50));
        case.head(first, 0);
        case.bytes(first, 4096);
        case.seek(TAIL);
        let second = case.fetches[1];
        case.bytes(first, until - 4096);
        (case, first, second)
    }

    /// The reader goes there, and waits.
    fn seek(&mut self, position: u64) {
        self.event(Event::Seek { reader: READER, position });
        let range = ByteRange::at(position, 4096);
        let request = RequestId(position);
        self.event(Event::ReadRequest { reader: READER, request, latched: None, range });
    }

    fn told(&self) -> Vec<&Notice> {
        let notices = self.actions.iter().filter_map(|action| match action {
            Action::Notify { notice, .. } => Some(&**notice),
            _ => None,
        });
        notices.collect()
    }

    fn committed(&self) -> bool {
        self.actions.iter().any(|action| matches!(action, Action::Commit { .. }))
    }

    fn assert_whole_and_silent(&self) {
        assert!(self.committed(), "the resource is whole");
        assert_eq!(self.told(), Vec::<&Notice>::new(), "nothing is missing, so nothing has failed");
        let failed =
            |action: &&Action| matches!(action, Action::Publish { change: Change::Failed(_), .. });
        assert_eq!(self.actions.iter().filter(failed).count(), 0);
    }
}

#[test]
fn a_response_that_ran_into_the_bytes_of_others_up_to_the_end_has_not_failed() {
    let (mut case, first, second) = Case::with_a_second_request(8192);
    case.head(second, TAIL);
    case.bytes(first, TOTAL - 8192);
    case.bytes(second, TOTAL - TAIL);
    case.event(Event::StreamEnded { fetch: second });
    case.assert_whole_and_silent();
}

#[test]
fn a_connection_that_breaks_when_others_have_brought_its_bytes_has_not_failed() {
    for kind in [FailureKind::Reset, FailureKind::Truncated, FailureKind::Connect] {
        let (mut case, _, second) = Case::with_a_second_request(TOTAL);
        let failure = FetchFailure::new(kind, "in this test");
        case.event(Event::FetchFailed { fetch: second, failure });
        case.assert_whole_and_silent();
    }
}

#[test]
fn a_refusal_of_what_is_there_meanwhile_has_not_failed() {
    for status in [503, 404, 416] {
        let (mut case, _, second) = Case::with_a_second_request(TOTAL);
        let head = Box::new(ResponseHead::new(status));
        case.event(Event::ResponseStarted { fetch: second, head });
        case.assert_whole_and_silent();
    }
}

#[test]
fn a_failure_of_what_is_still_missing_is_told() {
    let (mut case, _, second) = Case::with_a_second_request(8192);
    let failure = FetchFailure::new(FailureKind::Reset, "in this test");
    case.event(Event::FetchFailed { fetch: second, failure });
    assert!(matches!(case.told()[..], [Notice::Retrying { .. }]), "{:?}", case.told());
}

#[test]
fn who_wants_what_is_there_is_not_told_that_the_rest_has_failed() {
    let mut case = Case::cached();
    case.join(TrackId(2), Intent::Fill(4096));
    let first = case.fetches[0];
    case.head(first, 0);
    case.bytes(first, 8192);
    // Its bytes are there; what it waits for is their record.
    let failure = FetchFailure::new(FailureKind::Reset, "in this test");
    case.event(Event::FetchFailed { fetch: first, failure });
    let again = case.fetches.last().copied().filter(|fetch| *fetch != first);
    let again = again.expect("it is asked again at once, for it has brought something");
    let head = Box::new(ResponseHead::new(404));
    case.event(Event::ResponseStarted { fetch: again, head });
    assert_eq!(case.filled(), None, "its record is not written yet");
    case.append();
    assert_eq!(case.filled(), Some(Ok(())), "its 4096 bytes are there");
}
