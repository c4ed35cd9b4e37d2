//! The bytes of one resource: what is read back, what is said of it, and what goes wrong.

use std::fs;
use std::io::ErrorKind;

use infill_core::{ByteRange, Sum};
use xxhash_rust::xxh3::xxh3_64;

use super::*;
use crate::cache::chunk::Chunk;
use crate::cache::handles::Opener;
use crate::cache::layout::data_path;

const MIB: u64 = 1 << 20;

fn read(file: &crate::cache::CacheFile, start: u64, len: usize) -> Vec<u8> {
    let mut buf = vec![0; len];
    let count = file.read_at(start, &mut buf).unwrap();
    buf.truncate(count);
    buf
}

#[test]
fn bytes_are_read_back_across_files_also_after_a_restart() {
    let (_dir, disk) = scene();
    let (store, restored) = open(&disk, 1);
    // Files of 64 KiB, so that one write is in five of them.
    let place = Place { file_bits: 16, ..place(1, restored.salt) };
    let file = store.file(place);
    let (start, len) = (10_000, 256 << 10);
    let first = bytes(start, (256 << 10) - 10_000);
    assert_eq!(file.write_at(start, &first).unwrap(), Sum { start, digest: xxh3_64(&first) });
    let next = bytes(256 << 10, 10_000);
    let sum = Sum { start: 256 << 10, digest: xxh3_64(&next) };
    assert_eq!(file.write_at(256 << 10, &next).unwrap(), sum);
    let all = bytes(start, len);
    assert_eq!(read(&file, start, len), all);
    assert_eq!(read(&file, 60_000, 100_000), all[50_000..150_000]);
    assert_eq!(read(&file, start + len as u64 - 5, 100).len(), 5, "nothing is stored behind");
    assert_eq!(read(&file, 1 << 40, 10).len(), 0);
    drop((file, store));
    let (store, _) = open(&disk, 2);
    let file = store.file(place);
    assert_eq!(read(&file, start, len), all);
    assert_eq!(file.digest(ByteRange::at(start, len as u64)).unwrap(), xxh3_64(&all));
}

#[test]
fn a_digest_of_what_is_not_there_is_an_error() {
    let (_dir, disk) = scene();
    let (store, restored) = open(&disk, 1);
    let file = store.file(place(1, restored.salt));
    file.write_at(0, &bytes(0, 1000)).unwrap();
    assert_eq!(file.digest(ByteRange::at(3, 0)).unwrap(), xxh3_64(b""));
    file.digest(ByteRange::at(0, 1001)).unwrap_err();
    file.digest(ByteRange::at(MIB, 1)).unwrap_err();
    file.digest(ByteRange::at(1 << 50, 1)).unwrap_err();
    disk.fail(Call::Read, "-", ErrorKind::Other, 1);
    let error = file.digest(ByteRange::at(0, 1000)).unwrap_err();
    assert!(error.to_string().contains(".0: "), "names the file: {error}");
    assert_eq!(file.digest(ByteRange::at(0, 1000)).unwrap(), xxh3_64(&bytes(0, 1000)));
}

#[test]
fn d9_a_byte_far_away_makes_one_small_file() {
    let (dir, disk) = scene();
    let (store, restored) = open(&disk, 1);
    let place = place(1, restored.salt);
    let file = store.file(place);
    file.write_at(1024 * MIB, &bytes(0, 100)).unwrap();
    let path = dir.path().join("cache").join(data_path(place, 64));
    assert_eq!(fs::metadata(path).unwrap().len(), 100);
    assert_eq!(tree(&dir.path().join("cache")).len(), 3, "and the lock, and the journal");
    assert!(file.write_at(u64::MAX, b"ab").is_err());
}

