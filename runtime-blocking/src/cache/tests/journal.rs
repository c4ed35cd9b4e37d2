//! The journal: what survives, what is set aside, what is refused.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::sync::Arc;

use infill_core::journal::{BLOCK_BYTES, HEADER_BYTES};
use xxhash_rust::xxh3::xxh3_64;

use super::*;

const BIN: &str = "journal.bin";

fn journal(dir: &TempDir) -> PathBuf {
    dir.path().join("cache/_index").join(BIN)
}

/// A journal of these records, closed.
fn written(records: &[Record]) -> (TempDir, Arc<Faulty>) {
    let (dir, disk) = scene();
    let (store, restored) = open(&disk, 1);
    assert!(restored.catalog.snapshot().is_empty() && restored.damage.is_none());
    for chunk in records.chunks(7) {
        let len = store.append(chunk, false).unwrap();
        assert_eq!(len, fs::metadata(journal(&dir)).unwrap().len());
    }
    (dir, disk)
}

#[test]
fn what_was_appended_is_there_again() {
    let all = records(100);
    let (dir, disk) = written(&all);
    let (store, restored) = open(&disk, 2);
    assert_eq!(restored.catalog.snapshot(), catalog(&all));
    assert_eq!(restored.journal_bytes, fs::metadata(journal(&dir)).unwrap().len());
    assert_eq!(restored.damage, None);
    // And again, with more.
    let more = records(120);
    store.append(&more[300..], true).unwrap();
    drop(store);
    assert_eq!(open(&disk, 3).1.catalog.snapshot(), catalog(&more));
}

#[test]
fn each_session_has_another_salt_and_the_same_entropy_gives_the_same() {
    let (_dir, disk) = scene();
    let salt = |entropy| open(&disk, entropy).1.salt;
    assert_eq!(salt(1), salt(1));
    assert_ne!(salt(1), salt(2));
    assert_ne!(crate::cache::entropy(), crate::cache::entropy());
}

#[test]
fn d12_a_torn_end_is_cut_off_and_what_follows_is_read_again() {
    let all = records(40);
    let (dir, disk) = written(&all);
    let whole = fs::read(journal(&dir)).unwrap();
    for cut in [whole.len() - 1, whole.len() - 40, whole.len() - 200, HEADER_BYTES] {
        fs::write(journal(&dir), &whole[..cut]).unwrap();
        let (store, restored) = open(&disk, 2);
        assert_eq!(restored.damage, None, "{cut}");
        assert!(restored.journal_bytes <= cut as u64);
        assert_eq!(fs::metadata(journal(&dir)).unwrap().len(), restored.journal_bytes);
        let mut expected = restored.catalog.clone();
        let more = records(50).split_off(120);
        more.iter().for_each(|record| expected.apply(record));
        store.append(&more, false).unwrap();
        drop(store);
        assert_eq!(open(&disk, 3).1.catalog.snapshot(), expected.snapshot());
    }
    // Rubbish behind the end is not believed.
    fs::write(journal(&dir), &whole).unwrap();
    let mut file = OpenOptions::new().append(true).open(journal(&dir)).unwrap();
    file.write_all(&bytes(0, 5000)).unwrap();
    let (_, restored) = open(&disk, 2);
    assert_eq!(restored.catalog.snapshot(), catalog(&all));
    assert_eq!(fs::metadata(journal(&dir)).unwrap().len(), whole.len() as u64);
}

#[test]
fn d12_damage_inside_costs_a_block_and_is_told() {
    let all = records(200);
    let (dir, disk) = written(&all);
    let mut file = fs::read(journal(&dir)).unwrap();
    assert!(file.len() > 2 * BLOCK_BYTES, "{}", file.len());
    file[BLOCK_BYTES + 100] ^= 1;
    fs::write(journal(&dir), &file).unwrap();
    let (_, restored) = open(&disk, 2);
    let damage = restored.damage.expect("a block is damaged");
    assert!(damage.contains(BIN), "{damage}");
    let (found, whole) = (restored.catalog.snapshot().len(), catalog(&all).len());
    assert!(found < whole && found > whole / 3, "{found} of {whole}");
}

#[test]
fn d12_a_journal_without_a_header_is_set_aside() {
    for bad in [bytes(3, 5000), vec![0; 4096], vec![1], b"SQLite format 3\0".repeat(9)] {
        let (dir, disk) = written(&records(3));
        fs::write(journal(&dir), &bad).unwrap();
        let (store, restored) = open(&disk, 2);
        let aside = journal(&dir).with_file_name("journal.damaged");
        let damage = restored.damage.expect("it is damaged");
        assert!(damage.contains(&*aside.to_string_lossy()), "{damage}");
        assert!(restored.catalog.snapshot().is_empty());
        assert_eq!(fs::read(aside).unwrap(), bad);
        store.append(&records(2), false).unwrap();
        drop(store);
        let (_, restored) = open(&disk, 3);
        assert_eq!((restored.catalog.snapshot(), restored.damage), (catalog(&records(2)), None));
    }
}

