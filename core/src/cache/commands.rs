//! What the embedder asks of the cache: list, pin, remove.

use std::collections::BTreeMap;

use super::Cache;
use crate::catalog::{Key, Listing, Record};
use crate::event::Command;
use crate::out::Out;
use crate::{Action, Cause, CommandId, Error, OpId};

/// Commands that wait for the store.
#[derive(Debug, Default)]
pub(crate) struct Commands {
    waiting: BTreeMap<CommandId, Waiting>,
}

#[derive(Debug)]
struct Waiting {
    /// For these removals.
    ops: Vec<OpId>,
    /// For the journal.
    record: bool,
    failed: Option<&'static str>,
}

const NOT_DELETED: &str = "some files could not be deleted; they are tried again at the next start";
const NOT_RECORDED: &str = "the journal could not be written; it holds until the client is closed";

impl Commands {
    /// A removal is done: whoever waited for it waits for its record now, or else what is gone would be listed again
    /// after a restart.
    pub(super) fn removed(&mut self, op: OpId, gone: bool, out: &mut Out) {
        for waiting in self.waiting.values_mut() {
            let before = waiting.ops.len();
            waiting.ops.retain(|other| *other != op);
            if waiting.ops.len() < before {
                waiting.record |= gone;
                if !gone {
                    waiting.failed = Some(NOT_DELETED);
                }
            }
        }
        self.answer(out);
    }

    /// The journal holds all records, or could not be written.
    pub(super) fn written(&mut self, good: bool, out: &mut Out) {
        for waiting in self.waiting.values_mut().filter(|waiting| waiting.record) {
            waiting.record = false;
            if !good {
                waiting.failed.get_or_insert(NOT_RECORDED);
            }
        }
        self.answer(out);
    }

    fn answer(&mut self, out: &mut Out) {
        let over = |waiting: &Waiting| waiting.ops.is_empty() && !waiting.record;
        let done: Vec<CommandId> =
            self.waiting.iter().filter(|(_, w)| over(w)).map(|(command, _)| *command).collect();
        for command in done {
            let Some(waiting) = self.waiting.remove(&command) else {
                continue;
            };
            let failed = |why: &str| Err(Error::new(Cause::Store(why.into())));
            let result = waiting.failed.map_or(Ok(Vec::new()), failed);
            out.push(Action::Answered { command, result });
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty()
    }
}

impl Cache {
    /// Does what the embedder asks for, and answers, now or when the store has.
    pub(crate) fn command(&mut self, command: CommandId, what: &Command, out: &mut Out) {
        let (ops, record) = match self.carry_out(what, out) {
            Ok(Done::Now(listed)) => {
                out.push(Action::Answered { command, result: Ok(listed) });
                return;
            }
            Ok(Done::Removed(ops)) => (ops, false),
            Ok(Done::Recorded) => (Vec::new(), true),
            Err(cause) => {
                out.push(Action::Answered { command, result: Err(Error::new(cause)) });
                return;
            }
        };
        self.commands.waiting.insert(command, Waiting { ops, record, failed: None });
    }

    fn carry_out(&mut self, what: &Command, out: &mut Out) -> Result<Done, Cause> {
        if !self.on {
            return Err(Cause::Caller(
                "there is no cache: give the client a cache directory".into(),
            ));
        }
        match what {
            Command::List => Ok(Done::Now(self.listing())),
            Command::Pin(asset) => Ok(self.pin(*asset, true)),
            Command::Unpin(asset) => Ok(self.pin(*asset, false)),
            Command::Remove(asset) => {
                self.known(*asset)?;
                if self.is_open(*asset) {
                    let why = format!("{asset} is open: close its streams and downloads first");
                    return Err(Cause::Caller(why));
                }
                if self.catalog.pins().contains(*asset) {
                    self.record(Record::Pin { asset: *asset, pinned: false });
                }
                Ok(Done::removed(self.remove_asset(*asset, out)))
            }
            Command::Clear => {
                let assets: Vec<Key> =
                    self.assets().into_iter().filter(|asset| self.may_evict(*asset)).collect();
                let ops =
                    assets.into_iter().flat_map(|asset| self.remove_asset(asset, out)).collect();
                out.push(Action::Sweep { keep: self.places() });
                Ok(Done::removed(ops))
            }
        }
    }

    fn pin(&mut self, asset: Key, pinned: bool) -> Done {
        if self.catalog.pins().contains(asset) == pinned && self.journal.is_idle() {
            return Done::Now(Vec::new());
        }
        self.closed.stale = true;
        self.record_durably(Record::Pin { asset, pinned });
        Done::Recorded
    }

    fn known(&self, asset: Key) -> Result<(), Cause> {
        let known = self.catalog.downloads().of_asset(asset).next().is_some();
        known.then_some(()).ok_or_else(|| Cause::Caller(format!("nothing is cached as {asset}")))
    }

    fn listing(&self) -> Vec<Listing> {
        let mut listed = self.catalog.listing();
        for entry in &mut listed {
            entry.open = self.is_open(entry.asset);
        }
        listed
    }
}

enum Done {
    Now(Vec<Listing>),
    /// When these removals are done.
    Removed(Vec<OpId>),
    /// When the journal says so.
    Recorded,
}

impl Done {
    fn removed(ops: Vec<OpId>) -> Self {
        if ops.is_empty() { Self::Now(Vec::new()) } else { Self::Removed(ops) }
    }
}