#[test]
fn d5_a_failed_write_says_why_and_the_run_goes_on_only_over_what_is_there() {
    let (_dir, disk) = scene();
    let (store, restored) = open(&disk, 1);
    let file = store.file(place(1, restored.salt));
    let all = bytes(0, 300);
    file.write_at(0, &all[..100]).unwrap();
    for kind in [ErrorKind::StorageFull, ErrorKind::QuotaExceeded, ErrorKind::Other] {
        disk.fail(Call::HalfWrite, "-", kind, 1);
        let error = file.write_at(100, &[9; 100]).unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(error.to_string().contains(&*"01".repeat(20)), "names the file: {error}");
    }
    let sum = file.write_at(100, &all[100..200]).unwrap();
    assert_eq!(sum, Sum { start: 0, digest: xxh3_64(&all[..200]) });
    assert_eq!(read(&file, 0, 300), all[..200]);
    // A file that can't be made is no different.
    disk.fail(Call::Open, ".1", ErrorKind::StorageFull, 1);
    assert_eq!(file.write_at(16 * MIB, b"x").unwrap_err().kind(), ErrorKind::StorageFull);
    file.write_at(16 * MIB, b"x").unwrap();
}

#[test]
fn d5_a_run_that_was_half_written_over_ends() {
    let (_dir, disk) = scene();
    let (store, restored) = open(&disk, 1);
    let file = store.file(place(1, restored.salt));
    file.write_at(0, &bytes(0, 100)).unwrap();
    disk.fail(Call::HalfWrite, "-", ErrorKind::Other, 1);
    file.write_at(50, &[9; 20]).unwrap_err();
    assert_eq!(file.write_at(100, b"abc").unwrap(), Sum { start: 100, digest: xxh3_64(b"abc") });
}

#[test]
fn a_sync_is_of_what_was_written_since_the_last() {
    let (_dir, disk) = scene();
    let (store, restored) = open(&disk, 1);
    let file = store.file(place(1, restored.salt));
    file.sync().unwrap();
    assert_eq!(disk.count(Call::Sync, "-"), 0);
    file.write_at(0, b"a").unwrap();
    file.write_at(16 * MIB, b"b").unwrap();
    file.sync().unwrap();
    assert_eq!((disk.count(Call::Sync, ".0"), disk.count(Call::Sync, ".1")), (1, 1));
    // New names, once: the asset's and the root's directory.
    let dir = "01".repeat(20);
    assert_eq!(disk.count(Call::SyncDir, &dir), 1);
    file.write_at(1, b"c").unwrap();
    file.sync().unwrap();
    file.sync().unwrap();
    assert_eq!((disk.count(Call::Sync, ".0"), disk.count(Call::Sync, ".1")), (2, 1));
    assert_eq!(disk.count(Call::SyncDir, &dir), 1);
    file.write_at(32 * MIB, b"d").unwrap();
    disk.fail(Call::SyncDir, &dir, ErrorKind::Other, 1);
    file.sync().unwrap_err();
    file.sync().unwrap();
    assert_eq!(disk.count(Call::SyncDir, &dir), 3);
}

#[test]
fn d6_a_failed_sync_is_told_once_and_not_tried_again() {
    let (_dir, disk) = scene();
    let (store, restored) = open(&disk, 1);
    let file = store.file(place(1, restored.salt));
    file.write_at(0, b"a").unwrap();
    file.write_at(16 * MIB, b"b").unwrap();
    disk.fail(Call::Sync, ".0", ErrorKind::Other, 1);
    let error = file.sync().unwrap_err();
    assert!(error.to_string().contains(".0: "), "names the file: {error}");
    assert_eq!(disk.count(Call::Sync, ".1"), 1, "the other file is synced all the same");
    file.sync().unwrap();
    assert_eq!(disk.count(Call::Sync, ".0"), 1, "nothing was written since");
    file.write_at(1, b"c").unwrap();
    file.sync().unwrap();
    assert_eq!(disk.count(Call::Sync, ".0"), 2);
}

#[cfg(unix)]
#[test]
fn d11_a_file_deleted_under_us_is_missed_by_the_sync_and_can_be_written_again() {
    let (dir, disk) = scene();
    let (store, restored) = open(&disk, 1);
    let place = place(1, restored.salt);
    let file = store.file(place);
    file.write_at(0, &bytes(0, 1000)).unwrap();
    file.sync().unwrap();
    file.write_at(1000, &bytes(1000, 1000)).unwrap();
    let path = dir.path().join("cache").join(data_path(place, 0));
    fs::remove_file(&path).unwrap();
    let error = file.sync().unwrap_err();
    assert!(error.to_string().contains(&*path.to_string_lossy()), "{error}");
    file.digest(ByteRange::at(0, 1000)).unwrap_err();
    assert!(file.read_at(1500, &mut [0; 10]).is_err());
    file.sync().unwrap();
    // What is written again is there again, and nothing else; and no run goes over what is gone.
    let again = bytes(2000, 500);
    let sum = Sum { start: 2000, digest: xxh3_64(&again) };
    assert_eq!(file.write_at(2000, &again).unwrap(), sum);
    assert_eq!(read(&file, 2000, 500), again);
    assert!(file.read_at(1999, &mut [0; 2]).is_err());
    let next = file.write_at(2500, b"x").unwrap();
    assert_eq!(next.start, 2000, "the new run goes on");
    file.sync().unwrap();
    assert!(path.exists());
}

