//! The hand-over between one reader and the engine: the reader's one-slot mailbox, its waker, and the answer.
//!
//! Rules, checked with shuttle in `tests/handover.rs`:
//! - The waker is registered in the same step that posts the request, so that no answer can come before it.
//! - Posting never waits for the engine, and the latest post wins: `drop` can post.
//! - An answer to any other request than the current one is dropped.
//! - `interrupt` and `close` end a wait without the engine. An interrupt that finds no waiting read ends the next one
//!   that would wait: otherwise it would be lost between two reads.

use std::task::{Poll, Waker};

use infill_core::{
    Answer, ByteRange, Cause, Entry, Error, Event, ReaderId, RequestId, ResourceId, StoreFailure,
    TrackId,
};

use super::sync::{AtomicU64, Mutex, Ordering, lock};

/// One reader as the engine sees it, and the engine as one reader sees it.
pub struct Slot {
    track: TrackId,
    reader: ReaderId,
    state: Mutex<State>,
    position: AtomicU64,
    mark: AtomicU64,
}

#[derive(Default)]
struct State {
    mail: Mail,
    /// The slot lies in the inbox already.
    queued: bool,
    asked: u64,
    waiting: Option<RequestId>,
    waker: Option<Waker>,
    answer: Option<Answer>,
    interrupted: bool,
    closed: bool,
    error: Option<Error>,
}

/// What a reader has to tell, at most one of each; the latest wins.
#[derive(Debug, Default)]
pub struct Mail {
    attach: Option<u64>,
    seek: Option<u64>,
    advanced: Option<u64>,
    failed: Option<(ResourceId, ByteRange, StoreFailure)>,
    request: Option<(RequestId, Wanted)>,
    detach: bool,
}

/// What a reader asks for.
#[derive(Clone, Copy, Debug)]
enum Wanted {
    /// Bytes, of the version that it reads.
    Bytes(Option<ResourceId>, ByteRange),
    /// A segment of a presentation.
    Segment(Entry),
}

/// No mark is set.
const NO_MARK: u64 = u64::MAX;

/// Whether the slot must be put into the inbox now.
#[must_use = "mail in a slot that is not in the inbox is never read"]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Post {
    /// Put it in.
    Needed,
    /// It lies there already.
    Queued,
}

impl Slot {
    /// The slot of a reader that begins at `position`; its first mail says so.
    pub fn new(track: TrackId, reader: ReaderId, position: u64) -> Self {
        let state =
            State { mail: Mail { attach: Some(position), ..Mail::default() }, ..State::default() };
        Self {
            track,
            reader,
            state: Mutex::new(state),
            position: AtomicU64::new(position),
            mark: AtomicU64::new(NO_MARK),
        }
    }

    /// The reader's id.
    pub fn reader(&self) -> ReaderId {
        self.reader
    }

    /// The track that it reads.
    pub fn track(&self) -> TrackId {
        self.track
    }

    // The reader's side.

    /// Registers `waker`, then asks for `range`. Replaces the request before, answered or not.
    pub fn ask(&self, latched: Option<ResourceId>, range: ByteRange, waker: &Waker) -> Post {
        self.want(Wanted::Bytes(latched, range), waker)
    }

    /// Registers `waker`, then asks for a segment. Replaces the request before, answered or not.
    pub fn enter(&self, entry: Entry, waker: &Waker) -> Post {
        self.want(Wanted::Segment(entry), waker)
    }

    fn want(&self, wanted: Wanted, waker: &Waker) -> Post {
        let mut state = lock(&self.state);
        state.asked += 1;
        let request = RequestId(state.asked);
        state.waker = Some(waker.clone());
        state.waiting = Some(request);
        state.answer = None;
        state.mail.request = Some((request, wanted));
        state.queue()
    }

    /// Looks for the answer; registers `waker` if there is none.
    pub fn poll(&self, waker: &Waker) -> Poll<Answer> {
        let mut state = lock(&self.state);
        if state.closed {
            state.forget();
            return Poll::Ready(Answer::Failed(Cause::Closed.into()));
        }
        if state.interrupted {
            state.interrupted = false;
            state.forget();
            return Poll::Ready(Answer::Superseded);
        }
        match state.answer.take() {
            Some(answer) => {
                state.forget();
                Poll::Ready(answer)
            }
            None => {
                if !state.waker.as_ref().is_some_and(|old| old.will_wake(waker)) {
                    state.waker = Some(waker.clone());
                }
                Poll::Pending
            }
        }
    }

    /// The read that waited was given up: no answer is wanted any more.
    pub fn withdraw(&self) {
        lock(&self.state).forget();
    }

    /// Says that the reader moved.
    pub fn seek(&self, position: u64) -> Post {
        let mut state = lock(&self.state);
        state.mail.seek = Some(position);
        state.queue()
    }

    /// Says that the mark was passed.
    pub fn advanced(&self, position: u64) -> Post {
        let mut state = lock(&self.state);
        state.mail.advanced = Some(position);
        state.queue()
    }

