//! Who opened the file: one identity is downloaded once, for all that want it.

use super::FileTrack;
use crate::context::Context;
use crate::event::{Intent, OpenOptions};
use crate::{Action, Cause, Durability, Error, Instant, TrackId};

/// One open of the file.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) track: TrackId,
    intent: Intent,
    /// Since when it waits to be told that the file is open.
    opening: Option<Instant>,
    /// Whether it waits to be told that the file is filled.
    filling: bool,
    renewable: bool,
}

/// All of them.
#[derive(Debug)]
pub(super) struct Listeners {
    list: Vec<Listener>,
    /// Whom actions name that concern the download as a whole.
    lead: TrackId,
}

impl Listeners {
    /// Nobody yet.
    pub(super) fn new(lead: TrackId) -> Self {
        Self { list: Vec::new(), lead }
    }

    /// One more.
    pub(super) fn add(
        &mut self,
        track: TrackId,
        renewable: bool,
        options: OpenOptions,
        now: Instant,
    ) {
        if self.list.is_empty() {
            self.lead = track;
        }
        self.list.push(Listener {
            track,
            intent: options.intent,
            opening: Some(now),
            filling: options.intent != Intent::Play,
            renewable,
        });
    }

    /// What `track` still waits for won't come.
    pub(super) fn answer_closed(
        &mut self,
        track: TrackId,
        closed: &Error,
        context: &mut Context<'_>,
    ) {
        for listener in self.list.iter_mut().filter(|listener| listener.track == track) {
            if listener.opening.take().is_some() {
                context.out.push(Action::Opened { track, result: Err(closed.clone()) });
            }
            if core::mem::take(&mut listener.filling) {
                context.out.push(Action::Filled { track, result: Err(closed.clone()) });
            }
        }
    }

    /// `track` waits for it to be filled, or no longer does.
    pub(super) fn want(&mut self, track: TrackId, wanted: bool) {
        for listener in self.list.iter_mut().filter(|listener| listener.track == track) {
            listener.filling = wanted;
        }
    }

    /// One less. Whether nobody is left.
    pub(super) fn remove(&mut self, track: TrackId) -> bool {
        self.list.retain(|listener| listener.track != track);
        if let Some(first) = self.list.first() {
            self.lead = first.track;
        }
        self.list.is_empty()
    }

    /// Whom actions name that concern the download as a whole.
    pub(super) fn lead(&self) -> TrackId {
        self.lead
    }

    /// Who can give a fresh URL.
    pub(super) fn renewer(&self) -> TrackId {
        let renewer = self.list.iter().find(|listener| listener.renewable);
        renewer.map_or(self.lead, |listener| listener.track)
    }

    /// All tracks.
    pub(super) fn tracks(&self) -> impl Iterator<Item = TrackId> + '_ {
        self.list.iter().map(|listener| listener.track)
    }

    /// Since when somebody waits for the file to be open.
    pub(super) fn opening_since(&self) -> Option<Instant> {
        self.list.iter().filter_map(|listener| listener.opening).min()
    }

    /// Whether somebody waits for that.
    pub(super) fn is_opening(&self) -> bool {
        self.opening_since().is_some()
    }

    /// Whether somebody waits for that who wants to read.
    pub(super) fn is_opening_to_play(&self) -> bool {
        let plays = |listener: &Listener| listener.intent == Intent::Play;
        self.list.iter().any(|listener| plays(listener) && listener.opening.is_some())
    }

    /// Whether somebody wants to read.
    pub(super) fn plays(&self) -> bool {
        self.list.iter().any(|listener| listener.intent == Intent::Play)
    }

    /// Whether what is stored is all that is wanted.
    pub(super) fn is_offline(&self) -> bool {
        self.list.iter().all(|listener| listener.intent == Intent::Verify)
    }

    /// How far the file is to be filled for those who wait for that.
    pub(super) fn fill_to(&self) -> Option<u64> {
        let filling = self.list.iter().filter(|listener| listener.filling);
        let ends = filling.filter_map(|listener| match listener.intent {
            Intent::Fill(end) => Some(end),
            Intent::Play | Intent::Verify => None,
        });
        ends.max()
    }

    /// Whether somebody waits for every stored byte to be verified.
    pub(super) fn verifies(&self) -> bool {
        self.list.iter().any(|listener| listener.filling && listener.intent == Intent::Verify)
    }

    /// Whether somebody waits to be told that the file is filled.
    pub(super) fn is_filling(&self) -> bool {
        self.list.iter().any(|listener| listener.filling)
    }
}

