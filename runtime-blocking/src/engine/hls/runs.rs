//! A presentation read forward: one run after the other.
//!
//! Invariants: what is given of a run is its bytes in order, of one variant, one init section, one discontinuity; a run
//! begins only with a segment that has frames; a call that was given up has moved nothing.

use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use infill_core::hls::{Filter, PresentationTime};
use infill_core::{Cause, Entry, Error, ErrorKind, Event};

use super::entrance::{Entered, Entrance};
use super::passage::{Opened, Passage};
use super::run::{Content, Run};
use super::stream::{Shared, segments_of};
use crate::engine::{Access, Reader, Track};

/// How much later than the time that was wanted a segment may begin before the one before it is fetched as well: more
/// than timestamps of 90 kHz are rounded by, and less than one hears.
const SEAM: Duration = Duration::from_micros(100);

/// How many segments are given up one after the other, before that is an error: more than there are variants, mostly.
const MOST_GIVEN_UP: usize = 64;

/// A reading position in a presentation.
pub struct Runs {
    entrance: Entrance,
    shared: Arc<Shared>,
    stage: Stage,
    /// What is entered next.
    next: Entry,
    /// What is entered if that can't be had.
    instead: Option<Entry>,
    /// The time that what is read next should hold; `None` before that is known.
    edge: Option<Duration>,
    /// Whether the segment before the one that was given was asked for already.
    earlier: bool,
    /// The discontinuity that what is entered next must be of.
    same: Option<u64>,
    /// The run that was begun last: its variant, and the segment of it that was entered last.
    current: Option<(usize, usize)>,
    /// Segments that were given up since then.
    given_up: usize,
    /// Why the last segment was given up.
    why: Option<Error>,
    filter: Option<Filter>,
    out: Output,
    failed: bool,
}

/// Where it is.
enum Stage {
    /// Between runs.
    Outside,
    /// At the first segment of a run that is yet to begin.
    Opening(Passage),
    /// In a segment of a run.
    Inside(Passage),
    /// At the end of one.
    Seam(Place),
    /// In a run that has no bytes.
    Gap(Place),
}

/// Which segment it was, and when it ends.
#[derive(Clone, Copy)]
struct Place {
    variant: usize,
    index: usize,
    end: Duration,
}

/// The segment before one that begins too late.
#[derive(Clone, Copy)]
struct Earlier {
    variant: usize,
    before: usize,
    discontinuity: u64,
}

/// Bytes for the decoder that were not taken yet.
#[derive(Default)]
struct Output {
    bytes: Vec<u8>,
    taken: usize,
}

impl Runs {
    /// A position at the start, for a reader that is attached to the presentation.
    pub fn new(reader: Reader, shared: Arc<Shared>) -> Self {
        Self {
            entrance: Entrance::new(reader),
            shared,
            stage: Stage::Outside,
            next: Entry::Start,
            instead: None,
            edge: None,
            earlier: false,
            same: None,
            current: None,
            given_up: 0,
            why: None,
            filter: None,
            out: Output::default(),
            failed: false,
        }
    }

    /// Another position at the start.
    pub fn fork(&self, access: Access) -> Self {
        Self::new(self.entrance.reader().fork(0, access), Arc::clone(&self.shared))
    }

    /// What its handles need.
    pub fn reader(&self) -> &Reader {
        self.entrance.reader()
    }

    /// What is common to all readers of the stream.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Changes how it comes to stored bytes.
    pub fn set_access(&mut self, access: Access) {
        self.entrance.set_access(access);
        if let Stage::Opening(passage) | Stage::Inside(passage) = &mut self.stage {
            passage.set_access(access);
        }
    }

