//! `cache_of(&client)`: what it lists, and what it does.

use std::{fs, io::Seek as _};

use infill_tests::{
    origin::content,
    runtime::{CacheState, ErrorKind, Runtime, Source},
};

use crate::case::{BLOCK, Case, LEN, SEED, cache_of, eventually, key_of, only};

both! {
    it_lists_what_is_there,
    what_is_removed_is_gone,
    what_is_open_is_not_removed,
    clear_leaves_what_is_pinned_or_open,
    clear_removes_our_own_strays_and_nothing_else,
    a_pin_may_come_before_the_file,
    d3_verify_finds_what_was_damaged,
    what_is_not_there_is_named,
}

fn it_lists_what_is_there(runtime: Runtime) {
    let case = Case::new(runtime);
    case.origin.put("/b", content(SEED, 500));
    case.begins_with(300_000);
    let client = case.client();
    let url = case.origin.url("/b?token=secret");
    let stream = client.open(url.as_str()).unwrap();
    let entries = cache_of(&client).list().unwrap();
    let find = |url: &str| {
        let key = key_of(&cache_of(&client), url);
        entries.iter().find(|entry| entry.key == key).unwrap_or_else(|| panic!("{entries:?}"))
    };
    let (a, b) = (find(&case.url()), find(&url));
    assert_eq!(entries.len(), 2);
    assert_eq!((a.stored, a.total, a.state), (300_000, Some(LEN), CacheState::Partial));
    assert_eq!((a.open, a.pinned, a.url.as_str()), (false, false, case.url().as_str()));
    let percent = a.percent().unwrap();
    assert!((percent - 300_000.0 * 100.0 / LEN as f64).abs() < 1e-9, "{percent}");
    assert!(b.open && b.used > a.used, "{b:?} {a:?}");
    assert_eq!(b.url, case.origin.url("/b"), "no query");
    let key = a.key.to_string();
    assert!(key.len() == 40 && key.parse() == Ok(a.key), "{key}");
    drop(stream);
}

fn what_is_removed_is_gone(runtime: Runtime) {
    let case = Case::new(runtime);
    case.plays();
    assert!(!case.data_files().is_empty());
    let client = case.client();
    let cache = cache_of(&client);
    cache.remove(&only(&cache).key).unwrap();
    assert_eq!(cache.list().unwrap(), []);
    eventually("its files are gone", || case.data_files().is_empty());
    let mut stream = client.open(case.url()).unwrap();
    case.reads_on(&mut stream);
    assert_eq!(case.sent(), 2 * LEN, "{}", case.story());
    drop((stream, cache, client));
    let client = case.client();
    assert_eq!(only(&cache_of(&client)).stored, LEN);
}

fn what_is_open_is_not_removed(runtime: Runtime) {
    let case = Case::new(runtime);
    let client = case.client();
    let cache = cache_of(&client);
    let mut stream = client.open(case.url()).unwrap();
    case.reads_on(&mut stream);
    let key = only(&cache).key;
    let error = cache.remove(&key).unwrap_err();
    assert!(error.to_string().contains("open"), "{error}");
    stream.rewind().unwrap();
    case.reads_on(&mut stream);
    drop(stream);
    eventually("it is closed", || !only(&cache).open);
    cache.remove(&key).unwrap();
    assert_eq!(cache.list().unwrap(), []);
}

