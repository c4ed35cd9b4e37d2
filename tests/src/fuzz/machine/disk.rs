//! What the target does with the cache: an earlier session's catalog, commands, kills, and what the journal and the disk
//! answer.

use arbitrary::{Result, Unstructured};
use infill_core::catalog::Catalog;
use infill_core::{Command, CommandId, Event, Instant, Machine, OpId, ResourceId, Restored};

use super::{TOTALS, World, ZEROS, fault, keys};
use crate::fuzz::cached;
use crate::fuzz::kept::Kept;

impl World {
    /// Most inputs have a cache.
    pub(super) fn restore(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let bits: u8 = input.arbitrary()?;
        self.total = TOTALS[usize::from(bits & 1)];
        self.prompt = bits & 2 != 0;
        if bits & 0x0c == 0 {
            return Ok(());
        }
        let catalog = if bits & 0x10 == 0 {
            cached::catalog(input, &keys(), self.total, &ZEROS)?
        } else {
            Catalog::new()
        };
        let journal_bytes = if bits & 0xe0 == 0xe0 { input.arbitrary()? } else { 4096 };
        let damage = (bits & 0x60 == 0x60).then(|| "as the input says".to_owned());
        self.begin(catalog, journal_bytes, damage);
        Ok(())
    }

    /// A session begins with what the journal of the last one says.
    fn begin(&mut self, catalog: Catalog, journal_bytes: u64, damage: Option<String>) {
        self.lives += 1;
        let salt = 1000 + self.lives;
        self.ledger.kept = Kept::new(catalog.clone(), salt);
        let restored = Restored { catalog, journal_bytes, salt, damage };
        self.handle(Event::Restored(Box::new(restored)));
    }

    /// The process is killed: the next one finds the journal.
    pub(super) fn crash(&mut self) {
        if self.ledger.kept.on {
            let ledger = std::mem::take(&mut self.ledger);
            self.machine = Machine::new(self.config.clone());
            self.now = Instant::ZERO;
            self.begin(ledger.kept.journal().clone(), 4096, None);
        }
    }

    pub(super) fn step_command(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let key = cached::key(input, &keys())?;
        let what = match input.arbitrary::<u8>()? % 8 {
            0 => Command::List,
            1 | 2 => Command::Pin(key),
            3 => Command::Unpin(key),
            4..7 => Command::Remove(key),
            _ => Command::Clear,
        };
        self.command(what);
        Ok(())
    }

    pub(super) fn command(&mut self, what: Command) {
        self.commands += 1;
        let command = CommandId(self.commands);
        self.ledger.command(command);
        self.handle(Event::Command { command, what });
    }

    /// The journal, a removal or the disk answers, or something does that nobody asked.
    pub(super) fn step_disk(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        match input.arbitrary::<u8>()? {
            choice @ 0..0x60 => self.journaled(choice < 0x50),
            choice @ 0x60..0xa0 => self.removed(choice < 0x90),
            choice @ 0xa0..0xf0 => {
                let resource = self.resource(input)?;
                self.synced(resource, choice < 0xd8);
            }
            choice => {
                let (op, resource) = (OpId(u64::MAX), self.resource(input)?);
                let result = if choice & 1 == 0 { Ok(()) } else { Err(fault(false)) };
                self.handle(match choice & 6 {
                    0 => Event::Appended { op, result: Ok(7) },
                    2 => Event::Removed { op, result },
                    _ => Event::Synced { resource, op, result },
                });
            }
        }
        Ok(())
    }

    fn journaled(&mut self, good: bool) {
        let live = self.ledger.kept.journal().live_bytes();
        if let Some(op) = self.ledger.kept.journaled(good) {
            // Long enough to be rewritten, now and then.
            let bytes = if op.0.is_multiple_of(16) { live + (4 << 20) } else { live + 4096 };
            let result = if good { Ok(bytes) } else { Err(fault(op.0 % 2 == 0)) };
            self.handle(Event::Appended { op, result });
        }
    }

    fn removed(&mut self, good: bool) {
        if let Some(op) = self.ledger.kept.removals.keys().next().copied() {
            self.ledger.kept.removed(op, good);
            let result = if good { Ok(()) } else { Err(fault(false)) };
            self.handle(Event::Removed { op, result });
        }
    }

    fn synced(&mut self, resource: ResourceId, good: bool) {
        let stored = self.ledger.resources.get_mut(&resource);
        if let Some(op) = stored.and_then(|stored| stored.syncs.pop_front()) {
            let result = if good { Ok(()) } else { Err(fault(false)) };
            self.handle(Event::Synced { resource, op, result });
        }
    }

    /// One answer of the journal or the disk that is owed. Whether there was one.
    pub(super) fn answer_one(&mut self, good: bool) -> bool {
        if self.ledger.kept.is_journaling() {
            self.journaled(good);
        } else if !self.ledger.kept.removals.is_empty() {
            self.removed(good);
        } else {
            let mut all = self.ledger.resources.iter();
            let owed = all.find(|(_, stored)| !stored.syncs.is_empty());
            let Some(resource) = owed.map(|(resource, _)| *resource) else {
                return false;
            };
            self.synced(resource, good);
        }
        true
    }
}
