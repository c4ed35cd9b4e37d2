//! A disk in memory, with what a real one does to a cache: it loses what was not synced, tears writes, runs full, fails
//! and lies, and all of it again from the same seed.
//!
//! ```text
//!   live      what the process sees: every call is in effect at once
//!   log       what of it the disk may not have kept yet
//!   durable   what it has kept: a file's bytes after its sync, a directory's names after its own
//! ```
//! [`SimDisk::kill`] gives the disk after the process was killed: nothing is lost, and the log stays.
//! [`SimDisk::crash`] gives it after the power was cut: the durable image with an arbitrary part of the log.

mod crash;
mod faults;
mod file;
mod log;
#[cfg(test)]
mod tests;
mod tree;

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fastrand::Rng;

pub use crash::Mercy;
pub use faults::{Dirty, Failure, Faults};

use faults::Injector;
use log::Log;
use tree::{FileId, Tree};

/// A disk in memory. A clone is the same disk.
#[derive(Clone, Debug)]
pub struct SimDisk {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    live: Tree,
    durable: Tree,
    log: Log,
    next_file: u64,
    locks: Vec<FileId>,
    injector: Injector,
    /// Calls that change something, or have it synced.
    operations: u64,
    /// The operation at which the power goes.
    power_until: Option<u64>,
    /// Whether the cache's own directory is gone.
    rootless: bool,
}

impl SimDisk {
    /// An empty disk; the seed decides what its random faults hit.
    pub fn new(seed: u64) -> Self {
        Self::with(State {
            live: Tree::default(),
            durable: Tree::default(),
            log: Log::default(),
            next_file: 1,
            locks: Vec::new(),
            injector: Injector::new(seed),
            operations: 0,
            power_until: None,
            rootless: false,
        })
    }

