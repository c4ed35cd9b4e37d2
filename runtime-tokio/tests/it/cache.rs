//! The cache, through tokio.

use std::path::Path;
use std::time::{Duration, Instant};

use infill_tokio::{CacheState, Client, ErrorKind, Source};
use tokio::io::AsyncReadExt;

use crate::origin::{Origin, Plan, content};

const LEN: usize = 700_000;

fn client(dir: &Path) -> Client {
    Client::builder().cache_dir(dir).give_up_after(Duration::from_secs(5)).build().unwrap()
}

async fn read(client: &Client, url: String) -> Vec<u8> {
    let mut all = Vec::new();
    client.open(url).await.unwrap().read_to_end(&mut all).await.unwrap();
    all
}

/// The worst case: this very thread would have to finish the old client's work, and it waits for the directory.
#[tokio::test]
async fn the_next_client_on_a_runtime_of_one_thread_gets_the_directory() {
    let dir = tempfile::tempdir().unwrap();
    let origin = Origin::new(content(LEN), |count, _| match count {
        0 => Plan::StallAfter(200_000),
        _ => Plan::Serve,
    });
    let first = client(dir.path());
    let mut stream = first.open(origin.url()).await.unwrap();
    stream.read_exact(&mut vec![0; 200_000]).await.unwrap();
    drop((stream, first));
    let begun = Instant::now();
    let second = client(dir.path());
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    let mut stream = second.open(origin.url()).await.unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).await.unwrap();
    assert!(all == content(LEN));
    let stats = stream.handle().stats();
    assert_eq!(stats.bytes_from_cache, 200_000, "no record was lost");
    assert_eq!(stats.bytes_fetched as usize, LEN - 200_000);
    assert!(Client::builder().cache_dir(dir.path()).build().is_err(), "that one is alive");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_come_and_go_on_one_directory() {
    let dir = tempfile::tempdir().unwrap();
    let origin = Origin::honest(content(LEN));
    for round in 0..10 {
        let client = client(dir.path());
        assert!(read(&client, origin.url()).await == content(LEN));
        assert_eq!(origin.seen().len(), 1, "round {round}");
    }
}

#[tokio::test]
async fn a_runtime_that_goes_gives_the_directory_back() {
    let dir = tempfile::tempdir().unwrap();
    let origin = Origin::honest(content(LEN));
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let builder = Client::builder().cache_dir(dir.path()).runtime(runtime.handle().clone());
    let orphan = builder.build().unwrap();
    std::thread::spawn(move || drop(runtime)).join().unwrap();
    // The handle is alive, what it stood for is not.
    let error = orphan.cache().unwrap().list().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
    let client = client(dir.path());
    assert!(read(&client, origin.url()).await == content(LEN));
    drop(orphan);
    assert!(Client::builder().cache_dir(dir.path()).build().is_err(), "it is the other's now");
}

#[tokio::test]
async fn a_download_is_a_future_and_the_cache_answers() {
    let dir = tempfile::tempdir().unwrap();
    let origin = Origin::honest(content(LEN));
    let client = client(dir.path());
    let cache = client.cache().unwrap();
    let source = Source::url(origin.url()).header("Authorization", "Bearer x");
    let key = cache.key(&source).unwrap();
    client.download(source.clone()).pin().await.unwrap();
    client.prefetch(source.clone(), 10).wait().await.unwrap();
    assert_eq!(origin.seen().len(), 1);
    let listed = cache.list().await.unwrap();
    assert_eq!((listed.len(), listed[0].key), (1, key));
    assert_eq!((listed[0].pinned, listed[0].state), (true, CacheState::Complete));
    let verified = cache.verify(&key).await.unwrap();
    assert_eq!((verified.good as usize, verified.lost), (LEN, 0));
    // Who asks with another authorization is given nothing of it.
    let other = Source::url(origin.url()).header("Authorization", "Bearer y");
    assert_ne!(cache.key(&other).unwrap(), key);
    client.open(other).await.unwrap();
    assert_eq!(origin.seen().len(), 2);
    cache.unpin(&key).await.unwrap();
    let until = Instant::now() + Duration::from_secs(5);
    while let Err(error) = cache.remove(&key).await {
        assert!(Instant::now() < until, "{error}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert!(cache.list().await.unwrap().iter().all(|entry| entry.key != key));
    cache.clear().await.unwrap();
    let error = client.download("no/url.mp3").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let without = Client::new().unwrap();
    assert!(without.cache().is_none());
    assert!(without.download(origin.url()).await.is_err());
}
