//! One reader as the machine knows it: where it is, and what it waits for.

use crate::{ByteRange, Instant, RequestId, ResourceId};

/// A `ReadRequest` that was not answered yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wait {
    pub(crate) request: RequestId,
    pub(crate) range: ByteRange,
    pub(crate) latched: Option<ResourceId>,
    pub(crate) since: Instant,
    /// Its place among the waits of its track: first come, first served.
    pub(crate) turn: u64,
}

/// A reading position.
#[derive(Debug)]
pub(crate) struct Reader {
    position: u64,
    wait: Option<Wait>,
    /// It has sought and not read since: it will read there.
    sought: bool,
    /// It reads a version that is no more: what it misses is not to be had.
    stale: bool,
    /// Where it was asked to report.
    mark: Option<u64>,
}

impl Reader {
    /// A reader at `position`.
    pub(crate) fn new(position: u64) -> Self {
        Self { position, wait: None, sought: false, stale: false, mark: None }
    }

    /// It misses. Gives the wait that this one takes the place of.
    pub(crate) fn wait(&mut self, wait: Wait) -> Option<Wait> {
        self.position = wait.range.start;
        self.sought = false;
        self.stale = false;
        self.wait.replace(wait)
    }

    /// Its wait is over.
    pub(crate) fn answered(&mut self) -> Option<Wait> {
        self.wait.take()
    }

    /// What it misses belongs to a version that is no more.
    pub(crate) fn set_stale(&mut self) {
        self.stale = true;
    }

    /// It sought. Gives the wait that it left.
    pub(crate) fn seek(&mut self, position: u64) -> Option<Wait> {
        self.position = position;
        self.sought = true;
        self.wait.take()
    }

    /// It read on to there.
    pub(crate) fn advance(&mut self, position: u64) {
        self.position = position;
        self.mark = None;
    }

    /// Asks it to report at `at`. Whether that is news.
    pub(crate) fn set_mark(&mut self, at: Option<u64>) -> bool {
        let news = self.mark != at;
        self.mark = at;
        news
    }

    /// Where it reads.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// What it waits for.
    pub(crate) fn waiting(&self) -> Option<&Wait> {
        self.wait.as_ref()
    }

    /// Whether it sought and has not read since.
    pub(crate) fn has_sought(&self) -> bool {
        self.sought && self.wait.is_none()
    }

    /// Whether it reads a version that is no more.
    pub(crate) fn is_stale(&self) -> bool {
        self.stale
    }
}
