//! The engine's inbox: anybody may post, without waiting, from a `drop` too; the driver takes all that has come.
//!
//! Invariant: a letter that was accepted is either taken by [`Inbox::take_all`] or returned by [`Inbox::die`]. What
//! fills it is bounded elsewhere: readers have one slot each, fetches have byte credit.

use std::collections::VecDeque;

use super::sync::{Mutex, lock};

/// Letters for the engine, and the hook that wakes its driver.
pub struct Inbox<T> {
    state: Mutex<State<T>>,
    wake: Box<dyn Fn() + Send + Sync>,
}

struct State<T> {
    letters: VecDeque<T>,
    /// Nobody is left who could post something that matters: the driver may end.
    closing: bool,
    /// The engine is gone.
    dead: bool,
}

impl<T> Inbox<T> {
    /// An empty inbox. `wake` must make the driver take a turn soon; it is called outside any lock, must not block, and
    /// must remember a call that comes before the driver sleeps, as `Thread::unpark` and `tokio::sync::Notify` do.
    pub fn new(wake: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            state: Mutex::new(State { letters: VecDeque::new(), closing: false, dead: false }),
            wake: Box::new(wake),
        }
    }

    /// Posts; gives the letter back when the engine is gone.
    pub fn post(&self, letter: T) -> Result<(), T> {
        let mut state = lock(&self.state);
        if state.dead {
            return Err(letter);
        }
        let first = state.letters.is_empty();
        state.letters.push_back(letter);
        drop(state);
        if first {
            (self.wake)();
        }
        Ok(())
    }

    /// Says that the driver may end once it has done what is in the inbox.
    pub fn close(&self) {
        lock(&self.state).closing = true;
        (self.wake)();
    }

    /// Whether [`Inbox::close`] was called and nothing is left to take.
    pub fn is_closed(&self) -> bool {
        let state = lock(&self.state);
        state.closing && state.letters.is_empty()
    }

    /// Takes all letters, in order, into `into`, which must be empty.
    pub fn take_all(&self, into: &mut VecDeque<T>) {
        core::mem::swap(&mut lock(&self.state).letters, into);
    }

    /// Takes no letters any more; returns those that were not taken.
    pub fn die(&self) -> VecDeque<T> {
        let mut state = lock(&self.state);
        state.dead = true;
        core::mem::take(&mut state.letters)
    }
}
