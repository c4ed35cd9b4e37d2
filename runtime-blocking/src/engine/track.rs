//! One open stream as its handles see it: state, current version, counters, notices.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Instant;

use std::time::Duration;

use infill_core::hls::Presentation;
use infill_core::{Cause, Error, Event, TrackId, TrackState};

use super::Letter;
use super::inbox::Inbox;
use super::resource::Resource;
use super::shown::Shown;
use crate::notices::Ring;
use crate::progress::State;
use crate::stats::Counters;

/// A track, shared by the engine, its streams and their handles. Keeps nothing alive but memory.
pub struct Track {
    id: TrackId,
    url: String,
    /// `None` for a local file, which needs no engine.
    inbox: Option<Arc<Inbox<Letter>>>,
    state: Mutex<Shared>,
    closed: AtomicBool,
    pub(crate) counters: Counters,
    pub(crate) notices: Arc<Ring>,
    /// Of a presentation: what is known of it.
    pub(crate) shown: Shown,
}

struct Shared {
    current: Option<Arc<Resource>>,
    opened: Option<Result<(), Error>>,
    filled: Option<Result<(), Error>>,
    waker: Option<Waker>,
    state: TrackState,
    since: Instant,
    rate: u64,
    error: Option<Error>,
}

impl Track {
    pub(crate) fn new(id: TrackId, url: String, inbox: Option<Arc<Inbox<Letter>>>) -> Self {
        Self {
            id,
            url,
            inbox,
            state: Mutex::new(Shared {
                current: None,
                opened: None,
                filled: None,
                waker: None,
                state: TrackState::default(),
                since: Instant::now(),
                rate: 0,
                error: None,
            }),
            closed: AtomicBool::new(false),
            counters: Counters::default(),
            notices: Arc::default(),
            shown: Shown::default(),
        }
    }

    /// A track that can't begin.
    pub(crate) fn failed(id: TrackId, error: Error) -> Arc<Self> {
        let track = Self::new(id, String::new(), None);
        track.set_filled(Err(error.clone()));
        track.set_state(TrackState::Failed, 0);
        track.set_error(Some(error));
        Arc::new(track)
    }

    /// Its id.
    pub fn id(&self) -> TrackId {
        self.id
    }

    /// What was opened: a URL without what may be secret, or a path.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The current version, once there is one.
    pub fn current(&self) -> Option<Arc<Resource>> {
        self.shared().current.clone()
    }

    /// How much of a presentation is here, from where it is read.
    pub fn buffered_time(&self) -> Duration {
        self.shown.buffered()
    }

    /// What is known of it, if it is a presentation.
    pub fn presentation(&self) -> Option<Arc<Presentation>> {
        self.shown.what()
    }

    /// Whether everything was there from the beginning.
    pub fn is_local(&self) -> bool {
        self.inbox.is_none()
    }

    /// Whether it was closed.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// What it is doing.
    pub fn state(&self) -> State {
        if self.is_closed() {
            return State::Closed;
        }
        let shared = self.shared();
        match shared.state {
            TrackState::Connecting => State::Connecting,
            TrackState::Downloading => State::Downloading,
            TrackState::Waiting { retry_in } => {
                State::Waiting { retry_in: retry_in.saturating_sub(shared.since.elapsed()) }
            }
            TrackState::Complete => State::Complete,
            TrackState::Failed => State::Failed,
            _ => State::Idle,
        }
    }

    /// Bytes per second, as measured lately.
    pub fn rate(&self) -> u64 {
        self.shared().rate
    }

    /// The last failure that is not over.
    pub fn error(&self) -> Option<Error> {
        self.shared().error.clone()
    }

    /// The answer to the open, once.
    pub(crate) fn poll_opened(&self, waker: &Waker) -> Poll<Result<(), Error>> {
        let mut shared = self.shared();
        if let Some(result) = &shared.opened {
            return Poll::Ready(result.clone());
        }
        if self.is_closed() {
            return Poll::Ready(Err(Cause::Closed.into()));
        }
        shared.waker = Some(waker.clone());
        Poll::Pending
    }

    /// The answer to an open that is to fill or to verify.
    pub(crate) fn poll_filled(&self, waker: &Waker) -> Poll<Result<(), Error>> {
        let mut shared = self.shared();
        match (&shared.filled, &shared.opened) {
            (Some(result), _) => return Poll::Ready(result.clone()),
            (None, Some(Err(error))) if self.is_closed() => return Poll::Ready(Err(error.clone())),
            _ if self.is_closed() => return Poll::Ready(Err(Cause::Closed.into())),
            _ => {}
        }
        shared.waker = Some(waker.clone());
        Poll::Pending
    }

    /// Asks the engine to close it; readers learn it at once.
    pub(crate) fn request_close(&self) {
        if !self.mark_closed() && !self.post(Letter::Close(self.id)) {
            self.finish_close();
            // Nobody else is left to do it.
            if let Some(resource) = self.current() {
                resource.close();
            }
        }
    }

    /// Tells the engine something.
    pub(crate) fn post_event(&self, event: Event) {
        self.post(Letter::Event(event));
    }

    /// Posts; false when there is no engine (any more).
    pub(crate) fn post(&self, letter: Letter) -> bool {
        match &self.inbox {
            Some(inbox) => inbox.post(letter).is_ok(),
            None => false,
        }
    }

    // The engine's side.

    /// Marks it as closed; true if it was already.
    pub(crate) fn mark_closed(&self) -> bool {
        self.closed.swap(true, Ordering::AcqRel)
    }

    /// Closes: no notices, no answer to wait for. Its bytes may be others', too.
    pub(crate) fn finish_close(&self) {
        self.mark_closed();
        self.notices.close();
        self.shown.forget_parts();
        self.answer(|_| ());
    }

    pub(crate) fn set_current(&self, resource: Arc<Resource>) {
        self.shared().current = Some(resource);
    }

    pub(crate) fn set_opened(&self, result: Result<(), Error>) {
        self.answer(|shared| {
            shared.error = result.as_ref().err().cloned();
            shared.opened = Some(result);
        });
    }

    pub(crate) fn set_filled(&self, result: Result<(), Error>) {
        self.answer(|shared| shared.filled = Some(result));
    }

    pub(crate) fn set_state(&self, state: TrackState, rate: u64) {
        let mut shared = self.shared();
        (shared.state, shared.rate) = (state, rate);
        shared.since = Instant::now();
    }

    pub(crate) fn set_error(&self, error: Option<Error>) {
        self.shared().error = error;
    }

    fn answer(&self, change: impl FnOnce(&mut Shared)) {
        let mut shared = self.shared();
        change(&mut shared);
        let waker = shared.waker.take();
        drop(shared);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
