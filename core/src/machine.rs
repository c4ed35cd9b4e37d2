//! The machine: events in, actions out.

use std::collections::VecDeque;

use crate::{Action, Config, Event, Instant};

/// The machine that fills holes. See the crate's documentation for its lifecycle.
#[derive(Debug)]
pub struct Machine {
    actions: VecDeque<Action>,
}

impl Machine {
    /// A machine without tracks.
    pub fn new(config: Config) -> Self {
        let _ = config;
        Self {
            actions: VecDeque::new(),
        }
    }

    /// Takes an event in. Total: any event in any state, never panics, never fails. Time that goes backwards is clamped.
    pub fn handle(&mut self, now: Instant, event: Event) {
        let _ = (now, event);
    }

    /// The next thing to do, until `None`. Only pops: all logic ran in [`Machine::handle`].
    #[must_use]
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// When to send [`Event::Tick`], unless another event comes first. Work that is due now is already queued.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        None
    }

    /// Whether nothing is in flight and nothing is owed: no fetch, no operation, no unanswered request, no action.
    pub fn is_quiescent(&self) -> bool {
        self.actions.is_empty()
    }
}