#[test]
fn an_empty_journal_is_a_new_one() {
    let (dir, disk) = written(&records(3));
    fs::write(journal(&dir), b"").unwrap();
    let (_, restored) = open(&disk, 2);
    assert_eq!((restored.catalog.snapshot().len(), restored.damage), (0, None));
}

#[test]
fn d12_a_newer_journal_is_refused_and_left_as_it_is() {
    let (dir, disk) = written(&records(3));
    let mut file = fs::read(journal(&dir)).unwrap();
    file[8] += 1;
    let sealed = HEADER_BYTES - 8;
    let digest = xxh3_64(&file[..sealed]);
    file[sealed..HEADER_BYTES].copy_from_slice(&digest.to_le_bytes());
    fs::write(journal(&dir), &file).unwrap();
    let error = match CacheStore::open(Arc::clone(&disk) as Arc<dyn Disk>, 2) {
        Ok(_) => panic!("it was opened"),
        Err(error) => error.to_string(),
    };
    assert!(error.contains("newer release") && error.contains(BIN), "{error}");
    assert_eq!(fs::read(journal(&dir)).unwrap(), file);
    assert_eq!(tree(&dir.path().join("cache")), ["_index/journal.bin", "lock"]);
}

#[test]
fn a_journal_that_cannot_be_read_is_no_damaged_one() {
    let (dir, disk) = written(&records(3));
    let before = fs::read(journal(&dir)).unwrap();
    disk.fail(Call::Read, BIN, ErrorKind::Other, 1);
    assert!(CacheStore::open(Arc::clone(&disk) as Arc<dyn Disk>, 2).is_err());
    assert_eq!(fs::read(journal(&dir)).unwrap(), before);
    assert_eq!(open(&disk, 2).1.catalog.snapshot(), catalog(&records(3)));
}

#[test]
fn d5_a_failed_append_is_cut_off_and_the_next_one_goes_on() {
    for call in [Call::Write, Call::HalfWrite] {
        let (dir, disk) = written(&[]);
        let (store, _) = open(&disk, 2);
        let all = records(4);
        let len = store.append(&all[..3], false).unwrap();
        disk.fail(call, BIN, ErrorKind::StorageFull, 1);
        let error = store.append(&all[3..6], false).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StorageFull);
        assert!(error.to_string().contains(BIN), "{error}");
        assert_eq!(fs::metadata(journal(&dir)).unwrap().len(), len);
        store.append(&all[6..], false).unwrap();
        drop(store);
        let kept: Vec<Record> = [&all[..3], &all[6..]].concat();
        let (_, restored) = open(&disk, 3);
        assert_eq!((restored.catalog.snapshot(), restored.damage), (catalog(&kept), None));
    }
}

#[test]
fn d5_what_cannot_be_cut_off_ends_appending_until_a_compaction() {
    let (_dir, disk) = written(&[]);
    let (store, _) = open(&disk, 2);
    let all = records(4);
    store.append(&all[..3], false).unwrap();
    disk.fail(Call::HalfWrite, BIN, ErrorKind::StorageFull, 1);
    disk.fail(Call::Truncate, BIN, ErrorKind::Other, 1);
    store.append(&all[3..6], false).unwrap_err();
    store.append(&all[3..6], false).unwrap_err();
    disk.fail(Call::Write, "journal.new", ErrorKind::StorageFull, 1);
    store.compact(&all).unwrap_err();
    store.append(&all[3..6], false).unwrap_err();
    store.compact(&all[..6]).unwrap();
    store.append(&all[6..], false).unwrap();
    drop(store);
    assert_eq!(open(&disk, 3).1.catalog.snapshot(), catalog(&all));
}

#[test]
fn d6_a_journal_that_failed_to_sync_is_written_anew() {
    let (_dir, disk) = written(&[]);
    let (store, _) = open(&disk, 2);
    let all = records(4);
    store.append(&all[..3], false).unwrap();
    disk.fail(Call::Sync, BIN, ErrorKind::Other, 1);
    store.append(&all[3..6], true).unwrap_err();
    // No second sync of the same file: it would only seem to go well.
    store.append(&all[3..6], true).unwrap_err();
    assert_eq!(disk.count(Call::Sync, BIN), 1);
    store.compact(&all[..6]).unwrap();
    store.append(&all[6..], true).unwrap();
    assert_eq!(disk.count(Call::Sync, BIN), 1, "the new one is another file");
    drop(store);
    assert_eq!(open(&disk, 3).1.catalog.snapshot(), catalog(&all));
}

#[test]
fn only_a_durable_append_syncs() {
    let (_dir, disk) = scene();
    let (store, _) = open(&disk, 1);
    store.append(&records(1), false).unwrap();
    assert_eq!(disk.count(Call::Sync, BIN), 0);
    drop(store);
    let (store, _) = open(&disk, 2);
    store.append(&records(2), true).unwrap();
    store.append(&records(3), false).unwrap();
    assert_eq!(disk.count(Call::Sync, BIN), 1);
}

