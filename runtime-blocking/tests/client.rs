//! The threaded client against a small origin on loopback.

#![cfg(feature = "client")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::single_range_in_vec_init, reason = "one run is one range")]

mod support;

use std::io::{Read, Seek, SeekFrom, Write};
use std::thread;
use std::time::{Duration, Instant};

use infill_blocking::{
    Cause, Client, Error, ErrorKind, FileStream, Notice, Noticed, ResourceStatus, Source, State,
    StoreKind, StreamHandle,
};
use support::{Do, Origin};

const MIB: usize = 1 << 20;

fn stores() -> [StoreKind; 2] {
    [StoreKind::default(), StoreKind::temp_dir()]
}

fn client(store: StoreKind) -> Client {
    let patient = Client::builder().store(store);
    patient.give_up_after(Duration::from_secs(3)).build().unwrap()
}

fn read_all(stream: &mut FileStream) -> Vec<u8> {
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    all
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
fn embedders_may_send_and_share_it() {
    fn stream<T: Send + Sync + Unpin + 'static>() {}
    fn handle<T: Clone + Send + Sync + 'static>() {}
    stream::<FileStream>();
    handle::<StreamHandle>();
    handle::<Client>();
    handle::<Source>();
}

#[test]
fn reads_seeks_and_reads_beside_with_one_request() {
    for store in stores() {
        let origin = Origin::new(3 * MIB + 17, []);
        let client = client(store);
        let mut stream = client.open(origin.url("/a.mp3?secret")).unwrap();
        assert_eq!(stream.byte_len(), Some(3 * MIB as u64 + 17));
        assert!(stream.is_seekable());
        assert_eq!(stream.content_type().as_deref(), Some("audio/mpeg"));
        assert!(read_all(&mut stream) == origin.body());
        assert_eq!(stream.read(&mut [0; 9]).unwrap(), 0, "the end stays the end");

        let body = origin.body();
        let mut some = vec![0; 5000];
        for at in [0usize, 1, MIB - 1, 2 * MIB + 7, 3 * MIB + 17 - 5000] {
            assert_eq!(stream.seek(SeekFrom::Start(at as u64)).unwrap(), at as u64);
            stream.read_exact(&mut some).unwrap();
            assert!(some == body[at..at + 5000], "at {at}");
            let count = stream.read_at(at as u64 + 3, &mut some).unwrap();
            assert!(count > 0 && some[..count] == body[at + 3..at + 3 + count]);
        }
        assert_eq!(stream.seek(SeekFrom::End(-4)).unwrap(), body.len() as u64 - 4);
        assert_eq!(read_all(&mut stream), body[body.len() - 4..]);
        let mut second = stream.new_reader();
        assert!(read_all(&mut second) == body);

        let handle = stream.handle();
        eventually("complete", || handle.progress().state == State::Complete);
        let progress = handle.progress();
        assert_eq!(progress.buffered, [0..body.len() as u64]);
        assert_eq!((progress.position, progress.starving), (body.len() as u64, false));
        let committed = matches!(handle.status(), ResourceStatus::Committed { final_len } if final_len == body.len() as u64);
        assert!(committed, "{:?}", handle.status());
        assert_eq!(handle.stats().requests, 1);
        assert_eq!(handle.stats().bytes_fetched, body.len() as u64);
        assert_eq!(origin.seen().len(), 1, "{:?}", origin.ranges());
        assert!(!handle.url().contains("secret"));
    }
}

#[test]
fn small_reads_of_all_sizes_give_the_same_bytes() {
    let origin = Origin::new(700_001, []);
    let mut stream = client(StoreKind::temp_dir()).open(origin.url("/")).unwrap();
    let mut all = Vec::new();
    for size in (1..).map(|n| n * 37 % 9000 + 1) {
        let mut part = vec![0; size];
        let count = stream.read(&mut part).unwrap();
        if count == 0 {
            break;
        }
        all.extend_from_slice(&part[..count]);
    }
    assert!(all == origin.body());
}

#[test]
fn an_early_close_costs_one_more_request_and_no_byte() {
    let origin = Origin::new(MIB, [Do::CutAfter(MIB / 2)]);
    let mut stream = client(StoreKind::default()).open(origin.url("/")).unwrap();
    let handle = stream.handle();
    assert!(read_all(&mut stream) == origin.body());
    let ranges = origin.ranges();
    assert_eq!(ranges.len(), 2, "{ranges:?}");
    assert!(ranges[1].starts_with(&format!("bytes={}-", MIB / 2)), "{ranges:?}");
    assert_eq!(handle.stats().bytes_fetched, MIB as u64);
}

#[test]
fn a_seek_into_a_hole_asks_there_at_once() {
    let origin = Origin::new(8 * MIB, [Do::StallAfter(100_000)]);
    let mut stream = client(StoreKind::default()).open(origin.url("/")).unwrap();
    let begun = Instant::now();
    let at = 6 * MIB;
    stream.seek(SeekFrom::Start(at as u64)).unwrap();
    let mut some = [0; 1000];
    stream.read_exact(&mut some).unwrap();
    assert!(some == origin.body()[at..at + 1000]);
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    assert!(origin.ranges()[1].starts_with(&format!("bytes={at}-")), "{:?}", origin.ranges());
}

#[test]
fn a_body_without_a_length_ends_where_it_ends() {
    let origin = Origin::new(200_000, [Do::Chunked]);
    let mut stream = client(StoreKind::default()).open(origin.url("/")).unwrap();
    assert!(read_all(&mut stream) == origin.body());
    assert_eq!(stream.byte_len(), Some(200_000));
}

#[test]
fn ranges_asked_one_after_the_other_share_a_connection() {
    let origin = Origin::new(2 * MIB, []);
    let client = Client::builder().max_request(256 * 1024).connections_per_file(1).build().unwrap();
    let mut stream = client.open(origin.url("/")).unwrap();
    assert!(read_all(&mut stream) == origin.body());
    assert_eq!(origin.seen().len(), 8, "{:?}", origin.ranges());
    assert_eq!(origin.connections(), 1);
}

#[test]
fn errors_name_their_cause() {
    let origin = Origin::new(10, vec![Do::Status(404); 2]);
    let client = client(StoreKind::default());
    let error = client.open(origin.url("/gone?secret")).unwrap_err();
    assert_eq!((error.kind(), error.http_status()), (ErrorKind::Origin, Some(404)));
    assert!(!error.to_string().contains("secret"), "{error}");
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let error = client.open(format!("http://{closed}/")).unwrap_err();
    assert!(matches!(error.cause(), Cause::Connect(_)), "{error}");
    let kind = |source: &str| client.open(source).unwrap_err().kind();
    assert_eq!(kind("ftp://a.example/"), ErrorKind::Unsupported);
    assert_eq!(kind("http://"), ErrorKind::Caller);
    assert_eq!(kind("no/such/file.mp3"), ErrorKind::Caller);
}

#[test]
fn a_read_that_failed_can_be_tried_again() {
    // All that is asked for after the first half fails for longer than the reader's patience; then it works.
    let mut script = vec![Do::CutAfter(MIB / 2)];
    script.extend(vec![Do::Hang; 3]);
    let origin = Origin::new(MIB, script);
    let client = Client::builder().give_up_after(Duration::from_millis(500)).build().unwrap();
    let mut stream = client.open(origin.url("/")).unwrap();
    let handle = stream.handle();
    let mut half = vec![0; MIB / 2];
    stream.read_exact(&mut half).unwrap();
    let mut failures = 0;
    let rest = loop {
        let mut rest = Vec::new();
        match stream.read_to_end(&mut rest) {
            Ok(_) => break rest,
            Err(error) => {
                let cause = Error::from_io(&error).expect("an error of infill");
                assert_eq!(cause.kind(), ErrorKind::Network, "{cause}");
                assert_eq!(handle.error().as_ref(), Some(cause));
                assert!(rest.is_empty());
                failures += 1;
            }
        }
        assert!(failures < 50);
    };
    assert!(failures > 0);
    assert!(rest == origin.body()[MIB / 2..]);
    assert_eq!(handle.error(), None, "forgotten once a read succeeds");
    assert!(handle.stats().retries > 0);
}

#[test]
fn interrupt_ends_a_blocked_read_and_no_other() {
    let origin = Origin::new(MIB, [Do::StallAfter(1000)]);
    let mut stream = client(StoreKind::default()).open(origin.url("/")).unwrap();
    stream.read_exact(&mut [0; 1000]).unwrap();
    let handle = stream.handle();
    let reader = thread::spawn(move || (stream.read(&mut [0; 10]), stream));
    eventually("starving", || handle.progress().starving);
    handle.interrupt();
    let (result, mut stream) = reader.join().unwrap();
    let error = result.unwrap_err();
    assert_eq!(Error::from_io(&error).unwrap().kind(), ErrorKind::Superseded);
    stream.seek(SeekFrom::Start(0)).unwrap();
    stream.read_exact(&mut [0; 1000]).unwrap();
    // Between two reads: it ends the next one that would block.
    handle.interrupt();
    let error = stream.read(&mut [0; 10]).unwrap_err();
    assert_eq!(Error::from_io(&error).unwrap().kind(), ErrorKind::Superseded);
    handle.interrupt();
    handle.clear_interrupt();
    stream.seek(SeekFrom::Start(MIB as u64 / 2)).unwrap();
    stream.read_exact(&mut [0; 10]).unwrap();
}

#[test]
fn close_ends_a_blocked_read_and_all_later_ones() {
    let origin = Origin::new(MIB, [Do::StallAfter(1000)]);
    let client = client(StoreKind::temp_dir());
    let mut stream = client.open(origin.url("/")).unwrap();
    let (handle, mut notices) = (stream.handle(), stream.handle().notices());
    let reader = thread::spawn(move || {
        let mut all = Vec::new();
        let error = stream.read_to_end(&mut all).unwrap_err();
        (all.len(), error, stream)
    });
    eventually("starving behind what came", || {
        let progress = handle.progress();
        progress.starving && progress.position == 1000
    });
    let begun = Instant::now();
    handle.close();
    let (count, error, mut stream) = reader.join().unwrap();
    assert!(begun.elapsed() < Duration::from_millis(100));
    assert_eq!(count, 1000);
    assert_eq!(Error::from_io(&error).unwrap().kind(), ErrorKind::Closed);
    stream.seek(SeekFrom::Start(0)).unwrap();
    let error = stream.read(&mut [0; 10]).unwrap_err();
    assert_eq!(Error::from_io(&error).unwrap().kind(), ErrorKind::Closed);
    assert_eq!(handle.progress().state, State::Closed);
    while notices.next_timeout(Duration::from_secs(5)).is_some() {}
    handle.close();
    drop(stream);
    handle.interrupt();
    assert_eq!(handle.progress().state, State::Closed);
}

#[test]
fn streams_outlive_their_client() {
    let origin = Origin::new(2 * MIB, [Do::CutAfter(MIB)]);
    let mut stream = client(StoreKind::default()).open(origin.url("/")).unwrap();
    assert!(read_all(&mut stream) == origin.body());
}

#[test]
fn a_large_file_plays_through_a_small_store() {
    for store in [
        StoreKind::memory(MIB as u64),
        StoreKind::TempDir { dir: None, limit_bytes: Some(MIB as u64) },
    ] {
        let origin = Origin::new(12 * MIB, []);
        let mut stream = client(store).open(origin.url("/")).unwrap();
        assert!(read_all(&mut stream) == origin.body());
        let buffered = stream.handle().progress().buffered;
        let held: u64 = buffered.iter().map(|range| range.end - range.start).sum();
        assert!(held <= MIB as u64, "{buffered:?}");
        stream.seek(SeekFrom::Start(5)).unwrap();
        let mut some = [0; 100];
        stream.read_exact(&mut some).unwrap();
        assert!(some == origin.body()[5..105], "fetched again");
    }
}

#[test]
fn credentials_are_not_sent_to_where_it_redirects() {
    let target = Origin::new(1000, []);
    let origin = Origin::new(0, [Do::Redirect(target.url("/b?c")), Do::Redirect("/x".into())]);
    let source = || {
        Source::url(origin.url("/a")).header("Authorization", "Bearer x").header("X-Player", "one")
    };
    let client = client(StoreKind::default());
    let mut stream = client.open(source()).unwrap();
    assert!(read_all(&mut stream) == target.body());
    let (first, second) = (&origin.seen()[0], &target.seen()[0]);
    assert_eq!(first.field("authorization"), Some("Bearer x"));
    assert_eq!(first.field("accept-encoding"), Some("identity"));
    assert_eq!(second.path, "/b?c");
    assert_eq!(second.field("authorization"), None);
    assert_eq!(second.field("x-player"), Some("one"));
    assert_eq!(second.field("range"), first.field("range"));
}

#[test]
fn an_expired_url_is_renewed() {
    let fresh = Origin::new(MIB, []);
    let old = Origin::new(
        MIB,
        [Do::CutAfter(MIB / 4), Do::Status(403), Do::Status(403), Do::Status(403)],
    );
    let url = fresh.url("/fresh");
    let source = Source::url(old.url("/old")).renew(move |error: &Error| {
        assert_eq!(error.http_status(), Some(403), "{error}");
        Some(url.clone())
    });
    let mut stream = client(StoreKind::default()).open(source).unwrap();
    let mut notices = stream.handle().notices();
    assert!(read_all(&mut stream) == fresh.body());
    let all: Vec<_> = std::iter::from_fn(|| notices.try_next()).collect();
    assert!(all.contains(&Noticed::Notice(Notice::Renewed)), "{all:?}");
}

#[test]
fn local_files_read_the_same_way() {
    let body = support::content(600_000);
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&body).unwrap();
    let client = client(StoreKind::default());
    let mut stream = client.open(file.path()).unwrap();
    let handle = stream.handle();
    assert_eq!(stream.byte_len(), Some(600_000));
    assert!(read_all(&mut stream) == body);
    let mut tail = [0; 5];
    assert_eq!(stream.read_at(599_997, &mut tail).unwrap(), 3);
    assert_eq!(tail[..3], body[599_997..]);
    stream.seek(SeekFrom::Start(70_000)).unwrap();
    drop(client);
    assert_eq!(read_all(&mut stream), body[70_000..]);
    assert_eq!(handle.progress().state, State::Complete);
    file.as_file().set_len(10).unwrap();
    stream.seek(SeekFrom::Start(100_000)).unwrap();
    let mut gone = [0; 9000];
    let error = stream.read(&mut gone).unwrap_err();
    assert_eq!(Error::from_io(&error).unwrap().kind(), ErrorKind::Store, "{error}");
    handle.close();
    assert!(stream.read(&mut gone).is_err());
    assert_eq!(handle.progress().state, State::Closed);
}
