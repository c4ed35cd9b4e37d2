//! The cache as the machine runs it: the catalog, the records on their way to the journal, what is open, and whether
//! the disk is to be trusted with more.
//!
//! Every change is a record that is applied at once and appended soon; one append is under way at a time, so that what
//! comes meanwhile goes out together.

mod budget;
mod commands;
mod journal;

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::{
    Catalog, Download, Generation, Key, Place, Record, ResourceKey, StoredFacts, cut_label,
};
use crate::event::Restored;
use crate::out::Out;
use crate::{Action, Config, Instant, OpId, Tier};

use budget::Closed;
use commands::Commands;
use journal::Journal;

/// How much of a resource goes into one file, as a power of two, where the limit is large.
const FILE_BITS: u8 = 24;
/// The least, where it is small: one block of extents.
const MIN_FILE_BITS: u8 = 18;
/// So many files make up the limit at least, for a window gives whole files back.
const FILES: u64 = 64;

/// The cache.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    on: bool,
    salt: u32,
    catalog: Catalog,
    journal: Journal,
    commands: Commands,
    closed: Closed,
    /// How many open tracks each asset has.
    open: BTreeMap<Key, u32>,
    /// Removals under way.
    removing: BTreeMap<OpId, Generation>,
    /// Until then nothing more is written to it.
    refused_until: Instant,
    /// What to tell the first track.
    damage: Option<String>,
}

impl Cache {
    /// There is one, and this is what it holds.
    pub(crate) fn restore(&mut self, restored: Restored, out: &mut Out) {
        if self.on {
            return;
        }
        self.on = true;
        self.closed.stale = true;
        self.salt = restored.salt;
        self.catalog = restored.catalog;
        self.journal = Journal::new(restored.journal_bytes);
        self.damage = restored.damage;
        out.push(Action::Sweep { keep: self.places() });
    }

    /// Whether there is one.
    pub(crate) fn is_on(&self) -> bool {
        self.on
    }

    /// Where a new resource's bytes go now.
    pub(crate) fn tier(&self, now: Instant) -> Tier {
        if self.on && self.refused_until <= now { Tier::Cache } else { Tier::Scratch }
    }

    /// The disk has refused: it is left alone for a while. Whether that is news.
    pub(crate) fn refuse(&mut self, now: Instant, config: &Config) -> bool {
        let news = self.refused_until <= now;
        self.refused_until = now + config.disk_retry;
        news
    }

    /// What was wrong with the journal, once.
    pub(crate) fn take_damage(&mut self) -> Option<String> {
        self.damage.take()
    }

    /// A track of this resource opens: it is used, and can't be evicted. Gives what is stored of it.
    pub(crate) fn open(&mut self, key: &ResourceKey, pin: bool) -> Option<&Download> {
        if !self.on {
            return None;
        }
        self.closed.stale = true;
        *self.open.entry(key.asset).or_default() += 1;
        if pin {
            self.pin_open(key.asset);
        }
        if self.catalog.downloads().get(key).is_some() {
            self.use_now(key.asset);
        }
        self.download(key).filter(|download| download.bytes() > 0)
    }

    /// A track of it is closed.
    pub(crate) fn close(&mut self, asset: Key) {
        self.closed.stale = true;
        if let Some(count) = self.open.get_mut(&asset) {
            *count -= 1;
            if *count == 0 {
                self.open.remove(&asset);
            }
        }
    }

    /// An open asset is never to be evicted.
    pub(crate) fn pin_open(&mut self, asset: Key) {
        if self.on && !self.catalog.pins().contains(asset) {
            self.record_durably(Record::Pin { asset, pinned: true });
        }
    }

    /// What is queued is to be on the disk before it is answered.
    pub(crate) fn hurry(&mut self) {
        self.journal.hurry();
    }

    /// What is stored of a resource.
    pub(crate) fn download(&self, key: &ResourceKey) -> Option<&Download> {
        self.catalog.downloads().get(key)
    }

