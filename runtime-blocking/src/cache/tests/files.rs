//! Many resources: how many files are open, and which ones are deleted.

use std::fs;
use std::io::ErrorKind;
use std::thread;

use super::*;
use crate::cache::handles::MAX_OPEN;
use crate::cache::layout::data_path;

/// How many files of this directory the process has open.
#[cfg(target_os = "linux")]
fn open_in(root: &Path) -> usize {
    let links = fs::read_dir("/proc/self/fd").unwrap();
    let targets = links.filter_map(|link| fs::read_link(link.unwrap().path()).ok());
    targets.filter(|target| target.starts_with(root)).count()
}

#[test]
fn few_files_are_open_whatever_the_number_of_resources() {
    let (dir, disk) = scene();
    let (store, restored) = open(&disk, 1);
    let files: Vec<_> = (0..200).map(|n| store.file(place(n, restored.salt))).collect();
    for (n, file) in files.iter().enumerate() {
        file.write_at(0, &bytes(n as u64, 1000)).unwrap();
        assert!(store.open_files() <= MAX_OPEN);
    }
    #[cfg(target_os = "linux")]
    assert_eq!(open_in(dir.path()), MAX_OPEN + 2, "and the lock, and the journal");
    // What was closed was synced before.
    assert_eq!(disk.count(Call::Sync, "-"), 200 - MAX_OPEN);
    for (n, file) in files.iter().enumerate() {
        let mut buf = vec![0; 1000];
        assert_eq!(file.read_at(0, &mut buf).unwrap(), 1000);
        assert_eq!(buf, bytes(n as u64, 1000));
        file.sync().unwrap();
    }
    assert_eq!(disk.count(Call::Sync, "-"), 200, "each once");
    drop(files);
    assert_eq!(store.open_files(), 0);
    #[cfg(target_os = "linux")]
    assert_eq!(open_in(dir.path()), 2);
    let _ = dir;
}

#[test]
fn a_real_disk_syncs_files_and_directories() {
    let dir = tempfile::tempdir().unwrap();
    let disk = || real(&dir.path().join("a/b/cache")).unwrap();
    let (store, restored) = CacheStore::open(disk(), 1).unwrap();
    let file = store.file(place(1, restored.salt));
    file.write_at(0, b"abc").unwrap();
    file.sync().unwrap();
    store.append(&records(3), true).unwrap();
    store.compact(&records(2)).unwrap();
    store.append(&records(3), true).unwrap();
    drop((file, store));
    let (store, restored) = CacheStore::open(disk(), 2).unwrap();
    assert_eq!(restored.catalog.snapshot(), catalog(&records(3)));
    store.sweep(&[]).unwrap();
    assert_eq!(tree(&dir.path().join("a/b/cache")), ["_index/journal.bin", "lock"]);
}

#[test]
fn the_file_that_was_not_used_for_longest_is_closed() {
    let (_dir, disk) = scene();
    let (store, restored) = open(&disk, 1);
    let files: Vec<_> =
        (0..MAX_OPEN as u8 + 1).map(|n| store.file(place(n, restored.salt))).collect();
    for file in &files[..MAX_OPEN] {
        file.write_at(0, b"x").unwrap();
    }
    files[0].read_at(0, &mut [0]).unwrap();
    files[MAX_OPEN].write_at(0, b"x").unwrap();
    let opened = |n: u8| disk.count(Call::Open, &format!("{}/", Key([n; 20])));
    files[0].read_at(0, &mut [0]).unwrap();
    assert_eq!(opened(0), 1);
    files[1].read_at(0, &mut [0]).unwrap();
    assert_eq!(opened(1), 2);
}

