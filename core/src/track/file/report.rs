//! What a file tells its embedder: its state, its rate, and what is worth a notice.

use core::time::Duration;

use super::FileTrack;
use crate::action::TrackState;
use crate::context::Context;
use crate::{Action, Instant, Notice};

/// While bytes come, the state is told again this often, for its rate.
const RATE_EVERY: Duration = Duration::from_millis(500);

/// What was told last.
#[derive(Debug, Default)]
pub(super) struct Report {
    state: Option<TrackState>,
    at: Instant,
}

impl FileTrack {
    /// Tells the state if it has changed.
    pub(super) fn report_state(&mut self, context: &mut Context<'_>) {
        let state = self.state(context.now);
        let same = self.report.state.is_some_and(|before| is_alike(before, state));
        let again = state == TrackState::Downloading && context.now - self.report.at >= RATE_EVERY;
        if same && !again {
            return;
        }
        self.report.state = Some(state);
        self.report.at = context.now;
        let downloading = state == TrackState::Downloading;
        let rate = self.link.measured().filter(|_| downloading).unwrap_or(0);
        for track in self.listeners.tracks() {
            context.out.push(Action::State { track, state, rate });
        }
    }

    fn state(&self, now: Instant) -> TrackState {
        if self.resource.is_complete() {
            TrackState::Complete
        } else if self.flights.iter().any(|flight| flight.transfer.is_some()) {
            TrackState::Downloading
        } else if self.recovery.is_resting() && self.recovery.has_failed() {
            TrackState::Failed
        } else if self.blocked && self.recovery.not_before() > now {
            TrackState::Waiting { retry_in: self.recovery.not_before() - now }
        } else if !self.recovery.is_proven() || !self.flights.is_empty() {
            TrackState::Connecting
        } else {
            TrackState::Idle
        }
    }

    /// Tells all who opened it something that is no doing of its own.
    pub(crate) fn tell(&self, notice: &Notice, context: &mut Context<'_>) {
        self.notify(notice, context);
    }

    /// Tells all who opened it something.
    pub(super) fn notify(&self, notice: &Notice, context: &mut Context<'_>) {
        for track in self.listeners.tracks() {
            context.out.push(Action::Notify { track, notice: Box::new(notice.clone()) });
        }
    }
}

/// Equal, but for the time that is left to wait.
fn is_alike(one: TrackState, two: TrackState) -> bool {
    core::mem::discriminant(&one) == core::mem::discriminant(&two)
}
