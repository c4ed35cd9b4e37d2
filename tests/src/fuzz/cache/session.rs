//! One session: what is done to the cache, and what goes wrong.

use std::sync::Arc;

use arbitrary::{Result, Unstructured};
use fastrand::Rng;
use infill_blocking::cache::{CacheFile, CacheStore};
use infill_core::catalog::{
    Catalog, Extent, Generation, Key, Place, Record, ResourceKey, StoredFacts,
};
use infill_core::{ByteRange, ByteRanges};

use super::model::{Model, TOTAL};
use crate::disk::{Dirty, Failure, Faults, SimDisk};

/// So many resources are written.
const SLOTS: usize = 5;

/// The end of a life of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Killed,
    Cut,
}

/// A resource as it is written now.
struct Slot {
    place: Place,
    file: Arc<CacheFile>,
    /// Where the last write ended.
    at: u64,
    /// Written, and in no record yet.
    pending: Vec<Extent>,
}

/// A session.
pub(super) struct Session {
    disk: SimDisk,
    store: Arc<CacheStore>,
    salt: u32,
    slots: [Option<Slot>; SLOTS],
    model: Model,
    rng: Rng,
    /// Whether the disk has done what it said, or said that it didn't.
    honest: bool,
    /// Whether a failed sync may have taken bytes back that could be read until then.
    takes_back: bool,
    faults: Faults,
    /// What happened, for the message of a failure.
    log: Vec<String>,
}

impl Drop for Session {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.log.join("\n"));
        }
    }
}

