//! What all readers of one stream of a presentation have in common.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use infill_core::hls::{Clock, SegmentIndex};

use super::run::RunId;
use crate::engine::Track;

/// The clock, the names of runs, and what was read at virtual offsets.
#[derive(Default)]
pub struct Shared {
    clock: Mutex<Clock>,
    runs: AtomicU64,
    /// Which variant the bytes of a segment in the virtual space are of, once one was read.
    bound: Mutex<HashMap<usize, usize>>,
}

impl Shared {
    pub(super) fn clock(&self) -> MutexGuard<'_, Clock> {
        lock(&self.clock)
    }

    pub(super) fn next_run(&self) -> RunId {
        RunId(self.runs.fetch_add(1, Ordering::Relaxed))
    }

    pub(super) fn bound(&self, index: usize) -> Option<usize> {
        lock(&self.bound).get(&index).copied()
    }

    /// The first one stands.
    pub(super) fn bind(&self, index: usize, variant: usize) -> usize {
        *lock(&self.bound).entry(index).or_insert(variant)
    }

    /// What could not be read in that variant may be read in another.
    pub(super) fn unbind(&self, index: usize) {
        lock(&self.bound).remove(&index);
    }
}

/// The segments of a variant, once its playlist is known.
pub(super) fn segments_of(track: &Track, variant: usize) -> Option<Arc<SegmentIndex>> {
    track.presentation()?.variants.get(variant)?.segments.clone()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
