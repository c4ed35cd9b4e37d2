//! One segment of a run on its way through the filter.

use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use infill_core::hls::{Clock, Filter, PresentationTime, Segment};
use infill_core::{Cause, Error};

use super::entrance::Entered;
use super::plain::Plain;
use super::run::media_error;
use crate::engine::Access;

/// The largest init section. The machine has a bound of its own, in its configuration.
const MAX_INIT: usize = 64 << 20;

/// A segment that was entered, and how far it was read.
pub(super) struct Passage {
    pub(super) segment: Box<Segment>,
    init: Option<Plain>,
    init_bytes: Vec<u8>,
    media: Option<Plain>,
    plaintext: Vec<u8>,
    /// Bytes of plaintext that went into the filter.
    read: u64,
    started: bool,
    ended: bool,
}

/// What became of the beginning of a segment.
pub(super) enum Opened {
    /// It has frames; what is known of them is known now.
    Frames,
    /// It is over, and has none.
    Empty,
}

impl Passage {
    pub(super) fn new(entered: Entered) -> Self {
        Self {
            segment: entered.segment,
            init: entered.init,
            init_bytes: Vec::new(),
            media: entered.media,
            plaintext: Vec::new(),
            read: 0,
            started: false,
            ended: false,
        }
    }

    /// Whether there is nothing to read.
    pub(super) fn is_gap(&self) -> bool {
        self.media.is_none()
    }

    /// Bytes of plaintext that were read.
    pub(super) fn read(&self) -> u64 {
        self.read
    }

    /// The init section, once the segment is opened.
    pub(super) fn take_init(&mut self) -> Bytes {
        core::mem::take(&mut self.init_bytes).into()
    }

    pub(super) fn set_access(&mut self, access: Access) {
        self.init.iter_mut().chain(&mut self.media).for_each(|plain| plain.set_access(access));
    }

    pub(super) fn withdraw(&mut self) {
        self.init.iter_mut().chain(&mut self.media).for_each(Plain::withdraw);
    }

    /// Begins a run with it: reads until its first frame is known. `filter` is made when the init section is there.
    pub(super) fn poll_open(
        &mut self,
        cx: &mut Context<'_>,
        filter: &mut Option<Filter>,
        out: &mut Vec<u8>,
    ) -> Poll<Result<Opened, Error>> {
        while let Some(init) = &mut self.init {
            if !ready!(init.poll_more(cx, &mut self.init_bytes)).map_err(|why| self.blame(why))? {
                self.init = None;
            } else if self.init_bytes.len() > MAX_INIT {
                let what = format!("its init section is larger than {MAX_INIT} bytes");
                return Poll::Ready(Err(self.blame(Cause::Segment(what).into())));
            }
        }
        let filter = match filter {
            Some(filter) => filter,
            None => {
                let init = self.segment.init.is_some().then_some(&self.init_bytes[..]);
                let made = Filter::new(init).map_err(|why| self.blame(media_error(why)))?;
                filter.insert(made)
            }
        };
        loop {
            if self.started && filter.frames() > 0 && filter.container().is_some() {
                return Poll::Ready(Ok(Opened::Frames));
            }
            if !ready!(self.poll_more(cx, filter, out))? {
                let empty = filter.frames() == 0;
                return Poll::Ready(Ok(if empty { Opened::Empty } else { Opened::Frames }));
            }
        }
    }

    /// Puts a step's worth of plaintext through the filter; false once the segment is over.
    pub(super) fn poll_more(
        &mut self,
        cx: &mut Context<'_>,
        filter: &mut Filter,
        out: &mut Vec<u8>,
    ) -> Poll<Result<bool, Error>> {
        if !core::mem::replace(&mut self.started, true) {
            filter.begin();
        }
        let Some(media) = self.media.as_mut().filter(|_| !self.ended) else {
            return Poll::Ready(Ok(false));
        };
        self.plaintext.clear();
        let more = ready!(media.poll_more(cx, &mut self.plaintext));
        let more = more.map_err(|why| self.blame(why))?;
        self.read += self.plaintext.len() as u64;
        let result = filter.push(&self.plaintext, out);
        let result = if more { result } else { result.and_then(|()| filter.end(out)) };
        result.map_err(|why| self.blame(media_error(why)))?;
        self.ended = !more;
        Poll::Ready(Ok(more))
    }

    /// When its first frame begins: `None` if the media doesn't say.
    pub(super) fn start(&self, filter: &Filter, clock: &mut Clock) -> Option<PresentationTime> {
        let placed = self.place(filter, clock);
        placed.timed.then_some(placed.start)
    }

    /// When its last frame ends, once it is over.
    pub(super) fn end(&self, filter: &Filter, clock: &mut Clock) -> Duration {
        let entry = &self.segment.entry;
        let start = self.place(filter, clock).start;
        let near = entry.timestamp_end();
        let told = filter
            .media_end()
            .and_then(|end| clock.at(entry.discontinuity, end, filter.track(), near))
            .map(PresentationTime::saturating_duration);
        let counted = || {
            let length = filter.media_duration()?;
            let ticks = u128::try_from(length.ticks).ok()?;
            let nanos = ticks * 1_000_000_000 / u128::from(length.timescale.max(1));
            let nanos = u64::try_from(nanos).ok().filter(|nanos| *nanos > 0)?;
            Some(start.saturating_duration().saturating_add(Duration::from_nanos(nanos)))
        };
        told.or_else(counted).unwrap_or(near)
    }

    fn place(&self, filter: &Filter, clock: &mut Clock) -> infill_core::hls::Placed {
        let entry = &self.segment.entry;
        clock.place(
            entry.discontinuity,
            filter.media_start(),
            filter.track(),
            entry.timestamp_start,
            entry.duration,
        )
    }

    /// Says which segment it was.
    fn blame(&self, error: Error) -> Error {
        match error.cause() {
            Cause::Segment(_) | Cause::Unsupported(_) => error.with_url(&self.segment.entry.url),
            _ => error,
        }
    }
}
