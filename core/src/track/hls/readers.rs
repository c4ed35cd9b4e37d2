//! The readers of a presentation: what each is in, and what it waits for.

use core::time::Duration;
use std::collections::BTreeMap;

use super::enter::Target;
use crate::context::Context;
use crate::event::Entry;
use crate::{Action, Answer, Instant, ReaderId, RequestId, TrackId};

/// A segment that a reader is in.
#[derive(Clone, Debug)]
pub(super) struct Bound {
    pub(super) variant: usize,
    pub(super) playlist: usize,
    pub(super) index: usize,
    /// Its track; `None` for a gap.
    pub(super) track: Option<TrackId>,
    /// The track of its map.
    pub(super) init: Option<TrackId>,
    /// The presentation time at which it was entered, and when that was.
    pub(super) at: Duration,
    pub(super) since: Instant,
    /// When it ends, as the playlist says.
    pub(super) end: Duration,
}

impl Bound {
    /// About where its reader is: players read no faster than time passes, and none leaves its segment unseen.
    pub(super) fn position(&self, now: Instant) -> Duration {
        self.at.saturating_add(now - self.since).min(self.end).max(self.at)
    }
}

/// What a reader waits for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    pub(super) request: RequestId,
    pub(super) entry: Entry,
}

/// An answer. Who was interrupted before it was seen asks again, and is given the same.
#[derive(Clone, Copy, Debug)]
pub(super) struct Given {
    pub(super) entry: Entry,
    pub(super) target: Target,
    pub(super) continues: bool,
}

#[derive(Debug, Default)]
pub(super) struct HlsReader {
    waiting: Option<Waiting>,
    pub(super) bound: Option<Bound>,
    /// The segment before: its bytes may still be read.
    before: Option<Bound>,
    /// What it asked for last, and was given.
    pub(super) given: Option<Given>,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Readers {
    table: BTreeMap<ReaderId, HlsReader>,
    /// The one that entered a segment last: what lies ahead of it is fetched.
    lead: Option<ReaderId>,
    /// Whether any has ever entered a segment.
    pub(super) begun: bool,
}

impl Readers {
    pub(super) fn attach(&mut self, reader: ReaderId) {
        self.table.entry(reader).or_default();
    }

    pub(super) fn detach(&mut self, reader: ReaderId) {
        self.table.remove(&reader);
        if self.lead == Some(reader) {
            self.lead = self.table.keys().next_back().copied();
        }
    }

    /// A reader wants a segment. What it waited for before is superseded.
    pub(super) fn enter(
        &mut self,
        reader: ReaderId,
        request: RequestId,
        entry: Entry,
        context: &mut Context<'_>,
    ) {
        let Some(known) = self.table.get_mut(&reader) else {
            return;
        };
        if let Some(left) = known.waiting.replace(Waiting { request, entry }) {
            let answer = Answer::Superseded;
            context.out.push(Action::WakeReader { reader, request: left.request, answer });
        }
    }

    /// Those who wait.
    pub(super) fn waiting(&self) -> Vec<(ReaderId, Waiting)> {
        let waiting = self.table.iter();
        waiting.filter_map(|(id, reader)| Some((*id, reader.waiting?))).collect()
    }

    pub(super) fn is_waited_for(&self) -> bool {
        self.table.values().any(|reader| reader.waiting.is_some())
    }

    pub(super) fn get(&self, reader: ReaderId) -> Option<&HlsReader> {
        self.table.get(&reader)
    }

    /// Where the one is that is followed.
    pub(super) fn lead(&self) -> Option<&Bound> {
        self.table.get(&self.lead?)?.bound.as_ref()
    }

    /// A reader enters a segment.
    pub(super) fn bind(&mut self, reader: ReaderId, bound: Bound) {
        if let Some(known) = self.table.get_mut(&reader) {
            known.before = known.bound.replace(bound);
            self.lead = Some(reader);
            self.begun = true;
        }
    }

    /// Notes what a reader is given.
    pub(super) fn give(&mut self, reader: ReaderId, given: Given) {
        if let Some(known) = self.table.get_mut(&reader) {
            known.given = Some(given);
        }
    }

    /// Answers one that waits.
    pub(super) fn answer(&mut self, reader: ReaderId, answer: Answer, context: &mut Context<'_>) {
        let waiting = self.table.get_mut(&reader).and_then(|known| known.waiting.take());
        if let Some(Waiting { request, .. }) = waiting {
            context.out.push(Action::WakeReader { reader, request, answer });
        }
    }

    /// Answers all that wait, alike.
    pub(super) fn answer_all(&mut self, answer: &Answer, context: &mut Context<'_>) {
        for (reader, _) in self.waiting() {
            self.answer(reader, answer.clone(), context);
        }
    }

    /// The segments that readers are in.
    pub(super) fn bound(&self) -> impl Iterator<Item = TrackId> + '_ {
        self.table.values().filter_map(|reader| reader.bound.as_ref()?.track)
    }

    /// Where the reader is that is in that segment.
    pub(super) fn find(&self, track: TrackId) -> Option<&Bound> {
        let mut bounds = self.table.values().filter_map(|reader| reader.bound.as_ref());
        bounds.find(|bound| bound.track == Some(track))
    }

    /// The tracks that readers are in.
    pub(super) fn tracks(&self) -> impl Iterator<Item = TrackId> + '_ {
        let bounds =
            self.table.values().flat_map(|reader| reader.bound.iter().chain(&reader.before));
        bounds.flat_map(|bound| bound.track.into_iter().chain(bound.init))
    }
}
