//! What ends when, and what is left behind: nothing.

use std::io::Read;
use std::time::{Duration, Instant};

use infill_tokio::{BlockingFileStream, Client, ClientBuilder, Error, ErrorKind, FileStream};
use tokio::io::AsyncReadExt;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::time::timeout;

use crate::origin::{Origin, Plan, content, until};

const SOON: Duration = Duration::from_secs(10);
/// How fast everything must be gone, on a busy machine.
const AT_ONCE: Duration = Duration::from_millis(100);

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn stalling() -> Origin {
    Origin::new(content(1 << 20), |_, _| Plan::StallAfter(1000))
}

fn kind(error: &std::io::Error) -> ErrorKind {
    Error::from_io(error).expect("an error of infill").kind()
}

#[test]
fn types_and_futures_can_be_sent_and_shared() {
    fn shared<T: Send + Sync + Unpin + 'static>() {}
    fn sent<T: Send>(_: T) {}
    fn sent_for_ever<T: Send + 'static>(_: T) {}
    shared::<Client>();
    shared::<ClientBuilder>();
    shared::<FileStream>();
    shared::<BlockingFileStream>();
    let _ = |client: &Client, stream: &'static FileStream, url: &str| {
        sent_for_ever(client.open(url));
        sent(stream.read_at(0, &mut []));
    };
}

#[test]
fn without_a_runtime_there_is_an_error_and_with_a_handle_none() {
    let error = Client::new().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Caller);
    let runtime = runtime();
    let origin = Origin::honest(content(1000));
    let client = Client::builder().runtime(runtime.handle().clone()).build().unwrap();
    // Opened on the runtime, read and dropped elsewhere.
    let stream = runtime.block_on(client.open(origin.url())).unwrap();
    let mut all = Vec::new();
    stream.into_blocking().read_to_end(&mut all).unwrap();
    assert!(all == content(1000));
}

#[tokio::test]
async fn closing_frees_a_stalled_socket_and_every_task() {
    let tasks = || Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    for how in 0..3 {
        let origin = stalling();
        let client = Client::new().unwrap();
        let stream = client.open(origin.url()).await.unwrap();
        drop(client);
        until(SOON, "connected", || origin.open() == 1).await;
        assert!(tasks() > before);
        let begin = Instant::now();
        match how {
            0 => drop(stream),
            1 => {
                let mut stream = stream;
                stream.handle().close();
                until(AT_ONCE, "the socket is free", || origin.open() == 0).await;
                let error = stream.read(&mut [0; 9]).await.unwrap_err();
                assert_eq!(kind(&error), ErrorKind::Closed);
            }
            _ => drop(stream.into_blocking()),
        }
        until(AT_ONCE, "the socket and the tasks are gone", || {
            origin.open() == 0 && tasks() == before
        })
        .await;
        assert!(begin.elapsed() < 2 * AT_ONCE);
    }
}

#[tokio::test]
async fn dropping_the_open_closes() {
    let tasks = || Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    let origin = Origin::new(Vec::new(), |_, _| Plan::Silent);
    let client = Client::new().unwrap();
    assert!(timeout(Duration::from_millis(50), client.open(origin.url())).await.is_err());
    assert_eq!(origin.seen().len(), 1);
    until(AT_ONCE, "the socket is free", || origin.open() == 0).await;
    // An open that was never polled has done nothing.
    drop(client.open(origin.url()));
    drop(client);
    until(AT_ONCE, "the tasks are gone", || tasks() == before).await;
    assert_eq!(origin.seen().len(), 1);
}

#[tokio::test]
async fn at_the_end_only_the_driver_is_left_and_the_connection_goes() {
    let before = Handle::current().metrics().num_alive_tasks();
    let origin = Origin::honest(content(100_000));
    let client = Client::new().unwrap();
    let mut stream = client.open(origin.url()).await.unwrap();
    stream.read_to_end(&mut Vec::new()).await.unwrap();
    // Of another identity: of one, there would be one download.
    let second = client.open(format!("{}?2", origin.url())).await.unwrap();
    assert_eq!(origin.seen()[1].connection, 0, "the connection is used again");
    until(SOON, "idle connections are closed", || origin.open() == 0).await;
    assert_eq!(Handle::current().metrics().num_alive_tasks(), before + 1);
    assert_eq!(origin.seen().len(), 2);
    drop((stream, second));
}