impl Session {
    pub(super) fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let disk = SimDisk::new(seed);
        let (store, restored) =
            CacheStore::open(Arc::new(disk.clone()), rng.u64(..)).expect("the disk is empty");
        assert_eq!(restored.catalog, Catalog::new());
        assert_eq!(restored.damage, None);
        Self {
            salt: restored.salt,
            disk,
            store,
            slots: Default::default(),
            model: Model::default(),
            rng,
            honest: true,
            takes_back: false,
            faults: Faults::default(),
            log: Vec::new(),
        }
    }

    fn note(&mut self, what: impl std::fmt::Debug, came_of_it: impl std::fmt::Debug) {
        self.log.push(format!("{what:?}: {came_of_it:?}"));
    }

    pub(super) fn step(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let slot = usize::from(input.arbitrary::<u8>()?) % SLOTS;
        match input.arbitrary::<u8>()? % 64 {
            0..24 => self.write(input, slot)?,
            24..30 => self.seal(slot, false),
            30..34 => self.flush(slot),
            34..36 => self.retract(input, slot)?,
            36 => self.commit(slot),
            37..39 => {
                let pinned = input.arbitrary()?;
                let record = Record::Pin { asset: key(slot), pinned };
                self.append(&[record], input.arbitrary()?);
            }
            39 => {
                let at = self.model.acked().lru().next();
                self.append(&[Record::Use { asset: key(slot), at }], false);
            }
            40..42 => self.sync(slot),
            42..44 => self.remove(slot),
            44..46 => self.begin(slot),
            46..48 => self.compact(),
            48 => self.sweep(),
            49..52 => self.look(input, slot)?,
            52..54 => self.reopen(End::Killed),
            54..56 => self.reopen(End::Cut),
            56 => {
                let operations = u64::from(input.arbitrary::<u8>()? % 16);
                self.note("no power after", operations);
                self.disk.cut_power_after(operations);
            }
            57..60 => self.set_faults(input)?,
            60 => self.fail_soon(u64::from(input.arbitrary::<u8>()? % 4), Failure::Io),
            61 => self.fail_soon(u64::from(input.arbitrary::<u8>()? % 4), Failure::Short),
            _ => self.meddle(input)?,
        }
        Ok(())
    }

    /// All faults are over: what is there is read again, once after each end.
    pub(super) fn finish(mut self) {
        for end in [End::Killed, End::Cut] {
            self.reopen(end);
        }
        for slot in 0..SLOTS {
            self.begin(slot);
            let file = &self.slots[slot].as_ref().expect("it was begun").file;
            file.write_at(0, &[1; 10]).expect("nothing is wrong with the disk");
        }
    }

    fn write(&mut self, input: &mut Unstructured<'_>, slot: usize) -> Result<()> {
        let (jump, len): (u8, u16) = input.arbitrary()?;
        let position: u16 = if jump < 48 { input.arbitrary()? } else { 0 };
        if self.slots[slot].is_none() {
            self.begin(slot);
        }
        let Some(open) = &mut self.slots[slot] else {
            return Ok(());
        };
        let start = if jump < 48 { u64::from(position) * 16 } else { open.at % TOTAL };
        let block_end = (start / Extent::BLOCK_BYTES + 1) * Extent::BLOCK_BYTES;
        // Small ones now and then: a chunk of a body is as small as the network makes it.
        let len = if jump % 4 == 0 { len % 100 } else { len };
        let range = ByteRange::new(start, (start + u64::from(len) + 1).min(block_end).min(TOTAL));
        let generation = open.place.generation;
        let bytes = self.model.bytes(generation, range);
        open.at = range.end;
        let result = open.file.write_at(range.start, &bytes);
        self.log.push(format!("write {slot} {generation:?} {range}: {result:?}"));
        let Ok(sum) = result else {
            return Ok(());
        };
        assert!(
            sum.start <= start && sum.start / Extent::BLOCK_BYTES == start / Extent::BLOCK_BYTES
        );
        let run = ByteRange::new(sum.start, range.end);
        assert_eq!(sum.digest, self.model.digest(generation, run), "the sum of {run}");
        let extent = Extent { start: run.start, digest: sum.digest, len: run.len() as u32 };
        open.pending.retain(|other| other.start != run.start);
        open.pending.push(extent);
        self.model.wrote(generation, range);
        Ok(())
    }

    /// Records what was written.
    fn seal(&mut self, slot: usize, durable: bool) {
        let Some(open) = &mut self.slots[slot] else {
            return;
        };
        let (generation, extents) = (open.place.generation, std::mem::take(&mut open.pending));
        if !extents.is_empty() {
            self.append(&[Record::Extents { generation, extents }], durable);
        }
    }

    /// First the bytes, then the record.
    fn flush(&mut self, slot: usize) {
        self.sync(slot);
        self.seal(slot, true);
    }

    fn sync(&mut self, slot: usize) {
        let Some(open) = &mut self.slots[slot] else {
            return;
        };
        let result = open.file.sync();
        let success = result.is_ok();
        let generation = open.place.generation;
        self.note(("sync", slot), result);
        let readable = self.faults.dirty == Dirty::Remembered;
        self.model.synced(generation, success, readable);
        if !success {
            // What was not recorded is fetched again.
            self.slots[slot].iter_mut().for_each(|open| open.pending.clear());
            let gone = extents_of(self.model.acked(), generation);
            let gone: Vec<_> = gone
                .into_iter()
                .filter(|extent| !self.model.must_verify(generation, *extent, true))
                .map(|extent| Record::Retract { generation, range: extent.range() })
                .collect();
            self.append(&gone, false);
        }
    }

    fn retract(&mut self, input: &mut Unstructured<'_>, slot: usize) -> Result<()> {
        let (start, len): (u16, u16) = input.arbitrary()?;
        let discards: bool = input.arbitrary()?;
        let Some(open) = &mut self.slots[slot] else {
            return Ok(());
        };
        let start = u64::from(start) * 16;
        let range = ByteRange::new(start, (start + u64::from(len) * 8 + 1).min(TOTAL));
        let generation = open.place.generation;
        let shares = |extent: &Extent| !extent.range().intersect(range).is_empty();
        open.pending.retain(|extent| !shares(extent));
        // What shares a byte with it goes as a whole.
        let gone: Vec<_> = extents_of(self.model.acked(), generation)
            .into_iter()
            .filter(shares)
            .map(|extent| extent.range())
            .chain([range])
            .collect();
        if !self.append(&[Record::Retract { generation, range }], false) || !discards {
            return Ok(());
        }
        let Some(open) = &self.slots[slot] else {
            return Ok(());
        };
        self.log.push(format!("discard {slot} {gone:?}"));
        for range in gone {
            open.file.discard(range);
            self.model.gave_up(generation, range);
        }
        Ok(())
    }

    fn commit(&mut self, slot: usize) {
        if let Some(open) = &self.slots[slot] {
            let generation = open.place.generation;
            self.append(&[Record::Commit { generation, final_len: TOTAL }], false);
        }
    }

    /// Files first, then the record: an append may fail on a full disk.
    fn remove(&mut self, slot: usize) {
        let Some(Slot { place, file, .. }) = self.slots[slot].take() else {
            return;
        };
        drop(file);
        self.model.gave_up(place.generation, ByteRange::new(0, TOTAL));
        let result = self.store.remove(place);
        let success = result.is_ok();
        self.note(("remove", slot), result);
        if success {
            if self.honest && !self.disk.is_off() {
                let name = format!("{:016x}.", place.generation.0);
                assert!(!self.disk.paths().iter().any(|path| path.contains(&name)), "{place:?}");
            }
            self.append(&[Record::Remove { generation: place.generation }], false);
        }
    }

    /// Begins another generation of a resource.
    fn begin(&mut self, slot: usize) {
        let mut generation = self.model.acked().next_generation(self.salt);
        // One whose record was refused is not taken again.
        while !self.model.is_new(generation) {
            generation = generation.next(self.salt);
        }
        let place =
            Place { key: ResourceKey::file(key(slot)), generation, file_bits: 16 + slot as u8 };
        self.model.begin(place);
        let facts = StoredFacts { total: Some(TOTAL), ..StoredFacts::default() };
        let label = format!("http://radio.test/{slot}").into();
        let old = self.slots[slot].take();
        if self.append(&[Record::Open { place, label, facts }], false) {
            let file = self.store.file(place);
            self.slots[slot] = Some(Slot { place, file, at: 0, pending: Vec::new() });
            if let Some(old) = old {
                self.model.gave_up(old.place.generation, ByteRange::new(0, TOTAL));
                // A failure leaves files that a sweep finds.
                let _ = self.store.remove(old.place);
            }
        }
    }

    fn append(&mut self, records: &[Record], durable: bool) -> bool {
        if records.is_empty() {
            return true;
        }
        let result = self.store.append(records, durable);
        let success = result.is_ok();
        self.note((if durable { "append durably" } else { "append" }, records), result);
        self.model.appended(records, durable, success);
        success
    }

    fn compact(&mut self) {
        let result = self.store.compact(&self.model.acked().snapshot());
        let success = result.is_ok();
        self.note("compact", result);
        self.model.compacted(success);
    }

    fn sweep(&mut self) {
        let keep: Vec<Place> =
            self.model.acked().downloads().iter().map(|download| download.place()).collect();
        self.disk.put("notes.txt", b"not ours");
        let success = self.store.sweep(&keep).is_ok();
        let (paths, kept) = (self.disk.paths(), |generation: u64| {
            generation as u32 == self.salt
                || keep.iter().any(|place| place.generation.0 == generation)
        });
        assert!(paths.iter().any(|path| path == "notes.txt"), "somebody else's file is gone");
        for path in paths {
            if let Some(generation) = generation_of(&path)
                && success
            {
                assert!(kept(generation), "{path} was left");
            }
        }
    }

    /// What is stored and sound reads as it should, in a living process too.
    fn look(&mut self, input: &mut Unstructured<'_>, slot: usize) -> Result<()> {
        let pick: u8 = input.arbitrary()?;
        let Some(open) = &self.slots[slot] else {
            return Ok(());
        };
        let generation = open.place.generation;
        let extents = extents_of(self.model.acked(), generation);
        let Some(extent) = extents.get(usize::from(pick) % extents.len().max(1)) else {
            return Ok(());
        };
        let sound = self.model.must_verify(generation, *extent, self.takes_back);
        let must = self.honest && sound && !self.has_faults();
        self.verify(&open.file, generation, *extent, must);
        Ok(())
    }

    /// Compares stored bytes with an extent. Whether they are what it says.
    fn verify(&self, file: &CacheFile, generation: Generation, extent: Extent, must: bool) -> bool {
        let range = extent.range();
        let digest = file.digest(range);
        let good = digest.as_ref().is_ok_and(|digest| *digest == extent.digest);
        assert!(good || !must, "{generation:?} {range}: {digest:?} is not {:x}", extent.digest);
        let mut bytes = vec![0; range.len() as usize];
        if good && let Ok(count) = file.read_at(range.start, &mut bytes) {
            let truth = self.model.bytes(generation, range);
            assert!(count == bytes.len() && bytes == truth, "{generation:?} {range} is wrong");
        }
        good
    }

    /// The process ends, and the next one opens the cache.
    fn reopen(&mut self, end: End) {
        // Without power, the process can't be killed and go on.
        let end = if self.disk.is_off() { End::Cut } else { end };
        self.slots = Default::default();
        let disk = match end {
            End::Killed => self.disk.kill(),
            End::Cut => self.disk.crash(&mut self.rng),
        };
        let entropy = self.rng.u64(..);
        self.note(end, (self.honest, self.takes_back));
        let opened = CacheStore::open(Arc::new(disk.clone()), entropy);
        let (store, restored) = opened.unwrap_or_else(|error| {
            panic!("a cache that was {end:?} can't be opened: {error}");
        });
        assert_ne!(restored.salt, self.salt);
        (self.disk, self.store, self.salt) = (disk, store, restored.salt);
        self.faults = Faults::default();
        self.check_found(&restored.catalog, end);
        (self.honest, self.takes_back) = (true, false);
    }

    /// Checks what the next process finds, and takes it over.
    fn check_found(&mut self, found: &Catalog, end: End) {
        if self.honest {
            match end {
                End::Killed if self.takes_back => {}
                End::Killed => self.model.check_killed(found),
                End::Cut => self.model.check_cut(found),
            }
        }
        let cut = end == End::Cut;
        let mut verified = Vec::new();
        for download in found.downloads().iter() {
            self.model.check_truth(download);
            let place = download.place();
            let file = self.store.file(place);
            let stored: ByteRanges = download.extents().map(|extent| extent.range()).collect();
            file.restore(stored.iter());
            let mut good = ByteRanges::new();
            for extent in download.extents() {
                let synced = cut || self.takes_back;
                let must = self.honest && self.model.must_verify(place.generation, extent, synced);
                if self.verify(&file, place.generation, extent, must) {
                    good.insert(extent.range());
                }
            }
            verified.push((place, file, good));
        }
        match self.honest {
            true => self.model.adopt(found, cut),
            false => self.model.forget_all(found, cut),
        }
        for (place, file, good) in verified {
            self.model.verified(place.generation, &good, cut);
            let slot = (0..SLOTS).find(|slot| key(*slot) == place.key.asset);
            let slot = slot.expect("only these are written");
            self.slots[slot] = Some(Slot { place, file, at: 0, pending: Vec::new() });
        }
    }

    fn has_faults(&self) -> bool {
        self.disk.is_off() || self.faults.read > 0
    }

    fn set_faults(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let (kind, chance): (u8, u8) = input.arbitrary()?;
        let chance = u32::from(chance);
        let dirty = match kind >> 4 {
            0..2 => Dirty::Lost,
            2..4 => Dirty::Zeroed,
            _ => Dirty::Remembered,
        };
        let none = Faults { dirty, ..Faults::default() };
        self.faults = match kind % 8 {
            0 => Faults { quota: Some(self.disk.used() + u64::from(chance) * 512), ..none },
            1 => Faults { read_only: chance > 128, ..none },
            2 => Faults { write: chance, ..none },
            3 => Faults { short_write: chance, ..none },
            4 => Faults { sync: chance, ..none },
            5 => Faults { names: chance, ..none },
            6 => Faults { read: chance, ..none },
            _ => none,
        };
        self.note("faults", self.faults.clone());
        self.takes_back |= dirty != Dirty::Remembered;
        self.disk.set_faults(self.faults.clone());
        Ok(())
    }

    fn fail_soon(&mut self, n: u64, failure: Failure) {
        self.note(failure, n);
        self.disk.fail_at(n, failure);
    }

    /// Somebody, or the disk itself, does what can't be known.
    fn meddle(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let kind: u8 = input.arbitrary()?;
        self.note("meddle", kind);
        self.honest = false;
        match kind % 8 {
            0..3 => {
                self.disk.damage(&mut self.rng);
            }
            3 => self.disk.lose_unsynced(&mut self.rng),
            4 => self.disk.fail_at(u64::from(kind >> 6), Failure::Lie),
            5 => {
                let paths = self.disk.paths();
                if let Some(path) = paths.get(self.rng.usize(0..paths.len().max(1))) {
                    self.disk.delete(path);
                }
            }
            6 => self.disk.delete(&key(usize::from(kind >> 3) % SLOTS).to_string()),
            _ if kind > 240 => self.disk.delete_root(),
            _ => {
                let damage = |rng: &mut Rng| self.disk.damage_file("_index/journal.bin", rng);
                (0..=kind >> 5).for_each(|_| damage(&mut self.rng));
            }
        }
        Ok(())
    }
}

/// The key of a resource.
fn key(slot: usize) -> Key {
    Key([slot as u8 + 1; 20])
}

fn extents_of(catalog: &Catalog, generation: Generation) -> Vec<Extent> {
    catalog
        .downloads()
        .generation(generation)
        .map(|download| download.extents().collect())
        .unwrap_or_default()
}

/// The generation that a data file's name shows.
fn generation_of(path: &str) -> Option<u64> {
    let (_, rest) = path.rsplit_once('-')?;
    let (generation, _) = rest.split_once('.')?;
    u64::from_str_radix(generation, 16).ok()
}
