//! What the driver and a fetch's thread share: byte credit, and the way to stop.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// The control of one fetch.
pub(super) struct Control {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    credit: usize,
    cancelled: bool,
    agent: Option<ureq::Agent>,
}

impl Control {
    pub(super) fn new(credit: u32) -> Self {
        Self {
            state: Mutex::new(State { credit: credit as usize, cancelled: false, agent: None }),
            changed: Condvar::new(),
        }
    }

    // The driver's side.

    pub(super) fn grant(&self, bytes: u32) {
        let mut state = self.state();
        let dry = state.credit == 0;
        state.credit += bytes as usize;
        drop(state);
        // With credit left nobody waits, and waking costs a call of the system all the same.
        if dry {
            self.changed.notify_one();
        }
    }

    /// Stops the fetch, whatever it is doing; only a TCP connect has to run into its time-out.
    pub(super) fn cancel(&self) {
        let mut state = self.state();
        state.cancelled = true;
        let agent = state.agent.take();
        drop(state);
        self.changed.notify_one();
        if let Some(agent) = agent {
            agent.shutdown();
        }
    }

    // The fetch's side.

    /// Says which agent to shut down; false when the fetch is stopped already.
    pub(super) fn arm(&self, agent: &ureq::Agent) -> bool {
        let mut state = self.state();
        state.agent = Some(agent.clone());
        !state.cancelled
    }

    /// The fetch is over: nothing is shut down any more. False when it was stopped.
    pub(super) fn disarm(&self) -> bool {
        let mut state = self.state();
        state.agent = None;
        !state.cancelled
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.state().cancelled
    }

    /// Waits for credit, and says how much of `most` may be read now; `None` when the fetch is stopped.
    pub(super) fn wait_credit(&self, most: usize) -> Option<usize> {
        let mut state = self.state();
        while state.credit == 0 && !state.cancelled {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        (!state.cancelled).then(|| state.credit.min(most))
    }

    /// Uses credit up.
    pub(super) fn spend(&self, bytes: usize) {
        let mut state = self.state();
        debug_assert!(bytes <= state.credit, "read more than was granted");
        state.credit = state.credit.saturating_sub(bytes);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
