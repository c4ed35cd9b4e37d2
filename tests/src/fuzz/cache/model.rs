//! What a cache owes: the records that it acknowledged, and the bytes that they name.
//!
//! A generation's byte at a position is always the same, as the machine makes it; so it is known what any extent must
//! hold, whoever wrote it and whenever.

use std::collections::BTreeMap;

use bytes::Bytes;
use fastrand::Rng;
use infill_core::catalog::{Catalog, Download, Extent, Generation, Place, Record};
use infill_core::{ByteRange, ByteRanges};
use xxhash_rust::xxh3::xxh3_64;

use crate::sim::Content;

/// How long every resource is.
pub(super) const TOTAL: u64 = 1 << 20;

/// The bytes of one generation, as the disk was given them.
#[derive(Debug)]
struct Data {
    place: Place,
    content: Content,
    /// Written, and nothing is known to have gone wrong with it.
    sound: ByteRanges,
    /// Written since the last sync.
    dirty: ByteRanges,
    /// On the disk.
    synced: ByteRanges,
}

/// What is owed.
#[derive(Debug, Default)]
pub(super) struct Model {
    /// What every acknowledged record says.
    acked: Catalog,
    /// The same, as of the last one that was to be on the disk.
    floor: Catalog,
    /// What was asked to be appended since then, whatever came of it.
    since: Vec<Record>,
    /// What was refused, and may be there all the same: of each, the first few.
    doubtful: Vec<Vec<Record>>,
    /// A sync of the journal has failed: what it was for is not on the disk, whatever a later one says.
    unsynced: bool,
    /// And the process that knew is gone. Only a new journal helps.
    forgotten: bool,
    data: BTreeMap<Generation, Data>,
}

impl Model {
    /// A generation begins.
    pub(super) fn begin(&mut self, place: Place) {
        let generation = place.generation;
        let content = Content::new(TOTAL, &mut Rng::with_seed(generation.0));
        let (sound, dirty, synced) = Default::default();
        let data = Data { place, content, sound, dirty, synced };
        assert!(self.data.insert(generation, data).is_none(), "{generation:?} is used again");
    }

    /// Whether this generation was never begun.
    pub(super) fn is_new(&self, generation: Generation) -> bool {
        !self.data.contains_key(&generation)
    }

    /// What the resource has at these positions.
    pub(super) fn bytes(&self, generation: Generation, range: ByteRange) -> Bytes {
        self.data[&generation].content.slice(range.start, range.end)
    }

    /// What an extent of these positions must say.
    pub(super) fn digest(&self, generation: Generation, range: ByteRange) -> u64 {
        xxh3_64(&self.bytes(generation, range))
    }

    /// What every acknowledged record says.
    pub(super) fn acked(&self) -> &Catalog {
        &self.acked
    }

    pub(super) fn wrote(&mut self, generation: Generation, range: ByteRange) {
        let data = self.of(generation);
        data.sound.insert(range);
        data.dirty.insert(range);
    }

    /// A sync is done; whether a failed one leaves the bytes readable.
    pub(super) fn synced(&mut self, generation: Generation, success: bool, readable: bool) {
        let data = self.of(generation);
        for range in std::mem::take(&mut data.dirty).iter() {
            if success {
                data.synced.insert(range);
            } else if !readable {
                // Zeros may be in their place, also where bytes were on the disk and were written again.
                data.sound.remove(range);
                data.synced.remove(range);
            }
        }
    }

    /// These bytes may be gone.
    pub(super) fn gave_up(&mut self, generation: Generation, range: ByteRange) {
        let data = self.of(generation);
        for ranges in [&mut data.sound, &mut data.dirty, &mut data.synced] {
            ranges.remove(range);
        }
    }

    /// An append was asked for.
    pub(super) fn appended(&mut self, records: &[Record], durable: bool, success: bool) {
        self.since.extend_from_slice(records);
        if !success {
            self.doubtful.push(records.to_vec());
            self.unsynced |= durable;
            return;
        }
        self.doubtful.clear();
        records.iter().for_each(|record| self.acked.apply(record));
        if durable && !self.forgotten {
            self.is_durable();
        }
    }

