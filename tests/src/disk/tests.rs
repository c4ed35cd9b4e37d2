//! That the disk keeps what a disk keeps, and loses what a disk may lose.

use std::collections::BTreeSet;
use std::io::ErrorKind;

use fastrand::Rng;
use infill_blocking::cache::Disk;

use super::*;

const OLD: &[u8] = &[1; 3000];
const NEW: &[u8] = &[2; 9000];

fn written(disk: &SimDisk, path: &str, bytes: &[u8]) {
    disk.open(path, true).unwrap().write_at(0, bytes).unwrap();
}

/// A file that is on the disk, name and all.
fn synced(disk: &SimDisk, path: &str, bytes: &[u8]) {
    written(disk, path, bytes);
    disk.open(path, false).unwrap().sync().unwrap();
    disk.sync_dir(tree::parent(path)).unwrap();
    disk.sync_dir("").unwrap();
}

/// What a file may hold after a cut, over many cuts.
fn outcomes(disk: &SimDisk, path: &str) -> BTreeSet<Option<Vec<u8>>> {
    (0..400).map(|seed| disk.crash(&mut Rng::with_seed(seed)).contents(path)).collect()
}

#[test]
fn what_was_synced_survives_every_cut() {
    let disk = SimDisk::new(1);
    synced(&disk, "a/b", OLD);
    written(&disk, "a/other", NEW);
    disk.open("a/b", false).unwrap().write_at(3000, NEW).unwrap();
    for outcome in outcomes(&disk, "a/b") {
        let bytes = outcome.expect("its name was synced");
        assert_eq!(bytes[..3000], *OLD, "bytes beside an unsynced write");
    }
}

#[test]
fn d2_what_was_not_synced_may_be_there_torn_zero_or_gone() {
    let disk = SimDisk::new(1);
    synced(&disk, "a/b", OLD);
    disk.open("a/b", false).unwrap().write_at(3000, NEW).unwrap();
    let all = outcomes(&disk, "a/b");
    let tails = || all.iter().map(|bytes| &bytes.as_ref().unwrap()[3000..]);
    assert!(tails().any(|tail| tail == NEW), "all there");
    assert!(tails().any(<[u8]>::is_empty), "all gone");
    let grown = |tail: &[u8]| tail.len() == 9000 && tail.iter().all(|byte| *byte == 0);
    assert!(tails().any(grown), "as long as it should be, and zero");
    let torn = |tail: &[u8]| tail.contains(&0) && tail.contains(&2);
    assert!(tails().any(torn), "torn");
    let short = |tail: &[u8]| !tail.is_empty() && tail.len() < 9000;
    assert!(tails().any(short), "short");
}

#[test]
fn a_killed_process_loses_nothing_but_its_lock() {
    let disk = SimDisk::new(1);
    written(&disk, "a/b", OLD);
    let lock = disk.lock().unwrap();
    assert_eq!(disk.lock().err().map(|e| e.kind()), Some(ErrorKind::WouldBlock));
    let after = disk.kill();
    assert_eq!(after.contents("a/b").as_deref(), Some(OLD));
    let again = after.lock().unwrap();
    drop(lock);
    assert!(again.is_held().unwrap(), "the dead process gives nothing back");
    assert!(after.lock().is_err());
    assert!(outcomes(&after, "a/b").contains(&None), "it is still not on the disk");
}

#[test]
fn a_lock_whose_file_was_deleted_is_not_held() {
    let disk = SimDisk::new(1);
    let lock = disk.lock().unwrap();
    disk.delete("");
    assert!(!lock.is_held().unwrap());
    let other = disk.lock().unwrap();
    assert!(other.is_held().unwrap() && !lock.is_held().unwrap());
    drop((lock, other));
    disk.lock().unwrap();
}

