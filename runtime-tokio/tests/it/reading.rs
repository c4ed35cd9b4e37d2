//! Reading, seeking, and giving up reads.

use std::future::poll_fn;
use std::io::{Read, SeekFrom};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use infill_tokio::{Client, ErrorKind, FileStream, Source, State, StoreKind, reqwest_builder};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncSeek, AsyncSeekExt, ReadBuf};
use tokio::task::coop;
use tokio::time::timeout;

use crate::origin::{Origin, Plan, content, until};

const SOON: Duration = Duration::from_secs(10);

fn stores() -> [StoreKind; 2] {
    [StoreKind::default(), StoreKind::temp_dir()]
}

fn client(store: StoreKind) -> Client {
    Client::builder().store(store).build().unwrap()
}

async fn read_all(stream: &mut FileStream) -> Vec<u8> {
    let mut all = Vec::new();
    timeout(SOON, stream.read_to_end(&mut all)).await.unwrap().unwrap();
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_what_the_origin_holds() {
    let bytes = content(3 << 20);
    for store in stores() {
        let origin = Origin::honest(bytes.clone());
        let mut stream = client(store).open(origin.url()).await.unwrap();
        assert_eq!(stream.byte_len(), Some(bytes.len() as u64));
        assert_eq!(stream.content_type().as_deref(), Some("audio/mpeg"));
        assert!(read_all(&mut stream).await == bytes);
        assert_eq!(stream.read(&mut [0; 8]).await.unwrap(), 0, "the true end");
        let stats = stream.handle().stats();
        assert_eq!((stats.requests, stats.bytes_fetched), (1, bytes.len() as u64));
        let seen = &origin.seen()[0];
        assert!(seen.headers.contains("range: bytes=0-"), "{seen:?}");
        assert!(seen.headers.contains("accept-encoding: identity\r\n"), "{seen:?}");
        assert!(seen.headers.contains("user-agent: infill/"), "{seen:?}");
    }
}

#[tokio::test]
async fn a_seek_into_a_hole_asks_there_at_once() {
    let bytes = content(8 << 20);
    let origin = Origin::new(bytes.clone(), |count, _| match count {
        0 => Plan::Slow(16 * 1024, Duration::from_millis(20)),
        _ => Plan::Serve,
    });
    let mut stream = client(StoreKind::default()).open(origin.url()).await.unwrap();
    let mut head = [0; 100];
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!(head, bytes[..100]);
    let at = stream.seek(SeekFrom::End(-1000)).await.unwrap();
    assert_eq!(at, bytes.len() as u64 - 1000);
    let mut tail = Vec::new();
    timeout(SOON, stream.read_to_end(&mut tail)).await.unwrap().unwrap();
    assert!(tail == bytes[bytes.len() - 1000..]);
    let asked = format!("range: bytes={at}-");
    assert!(origin.seen().iter().any(|seen| seen.headers.contains(&asked)), "{:?}", origin.seen());
    // Back at what is here: no request.
    let requests = origin.seen().len();
    stream.rewind().await.unwrap();
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!(head, bytes[..100]);
    assert_eq!(origin.seen().len(), requests);
}

#[tokio::test]
async fn read_at_needs_no_position_and_no_turn() {
    let bytes = content(1 << 20);
    for store in stores() {
        let origin = Origin::honest(bytes.clone());
        let mut stream = client(store).open(origin.url()).await.unwrap();
        let len = bytes.len() as u64;
        let (mut head, mut middle, mut tail) = ([0; 16], [0; 1000], [0; 128]);
        let counts = tokio::try_join!(
            stream.read_at(0, &mut head),
            stream.read_at(len / 2, &mut middle),
            stream.read_at(len - 128, &mut tail),
        );
        assert_eq!(counts.unwrap(), (16, 1000, 128));
        assert_eq!(head, bytes[..16]);
        assert_eq!(middle, bytes[bytes.len() / 2..][..1000]);
        assert_eq!(tail, bytes[bytes.len() - 128..]);
        assert_eq!(stream.read_at(len, &mut head).await.unwrap(), 0);
        assert_eq!(stream.stream_position().await.unwrap(), 0);
        let mut other = stream.new_reader();
        other.seek(SeekFrom::Start(77)).await.unwrap();
        assert!(read_all(&mut other).await == bytes[77..]);
    }
}

#[tokio::test]
async fn an_early_close_is_resumed() {
    let bytes = content(2 << 20);
    let origin = Origin::new(bytes.clone(), |count, _| match count {
        0 => Plan::CutAfter(1 << 20),
        1 => Plan::Close,
        _ => Plan::Serve,
    });
    let mut stream = client(StoreKind::default()).open(origin.url()).await.unwrap();
    assert!(read_all(&mut stream).await == bytes);
    let stats = stream.handle().stats();
    assert_eq!(stats.bytes_fetched, bytes.len() as u64, "each byte once");
    assert!(origin.seen()[1].headers.contains("range: bytes=1048576-"));
    assert!(origin.seen()[1].headers.contains("if-range: \"one\""));
}

#[tokio::test]
async fn a_read_that_is_dropped_moves_nothing() {
    let bytes = content(300_000);
    let origin = Origin::new(bytes.clone(), |_, _| Plan::Slow(30_000, Duration::from_millis(30)));
    for _ in 0..2 {
        let mut stream = client(StoreKind::temp_dir()).open(origin.url()).await.unwrap();
        let mut all = Vec::new();
        let mut dropped = 0;
        while all.len() < bytes.len() {
            let mut buf = [0; 7000];
            tokio::select! {
                biased;
                count = stream.read(&mut buf) => all.extend_from_slice(&buf[..count.unwrap()]),
                () = tokio::time::sleep(Duration::from_millis(3)) => dropped += 1,
            }
        }
        assert!(all == bytes);
        assert!(dropped > 3, "only {dropped} reads were dropped");
    }
}

#[tokio::test]
async fn a_second_start_seek_replaces_the_first() {
    let bytes = content(100_000);
    let origin = Origin::honest(bytes.clone());
    let mut stream = client(StoreKind::default()).open(origin.url()).await.unwrap();
    stream.seek(SeekFrom::Start(10)).await.unwrap();
    Pin::new(&mut stream).start_seek(SeekFrom::Start(5000)).unwrap();
    Pin::new(&mut stream).start_seek(SeekFrom::Current(7)).unwrap();
    assert_eq!(stream.stream_position().await.unwrap(), 17);
    let mut buf = [0; 10];
    stream.read_exact(&mut buf).await.unwrap();
    assert_eq!(buf, bytes[17..27]);
    let wrong = stream.seek(SeekFrom::Current(-1000)).await.unwrap_err();
    assert_eq!(infill_tokio::Error::from_io(&wrong).unwrap().kind(), ErrorKind::Caller);
    assert_eq!(stream.stream_position().await.unwrap(), 27);
}

#[tokio::test]
async fn a_pending_read_can_be_left_by_seeking() {
    let bytes = content(1 << 20);
    let origin = Origin::new(bytes.clone(), |count, _| match count {
        0 => Plan::StallAfter(1000),
        _ => Plan::Serve,
    });
    let mut stream = client(StoreKind::default()).open(origin.url()).await.unwrap();
    stream.seek(SeekFrom::Start(1000)).await.unwrap();
    let mut space = [0; 10];
    let pending = poll_fn(|cx| {
        let mut buf = ReadBuf::new(&mut space);
        Poll::Ready(Pin::new(&mut stream).poll_read(cx, &mut buf).is_pending())
    });
    assert!(pending.await);
    stream.seek(SeekFrom::Start(900_000)).await.unwrap();
    timeout(SOON, stream.read_exact(&mut space)).await.unwrap().unwrap();
    assert_eq!(space, bytes[900_000..900_010]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn into_blocking_keeps_the_position_and_needs_no_runtime() {
    let bytes = content(1 << 20);
    for store in stores() {
        let origin = Origin::honest(bytes.clone());
        let mut stream = client(store).open(origin.url()).await.unwrap();
        stream.seek(SeekFrom::Start(1234)).await.unwrap();
        let mut blocking = stream.into_blocking();
        let reader = std::thread::spawn(move || {
            let mut all = Vec::new();
            blocking.read_to_end(&mut all).unwrap();
            all
        });
        until(SOON, "the thread ends", || reader.is_finished()).await;
        assert!(reader.join().unwrap() == bytes[1234..]);
    }
}

#[tokio::test]
async fn a_redirect_keeps_credentials_from_others() {
    let bytes = content(10_000);
    let other = Origin::honest(bytes.clone());
    let place = format!("Location: {}\r\n", other.url());
    let origin = Origin::new(Vec::new(), move |_, _| Plan::Status(302, place.clone()));
    let source =
        Source::url(origin.url()).header("Authorization", "Bearer x").header("X-Other", "y");
    let mut stream = client(StoreKind::default()).open(source).await.unwrap();
    assert!(read_all(&mut stream).await == bytes);
    assert!(origin.seen()[0].headers.contains("authorization: bearer x"));
    assert!(!other.seen()[0].headers.contains("authorization"));
    assert!(other.seen()[0].headers.contains("x-other: y"));
}

#[tokio::test]
async fn a_client_given_by_the_embedder_is_used() {
    let bytes = content(400_000);
    let origin = Origin::new(bytes.clone(), |_, _| Plan::Slow(20_000, Duration::from_millis(20)));
    let http = reqwest_builder()
        .unwrap()
        .user_agent("mine/1")
        .no_proxy()
        // Must not cut the body, which takes longer.
        .timeout(Duration::from_millis(150))
        .build()
        .unwrap();
    let client = Client::builder().http(http).build().unwrap();
    let mut stream = client.open(origin.url()).await.unwrap();
    assert!(read_all(&mut stream).await == bytes);
    assert_eq!(origin.seen().len(), 1);
    assert!(origin.seen()[0].headers.contains("user-agent: mine/1"));
}

#[tokio::test]
async fn errors_name_their_cause() {
    let origin = Origin::new(Vec::new(), |_, _| Plan::Status(404, String::new()));
    let error = client(StoreKind::default()).open(origin.url()).await.unwrap_err();
    assert_eq!((error.kind(), error.http_status()), (ErrorKind::Origin, Some(404)));
    let error = client(StoreKind::default()).open("ftp://a.example/x").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[tokio::test]
async fn an_interrupt_ends_a_read_and_the_next_one_goes_on() {
    let bytes = content(50_000);
    let origin = Origin::new(bytes.clone(), |count, _| match count {
        0 => Plan::Slow(1000, Duration::from_millis(50)),
        _ => Plan::Late(Duration::from_millis(200)),
    });
    let mut stream = client(StoreKind::default()).open(origin.url()).await.unwrap();
    let handle = stream.handle();
    stream.seek(SeekFrom::Start(45_000)).await.unwrap();
    let interrupt = async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        handle.interrupt();
    };
    let mut buf = [0; 100];
    let (read, ()) = tokio::join!(stream.read(&mut buf), interrupt);
    let error = read.unwrap_err();
    assert_eq!(infill_tokio::Error::from_io(&error).unwrap().kind(), ErrorKind::Superseded);
    timeout(SOON, stream.read_exact(&mut buf)).await.unwrap().unwrap();
    assert_eq!(buf, bytes[45_000..45_100]);
}

#[tokio::test]
async fn a_stored_file_is_read_with_one_hop_per_block() {
    let bytes = content(2 << 20);
    let origin = Origin::honest(bytes.clone());
    let client = client(StoreKind::temp_dir());
    let mut stream = client.open(origin.url()).await.unwrap();
    let handle = stream.handle();
    until(SOON, "complete", || handle.progress().state == State::Complete).await;
    let mut hops = 0;
    let mut all = Vec::new();
    // Without the budget of cooperative tasks, all that is pending is a hop (and not even each of those: the worker may
    // be faster).
    let read = coop::unconstrained(poll_fn(|cx| {
        loop {
            let mut space = [0; 4096];
            let mut buf = ReadBuf::new(&mut space);
            match Pin::new(&mut stream).poll_read(cx, &mut buf) {
                Poll::Ready(Ok(())) if buf.filled().is_empty() => return Poll::Ready(()),
                Poll::Ready(result) => {
                    result.unwrap();
                    all.extend_from_slice(buf.filled());
                }
                Poll::Pending => {
                    hops += 1;
                    return Poll::Pending;
                }
            }
        }
    }));
    timeout(SOON, read).await.unwrap();
    assert!(all == bytes);
    assert!(hops <= (2 << 20) / (128 << 10), "{hops} hops");
}

#[tokio::test]
async fn a_stalled_transfer_is_resumed_on_a_new_connection() {
    let bytes = content(1 << 20);
    let origin = Origin::new(bytes.clone(), |count, _| match count {
        0 => Plan::StallAfter(300_000),
        _ => Plan::Serve,
    });
    let client = Client::builder().stall_timeout(Duration::from_millis(100)).build().unwrap();
    let mut stream = client.open(origin.url()).await.unwrap();
    assert!(read_all(&mut stream).await == bytes);
    let stats = stream.handle().stats();
    assert_eq!((stats.stalls, stats.bytes_fetched), (1, 1 << 20));
    assert!(origin.seen()[1].headers.contains("range: bytes=300000-"));
    assert_eq!(origin.seen()[1].connection, 1);
}

#[tokio::test]
async fn another_network_needs_other_connections() {
    let bytes = content(1 << 20);
    let origin = Origin::new(bytes.clone(), |count, _| match count {
        0 => Plan::StallAfter(300_000),
        _ => Plan::Serve,
    });
    let client = client(StoreKind::default());
    let mut stream = client.open(origin.url()).await.unwrap();
    let mut all = vec![0; 300_000];
    stream.read_exact(&mut all).await.unwrap();
    client.network_changed();
    timeout(SOON, stream.read_to_end(&mut all)).await.unwrap().unwrap();
    assert!(all == bytes);
    assert_eq!(origin.seen()[1].connection, 1);
}

#[tokio::test]
async fn every_url_can_be_asked() {
    let origin = Origin::honest(content(1000));
    let url = format!("{}/x y|z`{{q}}?a=\"b\"#part", origin.url());
    let stream = client(StoreKind::default()).open(url).await.unwrap();
    assert_eq!(stream.byte_len(), Some(1000));
    assert!(!stream.handle().url().contains('?'));
}