#[test]
fn a_compaction_leaves_what_it_was_given_in_less_room() {
    let all = records(100);
    let (dir, disk) = written(&all);
    let (store, _) = open(&disk, 2);
    let before = fs::metadata(journal(&dir)).unwrap().len();
    let len = store.compact(&all[..30]).unwrap();
    assert!(len < before);
    assert_eq!(len, fs::metadata(journal(&dir)).unwrap().len());
    store.append(&all[30..60], false).unwrap();
    drop(store);
    assert_eq!(open(&disk, 3).1.catalog.snapshot(), catalog(&all[..60]));
}

#[test]
fn a_compaction_that_fails_anywhere_leaves_the_old_journal_in_use() {
    let all = records(30);
    for call in [Call::Open, Call::Truncate, Call::Write, Call::HalfWrite, Call::Sync] {
        let (dir, disk) = written(&all[..30]);
        let (store, _) = open(&disk, 2);
        disk.fail(call, "journal.new", ErrorKind::StorageFull, 1);
        store.compact(&all[..3]).unwrap_err();
        check_old_goes_on(&dir, &disk, store, &all);
    }
    let (dir, disk) = written(&all[..30]);
    let (store, _) = open(&disk, 2);
    disk.fail(Call::Rename, BIN, ErrorKind::Other, 1);
    store.compact(&all[..3]).unwrap_err();
    check_old_goes_on(&dir, &disk, store, &all);
}

fn check_old_goes_on(dir: &TempDir, disk: &Arc<Faulty>, store: Arc<CacheStore>, all: &[Record]) {
    assert_eq!(tree(&dir.path().join("cache")), ["_index/journal.bin", "lock"]);
    store.append(&all[30..], false).unwrap();
    drop(store);
    assert_eq!(open(disk, 3).1.catalog.snapshot(), catalog(all));
}

#[test]
fn after_a_compaction_whose_name_is_in_doubt_nothing_is_appended_until_the_next() {
    let (_dir, disk) = scene();
    let (store, _) = open(&disk, 1);
    let all = records(4);
    disk.fail(Call::SyncDir, "_index", ErrorKind::Other, 1);
    store.compact(&all[..3]).unwrap_err();
    store.append(&all[3..], false).unwrap_err();
    store.compact(&all[..3]).unwrap();
    store.append(&all[3..], false).unwrap();
    drop(store);
    assert_eq!(open(&disk, 2).1.catalog.snapshot(), catalog(&all));
}

#[test]
fn what_a_crashed_compaction_left_is_ignored_and_deleted() {
    let all = records(5);
    let (dir, disk) = written(&all);
    let left = journal(&dir).with_file_name("journal.new");
    for junk in [Vec::new(), bytes(0, 9000), fs::read(journal(&dir)).unwrap()] {
        fs::write(&left, junk).unwrap();
        let (_, restored) = open(&disk, 2);
        assert_eq!((restored.catalog.snapshot(), restored.damage), (catalog(&all), None));
        assert!(!left.exists());
    }
}

#[cfg(unix)]
#[test]
fn d11_a_deleted_journal_is_written_anew_and_a_foreign_one_is_left_alone() {
    let all = records(4);
    let (dir, disk) = written(&[]);
    let (store, _) = open(&disk, 2);
    fs::remove_file(journal(&dir)).unwrap();
    assert_eq!(store.append(&all[..3], true).unwrap_err().kind(), ErrorKind::NotFound);
    store.append(&all[..3], false).unwrap_err();
    store.compact(&all[..6]).unwrap();
    store.append(&all[6..], true).unwrap();
    drop(store);
    let (store, restored) = open(&disk, 3);
    assert_eq!(restored.catalog.snapshot(), catalog(&all));

    let other = journal(&dir).with_file_name("other");
    fs::copy(journal(&dir), &other).unwrap();
    fs::rename(&other, journal(&dir)).unwrap();
    let before = fs::read(journal(&dir)).unwrap();
    store.append(&all, true).unwrap_err();
    store.compact(&all[..3]).unwrap_err();
    assert_eq!(fs::read(journal(&dir)).unwrap(), before);
}

#[test]
fn a_record_that_does_not_fit_is_left_out_alone() {
    let (_dir, disk) = scene();
    let (store, _) = open(&disk, 1);
    let all = records(2);
    let huge = Record::Open {
        place: place(9, 7),
        label: "x".repeat(100_000).into(),
        facts: Default::default(),
    };
    let with_huge = [&all[..3], &[huge], &all[3..]].concat();
    store.append(&with_huge, false).unwrap();
    drop(store);
    let (_, restored) = open(&disk, 2);
    assert_eq!((restored.catalog.snapshot(), restored.damage), (catalog(&all), None));
}