    /// Says that published bytes could not be read from the store. Comes before a request that is asked afterwards.
    pub fn read_failed(
        &self,
        resource: ResourceId,
        range: ByteRange,
        failure: StoreFailure,
    ) -> Post {
        let mut state = lock(&self.state);
        state.mail.failed = Some((resource, range, failure));
        state.queue()
    }

    /// Says that the reader is gone.
    pub fn detach(&self) -> Post {
        let mut state = lock(&self.state);
        state.forget();
        state.mail.detach = true;
        state.queue()
    }

    /// Notes where the reader is; true when that passes the mark, which is then used up.
    pub fn note_position(&self, position: u64) -> bool {
        self.position.store(position, Ordering::Relaxed);
        if position < self.mark.load(Ordering::Relaxed) {
            return false;
        }
        self.mark.swap(NO_MARK, Ordering::Relaxed) != NO_MARK
    }

    /// Where the reader is.
    pub fn position(&self) -> u64 {
        self.position.load(Ordering::Relaxed)
    }

    /// Keeps the cause of a failed read, or, with `None`, forgets it.
    pub fn set_error(&self, error: Option<Error>) {
        lock(&self.state).error = error;
    }

    /// The cause of the last failed read, until one succeeds.
    pub fn error(&self) -> Option<Error> {
        lock(&self.state).error.clone()
    }

    /// Whether a read waits.
    pub fn is_waiting(&self) -> bool {
        let state = lock(&self.state);
        state.waiting.is_some() && state.answer.is_none()
    }

    // Anybody's side.

    /// Ends the read that waits, or else the next one that would, with `Superseded`.
    pub fn interrupt(&self) {
        self.end(|state| state.interrupted = true);
    }

    /// Takes back an interrupt that has ended no read yet.
    pub fn clear_interrupt(&self) {
        lock(&self.state).interrupted = false;
    }

    /// Takes an interrupt that has ended no read yet; true if there was one.
    pub fn take_interrupt(&self) -> bool {
        core::mem::take(&mut lock(&self.state).interrupted)
    }

    /// Ends the read that waits, and all later ones, with `Closed`.
    pub fn close(&self) {
        self.end(|state| state.closed = true);
    }

    fn end(&self, how: impl FnOnce(&mut State)) {
        let mut state = lock(&self.state);
        how(&mut state);
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    // The engine's side.

    /// Takes what the reader had to tell.
    pub fn take(&self) -> Mail {
        let mut state = lock(&self.state);
        state.queued = false;
        core::mem::take(&mut state.mail)
    }

    /// Answers `request`, and wakes whoever waits for it.
    pub fn answer(&self, request: RequestId, answer: Answer) {
        self.end_if(request, |state| state.answer = Some(answer));
    }

    fn end_if(&self, request: RequestId, how: impl FnOnce(&mut State)) {
        let mut state = lock(&self.state);
        if state.waiting != Some(request) {
            return;
        }
        how(&mut state);
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Sets the position at which the reader shall report.
    pub fn set_mark(&self, at: Option<u64>) {
        self.mark.store(at.unwrap_or(NO_MARK), Ordering::Relaxed);
    }
}

impl State {
    fn queue(&mut self) -> Post {
        match core::mem::replace(&mut self.queued, true) {
            true => Post::Queued,
            false => Post::Needed,
        }
    }

    fn forget(&mut self) {
        self.waiting = None;
        self.waker = None;
        self.answer = None;
        self.mail.request = None;
    }
}

impl Mail {
    /// Whether the reader is new to the engine.
    pub fn is_attach(&self) -> bool {
        self.attach.is_some()
    }

    /// Whether the reader is gone.
    pub fn is_detach(&self) -> bool {
        self.detach
    }

    /// The events that it stands for, in order. A reader that came and went unseen was never there.
    pub fn into_events(self, track: TrackId, reader: ReaderId) -> impl Iterator<Item = Event> {
        let unseen = self.detach && self.attach.is_some();
        let keep = !unseen;
        let attach = self.attach.map(|position| Event::Attach { track, reader, position });
        let seek = self.seek.map(|position| Event::Seek { reader, position });
        let advanced = self.advanced.map(|position| Event::Advanced { reader, position });
        let request = self.request.map(|(request, wanted)| match wanted {
            Wanted::Bytes(latched, range) => Event::ReadRequest { reader, request, latched, range },
            Wanted::Segment(entry) => Event::Enter { reader, request, entry },
        });
        let failed = self.failed.map(|(resource, range, failure)| Event::ReadFailed {
            resource,
            range,
            failure,
        });
        let detach = self.detach.then_some(Event::Detach { reader });
        // What was found broken stays broken, whoever found it.
        failed.into_iter().chain(
            [attach, seek, advanced, request, detach].into_iter().flatten().filter(move |_| keep),
        )
    }
}
