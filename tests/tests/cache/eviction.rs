//! The budget: what was used least recently goes first, and never what is pinned or open.

use std::{
    fs,
    time::{Duration, SystemTime},
};

use infill_tests::{
    origin::content,
    runtime::{Client, Runtime},
};

use crate::case::{Case, LEN, SEED, cache_of, eventually, key_of};

both! {
    d17_the_least_recently_used_goes_first_whatever_the_clock_says,
    d16_what_is_pinned_or_open_stays,
    the_limit_is_kept_while_a_large_file_comes,
    a_smaller_limit_holds_from_the_next_life_on,
    without_any_room_it_plays_from_memory,
}

/// The journal is counted, too.
const JOURNAL: u64 = 200_000;

/// What the files may take. One goes when nothing of it is wanted any more: at each end of a window one is there that
/// is wanted in part.
fn most(limit: u64) -> u64 {
    limit + limit / 4 + JOURNAL
}

const PATHS: [&str; 4] = ["/a", "/b", "/c", "/d"];

/// Four files, and room for three.
fn crowded(runtime: Runtime) -> Case {
    let case = Case::new(runtime).with(|config| config.cache_limit_bytes = Some(3 * LEN + JOURNAL));
    for path in PATHS {
        case.origin.put(path, content(SEED, LEN));
    }
    case
}

/// What is there, the least recently used first.
fn paths(case: &Case, client: &Client) -> Vec<String> {
    let mut entries = cache_of(client).list().unwrap();
    entries.sort_by_key(|entry| entry.used);
    let host = case.origin.url("");
    entries.into_iter().map(|entry| entry.url.replace(&host, "")).collect()
}

/// What the directory takes.
fn taken(case: &Case) -> u64 {
    let files = crate::case::files(&case.root());
    files.iter().map(|file| fs::metadata(file).map_or(0, |found| found.len())).sum()
}

fn plays(case: &Case, client: &Client, path: &str) {
    let mut stream = client.open(case.origin.url(path)).unwrap();
    case.reads_on(&mut stream);
    drop(stream);
    eventually("it is closed", || cache_of(client).list().unwrap().iter().all(|e| !e.open));
}

fn d17_the_least_recently_used_goes_first_whatever_the_clock_says(runtime: Runtime) {
    let case = crowded(runtime);
    for path in ["/a", "/b", "/c", "/a"] {
        plays(&case, &case.client(), path);
    }
    // As after a clock that was wrong: `/b` seems to be the newest by a year.
    let client = case.client();
    let stale = key_of(&cache_of(&client), &case.origin.url("/b")).to_string();
    assert_eq!(paths(&case, &client), ["/b", "/c", "/a"]);
    drop(client);
    let year = SystemTime::now() + Duration::from_secs(365 * 24 * 3600);
    for file in case.data_files() {
        let of_b = file.to_string_lossy().contains(&stale);
        let time = if of_b { year } else { SystemTime::UNIX_EPOCH };
        fs::File::options().write(true).open(file).unwrap().set_modified(time).unwrap();
    }
    let client = case.client();
    plays(&case, &client, "/d");
    assert_eq!(paths(&case, &client), ["/c", "/a", "/d"]);
    eventually("its files are gone", || taken(&case) <= 3 * LEN + JOURNAL);
    assert!(case.data_files().iter().all(|file| !file.to_string_lossy().contains(&stale)));
    plays(&case, &client, "/c");
    plays(&case, &client, "/b");
    assert_eq!(paths(&case, &client), ["/d", "/c", "/b"]);
}

fn d16_what_is_pinned_or_open_stays(runtime: Runtime) {
    let case = crowded(runtime);
    let client = case.client();
    for path in ["/a", "/b", "/c"] {
        plays(&case, &client, path);
    }
    let cache = cache_of(&client);
    cache.pin(&key_of(&cache, &case.origin.url("/a"))).unwrap();
    let mut open = client.open(case.origin.url("/b")).unwrap();
    let mut stream = client.open(case.origin.url("/d")).unwrap();
    case.reads_on(&mut stream);
    let left = paths(&case, &client);
    assert!(left.contains(&"/a".into()) && left.contains(&"/b".into()), "{left:?}");
    assert!(!left.contains(&"/c".into()), "{left:?}");
    case.reads_on(&mut open);
    assert_eq!(case.origin.requests("/b").len(), 1, "{}", case.story());
    // Nothing is left to go: what comes is played all the same.
    let mut last = client.open(case.origin.url("/c")).unwrap();
    let reading = last.read_on(SEED);
    assert_eq!((reading.count, reading.end), (LEN, Ok(())), "{}", case.story());
    last.check_at(SEED, 0, 1000);
    eventually("within the limit", || taken(&case) <= most(3 * LEN));
}

fn the_limit_is_kept_while_a_large_file_comes(runtime: Runtime) {
    let (len, limit) = (12 << 20, 4 << 20);
    let case = Case::of(runtime, len).with(|config| config.cache_limit_bytes = Some(limit));
    let client = case.client();
    case.origin.put("/b", content(SEED, LEN));
    plays(&case, &client, "/b");
    let mut stream = client.open(case.url()).unwrap();
    for at in (0..len).step_by(1 << 20) {
        stream.check_at(SEED, at, 1 << 20);
        // What is evicted is gone in a moment.
        eventually("within the limit", || taken(&case) <= most(limit));
    }
    assert!(!paths(&case, &client).contains(&"/b".to_owned()), "it made room");
}

fn a_smaller_limit_holds_from_the_next_life_on(runtime: Runtime) {
    let case = crowded(runtime);
    for path in ["/a", "/b", "/c"] {
        plays(&case, &case.client(), path);
    }
    let case = case.with(|config| config.cache_limit_bytes = Some(LEN + JOURNAL));
    let client = case.client();
    plays(&case, &client, "/c");
    eventually("within the limit", || taken(&case) <= LEN + JOURNAL);
    assert_eq!(paths(&case, &client), ["/c"]);
    assert_eq!(case.origin.requests("/c").len(), 1, "{}", case.story());
}

fn without_any_room_it_plays_from_memory(runtime: Runtime) {
    // A limit that holds nothing, and one that is pinned away.
    let case = Case::new(runtime).with(|config| config.cache_limit_bytes = Some(1000));
    let client = case.client();
    plays(&case, &client, "/a");
    assert_eq!(case.data_files(), Vec::<std::path::PathBuf>::new());
    drop(client);
    let case = crowded(runtime).with(|config| config.cache_limit_bytes = Some(LEN + JOURNAL));
    let client = case.client();
    client.download(case.origin.url("/a")).pin().wait().unwrap();
    let case = case.with(|config| config.cache_limit_bytes = Some(LEN));
    drop(client);
    let client = case.client();
    let mut stream = client.open(case.origin.url("/b")).unwrap();
    case.reads_on(&mut stream);
    let told = crate::case::notices(&stream);
    let not_cached = |notice: &_| matches!(notice, infill_tests::runtime::Notice::NotCached(_));
    assert!(told.iter().any(not_cached), "{told:?}");
}