    /// The next run, `None` at the end of the presentation. What was not read of the present one is passed over.
    pub fn poll_next_run(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Run>, Error>> {
        let polled = self.next_run(cx);
        self.settle(polled)
    }

    /// Bytes of the run, 0 at its end.
    pub fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<Result<usize, Error>> {
        if let Stage::Inside(_) = self.stage
            && let Some(count) = self.out.take(buf)
        {
            return Poll::Ready(Ok(count));
        }
        let polled = self.read(cx, buf);
        self.settle(polled)
    }

    /// The next run begins with the segment that holds `to`.
    pub fn seek(&mut self, to: Duration) {
        self.go(Entry::At(to));
        self.edge = Some(to);
        self.why = None;
    }

    /// The next run begins one segment before the present one, of which nothing was read: false if there is none. Where
    /// that can't be had, it is the present one again.
    pub fn step_back(&mut self) -> bool {
        let Stage::Inside(passage) = &self.stage else {
            return false;
        };
        let Some(earlier) = self.earlier_than(passage) else {
            return false;
        };
        self.go_back(earlier);
        true
    }

    /// What it reads can't be decoded, from `at` on: the next run is another variant's.
    pub fn reject(&mut self, at: Duration, why: Error) {
        let Some((variant, index)) = self.current else {
            return;
        };
        let track = self.track().id();
        self.track().post_event(Event::Exclude { track, variant });
        self.go(Entry::Instead { variant, index, at });
        self.edge = Some(at);
        self.why = Some(why);
    }

    /// Which segment is read, of which variant, and how many bytes of its plaintext were.
    pub fn position(&self) -> Option<(usize, usize, u64)> {
        let (variant, index) = self.at()?;
        let read = match &self.stage {
            Stage::Opening(passage) | Stage::Inside(passage) => passage.read(),
            _ => 0,
        };
        Some((variant, index, read))
    }

    /// Gives up a call that was pending.
    pub fn withdraw(&mut self) {
        self.entrance.withdraw();
        if let Stage::Opening(passage) | Stage::Inside(passage) = &mut self.stage {
            passage.withdraw();
        }
    }

    fn track(&self) -> &Track {
        self.entrance.reader().track()
    }

    fn at(&self) -> Option<(usize, usize)> {
        match &self.stage {
            Stage::Outside => None,
            Stage::Opening(passage) | Stage::Inside(passage) => {
                Some((passage.segment.variant, passage.segment.index))
            }
            Stage::Seam(place) | Stage::Gap(place) => Some((place.variant, place.index)),
        }
    }

    /// Leaves the run, whatever was not read of it.
    fn go(&mut self, next: Entry) {
        self.withdraw();
        self.stage = Stage::Outside;
        self.next = next;
        self.forget();
    }

    fn forget(&mut self) {
        (self.instead, self.earlier, self.same) = (None, false, None);
        self.out.clear();
        self.filter = None;
    }

    /// Goes one segment back; where that can't be had, to where it was.
    fn go_back(&mut self, earlier: Earlier) {
        let Earlier { variant, before, discontinuity } = earlier;
        let edge = self.edge;
        let exactly = |index| Entry::Exactly { variant: Some(variant), index };
        self.go(exactly(before));
        self.instead = Some(exactly(before + 1));
        (self.same, self.earlier, self.edge) = (Some(discontinuity), true, edge);
    }

    /// Keeps the books of a call; an interrupt that nothing has seen ends it where it would wait.
    fn settle<T>(&mut self, polled: Poll<Result<T, Error>>) -> Poll<Result<T, Error>> {
        let result = match polled {
            Poll::Ready(result) => result,
            Poll::Pending if self.entrance.reader().slot().take_interrupt() => {
                self.withdraw();
                Err(Cause::Superseded.into())
            }
            Poll::Pending => return Poll::Pending,
        };
        let slot = self.entrance.reader().slot();
        match &result {
            Ok(_) if self.failed => slot.set_error(None),
            Ok(_) => {}
            Err(error) => slot.set_error(Some(error.clone())),
        }
        self.failed = result.is_err();
        Poll::Ready(result)
    }

    fn next_run(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Run>, Error>> {
        self.leave();
        loop {
            match &mut self.stage {
                Stage::Opening(_) => match ready!(self.open(cx))? {
                    Some(run) => return Poll::Ready(Ok(Some(run))),
                    None => continue,
                },
                _ => {
                    let entered = ready!(self.entrance.poll(cx, self.next, false));
                    match self.judge(entered)? {
                        Some(Some(entered)) => self.enter(entered),
                        Some(None) => return Poll::Ready(Ok(None)),
                        None => {}
                    }
                }
            }
        }
    }

    /// Leaves the present run, if there is one.
    fn leave(&mut self) {
        let next = match &self.stage {
            Stage::Outside | Stage::Opening(_) => return,
            Stage::Inside(passage) => {
                let (variant, index) = (passage.segment.variant, passage.segment.index);
                let end = passage.segment.entry.timestamp_end();
                Place { variant, index, end }
            }
            Stage::Seam(place) | Stage::Gap(place) => *place,
        };
        // What was asked for at the seam may be answered already.
        let asked = matches!(self.stage, Stage::Seam(_)).then_some(self.next);
        let entry = after(next);
        if asked != Some(entry) {
            self.withdraw();
        }
        self.stage = Stage::Outside;
        self.next = entry;
        self.edge = Some(next.end);
        self.forget();
    }

    /// A segment was entered that is to begin a run.
    fn enter(&mut self, entered: Entered) {
        let of = |discontinuity| {
            entered.media.is_some() && entered.segment.entry.discontinuity == discontinuity
        };
        if self.same.take().is_none_or(of) {
            self.stage = Stage::Opening(Passage::new(entered));
        } else if let Some(entry) = self.instead.take() {
            self.next = entry;
        }
    }

    /// What became of an attempt to enter: `None` if something else is to be tried.
    fn judge(
        &mut self,
        entered: Result<Option<Entered>, Error>,
    ) -> Result<Option<Option<Entered>>, Error> {
        let error = match entered {
            Ok(entered) => return Ok(Some(entered)),
            Err(error) if self.is_passing(&error) => return Err(error),
            Err(error) => error,
        };
        if let Some(entry) = self.instead.take() {
            (self.next, self.same) = (entry, None);
            return Ok(None);
        }
        let why = self.why.take();
        if let Entry::Instead { variant, index, .. } = self.next {
            // Whoever asks again tries the segment itself again.
            self.next = Entry::Exactly { variant: Some(variant), index };
        }
        Err(match why {
            Some(why) if core::error::Error::source(&error).is_none() => error.with_source(why),
            _ => error,
        })
    }

    /// Whether it is no fault of what is read.
    fn is_passing(&self, error: &Error) -> bool {
        match error.kind() {
            ErrorKind::Superseded => true,
            ErrorKind::Closed => self.entrance.is_closed(),
            _ => false,
        }
    }

    /// Begins a run with the segment that was entered; `None` if something else is to be entered.
    fn open(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Run>, Error>> {
        let Stage::Opening(passage) = &mut self.stage else {
            return Poll::Ready(Ok(None));
        };
        if passage.is_gap() {
            return Poll::Ready(Ok(self.gap()));
        }
        match ready!(passage.poll_open(cx, &mut self.filter, &mut self.out.bytes)) {
            Ok(Opened::Frames) => Poll::Ready(Ok(self.begin())),
            Ok(Opened::Empty) => {
                let segment = &passage.segment;
                let (variant, index) = (segment.variant, segment.index);
                let end = segment.entry.timestamp_end().max(self.edge.unwrap_or_default());
                self.go(after(Place { variant, index, end }));
                self.edge = Some(end);
                Poll::Ready(Ok(None))
            }
            Err(error) => Poll::Ready(self.give_up(error).map(|()| None)),
        }
    }

    /// Gives up a segment, so that another one is entered; or says that it is not its fault.
    fn give_up(&mut self, error: Error) -> Result<(), Error> {
        if self.is_passing(&error) {
            return Err(error);
        }
        let (Stage::Opening(passage) | Stage::Inside(passage)) = &self.stage else {
            return Err(error);
        };
        let segment = &passage.segment;
        let (variant, index) = (segment.variant, segment.index);
        tracing::debug!(variant, index, %error, "a segment is given up");
        let at = self.edge.unwrap_or(segment.entry.timestamp_start);
        let entry = self.instead.take().unwrap_or(Entry::Instead { variant, index, at });
        self.given_up += 1;
        if self.given_up > MOST_GIVEN_UP {
            // Whoever says that another one is to be read never runs out of them.
            return Err(error);
        }
        let earlier = self.earlier;
        self.go(entry);
        // Once for each time that is wanted.
        self.earlier = earlier;
        self.edge = Some(at);
        self.why = Some(error);
        Ok(())
    }

    /// The run begins, unless its predecessor holds the time that is wanted.
    fn begin(&mut self) -> Option<Run> {
        let Stage::Opening(mut passage) = core::mem::replace(&mut self.stage, Stage::Outside)
        else {
            return None;
        };
        let filter = self.filter.as_ref()?;
        let start = passage.start(filter, &mut self.shared.clock());
        if self.is_late(start)
            && let Some(earlier) = self.earlier_than(&passage)
        {
            self.go_back(earlier);
            return None;
        }
        let segment = &passage.segment;
        let run = Run {
            id: self.shared.next_run(),
            variant: segment.variant,
            segment: segment.index,
            sequence: segment.entry.sequence,
            discontinuity: segment.entry.discontinuity,
            content: Content::Media(filter.container()?),
            track: filter.track().cloned(),
            start,
            playlist_start: segment.entry.timestamp_start,
            init: passage.take_init(),
        };
        self.begun(&run);
        self.stage = Stage::Inside(passage);
        Some(run)
    }

    fn gap(&mut self) -> Option<Run> {
        let Stage::Opening(passage) = &self.stage else {
            return None;
        };
        let (entry, segment) = (&passage.segment.entry, &passage.segment);
        let run = Run {
            id: self.shared.next_run(),
            variant: segment.variant,
            segment: segment.index,
            sequence: entry.sequence,
            discontinuity: entry.discontinuity,
            content: Content::Gap(entry.duration),
            track: None,
            start: None,
            playlist_start: entry.timestamp_start,
            init: bytes::Bytes::new(),
        };
        let end = entry.timestamp_end();
        let place = Place { variant: segment.variant, index: segment.index, end };
        self.begun(&run);
        self.stage = Stage::Gap(place);
        Some(run)
    }

    /// A run has begun: what was wrong before is over.
    fn begun(&mut self, run: &Run) {
        self.edge.get_or_insert(run.playlist_start);
        self.current = Some((run.variant, run.segment));
        (self.why, self.instead, self.earlier, self.given_up) = (None, None, false, 0);
    }

    /// Whether what begins there begins after the time that is wanted, so that the segment before it is to be read first.
    fn is_late(&self, start: Option<PresentationTime>) -> bool {
        let (Some(start), Some(edge)) = (start, self.edge) else {
            return false;
        };
        !self.earlier && start.saturating_duration() > edge.saturating_add(SEAM)
    }

    /// The segment before it, unless it is known to be on another clock.
    fn earlier_than(&self, passage: &Passage) -> Option<Earlier> {
        let segment = &passage.segment;
        let (variant, discontinuity) = (segment.variant, segment.entry.discontinuity);
        let before = segment.index.checked_sub(1)?;
        let segments = segments_of(self.track(), variant);
        let known = segments.as_ref().and_then(|segments| segments.get(before));
        let other = known.is_some_and(|it| it.gap || it.discontinuity != discontinuity);
        (!other).then_some(Earlier { variant, before, discontinuity })
    }

    fn read(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<Result<usize, Error>> {
        if self.entrance.is_closed() {
            return Poll::Ready(Err(Cause::Closed.into()));
        }
        loop {
            if let Some(count) = self.out.take(buf) {
                return Poll::Ready(Ok(count));
            }
            match &mut self.stage {
                Stage::Inside(passage) => {
                    let Some(filter) = &mut self.filter else {
                        return Poll::Ready(Ok(0));
                    };
                    match ready!(passage.poll_more(cx, filter, &mut self.out.bytes)) {
                        Ok(true) => {}
                        Ok(false) => self.finish(),
                        // The run ends here.
                        Err(error) => self.give_up(error)?,
                    }
                }
                Stage::Seam(_) => {
                    let entered = ready!(self.entrance.poll(cx, self.next, true));
                    match entered? {
                        Some(entered) => self.follow(entered),
                        // The next run says so.
                        None => return Poll::Ready(Ok(0)),
                    }
                }
                Stage::Outside | Stage::Opening(_) | Stage::Gap(_) => return Poll::Ready(Ok(0)),
            }
        }
    }

    /// A segment is over.
    fn finish(&mut self) {
        let (Stage::Inside(passage), Some(filter)) = (&self.stage, &self.filter) else {
            return;
        };
        let segment = &passage.segment;
        let end = if filter.frames() == 0 {
            segment.entry.timestamp_end().max(self.edge.unwrap_or_default())
        } else {
            passage.end(filter, &mut self.shared.clock())
        };
        let place = Place { variant: segment.variant, index: segment.index, end };
        self.next = after(place);
        self.edge = Some(end);
        self.stage = Stage::Seam(place);
    }

    /// The run goes on with it, or ends before it.
    fn follow(&mut self, entered: Entered) {
        let passage = Passage::new(entered);
        if passage.segment.continues && !passage.is_gap() {
            self.current = Some((passage.segment.variant, passage.segment.index));
            self.stage = Stage::Inside(passage);
        } else {
            self.filter = None;
            self.stage = Stage::Opening(passage);
        }
    }
}

fn after(place: Place) -> Entry {
    Entry::After { variant: place.variant, index: place.index, end: place.end }
}

impl Output {
    fn is_empty(&self) -> bool {
        self.taken == self.bytes.len()
    }

    /// Copies what there is.
    fn take(&mut self, buf: &mut [u8]) -> Option<usize> {
        let left = self.bytes.get(self.taken..).filter(|left| !left.is_empty())?;
        let count = left.len().min(buf.len());
        buf[..count].copy_from_slice(&left[..count]);
        self.taken += count;
        if self.is_empty() {
            self.clear();
        }
        Some(count)
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.taken = 0;
    }
}