#[cfg(unix)]
#[test]
fn d11_a_file_that_was_replaced_is_not_read() {
    let (dir, disk) = scene();
    let (store, restored) = open(&disk, 1);
    let file = store.file(place(1, restored.salt));
    let path = dir.path().join("cache").join(data_path(place(1, restored.salt), 0));
    file.write_at(0, &bytes(0, 1000)).unwrap();
    let other = path.with_extension("other");
    fs::write(&other, [7; 1000]).unwrap();
    fs::rename(&other, &path).unwrap();
    // Many others, so that its handle is closed.
    for n in 2..=80 {
        store.file(place(n, restored.salt)).write_at(0, b"x").unwrap();
    }
    let others: Vec<_> = (100..=180).map(|n| store.file(place(n, restored.salt))).collect();
    for other in &others {
        other.write_at(0, b"x").unwrap();
    }
    assert!(file.read_at(0, &mut [0; 10]).is_err());
    file.write_at(0, b"new").unwrap();
    assert_eq!(read(&file, 0, 3), b"new");
    assert!(file.read_at(0, &mut [0; 4]).is_err());
    file.sync().unwrap_err();
    file.sync().unwrap();
}

#[test]
fn d8_what_was_cut_off_is_not_filled_with_zeros() {
    let (dir, disk) = scene();
    let (store, restored) = open(&disk, 1);
    let place = place(1, restored.salt);
    let file = store.file(place);
    let path = dir.path().join("cache").join(data_path(place, 0));
    let cut = |len| fs::File::options().write(true).open(&path).unwrap().set_len(len).unwrap();
    file.write_at(0, &bytes(0, 1000)).unwrap();
    cut(300);
    // The next write would fill the gap, and a reader could not tell.
    file.write_at(1000, &bytes(1000, 500)).unwrap();
    assert_eq!(read(&file, 0, 300), bytes(0, 300));
    assert_eq!(read(&file, 1000, 500), bytes(1000, 500));
    assert!(file.read_at(250, &mut [0; 100]).is_err());
    assert!(file.read_at(999, &mut [0; 10]).is_err());
    file.write_at(300, &bytes(300, 700)).unwrap();
    assert_eq!(read(&file, 0, 1500), bytes(0, 1500));
    // A read sees it, too, and what an earlier session has stored counts.
    let again = store.file(place);
    again.restore([ByteRange::new(0, 1500)]);
    cut(700);
    assert!(again.read_at(600, &mut [0; 200]).is_err());
    again.write_at(1500, b"more").unwrap();
    assert!(again.read_at(800, &mut [0; 10]).is_err());
}

#[test]
fn d11_a_deleted_file_is_missed_also_where_files_have_no_identity() {
    let (dir, disk) = scene();
    disk.hide_identities();
    let (store, _) = CacheStore::open_with(Arc::clone(&disk) as Arc<dyn Disk>, 1, 1).unwrap();
    let (file, other) = (store.file(place(1, 1)), store.file(place(2, 1)));
    file.write_at(0, &bytes(0, 1000)).unwrap();
    other.write_at(0, b"x").unwrap();
    fs::remove_file(dir.path().join("cache").join(data_path(place(1, 1), 0))).unwrap();
    let sum = file.write_at(1000, b"new").unwrap();
    assert_eq!(sum, Sum { start: 1000, digest: xxh3_64(b"new") });
    assert_eq!(read(&file, 1000, 3), b"new");
    assert!(file.read_at(999, &mut [0; 2]).is_err(), "no zeros for what is gone");
    file.sync().unwrap_err();
}

