//! The threaded client with a cache, against a small origin on loopback.

#![cfg(all(feature = "cache", feature = "client"))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use infill_blocking::{CacheState, Client, Durability, ErrorKind, Source, State};
use support::{Do, Origin};

const MIB: usize = 1 << 20;

fn client(dir: &Path) -> Client {
    let builder = Client::builder().cache_dir(dir).give_up_after(Duration::from_secs(5));
    builder.build().unwrap()
}

/// Waits until it holds; not longer than a test may take.
fn eventually(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(10), "never: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn what_was_fetched_is_not_fetched_again_by_the_next_client() {
    let dir = tempfile::tempdir().unwrap();
    let origin = Origin::new(2 * MIB + 17, []);
    let url = origin.url("/a.mp3?secret");
    let mut all = Vec::new();
    let mut stream = client(dir.path()).open(url.as_str()).unwrap();
    stream.read_to_end(&mut all).unwrap();
    assert!(all == origin.body());
    let requests = origin.seen().len();
    // Directly after: the directory is free at once, or soon.
    drop(stream);
    let client = client(dir.path());
    let mut stream = client.open(url.as_str()).unwrap();
    let handle = stream.handle();
    assert_eq!(stream.byte_len(), Some(2 * MIB as u64 + 17));
    let shown = handle.progress().buffered;
    assert_eq!(shown, std::slice::from_ref(&(0..2 * MIB as u64 + 17)), "also what is not verified");
    stream.seek(SeekFrom::Start(MIB as u64)).unwrap();
    let mut half = Vec::new();
    stream.read_to_end(&mut half).unwrap();
    assert!(half == origin.body()[MIB..]);
    stream.seek(SeekFrom::Start(0)).unwrap();
    all.clear();
    stream.read_to_end(&mut all).unwrap();
    assert!(all == origin.body());
    assert_eq!(origin.seen().len(), requests, "no request for what is complete");
    let stats = handle.stats();
    assert_eq!((stats.bytes_from_cache, stats.bytes_fetched), (2 * MIB as u64 + 17, 0));
    eventually("it is complete", || handle.progress().state == State::Complete);
}

#[test]
fn a_part_is_resumed_with_what_is_missing_and_played_without_the_origin() {
    let dir = tempfile::tempdir().unwrap();
    let origin = Origin::new(2 * MIB, [Do::StallAfter(MIB)]);
    let url = origin.url("/a.mp3");
    let first = client(dir.path());
    let mut stream = first.open(url.as_str()).unwrap();
    let mut half = vec![0; MIB];
    stream.read_exact(&mut half).unwrap();
    drop((stream, first));
    let client = client(dir.path());
    let mut stream = client.open(url.as_str()).unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    assert!(all == origin.body());
    let stats = stream.handle().stats();
    assert_eq!(stats.bytes_fetched, MIB as u64, "what is there is not fetched again");
    assert_eq!(stats.bytes_from_cache, MIB as u64);
}

#[test]
fn a_directory_is_one_clients_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let first = client(dir.path());
    let begun = Instant::now();
    let error = Client::builder().cache_dir(dir.path()).build().unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(1), "at once");
    assert_eq!(error.kind(), ErrorKind::Store);
    let shown = error.to_string();
    assert!(shown.contains(&dir.path().display().to_string()), "{shown}");
    // A handle on the cache keeps it open, a clone does, a stream does; and nothing else.
    let cache = first.cache().unwrap();
    drop(first);
    assert!(Client::builder().cache_dir(dir.path()).build().is_err());
    drop(cache);
    for _ in 0..20 {
        drop(client(dir.path()));
    }
}

#[test]
fn the_last_records_are_written_before_the_directory_is_given_back() {
    for durability in [Durability::Fast, Durability::Flush] {
        let dir = tempfile::tempdir().unwrap();
        let origin = Origin::new(MIB, [Do::StallAfter(100_000)]);
        let url = origin.url("/a.mp3");
        let open = || {
            let builder = Client::builder().cache_dir(dir.path()).durability(durability);
            builder.build().unwrap()
        };
        let client = open();
        let mut stream = client.open(url.as_str()).unwrap();
        stream.read_exact(&mut vec![0; 100_000]).unwrap();
        // Too soon for a record: nothing is due before a second.
        drop((stream, client));
        let listed = open().cache().unwrap().list().unwrap();
        assert_eq!(listed.len(), 1);
        assert_eq!(listed[0].stored, 100_000, "{durability:?}");
        assert_eq!(listed[0].state, CacheState::Partial);
        assert_eq!(listed[0].percent().map(f64::round), Some(10.0));
    }
}

