//! The engine: takes letters, asks the machine, does what it says. No decision is made here, and nothing waits here.

use std::collections::VecDeque;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use infill_core::{
    Action, CancelReason, Config, Event, FetchId, Instant, Machine, Notice, TrackId,
};
use tracing::Span;

use super::archive::{Archive, Lease};
use super::blob::Store;
use super::fetcher::Fetcher;
use super::inbox::Inbox;
use super::pool::Pool;
use super::slot::Slot;
use super::tables::{Fetches, Readers, Resources, Tracks};
use super::ticket::Tickets;
use super::track::Track;
use super::{Letter, Order, Port, What};
use crate::stats::Counters;

/// The machine with everything its ids stand for.
///
/// Dropping it, at its end or in the middle of everything, ends all waits with `Closed`.
pub struct Engine {
    machine: Machine,
    inbox: Arc<Inbox<Letter>>,
    pub(super) store: Arc<dyn Store>,
    pub(super) archive: Option<Arc<dyn Archive>>,
    lease: Option<Arc<dyn Lease>>,
    pub(super) pool: Arc<Pool>,
    pub(super) tracks: Tracks,
    readers: Readers,
    pub(super) resources: Resources,
    fetches: Fetches,
    pub(super) tickets: Tickets,
    /// Letters of this turn.
    letters: VecDeque<Letter>,
    /// Events that doing actions has brought.
    pub(super) own: VecDeque<Event>,
    /// Operations of the store and the cache that were not answered yet.
    pub(super) ops: usize,
    now: Instant,
}

impl Engine {
    pub(super) fn new(
        config: Config,
        inbox: Arc<Inbox<Letter>>,
        store: Arc<dyn Store>,
        cache: Option<(Arc<dyn Archive>, Arc<dyn Lease>)>,
        pool: Arc<Pool>,
    ) -> Self {
        let (archive, lease) = cache.unzip();
        Self {
            machine: Machine::new(config),
            inbox,
            store,
            archive,
            lease,
            pool,
            tracks: Tracks::default(),
            readers: Readers::default(),
            resources: Resources::default(),
            fetches: Fetches::default(),
            tickets: Tickets::default(),
            letters: VecDeque::new(),
            own: VecDeque::new(),
            ops: 0,
            now: Instant::ZERO,
        }
    }

    pub(super) fn inbox(&self) -> &Arc<Inbox<Letter>> {
        &self.inbox
    }

    /// Where fetches report.
    pub fn port(&self) -> Port {
        Port(Arc::clone(&self.inbox))
    }

    /// Does all that is to be done now: letters, then what is due.
    pub fn turn(&mut self, now: Instant, fetcher: &mut impl Fetcher) {
        self.now = now;
        let busy = !self.tracks.is_empty();
        self.inbox.take_all(&mut self.letters);
        while let Some(letter) = self.letters.pop_front() {
            self.take(letter, fetcher);
        }
        if self.machine.poll_timeout().is_some_and(|at| at <= now) {
            self.handle(Event::Tick, fetcher);
        }
        if busy && self.tracks.is_empty() {
            fetcher.rest();
            self.pool.rest();
        }
    }

    /// When to take the next turn, unless woken before. Always later than the last turn.
    pub fn deadline(&self) -> Option<Instant> {
        let soon = self.now + Duration::from_millis(1);
        self.machine.poll_timeout().map(|at| at.max(soon))
    }

    /// Whether the client and all its streams are gone and the store has done what it was asked to do. Fetches that
    /// still have to find out that they were stopped hold nothing up.
    pub fn is_done(&self) -> bool {
        self.inbox.is_closed() && self.ops == 0 && self.tracks.all_closed()
    }

    fn take(&mut self, letter: Letter, fetcher: &mut impl Fetcher) {
        match letter {
            Letter::Event(event) => self.handle(event, fetcher),
            Letter::Open(order) => self.open(*order, fetcher),
            Letter::Close(track) => self.close(track, fetcher),
            Letter::Reader(slot) => self.reader_mail(&slot, fetcher),
            Letter::Command(given) => {
                let command = self.tickets.insert(given.owed);
                self.handle(Event::Command { command, what: given.what }, fetcher);
            }
        }
    }

