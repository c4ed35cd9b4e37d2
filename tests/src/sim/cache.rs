//! The cache of a simulated driver: the real store on a simulated disk, each operation at its time.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use fastrand::Rng;
use infill_blocking::cache::{CacheFile, CacheStore};
use infill_core::catalog::{Catalog, Download, Place, Record};
use infill_core::{
    Action, ByteRange, ByteRanges, Event, Instant, OpId, ResourceId, Restored, StoreFailure, Sum,
    Verification,
};

use super::content::Content;
use super::invariants::violated;
use super::lived::Trial;
use super::promise::Promise;
use super::stage::{Happening, Stage};
use crate::disk::{Pardon, SimDisk};

/// Something of the cache is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CacheStep {
    /// The oldest operation on the journal.
    Journal,
    /// That operation, which is in no order with others.
    Work(u64),
}

/// An operation on the journal.
#[derive(Debug)]
enum JournalOp {
    Append { op: OpId, records: Vec<Record>, durable: bool },
    Compact { op: OpId, records: Vec<Record> },
}

/// An operation that is in no order with others.
#[derive(Debug)]
enum Work {
    Sync { resource: ResourceId, op: OpId },
    Remove { op: OpId, place: Place },
    Sweep { keep: Vec<Place> },
}

/// A resource in the cache.
struct Placed {
    place: Place,
    file: Arc<CacheFile>,
    /// What is there, and not newer in memory.
    within: ByteRanges,
}

/// The cache of one life of the driver.
pub(super) struct Cache {
    pub(super) disk: SimDisk,
    pub(super) promise: Promise,
    store: Arc<CacheStore>,
    /// What the journal said at the opening.
    found: Catalog,
    /// What the journal says now, or will.
    known: Catalog,
    /// Bytes on the disk at the opening that no record names.
    left_over: u64,
    placed: BTreeMap<ResourceId, Placed>,
    journal: VecDeque<JournalOp>,
    works: BTreeMap<u64, Work>,
    next_work: u64,
    latency: Duration,
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cache").field("journal", &self.journal).finish_non_exhaustive()
    }
}

impl Cache {
    /// Opens the cache on a disk; what the machine is told of it.
    /// An error is only right where the disk has no power.
    pub(super) fn open(
        disk: SimDisk,
        latency: Duration,
        rng: &mut Rng,
    ) -> Result<(Self, Restored), SimDisk> {
        let (store, restored) = match CacheStore::open(Arc::new(disk.clone()), rng.u64(..)) {
            Ok(opened) => opened,
            Err(_) if disk.is_off() => return Err(disk),
            Err(error) => violated!("the cache can't be opened: {error}"),
        };
        let left_over = disk.stored().saturating_sub(restored.catalog.downloads().bytes());
        let cache = Self {
            disk,
            promise: Promise::new(&restored.catalog),
            store,
            found: restored.catalog.clone(),
            known: restored.catalog.clone(),
            left_over,
            placed: BTreeMap::new(),
            journal: VecDeque::new(),
            works: BTreeMap::new(),
            next_work: 0,
            latency,
        };
        Ok((cache, restored))
    }

    /// The process is gone: what is left of it, and what it promised.
    pub(super) fn end(self) -> (SimDisk, Promise) {
        // The store is dropped here, and with it the lock.
        (self.disk, self.promise)
    }

    /// What the journal said at the opening.
    pub(super) fn found(&self) -> &Catalog {
        &self.found
    }

    /// What the journal says now, or will.
    pub(super) fn known(&self) -> &Catalog {
        &self.known
    }

    /// Bytes on the disk at the opening that no record named.
    pub(super) fn left_over(&self) -> u64 {
        self.left_over
    }

    /// Where a resource is kept.
    pub(super) fn placed_at(&self, resource: ResourceId) -> Option<Place> {
        self.placed.get(&resource).map(|placed| placed.place)
    }

    /// Somebody is told that this is kept.
    pub(super) fn assured(&mut self, resource: ResourceId, range: ByteRange) {
        if let Some(placed) = self.placed.get(&resource) {
            for run in placed.within.overlapping(range) {
                self.promise.assured(placed.place.generation, run.intersect(range));
            }
        }
    }

