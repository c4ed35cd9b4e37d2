//! Closing frees what a stream held: threads, sockets, temporary files. Counted by the system.

#![cfg(feature = "client")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![cfg(target_os = "linux")]

mod support;

use std::fs;
use std::io::Read;
use std::net::{SocketAddr, TcpStream};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use infill_blocking::{Client, ErrorKind, State, StoreKind};
use support::{Do, Origin};

/// How long closing may take.
const SOON: Duration = Duration::from_millis(100);

/// What is counted belongs to the process: one test at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    let guard = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    within(Duration::from_secs(5), "left by another test", || threads().is_empty());
    guard
}

/// The names of infill's threads.
fn threads() -> Vec<String> {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let names = tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.map(|name| name.trim().to_owned()).filter(|name| name.starts_with("infill-")).collect()
}

/// What the open descriptors are.
fn descriptors() -> Vec<String> {
    let all = fs::read_dir("/proc/self/fd").unwrap();
    all.filter_map(|fd| Some(fs::read_link(fd.ok()?.path()).ok()?.display().to_string())).collect()
}

fn temporary_files() -> usize {
    descriptors().iter().filter(|name| name.ends_with("(deleted)")).count()
}

fn within(time: Duration, what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        let (threads, files) = (threads(), temporary_files());
        assert!(begun.elapsed() < time, "{what}: {threads:?}, {files} files");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn dropping_a_stalled_stream_frees_everything_at_once() {
    let _alone = alone();
    let before = descriptors().len();
    let origin = Origin::new(1 << 20, [Do::StallAfter(100_000), Do::Silence]);
    let client = Client::builder().store(StoreKind::temp_dir()).build().unwrap();
    let mut stream = client.open(origin.url("/")).unwrap();
    let mut some = vec![0; 100_000];
    stream.read_exact(&mut some).unwrap();
    assert!(temporary_files() > 0);
    drop(stream);
    within(SOON, "the client alone", || threads() == ["infill-driver"]);
    within(SOON, "no file", || temporary_files() == 0);
    drop(client);
    within(SOON, "nothing", || threads().is_empty());
    drop(origin);
    within(Duration::from_secs(2), "no socket", || descriptors().len() <= before);
}

#[test]
fn closing_by_a_handle_frees_as_much_while_the_stream_lives() {
    let _alone = alone();
    let origin = Origin::new(1 << 20, [Do::StallAfter(100_000)]);
    let client = Client::builder().store(StoreKind::temp_dir()).build().unwrap();
    let mut stream = client.open(origin.url("/")).unwrap();
    stream.read_exact(&mut vec![0; 100_000]).unwrap();
    drop(client);
    let handle = stream.handle();
    handle.close();
    within(SOON, "no file", || temporary_files() == 0);
    within(SOON, "the driver alone", || threads() == ["infill-driver"]);
    drop(stream);
    within(SOON, "nothing", || threads().is_empty());
    assert_eq!(handle.progress().state, State::Closed);
}

#[test]
fn an_open_that_fails_leaves_nothing() {
    let _alone = alone();
    let origin = Origin::new(10, vec![Do::Status(404); 3]);
    let client = Client::new().unwrap();
    for _ in 0..3 {
        client.open(origin.url("/")).unwrap_err();
        within(SOON, "the client alone", || threads() == ["infill-driver"]);
    }
}

#[test]
fn streams_at_their_end_have_no_thread_and_ask_for_nothing() {
    let _alone = alone();
    let origin = Origin::new(50_000, []);
    let client = Client::builder().store(StoreKind::temp_dir()).build().unwrap();
    let streams: Vec<_> = (0..30)
        .map(|_| {
            let mut stream = client.open(origin.url("/")).unwrap();
            let mut all = Vec::new();
            stream.read_to_end(&mut all).unwrap();
            assert!(all == origin.body());
            stream
        })
        .collect();
    within(Duration::from_secs(5), "the client alone", || threads() == ["infill-driver"]);
    let switches = || {
        let tasks = fs::read_dir("/proc/self/task").unwrap();
        let of_driver = tasks.filter_map(|task| {
            let path = task.ok()?.path();
            let name = fs::read_to_string(path.join("comm")).ok()?;
            let status = fs::read_to_string(path.join("status")).ok()?;
            let line = status.lines().find(|line| line.starts_with("voluntary_ctxt"))?;
            name.starts_with("infill-").then(|| line.to_owned())
        });
        of_driver.collect::<Vec<_>>()
    };
    let (rested, seen) = (switches(), origin.seen().len());
    thread::sleep(Duration::from_millis(300));
    assert_eq!(switches(), rested, "the driver sleeps");
    assert_eq!(origin.seen().len(), seen);
    drop(streams);
    within(SOON, "no file", || temporary_files() == 0);
}

#[test]
fn a_connect_in_progress_holds_nothing_up() {
    let _alone = alone();
    // A listener that takes no more: connects to it hang.
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    socket.bind(&any.into()).unwrap();
    socket.listen(0).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    let mut waiting = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(50)) {
        waiting.push(stream);
        assert!(waiting.len() < 100);
    }
    let connect = Duration::from_millis(1500);
    let client = Client::builder()
        .give_up_after(Duration::from_millis(300))
        .connect_timeout(connect)
        .build()
        .unwrap();
    let begun = Instant::now();
    let error = client.open(format!("http://{address}/")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Network, "{error}");
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}: {error}", begun.elapsed());
    drop(client);
    within(SOON, "no driver", || !threads().contains(&"infill-driver".to_owned()));
    within(connect + SOON, "nothing", || threads().is_empty());
}

#[test]
fn a_hundred_streams_come_and_go() {
    let _alone = alone();
    let before = descriptors().len();
    let origin = Origin::new(300_000, []);
    let client = Client::builder().store(StoreKind::temp_dir()).build().unwrap();
    for round in 0..100 {
        let mut stream = client.open(origin.url("/")).unwrap();
        let mut some = vec![0; round * 1000];
        stream.read_exact(&mut some).unwrap();
        assert!(some == origin.body()[..some.len()]);
    }
    within(SOON, "the client alone", || threads() == ["infill-driver"]);
    within(SOON, "no file", || temporary_files() == 0);
    drop((client, origin));
    within(Duration::from_secs(2), "no socket", || descriptors().len() <= before);
}
