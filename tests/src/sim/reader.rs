//! Readers, as a runtime has them: they look at the view, copy, look again, and tell the machine only of misses, seeks,
//! errors and passed marks.

use std::time::Duration;

use infill_core::{
    Answer, ByteRange, ErrorKind, Event, Lookup, ReaderId, RequestId, ResourceId, StoreFailure,
    TrackId,
};

use super::fault::Fault;
use super::invariants::{Ledger, violated};
use super::lived::Trial;
use super::origin::Origins;
use super::plan::ReaderPlan;
use super::stage::{Happening, Stage};
use super::store::Store;

/// How often a reader may be sent round without getting a byte, or fail after all faults are over.
const PATIENCE: u32 = 8;

/// A step of a reader.
#[derive(Clone, Debug)]
pub(super) enum ReaderStep {
    /// It begins, as soon as its track lets it.
    Begin,
    /// It begins its next move.
    Move,
    /// It looks at the view.
    Look,
    /// It has copied, and looks again.
    Copied { resource: ResourceId, range: ByteRange, retractions: u64 },
    /// Its request was answered.
    Answered(Answer),
    /// It will not wait longer for this request.
    Impatient(RequestId),
}

/// What a reader deals with.
pub(super) struct Surroundings<'a> {
    pub(super) stage: &'a mut Stage,
    pub(super) ledger: &'a mut Ledger,
    pub(super) store: &'a Store,
    pub(super) origins: &'a Origins,
    /// Whether nothing was ever wrong with the disk.
    pub(super) trusted: bool,
    /// The track it reads.
    pub(super) track: TrackId,
    /// The longest wait between two retries of the machine.
    pub(super) backoff_max: Duration,
}

/// One reader.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) plan: ReaderPlan,
    pub(super) id: ReaderId,
    pub(super) state: State,
    /// The next copy fails.
    pub(super) fails: bool,
    /// Begins when its track is opened.
    pub(super) parked: bool,
    index: usize,
    turn: u64,
    next_move: usize,
    position: u64,
    end: u64,
    latched: Option<ResourceId>,
    pending: Option<RequestId>,
    requests: u64,
    mark: Option<u64>,
    /// Rounds without a byte.
    rounds: u32,
    /// Failures after all faults were over.
    failures: u32,
}

/// Where a reader is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Not attached.
    Away,
    /// Attached, with something to do.
    Busy,
    /// Attached, with nothing more to do.
    Done,
    /// Gone for good.
    Gone,
}

impl Reader {
    pub(super) fn new(index: usize, plan: ReaderPlan) -> Self {
        Self {
            plan,
            id: ReaderId(0),
            state: State::Away,
            fails: false,
            parked: false,
            index,
            turn: 0,
            next_move: 0,
            position: 0,
            end: 0,
            latched: None,
            pending: None,
            requests: 0,
            mark: None,
            rounds: 0,
            failures: 0,
        }
    }

    /// The version that it reads.
    pub(super) fn latched(&self) -> Option<ResourceId> {
        self.latched
    }

    /// Whether a step of this turn is still to be made.
    pub(super) fn is_turn(&self, turn: u64) -> bool {
        turn == self.turn || turn == ANY_TURN
    }

    /// Attaches under a new id.
    pub(super) fn attach(&mut self, stage: &mut Stage, id: ReaderId, track: TrackId) -> Event {
        self.id = id;
        self.state = State::Busy;
        self.parked = false;
        (self.latched, self.pending, self.mark) = (None, None, None);
        self.position = self.plan.moves.get(self.next_move).map_or(0, |next| next.from);
        self.go(stage, Duration::ZERO, ReaderStep::Move);
        Event::Attach { track, reader: id, position: self.position }
    }

    /// Its track is gone: it does nothing more, or begins again with what it had not done.
    pub(super) fn lose_track(&mut self, again: bool) {
        self.turn += 1;
        self.pending = None;
        if self.state != State::Gone {
            self.state = if again { State::Away } else { State::Gone };
        }
        if self.state == State::Away {
            self.parked = true;
            self.next_move = self.next_move.saturating_sub(1);
        }
    }

    /// The machine answered a request.
    pub(super) fn answered(&mut self, stage: &mut Stage, request: RequestId, answer: Answer) {
        if self.pending == Some(request) {
            self.pending = None;
            self.go(stage, Duration::ZERO, ReaderStep::Answered(answer));
        }
    }

    /// The machine set a mark.
    pub(super) fn set_mark(&mut self, at: Option<u64>) {
        self.mark = at;
    }

    /// Goes on; what it tells the machine.
    pub(super) fn step(&mut self, around: &mut Surroundings<'_>, step: ReaderStep) -> Vec<Event> {
        let mut events = Vec::new();
        match step {
            ReaderStep::Begin => {}
            ReaderStep::Move => self.begin_move(around, &mut events),
            ReaderStep::Look => self.look(around, &mut events),
            ReaderStep::Copied { resource, range, retractions } => {
                self.copied(around, resource, range, retractions, &mut events);
            }
            ReaderStep::Answered(answer) => self.take_answer(around, &answer),
            ReaderStep::Impatient(request) => {
                if self.pending == Some(request) {
                    self.pending = None;
                    self.finish_move(around);
                }
            }
        }
        events
    }

    fn go(&mut self, stage: &mut Stage, delay: Duration, step: ReaderStep) {
        self.turn += 1;
        stage.after(delay, Happening::Reader { reader: self.index, turn: self.turn, step });
    }

