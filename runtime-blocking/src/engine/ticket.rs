//! A command to the cache and its one answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use infill_core::catalog::Listing;
use infill_core::{Cause, Command, CommandId, Error};

/// What a command is answered with.
type Answer = Result<Vec<Listing>, Error>;

/// A command that was given. Dropping it takes nothing back.
pub struct Ticket(Arc<Asked>);

/// The engine's end of a ticket. Dropped without an answer, it says `Closed`.
pub(super) struct Owed(Arc<Asked>);

#[derive(Default)]
struct Asked(Mutex<State>);

#[derive(Default)]
struct State {
    answer: Option<Answer>,
    waker: Option<Waker>,
}

impl Ticket {
    /// Both ends of a new one.
    pub(super) fn new() -> (Self, Owed) {
        let asked = Arc::new(Asked::default());
        (Self(Arc::clone(&asked)), Owed(asked))
    }

    /// The answer.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Answer> {
        let mut state = self.0.state();
        if let Some(answer) = &state.answer {
            return Poll::Ready(answer.clone());
        }
        state.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Owed {
    /// Answers.
    pub(super) fn answer(self, answer: Answer) {
        self.0.set(answer);
    }
}

impl Drop for Owed {
    fn drop(&mut self) {
        self.0.set(Err(Cause::Closed.into()));
    }
}

impl Asked {
    /// The first answer stands.
    fn set(&self, answer: Answer) {
        let mut state = self.state();
        state.answer.get_or_insert(answer);
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The commands that the machine has not answered yet.
#[derive(Default)]
pub(super) struct Tickets {
    last: u64,
    owed: HashMap<CommandId, Owed>,
}

impl Tickets {
    pub(super) fn insert(&mut self, owed: Owed) -> CommandId {
        self.last += 1;
        let id = CommandId(self.last);
        self.owed.insert(id, owed);
        id
    }

    pub(super) fn answer(&mut self, command: CommandId, answer: Answer) {
        if let Some(owed) = self.owed.remove(&command) {
            owed.answer(answer);
        }
    }
}

/// A command on its way to the engine.
pub struct Given {
    pub(super) what: Command,
    pub(super) owed: Owed,
}
