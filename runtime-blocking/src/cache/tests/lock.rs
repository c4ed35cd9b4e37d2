//! Who may have a directory, and what is said to whoever may not.

use std::fs;
use std::io::ErrorKind;
use std::sync::Arc;

use super::*;
use infill_core::ErrorKind as Kind;

fn refusal(disk: &Arc<Faulty>) -> infill_core::Error {
    match CacheStore::open(Arc::clone(disk) as Arc<dyn Disk>, 1) {
        Ok(_) => panic!("it was opened"),
        Err(error) => error,
    }
}

#[test]
fn d7_a_second_client_is_told_what_is_locked_and_the_lock_ends_with_the_first() {
    let (dir, disk) = scene();
    let (store, _) = open(&disk, 1);
    let other = Faulty::new(real(&dir.path().join("cache")).unwrap());
    let error = refusal(&other);
    let path = dir.path().join("cache").join("lock");
    assert_eq!(error.kind(), Kind::Store);
    assert!(error.to_string().contains(&*path.to_string_lossy()), "{error}");
    assert!(error.to_string().contains("another directory"), "{error}");
    // A file that can still be written to holds the lock as well.
    let file = store.file(place(1, 1));
    drop(store);
    refusal(&other);
    drop(file);
    open(&other, 2);
}

#[test]
fn a_file_system_without_locks_and_a_directory_without_rights_are_named() {
    let (_dir, disk) = scene();
    disk.fail(Call::Lock, "lock", ErrorKind::Unsupported, 1);
    let error = refusal(&disk).to_string();
    assert!(error.contains("file system with locks"), "{error}");
    disk.fail(Call::Lock, "lock", ErrorKind::PermissionDenied, 1);
    let error = refusal(&disk).to_string();
    assert!(error.contains("can be written to"), "{error}");
    open(&disk, 1);
}

#[test]
fn a_file_where_the_directory_should_be_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("cache");
    fs::write(&path, "mine").unwrap();
    let error = real(&path).err().expect("it is no directory");
    assert_eq!(error.kind(), ErrorKind::NotADirectory);
    assert!(error.to_string().contains(&*path.to_string_lossy()), "{error}");
}

#[test]
fn a_directory_where_a_file_should_be_is_named() {
    for name in ["lock", "_index/journal.bin"] {
        let (dir, disk) = scene();
        let path = dir.path().join("cache").join(name);
        fs::create_dir_all(&path).unwrap();
        let error = refusal(&disk).to_string();
        assert!(error.contains(&*path.to_string_lossy()), "{error}");
        assert!(path.is_dir());
    }
    let (dir, disk) = scene();
    let (store, _) = open(&disk, 1);
    let path = dir.path().join("cache").join(crate::cache::layout::data_path(place(1, 1), 0));
    fs::create_dir_all(&path).unwrap();
    let error = store.file(place(1, 1)).write_at(0, b"x").unwrap_err().to_string();
    assert!(error.contains(&*path.to_string_lossy()), "{error}");
}

#[test]
fn without_the_lock_nothing_is_deleted_and_no_journal_exchanged() {
    let (_dir, disk) = scene();
    let (store, restored) = open(&disk, 1);
    let file = store.file(place(1, restored.salt));
    file.write_at(0, b"abc").unwrap();
    disk.lose_lock();
    for error in [
        store.compact(&[]).unwrap_err(),
        store.remove(place(1, restored.salt)).unwrap_err(),
        store.sweep(&[]).unwrap_err(),
        store.append(&records(1), true).unwrap_err(),
    ] {
        assert!(error.to_string().contains("lock"), "{error}");
    }
    let mut buf = [0; 3];
    assert_eq!((file.read_at(0, &mut buf).unwrap(), &buf), (3, b"abc"));
}

#[cfg(unix)]
#[test]
fn d11_a_deleted_directory_becomes_an_error_soon_and_is_not_made_again() {
    let (dir, disk) = scene();
    let (store, restored) = open(&disk, 1);
    let file = store.file(place(1, restored.salt));
    file.write_at(0, b"abc").unwrap();
    let root = dir.path().join("cache");
    fs::remove_dir_all(&root).unwrap();
    let failed = (0..100).find(|_| store.append(&records(1), false).is_err());
    assert!(failed.is_some_and(|after| after <= 64), "{failed:?}");
    store.append(&records(1), false).unwrap_err();
    store.compact(&records(1)).unwrap_err();
    assert_eq!(file.sync().unwrap_err().kind(), ErrorKind::NotFound);
    let other = store.file(place(2, restored.salt));
    assert_eq!(other.write_at(0, b"abc").unwrap_err().kind(), ErrorKind::NotFound);
    assert!(!root.exists());
    // Somebody else may begin anew there, and we don't disturb it.
    let fresh = Faulty::new(real(&root).unwrap());
    let (fresh, restored) = open(&fresh, 2);
    let theirs = fresh.file(place(1, restored.salt));
    theirs.write_at(0, b"def").unwrap();
    store.append(&records(1), true).unwrap_err();
    store.sweep(&[]).unwrap_err();
    let before = tree(&root);
    drop((store, file, other));
    assert_eq!(tree(&root), before);
}

#[cfg(unix)]
#[test]
fn files_and_directories_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (dir, disk) = scene();
    let (store, restored) = open(&disk, 1);
    store.file(place(1, restored.salt)).write_at(0, b"abc").unwrap();
    store.append(&records(1), true).unwrap();
    let root = dir.path().join("cache");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&root), 0o700);
    let files = tree(&root);
    assert_eq!(files.len(), 3, "{files:?}");
    for file in files {
        let path = root.join(file);
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700), "{path:?}");
    }
}
