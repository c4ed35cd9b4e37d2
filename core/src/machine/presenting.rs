//! Presentations: their events, their orders, and what their tracks report.

use std::collections::{BTreeMap, BTreeSet};

use super::{Machine, Target};
use crate::event::{Event, HlsOptions, SourceSpec};
use crate::timers::Armed;
use crate::track::{HlsTrack, Order, Report};
use crate::{Action, ByteRange, FetchId, OpId, ReaderId, ResourceId, TrackId};

/// The open presentations, and what belongs to each.
#[derive(Debug, Default)]
pub(super) struct Presenting {
    tracks: BTreeMap<TrackId, HlsTrack>,
    /// The presentation of each track that one has opened.
    parts: BTreeMap<TrackId, TrackId>,
    /// The presentation of each reader of one.
    readers: BTreeMap<ReaderId, TrackId>,
    /// Whose bytes are being brought back.
    loads: BTreeMap<OpId, TrackId>,
    /// Those with something to do.
    unsettled: BTreeSet<TrackId>,
}

impl Presenting {
    /// Whether nothing is open, nor owed.
    pub(super) fn is_quiescent(&self) -> bool {
        let quiet = self.tracks.values().all(HlsTrack::is_quiescent);
        quiet && self.loads.is_empty() && self.unsettled.is_empty()
    }

    /// Whether it is a presentation.
    pub(super) fn has(&self, track: TrackId) -> bool {
        self.tracks.contains_key(&track)
    }

    /// Whether that one reads a presentation.
    pub(super) fn has_reader(&self, reader: ReaderId) -> bool {
        self.readers.contains_key(&reader)
    }

    /// All have something to look at: time has passed.
    pub(super) fn unsettle_all(&mut self) {
        self.unsettled.extend(self.tracks.keys());
    }
}

impl Machine {
    /// Events of presentations.
    pub(super) fn dispatch_hls(&mut self, event: Event) -> Target {
        match event {
            Event::OpenHls { track, source, options } => self.open_hls(track, *source, *options),
            Event::Attach { track, reader, .. } if !self.presenting.has_reader(reader) => {
                self.presenting.readers.insert(reader, track);
                self.present(track, |hls, _| hls.attach(reader));
            }
            Event::Detach { reader } => {
                if let Some(track) = self.presenting.readers.remove(&reader) {
                    self.present(track, |hls, _| hls.detach(reader));
                }
            }
            Event::Close { track } => {
                self.presenting.readers.retain(|_, of| *of != track);
                self.present(track, HlsTrack::close);
            }
            Event::Enter { reader, request, entry } => {
                if let Some(track) = self.presenting.readers.get(&reader).copied() {
                    self.present(track, |hls, context| hls.enter(reader, request, entry, context));
                }
            }
            Event::SetVariant { track, choice } => {
                self.present(track, |hls, _| hls.set_variant(choice));
            }
            Event::SetRendition { track, rendition } => {
                self.present(track, |hls, _| hls.set_rendition(rendition));
            }
            Event::Exclude { track, variant } => {
                self.present(track, |hls, _| hls.exclude(variant));
            }
            Event::FreshUrl { track, url } => self.present(track, |hls, _| hls.fresh_url(url)),
            Event::Loaded { resource, op, result } => return self.loaded(resource, op, result),
            _ => {}
        }
        Target::Nothing
    }

    fn open_hls(&mut self, track: TrackId, source: SourceSpec, options: HlsOptions) {
        if self.presenting.has(track) || self.tracks.contains_key(&track) || track.is_part() {
            return;
        }
        let (mut context, ..) = self.lend();
        let hls = HlsTrack::open(track, source, options, &mut context);
        self.presenting.tracks.insert(track, hls);
        self.presenting.unsettled.insert(track);
    }