fn clear_leaves_what_is_pinned_or_open(runtime: Runtime) {
    let case = Case::new(runtime);
    for path in ["/b", "/c", "/d"] {
        case.origin.put(path, content(SEED, LEN));
    }
    let client = case.client();
    let cache = cache_of(&client);
    let url = |path: &str| case.origin.url(path);
    for path in ["/b", "/c", "/d"] {
        client.download(url(path)).wait().unwrap();
    }
    cache.pin(&key_of(&cache, &url("/b"))).unwrap();
    cache.pin(&key_of(&cache, &url("/c"))).unwrap();
    cache.unpin(&key_of(&cache, &url("/c"))).unwrap();
    let mut stream = client.open(case.url()).unwrap();
    stream.check_at(SEED, 0, 1000);
    eventually("downloads are closed", || {
        cache.list().unwrap().iter().filter(|entry| entry.open).count() == 1
    });
    cache.clear().unwrap();
    let mut left: Vec<String> = cache.list().unwrap().into_iter().map(|e| e.url).collect();
    left.sort();
    assert_eq!(left, [url("/a"), url("/b")]);
    case.reads_on(&mut stream);
    drop(stream);
    eventually("it is closed", || cache.list().unwrap().iter().all(|entry| !entry.open));
    cache.clear().unwrap();
    assert_eq!(only(&cache).url, url("/b"));
    eventually("its files alone are there", || {
        case.data_files().iter().map(|file| fs::metadata(file).map_or(0, |m| m.len())).sum::<u64>()
            == LEN
    });
}

fn clear_removes_our_own_strays_and_nothing_else(runtime: Runtime) {
    let case = Case::new(runtime);
    case.plays();
    let file = case.data_files().remove(0);
    let asset = file.parent().unwrap();
    let name = file.file_name().unwrap().to_str().unwrap();
    // As a crash leaves them: of a generation that no record names.
    let (start, rest) = name.split_once('-').unwrap();
    let (_, chunk) = rest.split_once('.').unwrap();
    let stray = asset.join(format!("{start}-00000000000000aa.{chunk}"));
    fs::write(&stray, b"stray").unwrap();
    let mine = [case.root().join("notes.txt"), asset.join("cover.jpg"), asset.join("x-1.0")];
    for file in &mine {
        fs::write(file, b"mine").unwrap();
    }
    let client = case.client();
    cache_of(&client).clear().unwrap();
    eventually("the stray is gone", || !stray.exists());
    eventually("and so is the file", || !file.exists());
    for file in &mine {
        assert!(file.exists(), "{file:?} is not ours to delete");
    }
}

fn a_pin_may_come_before_the_file(runtime: Runtime) {
    let case = Case::new(runtime);
    let client = case.client();
    let key = cache_of(&client).key(&Source::url(case.url())).unwrap();
    cache_of(&client).pin(&key).unwrap();
    drop(client);
    case.plays();
    assert!(only(&cache_of(&case.client())).pinned);
}

fn d3_verify_finds_what_was_damaged(runtime: Runtime) {
    let case = Case::new(runtime);
    case.plays();
    let client = case.client();
    let key = only(&cache_of(&client)).key;
    let found = cache_of(&client).verify(&key).unwrap();
    assert_eq!((found.good, found.lost), (LEN, 0));
    drop(client);
    let file = case.data_files().remove(0);
    let mut bytes = fs::read(&file).unwrap();
    bytes[BLOCK as usize + 5] ^= 1;
    fs::write(&file, bytes).unwrap();
    let client = case.client();
    let found = cache_of(&client).verify(&key).unwrap();
    assert_eq!((found.good, found.lost), (LEN - BLOCK, BLOCK));
    let entry = only(&cache_of(&client));
    assert_eq!((entry.stored, entry.state), (LEN - BLOCK, CacheState::Partial));
    assert_eq!(case.requests().len(), 1, "it asks nobody: {}", case.story());
    let mut stream = client.open(case.url()).unwrap();
    case.reads_on(&mut stream);
    assert_eq!(case.sent(), LEN + BLOCK, "{}", case.story());
}

fn what_is_not_there_is_named(runtime: Runtime) {
    let case = Case::new(runtime);
    let client = case.client();
    let cache = cache_of(&client);
    let key = key_of(&cache, &case.url());
    for error in [cache.verify(&key).unwrap_err(), cache.remove(&key).unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::Caller, "{error}");
        assert!(error.to_string().contains(&key.to_string()), "{error}");
    }
    let error = cache.key(&Source::path("/some/file")).unwrap_err();
    assert!(error.to_string().contains("/some/file"), "{error}");
    assert_eq!(cache.list().unwrap(), []);
    cache.clear().unwrap();
}