#[tokio::test]
async fn a_dead_pooled_connection_is_replaced_at_once() {
    // The second request of a connection finds it closed.
    let origin = Origin::new(content(1000), |count, _| match count {
        1 => Plan::Close,
        _ => Plan::Serve,
    });
    let client = Client::new().unwrap();
    let mut first = client.open(origin.url()).await.unwrap();
    first.read_to_end(&mut Vec::new()).await.unwrap();
    let begin = Instant::now();
    let mut second = client.open(format!("{}?2", origin.url())).await.unwrap();
    let mut all = Vec::new();
    second.read_to_end(&mut all).await.unwrap();
    assert!(all == content(1000));
    assert!(begin.elapsed() < Duration::from_millis(150), "no backoff: {:?}", begin.elapsed());
    let seen = origin.seen();
    let connections: Vec<_> = seen.iter().map(|seen| seen.connection).collect();
    assert_eq!(connections, [0, 0, 1]);
}

#[test]
fn when_the_runtime_goes_all_waits_end() {
    let runtime = runtime();
    let origin = stalling();
    let client = Client::builder().runtime(runtime.handle().clone()).build().unwrap();
    let stream = runtime.block_on(client.open(origin.url())).unwrap();
    let mut asynchronous = stream.new_reader();
    let mut blocking = stream.into_blocking();
    let waiting = std::thread::spawn(move || {
        let mut all = Vec::new();
        let error = blocking.read_to_end(&mut all).unwrap_err();
        (all.len(), kind(&error))
    });
    std::thread::sleep(Duration::from_millis(50));
    assert!(!waiting.is_finished());
    drop(runtime);
    assert_eq!(waiting.join().unwrap(), (1000, ErrorKind::Closed));
    // Also what comes afterwards, on another runtime or on none.
    let other = self::runtime();
    let error = other.block_on(asynchronous.read(&mut [0; 5])).unwrap_err();
    assert_eq!(kind(&error), ErrorKind::Closed);
    let error = other.block_on(client.open(origin.url())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
    let error = other.block_on(client.open("Cargo.toml")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
    client.network_changed();
    drop((asynchronous, client));
}

#[test]
fn a_client_of_a_runtime_that_is_gone_says_closed() {
    let runtime = runtime();
    let handle = runtime.handle().clone();
    runtime.shutdown_background();
    let client = Client::builder().runtime(handle).build().unwrap();
    let open = client.open("http://127.0.0.1:9/");
    let error = self::runtime().block_on(async { timeout(SOON, open).await.unwrap().unwrap_err() });
    assert_eq!(error.kind(), ErrorKind::Closed);
}

#[test]
fn dropping_inside_a_runtime_that_shuts_down_never_panics() {
    for _ in 0..20 {
        let runtime = runtime();
        let origin =
            Origin::new(content(1 << 20), |_, _| Plan::Slow(8192, Duration::from_millis(1)));
        runtime.block_on(async {
            let client = Client::new().unwrap();
            let mut stream = client.open(origin.url()).await.unwrap();
            tokio::spawn(async move {
                let _client = client;
                let _ = stream.read_to_end(&mut Vec::new()).await;
            });
            tokio::time::sleep(Duration::from_millis(5)).await;
        });
        drop(runtime);
        let begin = Instant::now();
        while origin.open() > 0 {
            assert!(begin.elapsed() < SOON, "the connection is left");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

#[test]
fn a_runtime_without_a_clock_ends_in_an_error() {
    let poor = Builder::new_multi_thread().worker_threads(1).enable_io().build().unwrap();
    let client = Client::builder().runtime(poor.handle().clone()).build().unwrap();
    let origin = stalling();
    let open = client.open(origin.url());
    let error = runtime().block_on(async { timeout(SOON, open).await.unwrap().unwrap_err() });
    assert_eq!(error.kind(), ErrorKind::Closed);
}