#[test]
fn a_rename_is_whole_and_its_bytes_are_only_there_if_synced() {
    for sync in [true, false] {
        let disk = SimDisk::new(1);
        synced(&disk, "i/journal", OLD);
        written(&disk, "i/new", NEW);
        if sync {
            disk.open("i/new", false).unwrap().sync().unwrap();
        }
        disk.rename("i/new", "i/journal").unwrap();
        let all = outcomes(&disk, "i/journal");
        let either = |bytes: &Option<Vec<u8>>| matches!(bytes.as_deref(), Some(OLD | NEW));
        assert!(all.contains(&Some(OLD.to_vec())) && all.contains(&Some(NEW.to_vec())));
        assert_eq!(all.iter().all(either), sync);
        assert_eq!(all.contains(&Some(Vec::new())), !sync, "XFS gives back an empty file");
        disk.sync_dir("i").unwrap();
        assert!(!outcomes(&disk, "i/journal").contains(&Some(OLD.to_vec())));
    }
}

#[test]
fn names_need_their_directory_to_be_synced() {
    let disk = SimDisk::new(1);
    written(&disk, "a/b", OLD);
    disk.open("a/b", false).unwrap().sync().unwrap();
    assert!(outcomes(&disk, "a/b").contains(&None));
    disk.sync_dir("a").unwrap();
    assert!(outcomes(&disk, "a/b").contains(&None), "the directory may be gone");
    disk.sync_dir("").unwrap();
    assert_eq!(outcomes(&disk, "a/b"), [Some(OLD.to_vec())].into());
    disk.remove("a/b").unwrap();
    disk.remove_dir("a").unwrap();
    assert_eq!(disk.paths(), [""; 0]);
    let all = outcomes(&disk, "a/b");
    assert!(all.contains(&None) && all.contains(&Some(OLD.to_vec())), "it may come back");
}

#[test]
fn d5_a_full_disk_takes_what_fits_and_says_so() {
    let disk = SimDisk::new(1);
    disk.set_faults(Faults { quota: Some(5000), ..Faults::default() });
    written(&disk, "a", OLD);
    let file = disk.open("a", false).unwrap();
    assert_eq!(file.write_at(3000, NEW).unwrap_err().kind(), ErrorKind::StorageFull);
    assert_eq!(file.len().unwrap(), 5000);
    file.write_at(0, NEW.split_at(5000).0).unwrap();
    file.truncate(10).unwrap();
    file.write_at(10, OLD).unwrap();
}

#[test]
fn d6_what_a_failed_sync_lost_stays_lost() {
    for dirty in [Dirty::Remembered, Dirty::Lost, Dirty::Zeroed] {
        let disk = SimDisk::new(1);
        synced(&disk, "a", OLD);
        let file = disk.open("a", false).unwrap();
        file.write_at(0, NEW).unwrap();
        disk.set_faults(Faults { dirty, ..Faults::default() });
        disk.fail_at(0, Failure::Io);
        file.sync().unwrap_err();
        file.sync().unwrap();
        let mut buf = [9; 9000];
        assert_eq!(file.read_at(0, &mut buf).unwrap(), 9000);
        let (seen, _) = buf.split_at(3000);
        match dirty {
            Dirty::Remembered => assert_eq!(buf, NEW),
            Dirty::Lost => assert_eq!(seen, OLD),
            Dirty::Zeroed => assert_eq!(buf, [0; 9000]),
        }
        let after = disk.crash(&mut Rng::with_seed(3)).contents("a").unwrap();
        assert_eq!((after.len(), &after[..3000]), (9000, OLD), "the sync after it was a lie");
    }
}

#[test]
fn d4_a_write_may_be_short_or_a_lie() {
    let disk = SimDisk::new(1);
    written(&disk, "a", OLD);
    let file = disk.open("a", false).unwrap();
    disk.fail_at(0, Failure::Short);
    file.write_at(3000, NEW).unwrap_err();
    assert!(file.len().unwrap() < 12_000);
    disk.fail_at(1, Failure::Lie);
    file.write_at(0, OLD).unwrap();
    file.write_at(0, NEW).unwrap();
    let bytes = disk.contents("a").unwrap();
    assert_eq!((bytes.len() >= 9000, &bytes[..3000]), (true, OLD));
    disk.set_faults(Faults { read: 256, ..Faults::default() });
    file.read_at(0, &mut [0; 10]).unwrap_err();
}

#[test]
fn what_was_acknowledged_may_be_lost_without_a_cut() {
    let lost = |seed| {
        let disk = SimDisk::new(1);
        synced(&disk, "a", OLD);
        for block in 0..8 {
            disk.open("a", false).unwrap().write_at(block * 500, &[7; 500]).unwrap();
        }
        disk.lose_unsynced(&mut Rng::with_seed(seed));
        disk.contents("a").unwrap().iter().filter(|byte| **byte != 7).count()
    };
    assert!((0..20).any(|seed| lost(seed) > 0) && (0..20).all(|seed| lost(seed) < 4000));
}