#[test]
fn d6_a_failed_sync_of_a_file_that_is_closed_for_another_is_told_at_the_next() {
    let (_dir, disk) = scene();
    let (store, restored) = open(&disk, 1);
    let first = store.file(place(0, restored.salt));
    first.write_at(0, b"x").unwrap();
    disk.fail(Call::Sync, &Key([0; 20]).to_string(), ErrorKind::Other, 1);
    let others: Vec<_> =
        (1..=MAX_OPEN as u8).map(|n| store.file(place(n, restored.salt))).collect();
    for other in &others {
        other.write_at(0, b"x").unwrap();
    }
    let error = first.sync().unwrap_err();
    assert!(error.to_string().contains(&Key([0; 20]).to_string()), "{error}");
    first.sync().unwrap();
    others.iter().for_each(|other| other.sync().unwrap());
}

#[test]
fn many_threads_share_few_files() {
    let (_dir, disk) = scene();
    let (store, restored) = open(&disk, 1);
    let files: Vec<_> = (0..150).map(|n| store.file(place(n, restored.salt))).collect();
    for (n, file) in files.iter().enumerate() {
        file.write_at(0, &bytes(n as u64, 500)).unwrap();
    }
    let (files, store) = (&files, &store);
    thread::scope(|scope| {
        for worker in 0..80_usize {
            scope.spawn(move || {
                let mut buf = [0; 500];
                for step in 0..200 {
                    let n = (worker * 31 + step * 17) % files.len();
                    assert_eq!(files[n].read_at(0, &mut buf).unwrap(), 500);
                    assert_eq!(buf[..], bytes(n as u64, 500));
                    assert!(store.open_files() <= MAX_OPEN);
                }
            });
        }
    });
}

#[test]
fn a_removed_place_is_gone_and_nothing_else() {
    let (dir, disk) = scene();
    let root = dir.path().join("cache");
    let (store, restored) = open(&disk, 1);
    let one = Place { file_bits: 12, ..place(1, restored.salt) };
    let newer = Place { generation: one.generation.next(restored.salt), ..one };
    let other = place(2, restored.salt);
    for place in [one, newer, other] {
        store.file(place).write_at(0, &bytes(0, 10_000)).unwrap();
    }
    store.remove(one).unwrap();
    assert!(!root.join(data_path(one, 0)).exists() && !root.join(data_path(one, 2)).exists());
    assert!(root.join(data_path(newer, 2)).exists() && root.join(data_path(other, 0)).exists());
    store.remove(newer).unwrap();
    assert!(!root.join(Key([1; 20]).to_string()).exists(), "an empty directory goes, too");
    store.remove(newer).unwrap();
    assert!(root.join(data_path(other, 0)).exists());
}

#[test]
fn a_sweep_deletes_what_is_ours_and_nobody_knows() {
    let (dir, disk) = scene();
    let root = dir.path().join("cache");
    let (store, restored) = open(&disk, 1);
    let old: Vec<Place> = (0..3).map(|n| place(n, restored.salt)).collect();
    for place in &old {
        store.file(*place).write_at(0, b"abc").unwrap();
    }
    drop(store);
    let foreign = [
        "mine.txt".to_owned(),
        "music/01.mp3".to_owned(),
        format!("{}/notes.txt", Key([0; 20])),
        format!("{}/{}-0.0", Key([0; 20]), Key([0; 20])),
        format!("{}/x", "AB".repeat(20)),
        format!("music/{}", data_path(old[0], 0).split_once('/').unwrap().1),
    ];
    for path in &foreign {
        fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
        fs::write(root.join(path), "mine").unwrap();
    }
    fs::write(root.join("ab".repeat(20)), "a file with the name of a directory").unwrap();
    let (store, restored) = open(&disk, 2);
    let fresh = place(0, restored.salt);
    store.file(fresh).write_at(0, b"def").unwrap();
    store.sweep(&[old[1]]).unwrap();
    let there = |place| root.join(data_path(place, 0)).exists();
    assert_eq!(old.iter().map(|place| there(*place)).collect::<Vec<_>>(), [false, true, false]);
    assert!(there(fresh), "this session's are not recorded yet");
    assert!(foreign.iter().all(|path| root.join(path).exists()));
    assert!(root.join("ab".repeat(20)).exists());
    assert!(!root.join(Key([2; 20]).to_string()).exists());
    store.append(&records(1), true).unwrap();
}
