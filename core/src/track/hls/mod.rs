//! A presentation: many resources, each an ordinary download, and the policy that says which and when.
//!
//! It owns no request and no byte. It asks for resources with [`Order`]s, which the machine carries out: each becomes a
//! track of its own, with all that a file has of recovery, caching and verification. What they report comes back as
//! [`Report`]s. After every event [`HlsTrack::settle`] runs: readers that can go on are answered, and what lies ahead of
//! them is asked for, one segment at a time.

mod ahead;
mod enter;
mod ladder;
mod opening;
mod parts;
mod readers;
mod resources;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use url::Url;

use crate::catalog::Key;
use crate::context::Context;
use crate::event::{HlsOptions, Intent, OpenOptions, SourceSpec, StoreFailure, VariantChoice};
use crate::hls::abr::Throughput;
use crate::timers::Armed;
use crate::{
    Action, Answer, Cause, Error, Instant, Notice, ReaderId, RequestId, TrackId, TrackState,
};

use ahead::Ahead;
use enter::Bad;
use ladder::Ladder;
use opening::Opening;
use parts::Parts;
use readers::Readers;

/// What the machine is to do for a presentation.
#[derive(Debug)]
pub(crate) enum Order {
    /// Open a track of it.
    Open { track: TrackId, source: Box<SourceSpec>, options: OpenOptions },
    /// Close one.
    Close(TrackId),
    /// Fill one, or don't for now.
    Want(TrackId, bool),
    /// Bring all bytes of one back.
    Load(TrackId),
    /// The embedder's answer to the question for a fresh URL.
    FreshUrl(TrackId, Option<Url>),
}

/// What a track of it reports.
#[derive(Debug)]
pub(crate) enum Report {
    /// It is whole, with so many bytes; or was given up.
    Filled(Result<u64, Error>),
    /// It has so many bytes by now.
    Grown(u64),
    /// What it does.
    State(TrackState, u64),
    /// Something worth a notice.
    Notice(Box<Notice>),
    /// It needs a fresh URL.
    NeedFreshUrl,
    /// It is gone.
    Closed,
}

/// One open presentation.
#[derive(Debug)]
pub(crate) struct HlsTrack {
    /// Its place among the machine's deadlines.
    pub(crate) armed: Armed,
    id: TrackId,
    asset: Key,
    source: SourceSpec,
    options: HlsOptions,
    opening: Opening,
    parts: Parts,
    orders: Vec<Order>,
    ladder: Ladder,
    /// Keys that came, by their names.
    keys: BTreeMap<Key, [u8; 16]>,
    readers: Readers,
    ahead: Ahead,
    bad: Bad,
    throughput: Throughput,
    /// Whether somebody waits for it to be whole.
    filling: bool,
    /// What is known of it has changed.
    changed: bool,
    state: Option<TrackState>,
    closing: bool,
}

impl HlsTrack {
    /// Opens a presentation: its playlist is asked for at once.
    pub(crate) fn open(
        id: TrackId,
        source: SourceSpec,
        options: HlsOptions,
        context: &mut Context<'_>,
    ) -> Self {
        context.spaces.join();
        let mut track = Self {
            armed: Armed::default(),
            id,
            asset: source.identity(),
            opening: Opening::new(&source),
            filling: options.intent != Intent::Play,
            source,
            parts: Parts::default(),
            orders: Vec::new(),
            ladder: Ladder::default(),
            keys: BTreeMap::new(),
            readers: Readers::default(),
            ahead: Ahead::default(),
            bad: Bad::default(),
            throughput: Throughput::default(),
            changed: false,
            state: None,
            closing: false,
            options,
        };
        track.begin(context);
        track
    }

    /// It closes: its readers are told, and its resources go.
    pub(crate) fn close(&mut self, context: &mut Context<'_>) {
        if self.closing {
            return;
        }
        self.closing = true;
        let closed = self.error(Cause::Closed);
        self.fail_opening(&closed, context);
        self.readers.answer_all(&Answer::Failed(closed), context);
        for track in self.parts.tracks() {
            self.close_part(track);
        }
    }

    /// Does all that has become possible. Whether it is gone.
    pub(crate) fn settle(&mut self, context: &mut Context<'_>) -> bool {
        if self.closing {
            let gone = self.parts.is_empty();
            if gone {
                context.spaces.leave();
                context.out.push(Action::Closed { track: self.id });
            }
            return gone;
        }
        if self.opening.is_open() {
            self.answer_readers(context);
            self.look_ahead(context);
            self.answer_filled(context);
            self.trim(context);
        }
        self.show(context);
        false
    }

