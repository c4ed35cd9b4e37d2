//! What the machine asks of the cache as a whole, carried out by the pool: the journal's records in order, one worker
//! for all of them; and what is answered to commands.

use std::io;
use std::sync::Arc;

use infill_core::{Action, Event, OpId, StoreFailure};

use super::archive::Archive;
use super::resource::failure;
use super::turn::Engine;

impl Engine {
    /// The actions that concern the cache.
    pub(super) fn act_on_cache(&mut self, action: Action) {
        match action {
            Action::Append { op, records, durable } => {
                self.journal(op, move |archive| archive.append(&records, durable));
            }
            Action::Compact { op, records } => {
                self.journal(op, move |archive| archive.compact(&records));
            }
            Action::Remove { op, place } => self.on_cache(
                move |archive| archive.remove(&place),
                move |result| Event::Removed { op, result },
            ),
            Action::Sweep { keep } => {
                if let Some(archive) = self.archive.clone() {
                    self.pool.run_journal(move || archive.sweep(&keep));
                }
            }
            Action::Answered { command, result } => self.tickets.answer(command, result),
            action => self.act_on_track(action),
        }
    }

    fn journal(
        &mut self,
        op: OpId,
        work: impl FnOnce(&dyn Archive) -> io::Result<u64> + Send + 'static,
    ) {
        self.on_cache(work, move |result| Event::Appended { op, result });
    }

    /// Does `work` in order with all else that concerns the cache as a whole, and tells what came of it.
    fn on_cache<T: 'static>(
        &mut self,
        work: impl FnOnce(&dyn Archive) -> io::Result<T> + Send + 'static,
        told: impl FnOnce(Result<T, StoreFailure>) -> Event + Send + 'static,
    ) {
        self.ops += 1;
        let Some(archive) = self.archive.as_ref().map(Arc::clone) else {
            let detail = "there is no cache".into();
            self.own.push_back(told(Err(StoreFailure { full: false, detail })));
            return;
        };
        let port = self.port();
        self.pool.run_journal(move || {
            let result = work(&*archive).map_err(|error| failure(&error));
            // Nothing of it may be held any more once that is known: the directory's lock goes with the last reference.
            drop(archive);
            port.post(told(result));
        });
    }
}