    fn open(&mut self, order: Order, fetcher: &mut impl Fetcher) {
        let track = order.track.id();
        self.tracks.insert(order.track, order.source.url.clone(), order.renew);
        tracing::debug!(parent: self.tracks.span(track), "open");
        let source = order.source;
        let event = match order.what {
            What::File(options) => Event::Open { track, source, options },
            What::Hls(options) => Event::OpenHls { track, source, options },
        };
        self.handle(event, fetcher);
    }

    fn close(&mut self, track: TrackId, fetcher: &mut impl Fetcher) {
        tracing::debug!(parent: self.tracks.span(track), "close");
        for each in self.tracks.parts(track).into_iter().chain([track]) {
            self.leave(each);
            self.readers.close_track(each);
        }
        self.handle(Event::Close { track }, fetcher);
    }

    fn reader_mail(&mut self, slot: &Arc<Slot>, fetcher: &mut impl Fetcher) {
        let mail = slot.take();
        let gone = mail.is_detach();
        if mail.is_attach() && !gone {
            match self.tracks.shared(slot.track()) {
                Some(track) if !track.is_closed() => self.readers.insert(Arc::clone(slot)),
                _ => slot.close(),
            }
        }
        for event in mail.into_events(slot.track(), slot.reader()) {
            self.handle(event, fetcher);
        }
        if gone {
            self.readers.remove(slot.reader());
        }
    }

    /// Tells the machine, does what it says, tells it what came of it, until there is nothing more.
    fn handle(&mut self, event: Event, fetcher: &mut impl Fetcher) {
        self.own.push_back(event);
        while let Some(event) = self.own.pop_front() {
            self.note(&event);
            self.machine.handle(self.now, event);
            while let Some(action) = self.machine.poll_action() {
                self.act(action, fetcher);
            }
        }
    }

    /// Keeps the tables up with an event that the machine is about to see.
    fn note(&mut self, event: &Event) {
        match event {
            Event::BytesReceived { fetch, bytes } => {
                if let Some(whole) = self.fetches.whole(*fetch) {
                    let count = bytes.len() as u64;
                    self.count(whole, |counters| Counters::add(&counters.bytes_fetched, count));
                }
            }
            Event::StreamEnded { fetch } => {
                tracing::debug!(parent: self.fetches.span(*fetch), "response ended");
                self.fetches.remove(*fetch);
            }
            Event::FetchFailed { fetch, failure } => {
                let span = self.fetches.span(*fetch);
                let detail = failure.detail.as_str();
                tracing::debug!(parent: span, kind = ?failure.kind, detail, "fetch failed");
                self.fetches.remove(*fetch);
            }
            Event::ResponseStarted { fetch, head } => {
                tracing::debug!(parent: self.fetches.span(*fetch), status = head.status, "response");
                if head.status >= 400
                    && let Some(track) = self.fetches.track(*fetch)
                {
                    self.refused(track, head.status);
                }
            }
            Event::Written { resource, op, result } => {
                self.ops = self.ops.saturating_sub(1);
                self.resources.written(*resource, *op, result.is_ok());
            }
            Event::Verified { .. }
            | Event::Loaded { .. }
            | Event::Synced { .. }
            | Event::Appended { .. }
            | Event::Removed { .. } => self.ops = self.ops.saturating_sub(1),
            _ => {}
        }
    }

    /// Notes a status that is no success, for whoever is asked for a fresh URL: any of those who share the download.
    fn refused(&mut self, track: TrackId, status: u16) {
        let current = self.tracks.shared(track).and_then(Track::current);
        let sharing = current.map_or(&[][..], |resource| self.resources.tracks(resource.id()));
        for each in sharing.iter().chain([&track]) {
            self.tracks.refused(*each, status);
        }
    }

    fn act(&mut self, action: Action, fetcher: &mut impl Fetcher) {
        match action {
            Action::FetchRange { track, request } => {
                let (id, first, last) = (request.fetch, request.first, request.last);
                let span = self.tracks.span(track);
                let span = tracing::debug_span!(parent: span, "fetch", %id, first, ?last);
                self.note_fetch(id, track, span);
                tracing::debug!(parent: self.fetches.span(id), attempt = request.attempt, "request");
                self.count(track, |counters| Counters::add(&counters.requests, 1));
                fetcher.start(track, request);
            }
            Action::CancelFetch { fetch, reason } => {
                tracing::debug!(parent: self.fetches.span(fetch), ?reason, "cancel");
                if let (CancelReason::Stalled, Some(track)) = (reason, self.fetches.whole(fetch)) {
                    self.count(track, |counters| Counters::add(&counters.stalls, 1));
                }
                fetcher.cancel(fetch, reason);
            }
            Action::Grant { fetch, bytes } => fetcher.grant(fetch, bytes),
            Action::WakeReader { reader, request, answer } => {
                if let Some(slot) = self.readers.get(reader) {
                    slot.answer(request, answer);
                }
            }
            Action::Mark { reader, at } => {
                if let Some(slot) = self.readers.get(reader) {
                    slot.set_mark(at);
                }
            }
            action => self.act_on_store(action),
        }
    }