    /// Shows what is known, if it has changed.
    fn show(&mut self, context: &mut Context<'_>) {
        if core::mem::take(&mut self.changed) {
            let what = Arc::new(self.ladder.presentation(self.opening.duration()));
            context.out.push(Action::Presented { track: self.id, what });
        }
    }

    /// Whether something is to be done for it.
    pub(crate) fn has_orders(&self) -> bool {
        !self.orders.is_empty()
    }

    /// What the machine is to do now, in order.
    pub(crate) fn take_orders(&mut self) -> Vec<Order> {
        core::mem::take(&mut self.orders)
    }

    /// One of its tracks reports.
    pub(crate) fn report(&mut self, part: TrackId, report: Report, context: &mut Context<'_>) {
        match report {
            Report::Filled(result) => self.part_filled(part, result, context),
            Report::Grown(bytes) => self.part_grown(part, bytes, context),
            Report::State(state, rate) => self.part_does(part, state, rate, context),
            Report::Notice(notice) => {
                context.out.push(Action::Notify { track: self.id, notice });
            }
            Report::NeedFreshUrl => {
                context.out.push(Action::NeedFreshUrl { track: self.id });
            }
            Report::Closed => self.parts.closed(part),
        }
    }

    /// A resource's bytes were brought back.
    pub(crate) fn loaded(
        &mut self,
        part: TrackId,
        result: Result<Bytes, StoreFailure>,
        base: Option<&Url>,
        context: &mut Context<'_>,
    ) {
        match result {
            Ok(bytes) => self.part_loaded(part, &bytes, base, context),
            // It was told to the track, which has a hole now, and fetches it again.
            Err(_) => self.want(part),
        }
    }

    /// The embedder's answer.
    pub(crate) fn fresh_url(&mut self, url: Option<Url>) {
        if let Some(master) = self.opening.part() {
            self.orders.push(Order::FreshUrl(master, url));
        }
    }

    /// A response's body began, or ended, for one of its tracks; or bytes of one came.
    pub(crate) fn throughput(&mut self) -> &mut Throughput {
        &mut self.throughput
    }

    /// Which variant is to be played, from the next segment on.
    pub(crate) fn set_variant(&mut self, choice: VariantChoice) {
        self.ladder.choice = choice;
        self.rethink();
    }

    /// Which audio rendition is to be played, from the next segment on.
    pub(crate) fn set_rendition(&mut self, rendition: Option<usize>) {
        if self.ladder.choose_rendition(rendition) {
            self.changed = true;
            self.rethink();
        }
    }

    /// A variant can't be decoded after all.
    pub(crate) fn exclude(&mut self, variant: usize) {
        if self.ladder.exclude(variant) {
            self.changed = true;
            self.rethink();
        }
    }

    /// A reader begins.
    pub(crate) fn attach(&mut self, reader: ReaderId) {
        self.readers.attach(reader);
    }

    /// A reader is gone.
    pub(crate) fn detach(&mut self, reader: ReaderId) {
        self.readers.detach(reader);
    }

    /// A reader wants a segment.
    pub(crate) fn enter(
        &mut self,
        reader: ReaderId,
        request: RequestId,
        entry: crate::Entry,
        context: &mut Context<'_>,
    ) {
        if self.closing {
            let answer = Answer::Failed(self.error(Cause::Closed));
            context.out.push(Action::WakeReader { reader, request, answer });
            return;
        }
        self.readers.enter(reader, request, entry, context);
        if let Some(error) = self.opening.failure() {
            self.readers.answer_all(&Answer::Failed(error.clone()), context);
        }
    }

    /// When it has something to do by itself next.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        if self.closing { None } else { self.ahead.deadline() }
    }

    /// Whether nothing is owed: its tracks have their own say.
    pub(crate) fn is_quiescent(&self) -> bool {
        self.orders.is_empty() && !self.readers.is_waited_for() && self.opening.is_settled()
    }

    /// Keeps the displays up with what its tracks do.
    fn part_does(
        &mut self,
        part: TrackId,
        state: TrackState,
        rate: u64,
        context: &mut Context<'_>,
    ) {
        let resting = self.ahead.is_empty() || self.ahead.is_complete(&self.parts);
        let state = match state {
            TrackState::Complete if resting => TrackState::Idle,
            // Another one comes, and says so.
            TrackState::Complete | TrackState::Idle => return,
            state => state,
        };
        let _ = part;
        if self.state == Some(state) && state != TrackState::Downloading {
            return;
        }
        self.state = Some(state);
        context.out.push(Action::State { track: self.id, state, rate });
    }

    fn error(&self, cause: Cause) -> Error {
        Error::new(cause).with_url(&self.source.url)
    }

    fn notify(&self, notice: Notice, context: &mut Context<'_>) {
        context.out.push(Action::Notify { track: self.id, notice: Box::new(notice) });
    }
}
