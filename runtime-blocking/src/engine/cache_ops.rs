//! What the machine asks of the cache as a whole, carried out by the pool: the journal's records in order, by one worker;
//! deletions, which may take long, by another; and what is answered to commands.

use std::io;

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
            Action::Remove { op, place } => {
                // Whoever still has it open would keep its space.
                let open = self.resources.move_out(&place);
                let remove = move |archive: &dyn Archive| {
                    drop(open);
                    archive.remove(&place)
                };
                let told = move |result| Event::Removed { op, result };
                if let Some(job) = self.on_cache(remove, told) {
                    self.pool.delete(job);
                }
            }
            Action::Sweep { keep } => {
                if let Some(archive) = self.archive.clone() {
                    self.pool.delete(move || archive.sweep(&keep));
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
        let told = move |result| Event::Appended { op, result };
        if let Some(job) = self.on_cache(work, told) {
            self.pool.journal(job);
        }
    }

    /// The job that does `work` and tells what came of it; none where there is no cache, which is told at once.
    fn on_cache<T, Work, Told>(
        &mut self,
        work: Work,
        told: Told,
    ) -> Option<impl FnOnce() + Send + 'static + use<T, Work, Told>>
    where
        T: 'static,
        Work: FnOnce(&dyn Archive) -> io::Result<T> + Send + 'static,
        Told: FnOnce(Result<T, StoreFailure>) -> Event + Send + 'static,
    {
        self.ops += 1;
        let Some(archive) = self.archive.clone() else {
            let detail = "there is no cache".into();
            self.own.push_back(told(Err(StoreFailure { full: false, detail })));
            return None;
        };
        let port = self.port();
        Some(move || {
            let result = work(&*archive).map_err(|error| failure(&error));
            // Once that is known, nothing of it may be held: the directory's lock goes with the last reference.
            drop(archive);
            port.post(told(result));
        })
    }
}
