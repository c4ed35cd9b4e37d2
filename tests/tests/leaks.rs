//! Closing frees everything, and the end rests: threads, tasks, descriptors and wake-ups of this process, counted by
//! the system, for both runtimes. One test at a time, for what is counted belongs to the process.

#![allow(clippy::unwrap_used)] // Scripts of tests: what is unexpected fails them.
#![cfg(target_os = "linux")]

use std::{
    fs,
    io::Read as _,
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use infill_tests::{
    origin::{Origin, content},
    runtime::{
        Client, ErrorKind, Runtime, Settings, Source, State, StoreKind, Stream, of_infill,
        tokio_runtime,
    },
};

const SEED: u64 = 5;
const LEN: u64 = 1_000_000;

/// Closing may take 100 ms. What is seen is later: the system forgets a thread after it has ended, the origin must see
/// the FIN, and this machine has other things to do.
const SOON: Duration = Duration::from_millis(100 + 150);

/// What this process holds.
#[derive(Debug, PartialEq, Eq)]
struct Held {
    /// Threads of infill.
    threads: Vec<String>,
    /// Tasks on the tokio runtime.
    tasks: usize,
    /// Temporary files without names.
    files: usize,
}

fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    let guard = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    // Its worker threads are there from now on.
    tokio_runtime();
    within(Duration::from_secs(5), "left by another test", || {
        held().threads.is_empty() && held().tasks == 0
    });
    guard
}

fn held() -> Held {
    Held {
        threads: tasks("infill-").map(|(name, _)| name).collect(),
        tasks: tokio_runtime().metrics().num_alive_tasks(),
        files: descriptors().iter().filter(|name| name.ends_with("(deleted)")).count(),
    }
}

/// Threads whose name begins so, and their directory.
fn tasks(prefix: &str) -> impl Iterator<Item = (String, std::path::PathBuf)> {
    let all = fs::read_dir("/proc/self/task").expect("Linux has /proc");
    all.filter_map(move |task| {
        let path = task.ok()?.path();
        let name = fs::read_to_string(path.join("comm")).ok()?.trim().to_owned();
        name.starts_with(prefix).then_some((name, path))
    })
}

fn descriptors() -> Vec<String> {
    let all = fs::read_dir("/proc/self/fd").expect("Linux has /proc");
    all.filter_map(|fd| Some(fs::read_link(fd.ok()?.path()).ok()?.display().to_string())).collect()
}

/// How often the threads that work for streams went to sleep: each wake-up counts.
fn wake_ups() -> Vec<(String, String)> {
    let line = |path: std::path::PathBuf| {
        let status = fs::read_to_string(path.join("status")).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("voluntary_ctxt"));
        line.unwrap_or_default().to_owned()
    };
    let ours = tasks("infill-").chain(tasks("test-tokio"));
    ours.map(|(name, path)| (name, line(path))).collect()
}

fn within(time: Duration, what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < time, "not {what}: {:?} {:?}", held(), descriptors());
        thread::sleep(Duration::from_millis(1));
    }
}

/// What a client without streams holds.
fn idle(runtime: Runtime) -> bool {
    let held = held();
    match runtime {
        Runtime::Blocking => held.threads == ["infill-driver"] && held.tasks == 0,
        Runtime::Tokio => held.threads.is_empty() && held.tasks <= 1,
    }
}

fn nothing() -> bool {
    let held = held();
    held.threads.is_empty() && held.tasks == 0 && held.files == 0
}

fn client(runtime: Runtime) -> Client {
    runtime.client(&Settings::quick().store(StoreKind::temp_dir()))
}

/// An origin whose `/stall` stops after 100,000 bytes for ever.
fn origin() -> Origin {
    let origin = Origin::start();
    origin.put("/whole", content(SEED, LEN));
    origin.put("/stall", content(SEED, LEN));
    origin.on("/stall").stall_at(100_000);
    origin
}

fn read_some(stream: &mut Stream) {
    let reading = stream.read_most(SEED, 100_000);
    assert_eq!((reading.count, reading.end), (100_000, Ok(())));
}

