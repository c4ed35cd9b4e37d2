//! The next deadline of each track, and so of the machine.
//!
//! A deadline that moves to later stays where it is until it comes, for on the hot path it moves with every chunk: the
//! tick is then spurious and puts it where it belongs. One that moves to sooner, or away, moves at once.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Instant, TrackId};

/// Deadlines, soonest first.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    queue: BTreeSet<(Instant, TrackId)>,
    of_track: BTreeMap<TrackId, Instant>,
}

impl Timers {
    /// The track's deadline is `at` now. One at the end of time is none: what saturates there would be due again as
    /// soon as it was dealt with.
    pub(crate) fn set(&mut self, track: TrackId, at: Option<Instant>) {
        let at = at.filter(|at| *at < Instant::from_nanos(u64::MAX));
        let before = self.of_track.get(&track).copied();
        match (before, at) {
            (Some(before), Some(at)) if before <= at => return,
            (None, None) => return,
            _ => {}
        }
        if let Some(before) = before {
            self.queue.remove(&(before, track));
            self.of_track.remove(&track);
        }
        if let Some(at) = at {
            self.queue.insert((at, track));
            self.of_track.insert(track, at);
        }
    }

    /// Takes a track out whose deadline has come.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<TrackId> {
        let (at, track) = self.queue.first().copied()?;
        if at > now {
            return None;
        }
        self.queue.remove(&(at, track));
        self.of_track.remove(&track);
        Some(track)
    }

    /// The soonest deadline.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.queue.first().map(|(at, _)| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_waits_sooner_and_gone_move_at_once() {
        let mut timers = Timers::default();
        let at = Instant::from_nanos;
        let track = TrackId(1);
        timers.set(track, Some(at(10)));
        timers.set(track, Some(at(20)));
        assert_eq!(timers.next(), Some(at(10)));
        timers.set(track, Some(at(5)));
        assert_eq!(timers.next(), Some(at(5)));
        assert_eq!(timers.pop_due(at(4)), None);
        assert_eq!(timers.pop_due(at(5)), Some(track));
        assert_eq!(timers.next(), None);
        timers.set(track, Some(at(9)));
        timers.set(track, None);
        assert_eq!(timers.next(), None);
        timers.set(track, Some(at(u64::MAX)));
        assert_eq!(timers.pop_due(at(u64::MAX)), None, "never");
    }
}