    /// The actions that concern a track as a whole.
    pub(super) fn act_on_track(&mut self, action: Action) {
        match action {
            Action::Opened { track, result } => {
                if let Some(shared) = self.tracks.shared(track) {
                    shared.set_opened(result);
                }
            }
            Action::Filled { track, result } => {
                if let Some(shared) = self.tracks.shared(track) {
                    shared.set_filled(result);
                }
            }
            Action::State { track, state, rate } => {
                if let Some(shared) = self.tracks.shared(track) {
                    shared.set_state(state, rate);
                }
            }
            Action::Notify { track, notice } => self.notify(track, *notice),
            Action::NeedFreshUrl { track } => self.renew(track),
            Action::Closed { track } => self.closed(track),
            action => self.act_on_presentation(action),
        }
    }

    /// Closes a track: for its readers at once; for those of other tracks nothing changes.
    fn leave(&mut self, track: TrackId) {
        self.resources.leave(track);
        for version in self.tracks.close(track) {
            if let Some(view) = version.leave() {
                self.resources.park(version.id(), view);
            }
        }
    }

    pub(super) fn note_fetch(&mut self, fetch: FetchId, track: TrackId, span: Span) {
        self.fetches.insert(fetch, track, self.tracks.whole(track), span);
    }

    fn closed(&mut self, track: TrackId) {
        self.leave(track);
        self.readers.close_track(track);
        self.forget_part(track);
        self.tracks.remove(track);
    }

    /// Counts for the track, or, where it is a part, for its presentation.
    pub(super) fn count(&self, track: TrackId, count: impl FnOnce(&Counters)) {
        if let Some(shared) = self.tracks.shared(self.tracks.whole(track)) {
            count(&shared.counters);
        }
    }

    fn notify(&self, track: TrackId, notice: Notice) {
        tracing::debug!(parent: self.tracks.span(track), ?notice, "notice");
        if let Notice::Retrying { cause, .. } = &notice {
            self.count(track, |counters| Counters::add(&counters.retries, 1));
            self.set_error(track, Some(cause));
        }
        if let Some(shared) = self.tracks.shared(self.tracks.whole(track)) {
            shared.notices.push(notice);
        }
    }

    /// Asks the embedder for a fresh URL, on a thread of its own: it may take its time.
    fn renew(&mut self, track: TrackId) {
        let give_up = Event::FreshUrl { track, url: None };
        let Some(entry) = self.tracks.get(track) else {
            return;
        };
        let Some(renew) = entry.renew.clone() else {
            self.own.push_back(give_up);
            return;
        };
        let error = entry.refusal();
        let port = self.port();
        let asked = thread::Builder::new().name("infill-renew".into()).spawn(move || {
            // Also when the callback panics, the machine gets its answer.
            let mut answer = RenewAnswer { port, track, url: None };
            answer.url = renew.call(&error);
        });
        if asked.is_err() {
            self.own.push_back(give_up);
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Some(lease) = &self.lease {
            // Also where the client is still there: its runtime may be gone.
            lease.ends(None);
        }
        let mut letters = self.inbox.die();
        letters.append(&mut self.letters);
        for letter in letters {
            match letter {
                Letter::Open(order) => order.track.finish_close(),
                Letter::Reader(slot) => slot.close(),
                Letter::Event(_) | Letter::Close(_) | Letter::Command(_) => {}
            }
        }
        self.readers.close_all();
        for track in self.tracks.ids() {
            self.leave(track);
            self.tracks.remove(track);
        }
    }
}

/// Answers when it is dropped.
struct RenewAnswer {
    port: Port,
    track: TrackId,
    url: Option<url::Url>,
}

impl Drop for RenewAnswer {
    fn drop(&mut self) {
        self.port.post(Event::FreshUrl { track: self.track, url: self.url.take() });
    }
}