    /// Lets a presentation deal with something; it is settled later.
    pub(super) fn present(
        &mut self,
        track: TrackId,
        handle: impl FnOnce(&mut HlsTrack, &mut crate::context::Context<'_>),
    ) {
        let Some(mut hls) = self.presenting.tracks.remove(&track) else {
            return;
        };
        let (mut context, ..) = self.lend();
        handle(&mut hls, &mut context);
        self.presenting.tracks.insert(track, hls);
        self.presenting.unsettled.insert(track);
    }

    fn loaded(
        &mut self,
        resource: ResourceId,
        op: OpId,
        result: Result<bytes::Bytes, crate::StoreFailure>,
    ) -> Target {
        let Some(part) = self.presenting.loads.remove(&op) else {
            return Target::Nothing;
        };
        let target = match &result {
            Ok(_) => Target::Nothing,
            Err(failure) => {
                let (range, failure) = (ByteRange::new(0, u64::MAX), failure.clone());
                self.with_resource(resource, |file, context| {
                    file.read_failed(resource, range, failure, context);
                })
            }
        };
        let download = self.sharing.download(part).and_then(|of| self.tracks.get(&of));
        let base = download.map(|file| file.final_url().clone());
        if let Some(track) = self.presenting.parts.get(&part).copied() {
            self.present(track, |hls, context| hls.loaded(part, result, base.as_ref(), context));
        }
        target
    }

    /// A presentation's deadline has come. Whether it is one's.
    pub(super) fn wake_hls(&mut self, track: TrackId) -> bool {
        let Some(hls) = self.presenting.tracks.get_mut(&track) else {
            return false;
        };
        hls.armed = Armed::default();
        self.presenting.unsettled.insert(track);
        true
    }

    /// Passes on what presentations' tracks report, and what presentations order, until neither brings anything more.
    pub(super) fn conduct(&mut self) {
        loop {
            while let Some(action) = self.out.take_report() {
                self.pass_on(action);
            }
            let Some(track) = self.presenting.unsettled.pop_first() else {
                return;
            };
            self.settle_hls(track);
        }
    }

    fn settle_hls(&mut self, track: TrackId) {
        let Some(mut hls) = self.presenting.tracks.remove(&track) else {
            return;
        };
        let (mut context, _, timers) = self.lend();
        let gone = hls.settle(&mut context);
        let deadline = if gone { None } else { hls.deadline() };
        timers.set(track, &mut hls.armed, deadline);
        let orders = hls.take_orders();
        if !gone {
            self.presenting.tracks.insert(track, hls);
        }
        for order in orders {
            self.carry_out(track, order);
        }
    }

    fn carry_out(&mut self, of: TrackId, order: Order) {
        match order {
            Order::Open { track, source, options } => {
                self.presenting.parts.insert(track, of);
                self.submit(Event::Open { track, source, options });
            }
            Order::Close(track) => self.submit(Event::Close { track }),
            Order::Want(track, wanted) => {
                if let Some(download) = self.sharing.download(track) {
                    self.with(download, |file, _| file.set_wanted(track, wanted));
                    self.settle(download);
                }
            }
            Order::Load(track) => self.load(track),
            Order::FreshUrl(track, url) => self.submit(Event::FreshUrl { track, url }),
        }
    }

    fn load(&mut self, part: TrackId) {
        let download = self.sharing.download(part).and_then(|of| self.tracks.get(&of));
        let Some((resource, len)) = download.and_then(|file| file.whole()) else {
            // Another version came in between: it is filled, and reports again.
            return self.carry_out(part, Order::Want(part, true));
        };
        let op = self.out.op();
        self.presenting.loads.insert(op, part);
        self.out.push(Action::Load { resource, op, range: ByteRange::new(0, len) });
    }

    /// Tells a presentation what one of its tracks said.
    fn pass_on(&mut self, action: Action) {
        let (part, report) = match action {
            Action::Filled { track, result } => (track, Report::Filled(result.map(|()| 0))),
            Action::State { track, state, rate } => (track, Report::State(state, rate)),
            Action::Notify { track, notice } => (track, Report::Notice(notice)),
            Action::NeedFreshUrl { track } => (track, Report::NeedFreshUrl),
            Action::Closed { track } => (track, Report::Closed),
            _ => return,
        };
        let report = match report {
            Report::Filled(Ok(_)) => {
                let download = self.sharing.download(part).and_then(|of| self.tracks.get(&of));
                Report::Filled(Ok(download.map_or(0, |file| file.stored_len())))
            }
            report => report,
        };
        let closed = matches!(report, Report::Closed);
        if let Some(of) = self.presenting.parts.get(&part).copied() {
            self.present(of, |hls, context| hls.report(part, report, context));
        }
        if closed {
            self.presenting.parts.remove(&part);
        }
    }

    /// Bytes came for a download: whoever holds it in memory sees how many.
    pub(super) fn part_received(&mut self, fetch: FetchId, bytes: u64) {
        let Some(download) = self.slots.track_of(fetch).filter(|track| track.is_part()) else {
            return;
        };
        let stored = self.tracks.get(&download).map_or(0, |file| file.stored_len());
        let now = self.now;
        let Some(of) = self.presenting.parts.get(&download).copied() else {
            return;
        };
        let Some(mut hls) = self.presenting.tracks.remove(&of) else {
            return;
        };
        hls.throughput().bytes(now, bytes);
        let (mut context, ..) = self.lend();
        hls.report(download, Report::Grown(stored), &mut context);
        let eager = hls.has_orders();
        self.presenting.tracks.insert(of, hls);
        if eager {
            self.presenting.unsettled.insert(of);
        }
    }

    /// The body of a response began, or is over.
    pub(super) fn part_streams(&mut self, download: Option<TrackId>, begins: bool) {
        let now = self.now;
        let of = download.and_then(|download| self.presenting.parts.get(&download));
        if let Some(hls) = of.and_then(|of| self.presenting.tracks.get_mut(of)) {
            if begins {
                hls.throughput().body_started(now);
            } else {
                hls.throughput().body_ended(now);
            }
        }
    }

    /// A presentation gives a segment back, for there is no room for `hungry`. Whether one did.
    pub(super) fn give_room(&mut self, hungry: TrackId) -> bool {
        let tracks: Vec<TrackId> = self.presenting.tracks.keys().copied().collect();
        let mut gave = false;
        for track in tracks {
            self.present(track, |hls, _| gave = hls.give_room(hungry));
            if gave {
                break;
            }
        }
        gave
    }
}