    fn with(state: State) -> Self {
        Self { state: Arc::new(Mutex::new(state)) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The disk after the process was killed: what it had written is there, and what was not synced is still not.
    /// Nobody holds the lock, and no fault is left.
    pub fn kill(&self) -> Self {
        let state = self.state();
        let mut live = state.live.clone();
        live.forget_nameless();
        Self::with(State {
            live,
            durable: state.durable.clone(),
            log: state.log.clone(),
            ..state.after_life()
        })
    }

    /// The disk after the power was cut. What was synced is there; of the rest, whatever chance lets through.
    pub fn crash(&self, rng: &mut Rng) -> Self {
        self.crash_with(Mercy::draw(rng), rng)
    }

    /// As [`SimDisk::crash`], and this much of the rest.
    pub fn crash_with(&self, mercy: Mercy, rng: &mut Rng) -> Self {
        let state = self.state();
        let survived = crash::image(&state.durable, &state.log, mercy, rng);
        Self::with(State {
            live: survived.clone(),
            durable: survived,
            log: Log::default(),
            ..state.after_life()
        })
    }

    /// What goes wrong from now on.
    pub fn set_faults(&self, faults: Faults) {
        self.state().injector.faults = faults;
    }

    /// Lets nothing go wrong, the want of power included, until this is dropped.
    pub fn pardon(&self) -> Pardon {
        let mut state = self.state();
        let faults = std::mem::take(&mut state.injector.faults);
        let power_until = state.power_until.take();
        Pardon { disk: self.clone(), faults, power_until }
    }

    /// Has the n-th operation from now fail, 0 being the next one, whatever it is.
    pub fn fail_at(&self, n: u64, failure: Failure) {
        let mut state = self.state();
        let at = state.operations + n;
        state.injector.script.push((at, failure));
    }

    /// Cuts the power after n more operations: from then on every call fails, until [`SimDisk::crash`].
    pub fn cut_power_after(&self, n: u64) {
        let mut state = self.state();
        state.power_until = Some(state.operations + n);
    }

    /// Whether the power is off.
    pub fn is_off(&self) -> bool {
        self.state().is_off()
    }

    /// How many operations there were: calls that change something, or have it synced.
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// How many bytes its files hold.
    pub fn used(&self) -> u64 {
        self.state().live.used()
    }

    /// How much of that is data of the cache, holes not counted.
    pub fn stored(&self) -> u64 {
        let state = self.state();
        let paths = state.live.paths();
        let data = paths.iter().filter(|path| path.contains('/') && !path.starts_with("_index"));
        let sectors = data.filter_map(|path| state.live.contents(path)).flat_map(|c| c.chunks(512));
        let full = sectors.filter(|sector| sector.iter().any(|byte| *byte != 0));
        full.map(|sector| sector.len() as u64).sum()
    }

    /// How long the cache's journal is.
    pub fn journal_bytes(&self) -> u64 {
        self.state().live.contents("_index/journal.bin").map_or(0, |bytes| bytes.len() as u64)
    }

    /// The paths of all files, in order.
    pub fn paths(&self) -> Vec<String> {
        self.state().live.paths()
    }

    /// What a file holds.
    pub fn contents(&self, path: &str) -> Option<Vec<u8>> {
        self.state().live.contents(path).map(<[u8]>::to_vec)
    }

    /// Puts a file there, durably, as somebody else would.
    pub fn put(&self, path: &str, bytes: &[u8]) {
        let mut state = self.state();
        let file = state.new_file();
        for tree in state.both() {
            tree.put(path, file, bytes.to_vec());
        }
    }

    /// Deletes a file, or a directory with all that is in it, behind the cache's back (FAULTS D11).
    pub fn delete(&self, path: &str) {
        let mut state = self.state();
        state.log.forget_names(path);
        for tree in state.both() {
            tree.delete(path);
        }
    }

    /// Deletes the cache's own directory, which comes back when the next process opens the cache.
    pub fn delete_root(&self) {
        self.delete("");
        self.state().rootless = true;
    }

    /// Puts an empty directory where a file is, or would be.
    pub fn put_dir(&self, path: &str) {
        self.delete(path);
        for tree in self.state().both() {
            tree.put_dir(path);
        }
    }

    /// Flips a bit, or zeroes a block, of some file; which one, or nothing if all are empty.
    pub fn damage(&self, rng: &mut Rng) -> Option<String> {
        let paths: Vec<String> = {
            let state = self.state();
            let full = |path: &String| state.live.contents(path).is_some_and(|c| !c.is_empty());
            state.live.paths().into_iter().filter(full).collect()
        };
        let path = paths.get(rng.usize(0..paths.len().max(1)))?.clone();
        self.damage_file(&path, rng);
        Some(path)
    }

    /// Flips a bit, or zeroes a block, of this file.
    pub fn damage_file(&self, path: &str, rng: &mut Rng) {
        let mut state = self.state();
        let len = state.live.contents(path).map_or(0, <[u8]>::len);
        if len == 0 {
            return;
        }
        let at = rng.usize(0..len);
        let bit = rng.bool().then(|| 1u8 << rng.u32(0..8));
        for tree in state.both() {
            let Some(bytes) = tree.contents_mut(path).filter(|bytes| bytes.len() > at) else {
                continue;
            };
            match bit {
                Some(bit) => bytes[at] ^= bit,
                None => {
                    let end = (at - at % 512 + 512).min(bytes.len());
                    bytes[at - at % 512..end].fill(0);
                }
            }
        }
    }

    /// Loses some of what was written and not synced, though no power was cut and every write was acknowledged.
    pub fn lose_unsynced(&self, rng: &mut Rng) {
        let mut state = self.state();
        let State { live, durable, log, .. } = &mut *state;
        crash::lose(live, durable, log, rng);
    }
}

/// While this lives, nothing goes wrong: for a look at the disk that is no part of the session.
#[derive(Debug)]
pub struct Pardon {
    disk: SimDisk,
    faults: Faults,
    power_until: Option<u64>,
}

impl Drop for Pardon {
    fn drop(&mut self) {
        let mut state = self.disk.state();
        state.injector.faults = std::mem::take(&mut self.faults);
        state.power_until = self.power_until;
    }
}

impl State {
    /// The rest of a disk whose process is gone.
    fn after_life(&self) -> Self {
        Self {
            live: Tree::default(),
            durable: Tree::default(),
            log: Log::default(),
            next_file: self.next_file,
            locks: Vec::new(),
            injector: self.injector.healed(),
            operations: self.operations,
            power_until: None,
            rootless: false,
        }
    }

    fn both(&mut self) -> [&mut Tree; 2] {
        [&mut self.live, &mut self.durable]
    }

    fn new_file(&mut self) -> FileId {
        let file = FileId(self.next_file);
        self.next_file += 1;
        file
    }

    fn is_off(&self) -> bool {
        self.power_until.is_some_and(|until| self.operations >= until)
    }

    /// A call that changes nothing.
    fn look(&mut self) -> io::Result<()> {
        if self.is_off() {
            return Err(io::Error::other("the power is off (simulated)"));
        }
        Ok(())
    }

    /// A call that changes something: counts it; what is to go wrong with it.
    fn operation(
        &mut self,
        draw: impl FnOnce(&mut Injector) -> Option<Failure>,
    ) -> io::Result<Option<Failure>> {
        self.look()?;
        let number = self.operations;
        self.operations += 1;
        let drawn = draw(&mut self.injector);
        Ok(self.injector.scripted(number).or(drawn))
    }
}