    /// Takes an action of the cache in.
    pub(super) fn submit(&mut self, stage: &mut Stage, action: Action) {
        match action {
            Action::Place { resource, place } => self.place(resource, *place),
            Action::Sync { resource, op } => self.work(stage, Work::Sync { resource, op }),
            Action::Remove { op, place } => {
                self.promise.removed(place.generation);
                self.work(stage, Work::Remove { op, place: *place });
            }
            Action::Sweep { keep } => self.work(stage, Work::Sweep { keep }),
            Action::Append { op, records, durable } => {
                records.iter().for_each(|record| self.known.apply(record));
                self.queue(stage, JournalOp::Append { op, records, durable });
            }
            Action::Compact { op, records } => {
                self.known = Catalog::new();
                records.iter().for_each(|record| self.known.apply(record));
                stage.lived.count(Trial::Compacted);
                self.queue(stage, JournalOp::Compact { op, records });
            }
            other => unreachable!("{other:?} is none of the cache's"),
        }
    }

    /// Does what is due; what the machine is told of it.
    pub(super) fn step(&mut self, stage: &mut Stage, step: CacheStep) -> Option<Event> {
        match step {
            CacheStep::Work(number) => {
                let work = self.works.remove(&number)?;
                let event = self.do_work(work);
                match &event {
                    Some(Event::Synced { result: Err(_), .. }) => {
                        stage.lived.count(Trial::SyncFailed);
                    }
                    Some(Event::Removed { result: Ok(()), .. }) => {
                        stage.lived.count(Trial::Removed);
                    }
                    _ => {}
                }
                event
            }
            CacheStep::Journal => {
                let op = self.journal.pop_front()?;
                if !self.journal.is_empty() {
                    self.schedule(stage, CacheStep::Journal);
                }
                let event = self.do_journal(op);
                if matches!(event, Event::Appended { result: Err(_), .. }) {
                    stage.lived.count(Trial::JournalFailed);
                }
                Some(event)
            }
        }
    }

    /// The process dies: what is under way may be done all the same, and nobody is told.
    pub(super) fn go_on_unheard(&mut self, rng: &mut Rng) {
        for _ in 0..rng.usize(0..=self.journal.len()) {
            let op = self.journal.pop_front().expect("it was counted");
            self.do_journal(op);
        }
        for work in std::mem::take(&mut self.works).into_values() {
            if rng.bool() {
                self.do_work(work);
            }
        }
    }

    /// Something could not be done: it is no longer promised. Without power nobody is told so, and what was promised
    /// before stays promised.
    fn spoil(&mut self) {
        if !self.disk.is_off() {
            self.promise.spoil();
        }
    }

    /// Whether nothing is under way.
    pub(super) fn is_idle(&self) -> bool {
        self.journal.is_empty() && self.works.is_empty()
    }

    pub(super) fn write(
        &mut self,
        resource: ResourceId,
        offset: u64,
        bytes: &Bytes,
    ) -> Result<Option<Sum>, StoreFailure> {
        let Some(placed) = self.placed.get_mut(&resource) else {
            violated!("{resource} is written to the cache, and has no place there");
        };
        let range = ByteRange::at(offset, bytes.len() as u64);
        match placed.file.write_at(offset, bytes) {
            Ok(sum) => {
                placed.within.insert(range);
                Ok(Some(sum))
            }
            Err(error) => {
                // Any part of it may be there.
                placed.within.remove(range);
                self.spoil();
                Err(failure(&error))
            }
        }
    }

    /// Newer bytes are elsewhere.
    pub(super) fn displace(&mut self, now: Instant, resource: ResourceId, range: ByteRange) {
        if let Some(placed) = self.placed.get_mut(&resource) {
            placed.within.remove(range);
            self.promise.dropped(placed.place.generation, range, now);
        }
    }

    pub(super) fn discard(&mut self, resource: ResourceId, range: ByteRange) {
        if let Some(placed) = self.placed.get_mut(&resource) {
            placed.file.discard(range);
            placed.within.remove(range);
        }
    }

    /// The machine says what is there since an earlier time.
    pub(super) fn claimed(&mut self, resource: ResourceId, range: ByteRange) {
        if let Some(placed) = self.placed.get_mut(&resource) {
            placed.within.insert(range);
            placed.file.restore([range]);
        }
    }

    /// Readers see these: a record is to name them soon.
    pub(super) fn published(&mut self, now: Instant, resource: ResourceId, range: ByteRange) {
        if let Some(placed) = self.placed.get(&resource) {
            for run in placed.within.overlapping(range) {
                self.promise.wrote(&placed.place, run.intersect(range), now);
            }
        }
    }

    /// The machine takes bytes back: no record need name them.
    pub(super) fn take_back(&mut self, now: Instant, resource: ResourceId, range: ByteRange) {
        if let Some(placed) = self.placed.get(&resource) {
            self.promise.dropped(placed.place.generation, range, now);
        }
    }

