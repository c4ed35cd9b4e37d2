//! The worker pool for the store: the one place where the engine's disk work waits.
//!
//! Work of one resource is done in order, by one worker, and so are the journal's and the deletions; workers start when
//! there is work and end soon after. Reads have workers of their own: they need not wait for a write, still less for a
//! disk that is asked to keep one. What waits here is bounded by what asks: a fetch has byte credit, a reader has one read, the journal's
//! records are those of what was written.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// How long a worker without work stays.
const IDLE: Duration = Duration::from_millis(500);

/// Work to do.
type Job = Box<dyn FnOnce() + Send>;

/// A few workers, started when needed.
pub struct Pool {
    work: Vec<Arc<Shard>>,
    reads: Vec<Arc<Shard>>,
    journal: Arc<Shard>,
    deletions: Arc<Shard>,
}

#[derive(Default)]
struct Shard {
    state: Mutex<State>,
    ready: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    running: bool,
    /// The worker sleeps: only then is it to be woken, for that is a call of the system each time.
    sleeping: bool,
    /// A worker without work ends at once.
    rest: bool,
    closed: bool,
}

impl Pool {
    /// At most `workers` threads for writes, as many for reads, one for the journal, one for deletions.
    pub fn new(workers: usize) -> Self {
        let shards = || (0..workers.max(1)).map(|_| Arc::default()).collect();
        Self { work: shards(), reads: shards(), journal: Arc::default(), deletions: Arc::default() }
    }

    /// Runs `job` after all earlier ones of the same `key`.
    pub fn run(&self, key: u64, job: impl FnOnce() + Send + 'static) {
        of_key(&self.work, key).run(Box::new(job));
    }

    /// Runs `job`, which reads, beside the work of its `key`.
    pub fn read(&self, key: u64, job: impl FnOnce() + Send + 'static) {
        of_key(&self.reads, key).run(Box::new(job));
    }

    /// Runs `job` after all earlier ones of the journal.
    pub fn journal(&self, job: impl FnOnce() + Send + 'static) {
        self.journal.run(Box::new(job));
    }

    /// Runs `job`, which deletes files, after all earlier ones that do. It may take long, and the journal must not.
    pub fn delete(&self, job: impl FnOnce() + Send + 'static) {
        self.deletions.run(Box::new(job));
    }

    /// Nothing more is expected for now: workers end when they have done what there is.
    pub fn rest(&self) {
        for shard in self.shards() {
            let mut state = shard.state();
            state.rest = state.running;
            drop(state);
            shard.ready.notify_one();
        }
    }

    fn shards(&self) -> impl Iterator<Item = &Arc<Shard>> {
        self.work.iter().chain(&self.reads).chain([&self.journal, &self.deletions])
    }
}

fn of_key(shards: &[Arc<Shard>], key: u64) -> &Arc<Shard> {
    let index = usize::try_from(key % shards.len() as u64).unwrap_or_default();
    &shards[index]
}

impl Drop for Pool {
    fn drop(&mut self) {
        for shard in self.shards() {
            shard.state().closed = true;
            shard.ready.notify_one();
        }
    }
}

impl Shard {
    fn run(self: &Arc<Self>, job: Job) {
        let mut state = self.state();
        state.jobs.push_back(job);
        if state.running {
            let sleeping = core::mem::take(&mut state.sleeping);
            drop(state);
            if sleeping {
                self.ready.notify_one();
            }
            return;
        }
        state.running = true;
        drop(state);
        let worker = Arc::clone(self);
        let spawned =
            thread::Builder::new().name("infill-store".into()).spawn(move || worker.work());
        if spawned.is_err() {
            // No thread to be had: slow is better than stuck.
            self.finish();
        }
    }

    fn work(&self) {
        let mut state = self.state();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                drop(state);
                job();
                state = self.state();
                continue;
            }
            if state.closed || state.rest {
                state.running = false;
                state.rest = false;
                return;
            }
            state.sleeping = true;
            let (woken, wait) =
                self.ready.wait_timeout(state, IDLE).unwrap_or_else(PoisonError::into_inner);
            state = woken;
            state.sleeping = false;
            if wait.timed_out() && state.jobs.is_empty() {
                state.running = false;
                return;
            }
        }
    }

    /// Does on this thread what there is to do.
    fn finish(&self) {
        let mut state = self.state();
        while let Some(job) = state.jobs.pop_front() {
            drop(state);
            job();
            state = self.state();
        }
        state.running = false;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn keeps_the_order_of_a_key_and_ends() {
        let pool = Pool::new(2);
        let (tx, rx) = mpsc::channel();
        for number in 0..1000u32 {
            let tx = tx.clone();
            pool.run(u64::from(number % 3), move || {
                tx.send((number % 3, number)).unwrap();
            });
        }
        drop((pool, tx));
        let done: Vec<_> = rx.iter().collect();
        assert_eq!(done.len(), 1000, "work that was accepted is done");
        for key in 0..3 {
            let of_key = done.iter().filter(|(k, _)| *k == key).map(|(_, n)| *n);
            assert!(of_key.is_sorted());
        }
    }
}
