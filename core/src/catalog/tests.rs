//! The rules of the tables, one by one.

use super::*;
use crate::ByteRange;

const FIRST: Generation = Generation(1 << 32);
const SECOND: Generation = Generation(2 << 32);
const BLOCK: u64 = Extent::BLOCK_BYTES;

fn key(byte: u8) -> Key {
    Key([byte; 20])
}

fn file(byte: u8) -> ResourceKey {
    ResourceKey::file(key(byte))
}

fn open(key: ResourceKey, generation: Generation) -> Record {
    let facts = StoredFacts { etag: Some("\"e\"".into()), ..StoredFacts::default() };
    let place = Place { key, generation, file_bits: 24 };
    Record::Open { place, label: "https://a.example/x".into(), facts }
}

fn total(generation: Generation, total: u64) -> Record {
    Record::Facts { generation, facts: StoredFacts { total: Some(total), ..Default::default() } }
}

/// Extents of these starts and lengths; the digest is the number of the start.
fn extents(generation: Generation, runs: &[(u64, u32)]) -> Record {
    let extent = |(start, len): &(u64, u32)| Extent { start: *start, digest: *start, len: *len };
    Record::Extents { generation, extents: runs.iter().map(extent).collect() }
}

fn retract(generation: Generation, start: u64, end: u64) -> Record {
    Record::Retract { generation, range: ByteRange { start, end } }
}

fn replay(records: &[Record]) -> Catalog {
    let mut catalog = Catalog::new();
    for record in records {
        catalog.apply(record);
    }
    catalog
}

/// The runs of the resource of `file(1)`.
fn runs(catalog: &Catalog) -> Vec<(u64, u32)> {
    let download = catalog.downloads().get(&file(1)).expect("it was opened");
    download.extents().map(|extent| (extent.start, extent.len)).collect()
}

fn final_len(catalog: &Catalog) -> Option<u64> {
    catalog.downloads().get(&file(1)).expect("it was opened").final_len()
}

#[test]
fn the_higher_generation_takes_the_place_of_the_lower() {
    let written = |generation| extents(generation, &[(0, 100)]);
    let older = [open(file(1), FIRST), written(FIRST)];
    let mut catalog = replay(&older);
    catalog.apply(&open(file(1), SECOND));
    assert_eq!(runs(&catalog), [], "bytes of another generation are not of this one");
    assert!(catalog.downloads().generation(FIRST).is_none());
    catalog.apply(&written(FIRST));
    catalog.apply(&open(file(1), FIRST));
    assert_eq!((runs(&catalog), catalog.downloads().bytes()), (vec![], 0));
    catalog.apply(&written(SECOND));
    catalog.apply(&open(file(1), SECOND));
    assert_eq!(runs(&catalog), [(0, 100)], "a generation begins once");
    catalog.apply(&open(file(2), SECOND));
    assert_eq!(catalog.downloads().len(), 1, "a generation is of one resource");
}

#[test]
fn no_number_is_given_twice_whoever_had_it() {
    let mut catalog = replay(&[extents(Generation(7 << 32 | 3), &[(0, 1)])]);
    assert!(catalog.downloads().is_empty());
    assert_eq!(catalog.next_generation(9), Generation(8 << 32 | 9));
    catalog.apply(&Record::Remove { generation: Generation(9 << 32) });
    let again = replay(&catalog.snapshot());
    assert_eq!(again.next_generation(0), Generation(10 << 32), "nor after a compaction");
}

#[test]
fn extents_count_if_they_lie_in_one_block_and_the_newest_wins() {
    let mut catalog = replay(&[open(file(1), FIRST)]);
    let crossing = (BLOCK - 1, 2);
    catalog.apply(&extents(FIRST, &[crossing, (5, 0), (u64::MAX - 1, 2), (0, u32::MAX)]));
    assert_eq!(runs(&catalog), [], "what no session writes is not believed");
    catalog.apply(&extents(FIRST, &[(0, 100), (200, 100)]));
    catalog.apply(&extents(FIRST, &[(0, 150)]));
    assert_eq!(runs(&catalog), [(0, 150), (200, 100)]);
    catalog.apply(&extents(FIRST, &[(149, 52)]));
    assert_eq!(runs(&catalog), [(149, 52)]);
    let download = catalog.downloads().get(&file(1)).unwrap();
    assert_eq!(download.extent_at(148), None);
    assert_eq!(download.extent_at(200).map(|extent| extent.start), Some(149));
    assert_eq!((download.extent_at(201), download.extent_at(u64::MAX)), (None, None));
    assert_eq!((download.bytes(), catalog.downloads().bytes_of(key(1))), (52, 52));
}

#[test]
fn a_lost_byte_is_the_end_of_complete() {
    let whole = [open(file(1), FIRST), extents(FIRST, &[(0, 100), (100, 100)])];
    let committed = |more: &Record| {
        let mut catalog = replay(&whole);
        catalog.apply(&Record::Commit { generation: FIRST, final_len: 200 });
        assert_eq!(catalog.downloads().get(&file(1)).unwrap().facts().total, Some(200));
        catalog.apply(more);
        catalog
    };
    let lost = committed(&retract(FIRST, 199, 200));
    assert_eq!((final_len(&lost), runs(&lost)), (None, vec![(0, 100)]));
    let nothing = committed(&retract(FIRST, 7, 7));
    assert_eq!((final_len(&nothing), runs(&nothing).len()), (Some(200), 2));
    assert_eq!(final_len(&committed(&retract(FIRST, 9, 2))), Some(200), "no range at all");
    assert_eq!(
        final_len(&committed(&extents(FIRST, &[(50, 10)]))),
        None,
        "two fell to a small one"
    );
    assert_eq!(
        final_len(&committed(&extents(FIRST, &[(0, 100)]))),
        Some(200),
        "the same bytes anew"
    );
    let joined = committed(&extents(FIRST, &[(50, 10), (0, 200)]));
    assert_eq!(final_len(&joined), Some(200), "what counts is what is there after the record");
    assert_eq!(final_len(&committed(&total(FIRST, 200))), Some(200));
    assert_eq!(final_len(&committed(&total(FIRST, 201))), None, "another length");
}