    pub(super) fn digest(&self, resource: ResourceId, range: ByteRange) -> Verification {
        let Some(placed) = self.placed.get(&resource) else {
            return Verification::Failed(failure(&io::Error::other("it has no place")));
        };
        match placed.file.digest(range) {
            Ok(digest) => Verification::Digest(digest),
            Err(error) => Verification::Failed(failure(&error)),
        }
    }

    /// The parts of a range, and whether each is in the cache.
    pub(super) fn split(&self, resource: ResourceId, range: ByteRange) -> Vec<(ByteRange, bool)> {
        let Some(placed) = self.placed.get(&resource) else {
            return vec![(range, false)];
        };
        let inside = placed.within.overlapping(range).map(|run| (run.intersect(range), true));
        let outside = placed.within.gaps(range).map(|gap| (gap, false));
        let mut parts: Vec<_> = inside.chain(outside).collect();
        parts.sort_by_key(|(part, _)| part.start);
        parts
    }

    pub(super) fn read(
        &self,
        resource: ResourceId,
        range: ByteRange,
    ) -> Result<Bytes, StoreFailure> {
        let placed = &self.placed[&resource];
        let mut buf = vec![0; range.len() as usize];
        match placed.file.read_at(range.start, &mut buf) {
            Ok(count) if count == buf.len() => Ok(buf.into()),
            Ok(_) => Err(failure(&io::Error::other("fewer bytes are there than were written"))),
            Err(error) => Err(failure(&error)),
        }
    }

    /// Whether what verifies of a download is all of one version.
    pub(super) fn is_of_one_version(
        &self,
        download: &Download,
        contents: impl Iterator<Item = Content>,
        all_was_read: bool,
    ) -> Result<(), String> {
        let file = self.store.file(download.place());
        let mut contents: Vec<Content> = contents.collect();
        for extent in download.extents() {
            let range = extent.range();
            if file.digest(range).ok() != Some(extent.digest) {
                if !all_was_read {
                    continue;
                }
                return Err(format!("{range} does not verify, though somebody has read it"));
            }
            let mut bytes = vec![0; range.len() as usize];
            file.read_at(range.start, &mut bytes).map_err(|error| error.to_string())?;
            contents.retain(|content| content.matches(range.start, &bytes));
            if contents.is_empty() {
                return Err(format!("{range} is of another version than what precedes it"));
            }
        }
        Ok(())
    }

    /// Nothing is wrong with the disk while this lives.
    pub(super) fn pardon(&self) -> Pardon {
        self.disk.pardon()
    }

    fn place(&mut self, resource: ResourceId, place: Place) {
        let file = self.store.file(place);
        let within = ByteRanges::new();
        self.placed.insert(resource, Placed { place, file, within });
    }

    fn work(&mut self, stage: &mut Stage, work: Work) {
        let number = self.next_work;
        self.next_work += 1;
        self.works.insert(number, work);
        self.schedule(stage, CacheStep::Work(number));
    }

    fn queue(&mut self, stage: &mut Stage, op: JournalOp) {
        self.journal.push_back(op);
        if self.journal.len() == 1 {
            self.schedule(stage, CacheStep::Journal);
        }
    }

    fn schedule(&self, stage: &mut Stage, step: CacheStep) {
        let delay = stage.between(Duration::ZERO, self.latency);
        stage.after(delay, Happening::Cache(step));
    }

    fn do_work(&mut self, work: Work) -> Option<Event> {
        match work {
            Work::Sync { resource, op } => {
                let result = self.placed[&resource].file.sync().map_err(|error| failure(&error));
                if result.is_err() {
                    self.spoil();
                }
                Some(Event::Synced { resource, op, result })
            }
            Work::Remove { op, place } => {
                let result = self.store.remove(place).map_err(|error| failure(&error));
                Some(Event::Removed { op, result })
            }
            Work::Sweep { keep } => {
                // What is left is found the next time.
                let _ = self.store.sweep(&keep);
                None
            }
        }
    }

    fn do_journal(&mut self, op: JournalOp) -> Event {
        let (op, result) = match op {
            JournalOp::Append { op, records, durable } => {
                (op, self.store.append(&records, durable))
            }
            JournalOp::Compact { op, records } => (op, self.store.compact(&records)),
        };
        let result = result.map_err(|error| failure(&error));
        if result.is_err() {
            self.spoil();
        }
        Event::Appended { op, result }
    }
}

fn failure(error: &io::Error) -> StoreFailure {
    let full = matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded);
    StoreFailure { full, detail: error.to_string() }
}