#[test]
fn a_download_fills_pins_and_is_listed() {
    let dir = tempfile::tempdir().unwrap();
    let origin = Origin::new(MIB, []);
    let client = client(dir.path());
    let cache = client.cache().unwrap();
    assert_eq!(cache.list().unwrap(), []);
    let source = Source::url(origin.url("/a.mp3?secret")).cache_key("episode 17");
    let key = cache.key(&source).unwrap();
    let download = client.download(source).pin();
    let handle = download.handle();
    download.wait().unwrap();
    assert_eq!(handle.stats().bytes_fetched, MIB as u64);
    eventually("it is closed", || !cache.list().unwrap()[0].open);
    let listed = cache.list().unwrap();
    assert_eq!(listed.len(), 1);
    let entry = &listed[0];
    assert_eq!((entry.key, entry.key.to_string().parse()), (key, Ok(key)));
    assert!(!entry.url.contains("secret") && entry.url.ends_with("/a.mp3"), "{}", entry.url);
    assert_eq!((entry.total, entry.stored), (Some(MIB as u64), MIB as u64));
    assert_eq!((entry.state, entry.pinned), (CacheState::Complete, true));
    assert_eq!(entry.percent(), Some(100.0));

    // Another URL of the same thing.
    let again = Source::url(origin.url("/other.mp3")).cache_key("episode 17");
    let mut all = Vec::new();
    client.open(again).unwrap().read_to_end(&mut all).unwrap();
    assert!(all == origin.body());
    assert_eq!(origin.seen().len(), 1);

    cache.clear().unwrap();
    assert_eq!(cache.list().unwrap().len(), 1, "what is pinned stays");
    cache.unpin(&key).unwrap();
    eventually("it can be removed", || cache.remove(&key).is_ok());
    assert_eq!(cache.list().unwrap(), []);
    assert_eq!(cache.verify(&key).unwrap_err().kind(), ErrorKind::Caller);
}

#[test]
fn a_prefetch_is_of_the_first_bytes_and_dropping_a_download_keeps_them() {
    let dir = tempfile::tempdir().unwrap();
    let origin = Origin::new(MIB, [Do::Serve, Do::StallAfter(100_000)]);
    let client = client(dir.path());
    client.prefetch(origin.url("/a.mp3"), 250_000).wait().unwrap();
    let cache = client.cache().unwrap();
    assert_eq!(cache.list().unwrap()[0].stored, 250_000);
    let download = client.download(origin.url("/a.mp3"));
    let handle = download.handle();
    let buffered = || handle.progress().buffered.iter().map(|run| run.end - run.start).sum::<u64>();
    eventually("some of it is there", || buffered() == 350_000);
    drop(download);
    assert_eq!(handle.progress().state, State::Closed);
    eventually("it is kept", || cache.list().unwrap()[0].stored == 350_000);
    eventually("it is closed", || !cache.list().unwrap()[0].open);
}

#[test]
fn verifying_counts_what_is_good_and_what_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let origin = Origin::new(MIB, []);
    let source = Source::url(origin.url("/a.mp3"));
    client(dir.path()).download(source.clone()).wait().unwrap();
    let key = {
        let client = client(dir.path());
        let cache = client.cache().unwrap();
        let key = cache.key(&source).unwrap();
        let verified = cache.verify(&key).unwrap();
        assert_eq!((verified.good, verified.lost), (MIB as u64, 0));
        key
    };
    // One bit, in the third block.
    let asset = dir.path().join(key.to_string());
    let data = std::fs::read_dir(&asset).unwrap().next().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&data).unwrap();
    bytes[600_000] ^= 4;
    std::fs::write(&data, bytes).unwrap();
    let client = client(dir.path());
    let cache = client.cache().unwrap();
    let verified = cache.verify(&key).unwrap();
    assert_eq!((verified.good, verified.lost), (3 * MIB as u64 / 4, MIB as u64 / 4));
    assert_eq!(origin.seen().len(), 1, "without the network");
    let mut all = Vec::new();
    client.open(source).unwrap().read_to_end(&mut all).unwrap();
    assert!(all == origin.body());
    assert_eq!(origin.seen().len(), 2);
}

#[test]
fn without_a_cache_there_is_none_and_downloads_say_so() {
    let client = Client::new().unwrap();
    assert!(client.cache().is_none());
    let error = client.download("http://127.0.0.1:9/a.mp3").wait().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("cache_dir"), "{error}");
    let dir = tempfile::tempdir().unwrap();
    let client = self::client(dir.path());
    for (bad, kind) in [("a.mp3", ErrorKind::Unsupported), ("http://", ErrorKind::Caller)] {
        let download = client.download(bad).pin();
        assert_eq!(download.handle().progress().state, State::Failed);
        assert_eq!(download.wait().unwrap_err().kind(), kind);
    }
}

#[test]
fn a_directory_that_can_not_be_one_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "x").unwrap();
    let error = Client::builder().cache_dir(&file).build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Store);
    assert!(error.to_string().contains("file"), "{error}");
}