    fn begin_move(&mut self, around: &mut Surroundings<'_>, events: &mut Vec<Event>) {
        let Some(next) = self.plan.moves.get(self.next_move).copied() else {
            self.state = State::Done;
            if self.plan.detach {
                self.state = State::Gone;
                events.push(Event::Detach { reader: self.id });
            }
            return;
        };
        self.next_move += 1;
        self.end = next.from.saturating_add(next.len);
        self.rounds = 0;
        let moved = next.from != self.position;
        self.position = next.from;
        if next.says_so && moved {
            events.push(Event::Seek { reader: self.id, position: self.position });
        }
        self.look(around, events);
    }

    fn finish_move(&mut self, around: &mut Surroundings<'_>) {
        let rest = self.plan.moves.get(self.next_move).map_or(Duration::ZERO, |next| next.rest);
        self.go(around.stage, rest, ReaderStep::Move);
    }

    fn look(&mut self, around: &mut Surroundings<'_>, events: &mut Vec<Event>) {
        if self.position >= self.end {
            return self.finish_move(around);
        }
        let resource = self.latched.or_else(|| around.ledger.current(around.track));
        let found = resource.map(|resource| {
            let view = around.ledger.view(resource);
            (resource, view.lookup(self.position), view.retractions())
        });
        match found {
            Some((resource, Lookup::Hit(run_end), retractions)) => {
                let end = run_end.min(self.end).min(self.position.saturating_add(self.plan.chunk));
                let range = ByteRange::new(self.position, end);
                let step = ReaderStep::Copied { resource, range, retractions };
                self.go(around.stage, self.plan.copy_time, step);
            }
            Some((resource, Lookup::End, _)) => {
                around.ledger.check_end(resource, self.position, around.origins);
                self.finish_move(around);
            }
            Some((_, Lookup::Miss, _)) | None => self.request(around, events),
        }
    }

    fn request(&mut self, around: &mut Surroundings<'_>, events: &mut Vec<Event>) {
        // While faults last, being sent round is no wonder.
        self.rounds += u32::from(around.stage.healed);
        if self.rounds > PATIENCE * 4 {
            violated!(
                "{} was sent round {} times at {} without a byte",
                self.id,
                self.rounds,
                self.position
            );
        }
        self.requests += 1;
        let request = RequestId(self.requests);
        self.pending = Some(request);
        let length = self.plan.chunk.min(self.end - self.position);
        events.push(Event::ReadRequest {
            reader: self.id,
            request,
            latched: self.latched,
            range: ByteRange::at(self.position, length),
        });
        let patience = self.next_move.checked_sub(1).and_then(|now| self.plan.moves[now].patience);
        if let Some(patience) = patience {
            let step = ReaderStep::Impatient(request);
            let happening = Happening::Reader { reader: self.index, turn: ANY_TURN, step };
            around.stage.after(patience, happening);
        }
    }

    fn copied(
        &mut self,
        around: &mut Surroundings<'_>,
        resource: ResourceId,
        range: ByteRange,
        retractions: u64,
        events: &mut Vec<Event>,
    ) {
        if around.ledger.view(resource).retractions() != retractions {
            return self.look(around, events);
        }
        if std::mem::take(&mut self.fails) {
            around.stage.injected(Fault::ReadFailure);
            let failure = StoreFailure { full: false, detail: "input/output error".into() };
            events.push(Event::ReadFailed { resource, range, failure });
            return self.go(around.stage, Duration::from_millis(1), ReaderStep::Look);
        }
        let parts = match around.store.read(resource, range) {
            Ok(Some(parts)) => parts,
            Ok(None) => {
                violated!("{} finds {range} of {resource} published, but not stored", self.id);
            }
            Err(failure) => {
                if around.trusted {
                    violated!(
                        "nothing is wrong with the disk, and {range} can't be read: {failure:?}"
                    );
                }
                around.stage.lived.count(Trial::ReadFailed);
                events.push(Event::ReadFailed { resource, range, failure });
                return self.go(around.stage, Duration::from_millis(1), ReaderStep::Look);
            }
        };
        for (start, bytes) in parts {
            around.ledger.check_bytes(resource, start, &bytes, around.origins);
        }
        self.latched = Some(resource);
        self.position = range.end;
        self.rounds = 0;
        if self.mark.is_some_and(|mark| self.position >= mark) {
            self.mark = None;
            events.push(Event::Advanced { reader: self.id, position: self.position });
        }
        let time = match self.plan.pace {
            0 => Duration::ZERO,
            pace => Duration::from_nanos(range.len() * 1_000_000_000 / pace),
        };
        self.go(around.stage, time, ReaderStep::Look);
    }

    fn take_answer(&mut self, around: &mut Surroundings<'_>, answer: &Answer) {
        let Answer::Failed(error) = answer else {
            return self.go(around.stage, Duration::ZERO, ReaderStep::Look);
        };
        if around.stage.healed {
            self.failures += 1;
            if self.failures > PATIENCE {
                violated!(
                    "{} at {} still fails after all faults are over: {error}",
                    self.id,
                    self.position
                );
            }
        }
        if error.kind() == ErrorKind::Changed {
            // What an embedder does by opening again: what it has is of another version.
            self.latched = None;
            self.position = self.plan.moves[self.next_move - 1].from;
        } else if !self.plan.stubborn && !around.stage.healed {
            return self.finish_move(around);
        }
        // When all is well again, a backoff may still have to be waited out.
        let (low, high) = match around.stage.healed {
            true => (around.backoff_max / 2, around.backoff_max),
            false => (Duration::from_millis(50), Duration::from_secs(3)),
        };
        let pause = around.stage.between(low, high);
        self.go(around.stage, pause, ReaderStep::Look);
    }
}

/// Marks a step that is not void when others were made meanwhile.
const ANY_TURN: u64 = u64::MAX;