    /// A new journal was asked for.
    pub(super) fn compacted(&mut self, success: bool) {
        // One that failed may be in place all the same, or not: it says what the old one says.
        if success {
            self.is_durable();
            self.doubtful.clear();
        }
    }

    fn is_durable(&mut self) {
        (self.unsynced, self.forgotten) = (false, false);
        self.floor = self.acked.clone();
        self.since.clear();
    }

    /// After the process was killed, every acknowledged record is there, and nothing that was never asked for.
    pub(super) fn check_killed(&self, found: &Catalog) {
        let with = |records: &[Record]| {
            let mut catalog = self.acked.clone();
            records.iter().for_each(|record| catalog.apply(record));
            catalog == *found
        };
        let explained = with(&[])
            || self
                .doubtful
                .iter()
                .any(|records| (1..=records.len()).any(|count| with(&records[..count])));
        assert!(explained, "acknowledged: {:#?}\nfound: {found:#?}", self.acked);
    }

    /// After a power cut, everything is there that was acknowledged as durable and not touched since.
    pub(super) fn check_cut(&self, found: &Catalog) {
        for download in self.floor.downloads().iter() {
            let Place { key, generation, .. } = download.place();
            let touched = |record: &Record| match record {
                Record::Open { place, .. } => place.key == key,
                other => other.generation() == Some(generation),
            };
            if !self.since.iter().any(touched) {
                let now = found.downloads().generation(generation);
                assert_eq!(now, Some(download), "it was on the disk");
            }
        }
        let assets = self.floor.downloads().iter().map(|download| download.place().key.asset);
        for asset in assets.chain(self.floor.pins().iter()) {
            let about =
                |record: &Record| matches!(record, Record::Pin { asset: of, .. } if *of == asset);
            if !self.since.iter().any(about) {
                let (then, now) = (self.floor.pins(), found.pins());
                assert_eq!(then.contains(asset), now.contains(asset), "the pin was on the disk");
            }
        }
    }

    /// Whatever happened: what is found is of a place that was, and says of its bytes what is true.
    pub(super) fn check_truth(&self, download: &Download) {
        let place = download.place();
        let data = self.data.get(&place.generation).expect("nobody else makes generations");
        assert_eq!(data.place, place);
        for extent in download.extents() {
            assert!(extent.is_valid() && extent.range().end <= TOTAL, "{extent:?}");
            let true_digest = self.digest(place.generation, extent.range());
            assert_eq!(extent.digest, true_digest, "{extent:?} of {place:?} was never recorded");
        }
    }

    /// Whether this extent must verify now; only synced bytes count where others may be lost.
    pub(super) fn must_verify(&self, generation: Generation, extent: Extent, synced: bool) -> bool {
        let data = &self.data[&generation];
        let kept = if synced { &data.synced } else { &data.sound };
        kept.contains_range(extent.range())
    }

    /// What was found is what is owed from now on; after a cut all of it is on the disk.
    pub(super) fn adopt(&mut self, found: &Catalog, cut: bool) {
        self.acked = found.clone();
        self.doubtful.clear();
        self.forgotten |= self.unsynced;
        if cut {
            self.is_durable();
        }
    }

    /// What is known of the bytes of a generation, from now on: these were verified, and no others are there.
    pub(super) fn verified(&mut self, generation: Generation, ranges: &ByteRanges, cut: bool) {
        let data = self.of(generation);
        data.sound = ranges.clone();
        // What the last process wrote is not the next one's to sync.
        data.dirty = ByteRanges::new();
        if cut {
            data.synced = ranges.clone();
        }
    }

    /// Nothing is owed any more: somebody meddled with the disk.
    pub(super) fn forget_all(&mut self, found: &Catalog, cut: bool) {
        self.floor = Catalog::new();
        self.since.clear();
        self.adopt(found, cut);
        for data in self.data.values_mut() {
            data.sound = ByteRanges::new();
            data.synced = ByteRanges::new();
        }
    }

    fn of(&mut self, generation: Generation) -> &mut Data {
        self.data.get_mut(&generation).expect("it was begun")
    }
}
