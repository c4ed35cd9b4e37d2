//! The tables against a naive model, and what holds of them whichever records a damaged disk lost.

mod records;

use std::collections::{BTreeMap, BTreeSet};

use infill_core::catalog::{Catalog, Extent, Generation, Key, Place, Record, Replay};
use proptest::collection::vec;
use proptest::prelude::*;

/// One generation, byte by byte.
#[derive(Clone, Debug)]
struct Stay {
    place: Place,
    owners: BTreeMap<u64, Extent>,
    total: Option<u64>,
    committed: bool,
}

impl Stay {
    fn drop_of(&mut self, start: u64, end: u64) -> bool {
        let hit: Vec<u64> = self.owners.range(start..end).map(|(_, extent)| extent.start).collect();
        self.owners.retain(|_, extent| !hit.contains(&extent.start));
        !hit.is_empty()
    }

    fn is_whole(&self) -> bool {
        self.total.is_some_and(|total| self.owners.range(..total).count() as u64 == total)
    }

    fn extents(&self) -> Vec<Extent> {
        let first = |(at, extent): (&u64, &Extent)| (*at == extent.start).then_some(*extent);
        self.owners.iter().filter_map(first).collect()
    }
}

#[derive(Clone, Debug, Default)]
struct Model {
    stays: Vec<Stay>,
    used: BTreeMap<Key, u64>,
    pinned: BTreeSet<Key>,
    highest: u64,
}

impl Model {
    fn apply(&mut self, record: &Record) {
        self.highest = self.highest.max(record.generation().map_or(0, |generation| generation.0));
        match record {
            Record::Open { place, facts, .. } => {
                let newer = |stay: &Stay| {
                    stay.place.generation == place.generation
                        || stay.place.key == place.key && stay.place.generation > place.generation
                };
                if !self.stays.iter().any(newer) {
                    self.stays.retain(|stay| stay.place.key != place.key);
                    let (owners, total, committed) = (BTreeMap::new(), facts.total, false);
                    self.stays.push(Stay { place: *place, owners, total, committed });
                    self.used.entry(place.key.asset).or_default();
                }
            }
            Record::Pin { asset, pinned: true } => _ = self.pinned.insert(*asset),
            Record::Pin { asset, pinned: false } => _ = self.pinned.remove(asset),
            Record::Use { asset, at } => {
                if let Some(used) = self.used.get_mut(asset) {
                    *used = *at;
                }
            }
            Record::Remove { generation } => {
                self.stays.retain(|stay| stay.place.generation != *generation);
                let stays = &self.stays;
                self.used
                    .retain(|asset, _| stays.iter().any(|stay| stay.place.key.asset == *asset));
            }
            _ => self.change(record),
        }
    }

    fn change(&mut self, record: &Record) {
        let current = |stay: &&mut Stay| Some(stay.place.generation) == record.generation();
        let Some(stay) = self.stays.iter_mut().find(current) else { return };
        match record {
            Record::Facts { facts, .. } => {
                stay.committed &= stay.total == facts.total;
                stay.total = facts.total;
            }
            Record::Extents { extents, .. } => {
                let mut lost = false;
                for extent in extents.iter().filter(|extent| extent.is_valid()) {
                    let end = extent.start + u64::from(extent.len);
                    lost |= stay.drop_of(extent.start, end);
                    stay.owners.extend((extent.start..end).map(|at| (at, *extent)));
                }
                stay.committed &= !lost || stay.is_whole();
            }
            Record::Retract { range, .. } if range.start < range.end => {
                stay.drop_of(range.start, range.end);
                stay.committed = false;
            }
            Record::Commit { final_len, .. } => {
                (stay.total, stay.committed) = (Some(*final_len), true);
            }
            _ => {}
        }
    }

    fn assert_same(&self, catalog: &Catalog) {
        let downloads = catalog.downloads();
        assert_eq!(downloads.len(), self.stays.len());
        for stay in &self.stays {
            let download = downloads.get(&stay.place.key).expect("it is the current one");
            assert_eq!(download.place(), stay.place);
            assert_eq!(download.extents().collect::<Vec<_>>(), stay.extents());
            assert_eq!(download.facts().total, stay.total);
            assert_eq!(download.final_len(), stay.total.filter(|_| stay.committed));
            assert_eq!(download.is_whole(), stay.is_whole());
            assert_eq!(download.bytes(), stay.owners.len() as u64);
        }
        let bytes: usize = self.stays.iter().map(|stay| stay.owners.len()).sum();
        assert_eq!(downloads.bytes(), bytes as u64);
        let of_assets = |asset: &Key| downloads.bytes_of(*asset);
        assert_eq!(self.used.keys().map(of_assets).sum::<u64>(), bytes as u64);
        let mut order: Vec<(u64, Key)> = self.used.iter().map(|(key, at)| (*at, *key)).collect();
        order.sort_unstable();
        assert!(order.iter().map(|(_, key)| *key).eq(catalog.lru().oldest_first()));
        let last = order.last().map_or(0, |(at, _)| *at);
        assert_eq!(catalog.lru().next(), last + 1);
        assert!(self.pinned.iter().copied().eq(catalog.pins().iter()));
        assert_eq!(catalog.next_generation(0), Generation(self.highest).next(0));
        let complete = |listing: &infill_core::catalog::Listing| {
            let mut stays = self.stays.iter().filter(|stay| stay.place.key.asset == listing.asset);
            assert_eq!(listing.complete, stays.all(|stay| stay.committed && stay.is_whole()));
            listing.stored
        };
        assert_eq!(catalog.listing().iter().map(complete).sum::<u64>(), bytes as u64);
    }
}

