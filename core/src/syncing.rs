//! Whether the disk has kept what was written. Writing can succeed and the write-back fail later, without an error but
//! that of `fsync` (FAULTS D6): so the disk is asked now and then, off the hot path. After an error nothing that was
//! written since the last success counts as there, and the question is not repeated.

use core::time::Duration;

use crate::catalog::Extent;
use crate::{ByteRange, ByteRanges, Instant, OpId};

/// What was written since the disk last said that it has everything.
#[derive(Debug, Default)]
pub(crate) struct Syncing {
    dirty: ByteRanges,
    since: Option<Instant>,
    /// Extents that no record may name before their bytes are on the disk.
    waiting: Vec<Extent>,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    op: OpId,
    dirty: ByteRanges,
    waiting: Vec<Extent>,
}

/// What the disk said.
#[derive(Debug)]
pub(crate) enum Synced {
    /// All is there, and so records may name these.
    Kept(Vec<Extent>),
    /// These bytes may be anything.
    Lost(ByteRanges),
}

impl Syncing {
    /// Bytes were written.
    pub(crate) fn wrote(&mut self, now: Instant, range: ByteRange) {
        self.dirty.insert(range);
        self.since.get_or_insert(now);
    }

    /// These may be recorded once they are on the disk.
    pub(crate) fn hold(&mut self, extents: Vec<Extent>) {
        self.waiting.extend(extents);
    }

    /// These bytes are no longer there.
    pub(crate) fn forget(&mut self, range: ByteRange) {
        self.dirty.remove(range);
        let kept = |extent: &Extent| extent.range().intersect(range).is_empty();
        self.waiting.retain(kept);
        if let Some(running) = &mut self.running {
            running.dirty.remove(range);
            running.waiting.retain(kept);
        }
    }

    /// When to ask next.
    pub(crate) fn deadline(&self, every: Duration) -> Option<Instant> {
        self.since.filter(|_| self.running.is_none()).map(|since| since + every)
    }

    /// Whether there is something to ask for.
    pub(crate) fn is_dirty(&self) -> bool {
        self.since.is_some()
    }

    /// Whether records wait for the disk.
    pub(crate) fn is_holding(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether the disk was asked and has not answered.
    pub(crate) fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// The disk is asked.
    pub(crate) fn begin(&mut self, op: OpId) {
        let dirty = core::mem::take(&mut self.dirty);
        let waiting = core::mem::take(&mut self.waiting);
        self.since = None;
        self.running = Some(Running { op, dirty, waiting });
    }

    /// The disk has answered; `None` for an answer that nobody waits for.
    pub(crate) fn done(&mut self, op: OpId, kept: bool) -> Option<Synced> {
        let running = self.running.take_if(|running| running.op == op)?;
        if kept {
            return Some(Synced::Kept(running.waiting));
        }
        let mut lost = running.dirty;
        for range in core::mem::take(&mut self.dirty).iter() {
            lost.insert(range);
        }
        self.waiting.clear();
        self.since = None;
        Some(Synced::Lost(lost))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d6_an_error_takes_back_all_since_the_last_success() {
        let mut syncing = Syncing::default();
        let every = Duration::from_secs(5);
        assert_eq!(syncing.deadline(every), None);
        syncing.wrote(Instant::ZERO, ByteRange::new(0, 10));
        assert_eq!(syncing.deadline(every), Some(Instant::ZERO + every));
        syncing.begin(OpId(1));
        syncing.wrote(Instant::ZERO, ByteRange::new(10, 20));
        assert_eq!(syncing.deadline(every), None, "one question at a time");
        assert!(syncing.done(OpId(7), true).is_none());
        assert!(matches!(syncing.done(OpId(1), true), Some(Synced::Kept(_))));
        syncing.begin(OpId(2));
        syncing.wrote(Instant::ZERO, ByteRange::new(30, 40));
        let Some(Synced::Lost(lost)) = syncing.done(OpId(2), false) else { panic!() };
        assert_eq!(
            lost.iter().collect::<Vec<_>>(),
            [ByteRange::new(10, 20), ByteRange::new(30, 40)]
        );
        assert!(!syncing.is_dirty(), "and it is not asked again");
    }
}