#[test]
fn dropping_streams_with_stalled_sockets_frees_everything_at_once() {
    let _alone = alone();
    for runtime in Runtime::ALL {
        let before = descriptors().len();
        let origin = origin();
        let client = client(runtime);
        let mut streams: Vec<_> =
            (0..3).map(|_| client.open(origin.url("/stall")).unwrap()).collect();
        streams.iter_mut().for_each(read_some);
        assert!(held().files > 0);
        let requests = origin.requests("/stall").len();
        drop(streams);
        within(SOON, "a client alone", || idle(runtime) && held().files == 0);
        origin.wait_until_closed(SOON).unwrap();
        drop(client);
        within(SOON, "nothing", nothing);
        assert_eq!(origin.requests("/stall").len(), requests, "none after the close");
        drop(origin);
        within(Duration::from_secs(2), "no descriptor more", || descriptors().len() <= before);
    }
}

#[test]
fn closing_by_a_handle_ends_blocked_reads_and_frees_as_much() {
    let _alone = alone();
    for runtime in Runtime::ALL {
        let origin = origin();
        let client = client(runtime);
        let mut stream = client.open(origin.url("/stall")).unwrap();
        drop(client);
        read_some(&mut stream);
        let handle = stream.handle();
        let begun = thread::scope(|scope| {
            let blocked = scope.spawn(|| {
                let error = stream.read(&mut [0; 10]).unwrap_err();
                (of_infill(&error).kind(), Instant::now())
            });
            within(Duration::from_secs(5), "starving", || handle.progress().starving);
            let begun = Instant::now();
            handle.close();
            let (kind, ended) = blocked.join().unwrap();
            assert_eq!(kind, ErrorKind::Closed);
            assert!(ended - begun < SOON, "{:?}", ended - begun);
            begun
        });
        // The stream is still there; only the client's own thread or task is.
        within(SOON, "freed", || held().files == 0 && idle(runtime));
        origin.wait_until_closed(SOON).unwrap();
        assert!(begun.elapsed() < 3 * SOON);
        drop(stream);
        within(SOON, "nothing", nothing);
        assert_eq!(handle.progress().state, State::Closed);
    }
}

#[test]
fn dropping_a_waiting_open_or_a_silent_stream_leaves_nothing() {
    let _alone = alone();
    for runtime in Runtime::ALL {
        let origin = origin();
        origin.put("/silent", content(SEED, LEN));
        origin.on("/silent").stall_before_head();
        let settings = Settings::quick().with(|config| {
            config.give_up_after = Duration::from_millis(150);
        });
        let client = runtime.client(&settings);
        for _ in 0..3 {
            let error = client.open(origin.url("/silent")).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Network, "{error}");
            within(SOON, "a client alone", || idle(runtime));
            origin.wait_until_closed(SOON).unwrap();
        }
        drop(client);
        within(SOON, "nothing", nothing);
    }
}

#[test]
fn at_the_end_nothing_polls() {
    let _alone = alone();
    for runtime in Runtime::ALL {
        let origin = origin();
        let client = client(runtime);
        let streams: Vec<_> = (0..10)
            .map(|number| {
                // Each of its own identity: one would be downloaded once.
                let source = Source::url(origin.url("/whole")).cache_key(number.to_string());
                let mut stream = client.open(source).unwrap();
                let reading = stream.read_on(SEED);
                assert_eq!((reading.count, reading.end), (LEN, Ok(())));
                stream
            })
            .collect();
        // Kept connections, and whatever waits for a next request, go after a few seconds.
        within(Duration::from_secs(10), "a client alone", || idle(runtime));
        let (requests, rested) = (origin.requests("/whole").len(), wake_ups());
        assert_eq!(requests, 10);
        thread::sleep(Duration::from_millis(400));
        assert_eq!(wake_ups(), rested, "{runtime}: something woke up");
        assert_eq!(origin.requests("/whole").len(), requests);
        drop(streams);
        within(SOON, "no file", || held().files == 0);
        drop(client);
        within(SOON, "nothing", nothing);
    }
}

#[test]
fn many_streams_come_and_go() {
    let _alone = alone();
    for runtime in Runtime::ALL {
        let before = descriptors().len();
        let origin = origin();
        let client = client(runtime);
        for round in 0..60 {
            let mut stream = client.open(origin.url("/whole")).unwrap();
            let reading = stream.read_most(SEED, round * 5000);
            assert_eq!((reading.count, reading.end), (round * 5000, Ok(())));
        }
        within(Duration::from_secs(10), "a client alone", || idle(runtime) && held().files == 0);
        drop((client, origin));
        within(SOON, "nothing", nothing);
        within(Duration::from_secs(2), "no descriptor more", || descriptors().len() <= before);
    }
}