    /// One generation, while it is its resource's current one.
    pub(crate) fn generation(&self, generation: Generation) -> Option<&Download> {
        self.catalog.downloads().generation(generation)
    }

    /// A new generation begins, in place of an older one; gives where its bytes go.
    pub(crate) fn begin(
        &mut self,
        key: ResourceKey,
        label: &str,
        facts: StoredFacts,
        limit: Option<u64>,
    ) -> Place {
        let generation = self.catalog.next_generation(self.salt);
        let place = Place { key, generation, file_bits: file_bits(limit) };
        self.record(Record::Open { place, label: cut_label(label).into(), facts });
        self.use_now(key.asset);
        place
    }

    fn use_now(&mut self, asset: Key) {
        let at = self.catalog.lru().next();
        self.record(Record::Use { asset, at });
    }

    /// Deletes the files of a place; the catalog forgets it at once, the journal when they are gone.
    pub(crate) fn remove(&mut self, place: Place, out: &mut Out) -> OpId {
        let op = out.op();
        let generation = place.generation;
        self.closed.stale = true;
        self.catalog.apply(&Record::Remove { generation });
        self.removing.insert(op, generation);
        out.push(Action::Remove { op, place: Box::new(place) });
        op
    }

    /// A removal is done. Whether it was one of ours.
    pub(crate) fn removed(&mut self, op: OpId, gone: bool, out: &mut Out) -> bool {
        let Some(generation) = self.removing.remove(&op) else {
            return false;
        };
        if gone {
            // What couldn't be deleted is found again when the cache is opened.
            self.journal.queue(Record::Remove { generation });
        }
        self.commands.removed(op, gone, out);
        true
    }

    /// Something happened: it is known at once and written down soon.
    pub(crate) fn record(&mut self, record: Record) {
        self.catalog.apply(&record);
        self.journal.queue(record);
    }

    /// The same, and the journal is to be on the disk before it is answered.
    pub(crate) fn record_durably(&mut self, record: Record) {
        self.record(record);
        self.journal.hurry();
    }

    /// Asks for what the journal needs now.
    pub(crate) fn flush(&mut self, now: Instant, out: &mut Out) {
        if self.on {
            self.journal.flush(now, &self.catalog, out);
        }
    }

    /// The journal was written to. Whether that failed; `None` for an answer that nobody waits for.
    pub(crate) fn appended(
        &mut self,
        now: Instant,
        op: OpId,
        result: Result<u64, ()>,
        config: &Config,
        out: &mut Out,
    ) -> Option<bool> {
        let failed = self.journal.done(now, op, result.ok(), config.disk_retry)?;
        if self.journal.is_idle() {
            self.commands.written(!failed, out);
        }
        Some(failed)
    }

    /// When something is due.
    pub(crate) fn deadline(&self, now: Instant) -> Option<Instant> {
        self.journal.deadline(now)
    }

    /// Whether every record was appended, or is known to be lost.
    pub(crate) fn is_written(&self) -> bool {
        self.journal.is_idle()
    }

    /// Whether nothing is owed.
    pub(crate) fn is_idle(&self) -> bool {
        self.journal.is_idle() && self.removing.is_empty() && self.commands.is_idle()
    }

    fn places(&self) -> Vec<Place> {
        self.catalog.downloads().iter().map(Download::place).collect()
    }

    /// Whether a track has it open.
    pub(crate) fn is_open(&self, asset: Key) -> bool {
        self.open.contains_key(&asset)
    }

    fn assets(&self) -> BTreeSet<Key> {
        self.catalog.downloads().iter().map(|download| download.place().key.asset).collect()
    }
}

/// Small files where the limit is small: what a window has given back of a file is on the disk until all of it is.
fn file_bits(limit: Option<u64>) -> u8 {
    let part = limit.unwrap_or(u64::MAX) / FILES;
    let bits = u8::try_from(part.checked_ilog2().unwrap_or(0)).unwrap_or(FILE_BITS);
    bits.clamp(MIN_FILE_BITS, FILE_BITS)
}