/// What is claimed of a generation was recorded of it, behind its beginning, and no record that is left says otherwise.
fn assert_safe(records: &[&Record], catalog: &Catalog) {
    for download in catalog.downloads().iter() {
        let place = download.place();
        let of_it = |record: &&Record| record.generation() == Some(place.generation);
        let opened =
            |record: &&Record| matches!(record, Record::Open { place: at, .. } if *at == place);
        let begun =
            records.iter().position(opened).expect("nothing is there that no record opened");
        let later: Vec<&Record> =
            records[begun..].iter().copied().filter(|record| of_it(record)).collect();
        for extent in download.extents() {
            // The last word about its first byte.
            let word = later.iter().rev().find_map(|record| match record {
                Record::Extents { extents, .. } => extents
                    .iter()
                    .rfind(|other| {
                        other.is_valid() && overlaps(extent, other.start, other.range().end)
                    })
                    .map(|other| *other == extent),
                Record::Retract { range, .. } if overlaps(extent, range.start, range.end) => {
                    Some(false)
                }
                Record::Remove { .. } => Some(false),
                _ => None,
            });
            assert_eq!(word, Some(true), "{extent:?} of {place:?}");
        }
        if let Some(final_len) = download.final_len() {
            let said = |record: &&Record| matches!(record, Record::Commit { final_len: said, .. } if *said == final_len);
            assert!(later.iter().any(said), "nobody said that {place:?} is complete");
        }
    }
}

/// Whether they share a byte.
fn overlaps(extent: Extent, start: u64, end: u64) -> bool {
    extent.start.max(start) < extent.range().end.min(end)
}

fn replay<'a>(records: impl IntoIterator<Item = &'a Record>) -> Catalog {
    let mut catalog = Catalog::new();
    records.into_iter().for_each(|record| catalog.apply(record));
    catalog
}

/// Those that are marked begin a new generation, or are of one of the last, as in a journal that nothing happened to.
fn as_written(records: Vec<(Record, bool, u64)>) -> Vec<Record> {
    let mut last = Generation(0);
    let written = records.into_iter().map(|(mut record, marked, back)| {
        match &mut record {
            Record::Open { place, .. } if marked => {
                last = last.next(0);
                place.generation = last;
            }
            Record::Facts { generation, .. }
            | Record::Extents { generation, .. }
            | Record::Retract { generation, .. }
            | Record::Commit { generation, .. }
            | Record::Remove { generation }
                if marked =>
            {
                *generation = Generation(last.0.saturating_sub(back << 32));
            }
            _ => {}
        }
        last = last.max(record.generation().unwrap_or(last));
        record
    });
    written.collect()
}

#[cfg(feature = "cache")]
fn journal_bytes(records: &[Record]) -> u64 {
    use infill_core::journal::{Encoder, HEADER_BYTES, Header};
    let mut bytes = 0;
    for record in records {
        let mut encoder = Encoder::new(Header { epoch: 0 });
        encoder.append(record, &mut Vec::new()).expect("what a snapshot holds fits");
        bytes += encoder.offset() - HEADER_BYTES as u64;
    }
    bytes
}

proptest! {
    #[test]
    fn the_tables_are_what_a_naive_model_says(records in vec(records::record(), 0..60)) {
        let (mut catalog, mut model) = (Catalog::new(), Model::default());
        for record in &records {
            catalog.apply(record);
            model.apply(record);
            model.assert_same(&catalog);
        }
    }

    #[test]
    fn a_snapshot_gives_the_tables_again(records in vec(records::record(), 0..60)) {
        let catalog = replay(&records);
        let snapshot = catalog.snapshot();
        prop_assert_eq!(&replay(&snapshot), &catalog);
        #[cfg(feature = "cache")]
        prop_assert_eq!(journal_bytes(&snapshot), catalog.live_bytes());
    }

    #[test]
    fn a_replay_gives_what_one_record_after_the_other_gives(
        records in vec((records::record(), prop::bool::weighted(0.9), 0_u64..3), 0..120),
    ) {
        let records = as_written(records);
        let mut replayed = Replay::new();
        records.iter().for_each(|record| replayed.apply(record));
        let (replayed, catalog) = (replayed.finish(), replay(&records));
        prop_assert_eq!(replayed.live_bytes(), catalog.live_bytes());
        prop_assert_eq!(replayed.downloads().bytes(), catalog.downloads().bytes());
        prop_assert_eq!(replayed, catalog);
    }

    #[test]
    fn any_records_may_be_lost(records in vec((records::record(), any::<bool>()), 0..60)) {
        let kept = records.iter().filter(|(_, lost)| !lost);
        let kept: Vec<&Record> = kept.map(|(record, _)| record).collect();
        assert_safe(&kept, &replay(kept.iter().copied()));
    }
}
