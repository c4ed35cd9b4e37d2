//! Readers of a file: what they wait for, what they are answered, and how long they are patient.

use std::collections::BTreeMap;

use super::FileTrack;
use crate::context::Context;
use crate::flight::Flight;
use crate::reader::{Reader, Wait};
use crate::{Action, Answer, ByteRange, Cause, Config, Instant, ReaderId, RequestId, ResourceId};

/// The readers of a track.
#[derive(Debug, Default)]
pub(super) struct Readers {
    pub(super) table: BTreeMap<ReaderId, Reader>,
    /// Readers that wait.
    pub(super) waiting: usize,
    /// Whether there ever was one.
    pub(super) ever: bool,
    /// Whether any was asked to report.
    pub(super) marked: bool,
    turn: u64,
}

impl FileTrack {
    /// A reader begins.
    pub(crate) fn attach(&mut self, reader: ReaderId, position: u64) {
        self.readers.table.insert(reader, Reader::new(position));
        self.readers.ever = true;
        self.recovery.rest(false);
        self.dirty = true;
    }

    /// A reader is gone.
    pub(crate) fn detach(&mut self, reader: ReaderId) {
        if let Some(mut gone) = self.readers.table.remove(&reader) {
            self.readers.waiting -= usize::from(gone.answered().is_some());
            self.dirty = true;
        }
    }

    /// A reader misses.
    pub(crate) fn read(
        &mut self,
        reader: ReaderId,
        request: RequestId,
        latched: Option<ResourceId>,
        range: ByteRange,
        context: &mut Context<'_>,
    ) {
        self.readers.turn += 1;
        let turn = self.readers.turn;
        let range = ByteRange::at(range.start, range.len().max(1));
        let since = context.now;
        let Some(known) = self.readers.table.get_mut(&reader) else {
            return;
        };
        let wait = Wait { request, range, latched, since, turn };
        match known.wait(wait) {
            Some(left) => answer(reader, left.request, Answer::Superseded, context),
            None => self.readers.waiting += 1,
        }
        self.recovery.rest(false);
        self.dirty = true;
        // A dead resource is not asked again before its backoff is over: that would be a request storm.
        if let Some(error) = self.recovery.still_fatal(context.now).cloned() {
            self.answer_waits(context);
            self.answer_one(reader, Answer::Failed(error), context);
        }
    }

    /// A reader has sought.
    pub(crate) fn seek(&mut self, reader: ReaderId, position: u64, context: &mut Context<'_>) {
        let Some(known) = self.readers.table.get_mut(&reader) else {
            return;
        };
        if let Some(left) = known.seek(position) {
            self.readers.waiting -= 1;
            answer(reader, left.request, Answer::Superseded, context);
        }
        self.recovery.rest(false);
        self.dirty = true;
    }

    /// A reader's hits passed its mark.
    pub(crate) fn advance(&mut self, reader: ReaderId, position: u64) {
        if let Some(known) = self.readers.table.get_mut(&reader) {
            known.advance(position);
            self.dirty = true;
        }
    }

    /// Answers whoever can be answered.
    pub(super) fn answer_waits(&mut self, context: &mut Context<'_>) {
        if self.listeners.is_opening() && self.recovery.is_proven() && !self.unproven {
            self.answer_open(|_| true, &Ok(()), context);
        }
        if self.readers.waiting == 0 {
            return;
        }
        let mut waiting: Vec<_> = self
            .readers
            .table
            .iter()
            .filter_map(|(id, reader)| Some((reader.waiting()?.turn, *id)))
            .collect();
        waiting.sort_unstable();
        for (_, id) in waiting {
            if let Some(answer) = self.answer_for(id) {
                self.answer_one(id, answer, context);
            }
        }
    }

    fn answer_for(&mut self, id: ReaderId) -> Option<Answer> {
        let wait = *self.readers.table.get(&id)?.waiting()?;
        let start = wait.range.start;
        if wait.latched.is_some_and(|latched| latched != self.resource.id()) {
            self.readers.table.get_mut(&id)?.set_stale();
            self.dirty = true;
            let error = self.error(Cause::Changed, Some(start));
            return Some(Answer::Failed(error));
        }
        if self.resource.present().contains(start) {
            return Some(Answer::Readable);
        }
        let ended = self.resource.total().is_some_and(|total| start >= total);
        ended.then_some(Answer::End)
    }

    /// Answers one reader, if it waits.
    pub(super) fn answer_one(&mut self, id: ReaderId, what: Answer, context: &mut Context<'_>) {
        let wait = self.readers.table.get_mut(&id).and_then(Reader::answered);
        if let Some(wait) = wait {
            self.readers.waiting -= 1;
            answer(id, wait.request, what, context);
        }
    }

    /// Answers all that wait, alike.
    pub(super) fn answer_all(&mut self, what: &Answer, context: &mut Context<'_>) {
        let waiting: Vec<_> = self.readers.table.keys().copied().collect();
        for id in waiting {
            self.answer_one(id, what.clone(), context);
        }
    }

    /// Whether somebody waits for an answer.
    pub(crate) fn is_waited_for(&self) -> bool {
        self.readers.waiting > 0 || self.listeners.is_opening()
    }

    /// When the patience of those who wait ends, counted from the later of the last progress and their wait's start.
    pub(super) fn patience(&self, config: &Config) -> Option<Instant> {
        let opening = self.listeners.opening_since();
        if self.readers.waiting == 0 && opening.is_none() {
            return None;
        }
        let waits = self.readers.table.values().filter_map(Reader::waiting);
        let first = waits.map(|wait| wait.since).chain(opening).min()?;
        Some(first.max(self.last_progress()) + config.give_up_after)
    }

    /// When something last came nearer to those who wait. A transfer that goes through present bytes to theirs, for the
    /// origin ignores ranges, does so; once it has failed, only what it brought counts.
    fn last_progress(&self) -> Instant {
        let approaching = self.flights.iter().filter_map(Flight::approaching).max();
        self.recovery.last_progress().max(approaching.unwrap_or(Instant::ZERO))
    }

    /// Ends the waits whose patience is over, each with the last cause.
    pub(super) fn give_up(&mut self, context: &mut Context<'_>) {
        let limit = context.config.give_up_after;
        let progress = self.last_progress();
        let now = context.now;
        let over = |since: Instant| since.max(progress) + limit <= now;
        let waits: Vec<_> = self
            .readers
            .table
            .iter()
            .filter_map(|(id, reader)| Some((*id, *reader.waiting()?)))
            .filter(|(_, wait)| over(wait.since))
            .collect();
        let opening = self.listeners.opening_since().is_some_and(over);
        if waits.is_empty() && !opening {
            return;
        }
        let error = self.last_cause(limit);
        let all_waits = waits.len() == self.readers.waiting;
        if all_waits && (opening || !self.listeners.is_opening()) {
            // Before the answers: who is told of the failure finds it in the view.
            self.tell_failure(error.clone(), context);
        }
        for (id, wait) in waits {
            let error = self.last_cause(limit).with_offset(wait.range.start);
            self.answer_one(id, Answer::Failed(error), context);
        }
        self.answer_open(over, &Err(error), context);
        self.given_up();
    }
}

fn answer(reader: ReaderId, request: RequestId, answer: Answer, context: &mut Context<'_>) {
    context.out.push(Action::WakeReader { reader, request, answer });
}