#[test]
fn a_file_that_was_deleted_for_good_is_not_opened_by_who_comes_late() {
    let (dir, disk) = scene();
    let path = "_index/x";
    let chunk = Chunk::new(Arc::clone(&disk) as Arc<dyn Disk>, path.into(), ByteRange::at(0, 9));
    chunk.open(true).unwrap();
    chunk.bury();
    chunk.delete().unwrap();
    // Somebody writes there anew, under the same name.
    let next = Chunk::new(Arc::clone(&disk) as Arc<dyn Disk>, path.into(), ByteRange::at(0, 9));
    next.open(true).unwrap();
    for create in [false, true] {
        assert!(chunk.open(create).is_err_and(|error| error.kind() == ErrorKind::NotFound));
    }
    assert!(dir.path().join("cache").join(path).exists());
}

#[test]
fn a_discard_deletes_whole_files_only() {
    let (dir, disk) = scene();
    let root = dir.path().join("cache");
    let (store, restored) = open(&disk, 1);
    let place = Place { file_bits: 16, ..place(1, restored.salt) };
    let file = store.file(place);
    let there = |chunk: u64| root.join(data_path(place, chunk)).exists();
    let all = bytes(0, 256 << 10);
    file.write_at(0, &all[..200 << 10]).unwrap();
    file.discard(ByteRange::new(1, 130 << 10));
    assert_eq!([there(0), there(1), there(2), there(3)], [true, false, true, true]);
    assert_eq!(read(&file, 0, 1), all[..1]);
    assert_eq!(read(&file, 130 << 10, 1), all[130 << 10..][..1]);
    assert_eq!(read(&file, 64 << 10, 10).len(), 0);
    file.discard(ByteRange::new(0, 1));
    file.discard(ByteRange::new(130 << 10, 192 << 10));
    assert_eq!([there(0), there(1), there(2), there(3)], [false, false, false, true]);
    // What is gone can be written again.
    let sum = file.write_at(64 << 10, &all[64 << 10..128 << 10]).unwrap();
    assert_eq!(sum.start, 64 << 10);
    assert_eq!(read(&file, 64 << 10, 64 << 10), all[64 << 10..128 << 10]);
    file.discard(ByteRange::new(0, u64::MAX));
    assert_eq!(tree(&root).len(), 2, "the lock and the journal");
}

#[test]
fn a_discard_spares_what_earlier_sessions_stored() {
    let (dir, disk) = scene();
    let root = dir.path().join("cache");
    let (store, restored) = open(&disk, 1);
    let place = Place { file_bits: 16, ..place(1, restored.salt) };
    let there = |chunk: u64| root.join(data_path(place, chunk)).exists();
    store.file(place).write_at(0, &bytes(0, 200 << 10)).unwrap();
    drop(store);
    let (store, _) = open(&disk, 2);
    // Nothing is known: a part is not enough, all of a file is.
    let file = store.file(place);
    file.discard(ByteRange::new(1, 128 << 10));
    assert_eq!([there(0), there(1), there(2)], [true, false, true]);
    // Something is known: what is not stored doesn't count.
    let file = store.file(place);
    file.restore([ByteRange::new(0, 10), ByteRange::new(128 << 10, 130 << 10)]);
    file.discard(ByteRange::new(0, 9));
    assert!(there(0));
    file.discard(ByteRange::new(0, 10));
    assert!(!there(0) && there(2));
    file.discard(ByteRange::new(128 << 10, 130 << 10));
    assert!(!there(2) && there(3), "nobody spoke of the last");
}

#[test]
fn a_discard_spares_what_was_stored_when_it_was_open_before() {
    let (dir, disk) = scene();
    let (store, restored) = open(&disk, 1);
    let place = place(1, restored.salt);
    let path = dir.path().join("cache").join(data_path(place, 0));
    store.file(place).write_at(0, &bytes(0, 1000)).unwrap();
    let file = store.file(place);
    file.write_at(5000, &bytes(0, 1000)).unwrap();
    file.discard(ByteRange::new(5000, 6000));
    assert!(path.exists());
    assert_eq!(read(&file, 0, 1000), bytes(0, 1000));
    file.discard(ByteRange::new(0, 16 * MIB));
    assert!(!path.exists());
}
