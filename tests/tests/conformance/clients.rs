//! Clients: streams outlive them, many live side by side, and connections are shared fairly.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use infill_tests::{
    origin::{Origin, content},
    runtime::{Runtime, Settings, StoreKind},
};

use crate::{LEN, SEED, client, eventually, open, origin};

both! {
    streams_outlive_their_client,
    three_waiting_readers_on_two_connections_all_progress,
    many_clients_at_once,
    a_temporary_store_leaves_no_file,
    connections_of_a_client_are_bounded,
}

fn streams_outlive_their_client(runtime: Runtime) {
    let origin = origin();
    origin.on("/a").nth(0).cut_at(LEN / 2);
    let client = client(runtime);
    let mut stream = client.open(origin.url("/a")).unwrap();
    drop(client);
    assert_eq!(stream.read_on(SEED).count, LEN);
}

fn three_waiting_readers_on_two_connections_all_progress(runtime: Runtime) {
    let origin = Origin::builder().latency(Duration::from_millis(5)).start();
    origin.put("/a", content(SEED, 24 << 20));
    origin.on("/a").rate(4 << 20);
    let settings = Settings::quick().store(StoreKind::temp_dir());
    let stream = runtime.client(&settings).open(origin.url("/a")).unwrap();
    let begun = Instant::now();
    thread::scope(|scope| {
        for nth in 1..=3u64 {
            let mut reader = stream.new_reader();
            scope.spawn(move || reader.check_at(SEED, nth * (6 << 20), 100_000));
        }
    });
    // Draining up to the last would take six seconds.
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    // They take turns, each for what its request cost at least: no storm of requests.
    let requests = origin.requests("/a").len();
    assert!(requests <= 40, "{}", origin.stats().describe());
}

fn many_clients_at_once(runtime: Runtime) {
    let origin = Origin::start();
    origin.put("/a", content(SEED, 200_000));
    thread::scope(|scope| {
        for _ in 0..12 {
            scope.spawn(|| {
                let mut stream = open(runtime, &origin);
                assert_eq!(stream.read_on(SEED).count, 200_000);
            });
        }
    });
    assert_eq!(origin.requests("/a").len(), 12);
}

fn a_temporary_store_leaves_no_file(runtime: Runtime) {
    let origin = origin();
    let dir = tempfile::tempdir().unwrap();
    let store = StoreKind::TempDir { dir: Some(dir.path().to_owned()), limit_bytes: None };
    let client = runtime.client(&Settings::quick().store(store));
    let mut stream = client.open(origin.url("/a")).unwrap();
    assert_eq!(stream.read_on(SEED).count, LEN);
    stream.check_at(SEED, 5, 1000);
    drop((stream, client));
    let files = || fs::read_dir(dir.path()).unwrap().count();
    eventually("no file", || files() == 0);
}

fn connections_of_a_client_are_bounded(runtime: Runtime) {
    let origin = Origin::start();
    origin.put("/a", content(SEED, 100_000));
    origin.on("/a").latency(Duration::from_millis(10));
    let settings = Settings::quick().with(|config| config.connections = 3);
    let client = runtime.client(&settings);
    thread::scope(|scope| {
        for _ in 0..12 {
            scope.spawn(|| {
                let mut stream = client.open(origin.url("/a")).unwrap();
                assert_eq!(stream.read_on(SEED).count, 100_000);
            });
        }
    });
    // Connections that are closing count for a moment more.
    let peak = origin.stats().peak_connections;
    assert!(peak <= 3 + 3, "{peak}: {}", origin.stats().describe());
}