#[test]
fn nothing_works_without_power() {
    let disk = SimDisk::new(1);
    disk.cut_power_after(3);
    written(&disk, "a", OLD); // Makes it, writes it.
    let file = disk.open("a", false).unwrap();
    assert!(!disk.is_off());
    file.sync().unwrap();
    assert!(disk.is_off());
    assert!(file.read_at(0, &mut [0]).is_err() && file.sync().is_err());
    assert!(disk.open("b", true).is_err() && disk.list("").is_err() && disk.lock().is_err());
    let after = disk.crash_with(Mercy::ALL, &mut Rng::with_seed(1));
    assert_eq!(after.contents("a").as_deref(), Some(OLD));
    assert_eq!(after.operations(), 3);
}

#[test]
fn read_only_and_things_in_the_way_are_errors() {
    let disk = SimDisk::new(1);
    disk.put("a/b", OLD);
    disk.put_dir("a/dir");
    let kind = |result: io::Result<Arc<dyn infill_blocking::cache::DiskFile>>| {
        result.err().map(|error| error.kind())
    };
    assert_eq!(kind(disk.open("a/dir", true)), Some(ErrorKind::IsADirectory));
    assert_eq!(kind(disk.open("a/b/c", true)), Some(ErrorKind::NotADirectory));
    assert_eq!(kind(disk.open("a/c", false)), Some(ErrorKind::NotFound));
    disk.remove_dir("a").unwrap();
    disk.remove_dir("nowhere").unwrap();
    disk.remove("a/nothing").unwrap();
    assert_eq!(disk.list("a").unwrap(), ["b", "dir"]);
    assert_eq!(disk.list("nowhere").unwrap(), [""; 0]);
    disk.set_faults(Faults { read_only: true, ..Faults::default() });
    assert_eq!(kind(disk.open("a/c", true)), Some(ErrorKind::ReadOnlyFilesystem));
    let file = disk.open("a/b", false).unwrap();
    assert_eq!(file.write_at(0, OLD).unwrap_err().kind(), ErrorKind::ReadOnlyFilesystem);
}

#[test]
fn d11_a_cache_whose_directory_is_gone_makes_no_file() {
    let disk = SimDisk::new(1);
    written(&disk, "a/b", OLD);
    disk.delete_root();
    assert!(disk.open("a/b", true).is_err() && disk.list("").unwrap().is_empty());
    let after = disk.kill();
    written(&after, "a/b", OLD);
    assert_eq!(after.paths(), ["a/b"]);
}

#[test]
fn an_open_file_outlives_its_name() {
    let disk = SimDisk::new(1);
    written(&disk, "a/b", OLD);
    let file = disk.open("a/b", false).unwrap();
    disk.delete("a");
    written(&disk, "a/b", NEW);
    let other = disk.open("a/b", false).unwrap();
    assert_ne!(file.identity().unwrap(), other.identity().unwrap());
    let mut buf = [0; 10];
    file.read_at(0, &mut buf).unwrap();
    assert_eq!((buf, disk.used()), ([1; 10], 9000));
}

#[test]
fn a_seed_gives_the_same_disk_again() {
    let play = |seed| {
        let disk = SimDisk::new(seed);
        disk.set_faults(Faults { write: 40, short_write: 40, sync: 40, ..Faults::default() });
        let mut log = Vec::new();
        for round in 0..60u8 {
            let path = format!("a/{}", round % 5);
            log.push(disk.open(&path, true).is_ok_and(|file| {
                file.write_at(u64::from(round) * 100, &[round; 700]).is_ok() && file.sync().is_ok()
            }));
        }
        let mut rng = Rng::with_seed(seed);
        let after = disk.crash(&mut rng);
        after.damage(&mut rng);
        let contents: Vec<_> = after.paths().iter().map(|path| after.contents(path)).collect();
        (log, contents)
    };
    assert_eq!(play(5), play(5));
    assert_ne!(play(5), play(6));
}
