//! What is known of a presentation, for its readers and handles: what it is, how much of it is there, which of its
//! resources are open.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use infill_core::TrackId;
use infill_core::hls::Presentation;

use super::track::Track;

/// What the engine shows of a presentation. Of a file: nothing.
#[derive(Default)]
pub(crate) struct Shown(Mutex<State>);

#[derive(Default)]
struct State {
    what: Option<Arc<Presentation>>,
    buffered: Duration,
    parts: HashMap<TrackId, Arc<Track>>,
}

impl Shown {
    /// What it is, once that is known.
    pub(crate) fn what(&self) -> Option<Arc<Presentation>> {
        self.state().what.clone()
    }

    /// How much of it is there, without a gap, from where its reader is.
    pub(crate) fn buffered(&self) -> Duration {
        self.state().buffered
    }

    /// A resource of it, while it is open.
    pub(crate) fn part(&self, track: TrackId) -> Option<Arc<Track>> {
        self.state().parts.get(&track).cloned()
    }

    pub(super) fn set_what(&self, what: Arc<Presentation>) {
        self.state().what = Some(what);
    }

    pub(super) fn set_buffered(&self, time: Duration) {
        self.state().buffered = time;
    }

    pub(super) fn add_part(&self, part: Arc<Track>) {
        self.state().parts.insert(part.id(), part);
    }

    pub(super) fn remove_part(&self, part: TrackId) {
        self.state().parts.remove(&part);
    }

    /// None of its resources is open any more.
    pub(super) fn forget_parts(&self) {
        let mut state = self.state();
        state.buffered = Duration::ZERO;
        let parts = core::mem::take(&mut state.parts);
        drop(state);
        // Outside the lock: they hold what readers may look at.
        drop(parts);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
