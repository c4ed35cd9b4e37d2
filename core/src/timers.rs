//! The next deadline of each track, and so of the machine.
//!
//! A deadline that moves to later stays where it is until it comes, for on the hot path it moves with every chunk: the
//! tick is then spurious and puts it where it belongs. One that moves to sooner, or away, moves at once.

use std::collections::BTreeSet;

use crate::{Instant, TrackId};

/// Deadlines, soonest first.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    queue: BTreeSet<(Instant, TrackId)>,
}

/// A track's place in the queue, kept by whoever keeps the track, so that the hot path needs no look-up.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Armed(Option<Instant>);

impl Timers {
    /// The track's deadline is `at` now. One at the end of time is none: what saturates there would be due again as
    /// soon as it was dealt with.
    pub(crate) fn set(&mut self, track: TrackId, armed: &mut Armed, at: Option<Instant>) {
        let at = at.filter(|at| *at < Instant::from_nanos(u64::MAX));
        match (armed.0, at) {
            (Some(before), Some(at)) if before <= at => return,
            (None, None) => return,
            _ => {}
        }
        if let Some(before) = armed.0 {
            self.queue.remove(&(before, track));
        }
        if let Some(at) = at {
            self.queue.insert((at, track));
        }
        armed.0 = at;
    }

    /// Takes a track out whose deadline has come; it is no longer armed.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<TrackId> {
        let (at, track) = self.queue.first().copied()?;
        if at > now {
            return None;
        }
        self.queue.remove(&(at, track));
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
        let (track, mut armed) = (TrackId(1), Armed::default());
        timers.set(track, &mut armed, Some(at(10)));
        timers.set(track, &mut armed, Some(at(20)));
        assert_eq!(timers.next(), Some(at(10)));
        timers.set(track, &mut armed, Some(at(5)));
        assert_eq!(timers.next(), Some(at(5)));
        assert_eq!(timers.pop_due(at(4)), None);
        assert_eq!(timers.pop_due(at(5)), Some(track));
        armed = Armed::default();
        assert_eq!(timers.next(), None);
        timers.set(track, &mut armed, Some(at(9)));
        timers.set(track, &mut armed, None);
        assert_eq!(timers.next(), None);
        timers.set(track, &mut armed, Some(at(u64::MAX)));
        assert_eq!(timers.pop_due(at(u64::MAX)), None, "never");
    }
}
