//! The records on their way to the journal, and when it is to be rewritten.

use core::time::Duration;

use crate::catalog::{Catalog, Record};
use crate::out::Out;
use crate::{Action, Instant, OpId};

/// Garbage that is not worth a compaction, however little else there is.
const MIN_GARBAGE_BYTES: u64 = 1024 * 1024;

/// The journal as the machine knows it.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    bytes: u64,
    queue: Vec<Record>,
    durable: bool,
    /// What is under way: one operation at a time.
    running: Option<OpId>,
    /// An append failed: what is queued and what comes would leave a gap, so all that is known is written anew.
    broken: bool,
    /// Not before.
    not_before: Instant,
}

impl Journal {
    /// A journal of that length.
    pub(crate) fn new(bytes: u64) -> Self {
        Self { bytes, ..Self::default() }
    }

    /// How long it is.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// A record goes out soon.
    pub(crate) fn queue(&mut self, record: Record) {
        self.queue.push(record);
    }

    /// What is queued is to be on the disk before it is answered.
    pub(crate) fn hurry(&mut self) {
        self.durable = true;
    }

    /// Asks for what is to be done now.
    pub(crate) fn flush(&mut self, now: Instant, catalog: &Catalog, out: &mut Out) {
        if self.running.is_some() {
            return;
        }
        let live = catalog.live_bytes();
        let garbage = self.bytes.saturating_sub(live);
        let due = self.not_before <= now;
        if due && (self.broken || garbage > live.max(MIN_GARBAGE_BYTES)) {
            // The snapshot holds what is queued, but for removals, which are of what it doesn't hold.
            self.queue.clear();
            self.durable = false;
            let op = out.op();
            self.running = Some(op);
            out.push(Action::Compact { op, records: catalog.snapshot() });
            return;
        }
        if self.broken {
            // The snapshot will hold it.
            self.queue.clear();
        }
        if !self.queue.is_empty() {
            let op = out.op();
            self.running = Some(op);
            let records = core::mem::take(&mut self.queue);
            let durable = core::mem::take(&mut self.durable);
            out.push(Action::Append { op, records, durable });
        }
    }

    /// What was asked for is done. `None` for an answer that nobody waits for; else whether it failed.
    pub(crate) fn done(
        &mut self,
        now: Instant,
        op: OpId,
        bytes: Option<u64>,
        retry: Duration,
    ) -> Option<bool> {
        self.running.take_if(|running| *running == op)?;
        self.broken = bytes.is_none();
        match bytes {
            Some(bytes) => self.bytes = bytes,
            None => self.not_before = now + retry,
        }
        Some(self.broken)
    }

    /// When something is due.
    pub(crate) fn deadline(&self, now: Instant) -> Option<Instant> {
        (self.broken && self.running.is_none() && self.not_before > now).then_some(self.not_before)
    }

    /// Whether nothing is queued or under way.
    pub(crate) fn is_idle(&self) -> bool {
        self.running.is_none() && (self.queue.is_empty() || self.broken)
    }
}