impl FileTrack {
    /// Tells those who wait, and `whom` names, that the file is open or can't be opened. What is not open is not
    /// filled.
    pub(super) fn answer_open(
        &mut self,
        whom: impl Fn(Instant) -> bool,
        result: &Result<(), Error>,
        context: &mut Context<'_>,
    ) {
        for listener in &mut self.listeners.list {
            if listener.opening.take_if(|since| whom(*since)).is_none() {
                continue;
            }
            let track = listener.track;
            // What was urgent for its sake no longer is.
            self.dirty = true;
            context.out.push(Action::Opened { track, result: result.clone() });
            if result.is_err() && core::mem::take(&mut listener.filling) {
                context.out.push(Action::Filled { track, result: result.clone() });
            }
        }
    }

    /// Tells those who wait for bytes, and whose intent `done` names, that they are there or won't come.
    fn answer_filled(
        &mut self,
        done: impl Fn(Intent) -> bool,
        result: &Result<(), Error>,
        context: &mut Context<'_>,
    ) {
        for listener in &mut self.listeners.list {
            if listener.filling && listener.opening.is_none() && done(listener.intent) {
                listener.filling = false;
                self.dirty = true;
                context.out.push(Action::Filled { track: listener.track, result: result.clone() });
            }
        }
    }

    /// Tells whom it can that all that was wanted is there, or won't come.
    pub(super) fn answer_fills(&mut self, context: &mut Context<'_>) {
        if !self.listeners.is_filling() {
            return;
        }
        let total = self.resource.total();
        let reach = self.resource.present().first_missing(0);
        let ended = total.is_some_and(|total| reach >= total);
        let there = |end: u64| ended || reach >= end;
        if let Some(error) = self.fill_failure(context) {
            // Whoever has what it wants has nothing to do with what fails beyond.
            let lacks = |intent: Intent| matches!(intent, Intent::Fill(end) if !there(end));
            self.answer_filled(lacks, &Err(error), context);
        }
        let cached = self.resource.cached.home().is_some();
        let flush = context.config.durability == Durability::Flush;
        let syncing = &self.resource.cached.syncing;
        let on_disk = !flush || !syncing.is_holding() && !syncing.is_running();
        let sealed = self.resource.cached.sealing.is_empty();
        let recorded = context.cache.is_written() && sealed && on_disk;
        if cached && !recorded {
            return;
        }
        let claimed = !self.resource.cached.claimed().is_empty();
        let done = |intent: Intent| match intent {
            Intent::Play => false,
            Intent::Fill(end) => there(end),
            Intent::Verify => !claimed,
        };
        self.answer_filled(done, &Ok(()), context);
    }

    /// Why the file can't be filled: it was given up, or there is no room for it.
    fn fill_failure(&self, context: &Context<'_>) -> Option<Error> {
        if self.recovery.is_resting() && self.recovery.has_failed() {
            return Some(self.last_cause(context.config.give_up_after));
        }
        let end = self.listeners.fill_to()?.min(self.resource.total()?);
        let limit = context.spaces.at(self.tier).limit()?;
        let why = || {
            format!(
                "{end} bytes are wanted, and its limit leaves {limit}: raise it, or unpin something"
            )
        };
        (end > limit).then(|| self.error(Cause::StoreFull(why()), None))
    }
}
