//! Where a reader of a presentation asks for its next segment.

use std::task::{Context, Poll, ready};

use infill_core::hls::Segment;
use infill_core::{Answer, Cause, Entry, Error};

use super::plain::Plain;
use crate::engine::{Access, Reader};

/// How often an answer may name what is closed already, before that is an error.
const TRIES: u32 = 3;

/// A reader that is attached to a presentation itself, and by which the parts are opened that it is told to read.
pub(super) struct Entrance {
    reader: Reader,
    /// The request that is out.
    asked: Option<Entry>,
    tries: u32,
}

/// A segment that was entered. The parts stay open as long as this is kept.
pub(super) struct Entered {
    pub(super) segment: Box<Segment>,
    /// Nothing for a gap.
    pub(super) media: Option<Plain>,
    /// Where a run begins.
    pub(super) init: Option<Plain>,
}

impl Entrance {
    pub(super) fn new(reader: Reader) -> Self {
        Self { reader, asked: None, tries: 0 }
    }

    /// The reader: what its handles need.
    pub(super) fn reader(&self) -> &Reader {
        &self.reader
    }

    pub(super) fn set_access(&mut self, access: Access) {
        self.reader.set_access(access);
    }

    /// The segment at `entry`, `None` at the end of the presentation. In the middle of a run, what continues it needs no
    /// init section.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        entry: Entry,
        in_run: bool,
    ) -> Poll<Result<Option<Entered>, Error>> {
        loop {
            if self.is_closed() {
                self.withdraw();
                return Poll::Ready(Err(Cause::Closed.into()));
            }
            if self.asked != Some(entry) {
                self.reader.enter(entry, cx.waker());
                self.asked = Some(entry);
            }
            let answer = ready!(self.reader.slot().poll(cx.waker()));
            self.asked = None;
            let segment = match answer {
                Answer::Entered(segment) => segment,
                Answer::End => return Poll::Ready(Ok(None)),
                Answer::Failed(error) => return Poll::Ready(Err(error)),
                Answer::Superseded | Answer::Readable => {
                    return Poll::Ready(Err(Cause::Superseded.into()));
                }
            };
            match self.open(segment, in_run) {
                Some(entered) => {
                    self.tries = 0;
                    return Poll::Ready(Ok(Some(entered)));
                }
                None if self.tries == TRIES => {
                    self.tries = 0;
                    let what = "a segment was closed each time before it could be read";
                    return Poll::Ready(Err(Cause::Segment(what.into()).into()));
                }
                // Closed between the answer and now: it is opened anew.
                None => self.tries += 1,
            }
        }
    }

    /// Gives up what was asked for.
    pub(super) fn withdraw(&mut self) {
        if self.asked.take().is_some() {
            self.reader.slot().withdraw();
        }
    }

    /// Whether the presentation is closed.
    pub(super) fn is_closed(&self) -> bool {
        self.reader.track().is_closed()
    }

    /// Attaches to the parts, so that the machine keeps them open.
    fn open(&self, segment: Box<Segment>, in_run: bool) -> Option<Entered> {
        let shown = &self.reader.track().shown;
        let plain = |part: &infill_core::hls::Part| {
            let track = shown.part(part.track)?;
            Some(Plain::new(self.reader.part(track), part.cipher))
        };
        let media = match &segment.media {
            Some(part) => Some(plain(part)?),
            None => None,
        };
        let init = match &segment.init {
            Some(part) if !(in_run && segment.continues) => Some(plain(part)?),
            _ => None,
        };
        Some(Entered { segment, media, init })
    }
}