#[test]
fn what_is_known_is_what_was_said_last() {
    let mut catalog = replay(&[open(file(1), FIRST)]);
    let facts = |catalog: &Catalog| catalog.downloads().get(&file(1)).unwrap().facts();
    assert_eq!(facts(&catalog).etag.as_deref(), Some("\"e\""));
    let all = StoredFacts {
        total: Some(9),
        content_type: Some("audio/flac".into()),
        unverified: true,
        etag: None,
        last_modified: Some("then".into()),
        date: Some("now".into()),
        etags_per_node: true,
    };
    catalog.apply(&Record::Facts { generation: FIRST, facts: all.clone() });
    assert_eq!(facts(&catalog), all);
    assert_eq!(catalog.downloads().get(&file(1)).unwrap().label(), "https://a.example/x");
}

#[test]
fn with_its_last_resource_an_asset_leaves_the_order_and_stays_pinned() {
    let segment = |name| ResourceKey { asset: key(1), name: key(name) };
    let mut catalog = replay(&[
        open(segment(1), FIRST),
        open(segment(2), SECOND),
        Record::Pin { asset: key(1), pinned: true },
        Record::Use { asset: key(1), at: 4 },
        Record::Use { asset: key(5), at: 9 },
    ]);
    assert_eq!(catalog.downloads().of_asset(key(1)).count(), 2);
    assert_eq!(catalog.lru().next(), 5, "a use of nothing is no use");
    catalog.apply(&Record::Remove { generation: FIRST });
    assert_eq!(catalog.lru().used(key(1)), Some(4));
    catalog.apply(&Record::Remove { generation: SECOND });
    assert_eq!(catalog.lru().oldest_first().count(), 0);
    assert!(catalog.pins().contains(key(1)));
    catalog.apply(&Record::Pin { asset: key(1), pinned: false });
    assert_eq!(catalog.pins().iter().count(), 0);
}

#[test]
fn a_replaced_generation_leaves_the_order_as_it_is() {
    let uses = Record::Use { asset: key(1), at: 4 };
    let catalog = replay(&[open(file(1), FIRST), uses, open(file(1), SECOND)]);
    assert_eq!(catalog.lru().used(key(1)), Some(4));
}

#[test]
fn a_snapshot_gives_the_same_tables_in_records_that_fit() {
    let many: Vec<(u64, u32)> = (0..1_300).map(|at| (at * BLOCK, 1_000)).collect();
    let catalog = replay(&[
        open(file(2), SECOND),
        open(file(1), FIRST),
        extents(FIRST, &many),
        total(FIRST, 5),
        Record::Commit { generation: SECOND, final_len: 0 },
        Record::Pin { asset: key(9), pinned: true },
        Record::Use { asset: key(2), at: 3 },
        Record::Remove { generation: Generation(5 << 32) },
    ]);
    let records = catalog.snapshot();
    assert_eq!(replay(&records), catalog);
    let most = |record: &Record| match record {
        Record::Extents { extents, .. } => extents.len(),
        _ => 0,
    };
    assert_eq!(records.iter().map(most).collect::<Vec<_>>(), [0, 512, 512, 276, 0, 0, 0, 0, 0]);
}

#[test]
fn a_listing_sums_an_asset_up() {
    let segment = |name| ResourceKey { asset: key(1), name: key(name) };
    let mut catalog = replay(&[
        open(segment(2), SECOND),
        extents(SECOND, &[(0, 10)]),
        open(segment(3), Generation(3 << 32)),
        Record::Commit { generation: Generation(3 << 32), final_len: 0 },
        open(file(7), Generation(4 << 32)),
        Record::Pin { asset: key(1), pinned: true },
        Record::Use { asset: key(1), at: 2 },
    ]);
    let place = Place { key: segment(9), generation: FIRST, file_bits: 24 };
    let (label, facts) = ("the playlist".into(), StoredFacts::default());
    catalog.apply(&Record::Open { place, label, facts });
    let list = catalog.listing();
    assert_eq!(list.len(), 2);
    assert_eq!((list[0].asset, list[0].label.as_str()), (key(1), "the playlist"));
    assert_eq!((list[0].total, list[0].stored, list[0].complete), (None, 10, false));
    assert_eq!((list[0].pinned, list[0].open, list[0].used), (true, false, 2));
    assert_eq!((list[1].asset, list[1].pinned, list[1].used), (key(7), false, 0));
    catalog.apply(&Record::Commit { generation: SECOND, final_len: 10 });
    catalog.apply(&Record::Commit { generation: FIRST, final_len: 1 });
    let listing = |catalog: &Catalog| catalog.listing().swap_remove(0);
    assert_eq!((listing(&catalog).total, listing(&catalog).complete), (Some(11), false));
    catalog.apply(&extents(FIRST, &[(0, 1)]));
    assert!(listing(&catalog).complete);
}
