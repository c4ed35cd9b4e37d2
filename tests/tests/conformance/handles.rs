//! Handles: they look, stop and tell, from any thread, before and after the stream is gone.

use std::{
    io::{Read as _, Seek as _, SeekFrom},
    sync::Arc,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use infill_tests::{
    origin::content,
    runtime::{
        ErrorKind, Notice, Noticed, ResourceStatus, Runtime, Settings, Source, State, Stream,
        of_infill,
    },
};

use crate::{LEN, SEED, client, eventually, open, origin};

both! {
    progress_and_status_tell_where_it_stands,
    interrupt_ends_a_blocked_read_and_no_other,
    close_ends_a_blocked_read_and_all_later_ones,
    a_stream_that_goes_while_its_read_waits_leaves_a_handle_that_works,
    notices_tell_of_retries_and_end_with_the_stream,
    an_error_stays_until_a_read_succeeds,
    a_changed_network_is_told_by_the_handle,
    an_expired_url_is_renewed_a_bounded_number_of_times,
}

/// A stream that has read the 10,000 bytes after which its first request stalls.
fn stalled(runtime: Runtime, origin: &infill_tests::origin::Origin) -> Stream {
    origin.on("/a").nth(0).stall_at(10_000);
    let mut stream = open(runtime, origin);
    let reading = stream.read_most(SEED, 10_000);
    assert_eq!((reading.count, reading.end), (10_000, Ok(())));
    stream
}

fn progress_and_status_tell_where_it_stands(runtime: Runtime) {
    let origin = origin();
    let mut stream = stalled(runtime, &origin);
    let handle = stream.handle();
    let progress = handle.progress();
    assert_eq!(progress.byte_len, Some(LEN));
    assert_eq!(progress.buffered, [0..10_000]);
    assert_eq!((progress.position, progress.starving), (10_000, false));
    assert_eq!(progress.state, State::Downloading);
    let (downloaded, expected) = (10_000, Some(LEN));
    assert_eq!(handle.status(), ResourceStatus::Active { downloaded, expected });
    handle.network_changed();
    assert_eq!(stream.read_on(SEED).count, LEN - 10_000);
    eventually("complete", || handle.progress().state == State::Complete);
    assert_eq!(handle.status(), ResourceStatus::Committed { final_len: LEN });
    let progress = handle.progress();
    assert_eq!(progress.buffered, [0..LEN]);
    assert_eq!((progress.position, progress.error), (LEN, None));
}

/// Reads on a thread, which blocks, while `act` goes on; gives the read's error.
fn blocked(stream: &mut Stream, act: impl FnOnce()) -> (ErrorKind, Duration) {
    let handle = stream.handle();
    thread::scope(|scope| {
        let read = scope.spawn(|| {
            let error = of_infill(&stream.read(&mut [0; 10]).unwrap_err());
            (error.kind(), Instant::now())
        });
        eventually("starving", || handle.progress().starving);
        let begun = Instant::now();
        act();
        let (kind, ended) = read.join().unwrap();
        (kind, ended.saturating_duration_since(begun))
    })
}

fn interrupt_ends_a_blocked_read_and_no_other(runtime: Runtime) {
    let origin = origin();
    let mut stream = stalled(runtime, &origin);
    let handle = stream.handle();
    let (kind, took) = blocked(&mut stream, || handle.interrupt());
    assert_eq!(kind, ErrorKind::Superseded);
    assert!(took < Duration::from_millis(500), "{took:?}");
    stream.check_at(SEED, 0, 10_000);
    // Taken back before anything blocked.
    handle.interrupt();
    handle.clear_interrupt();
    stream.check_at(SEED, LEN / 2, 1000);
}

fn close_ends_a_blocked_read_and_all_later_ones(runtime: Runtime) {
    let origin = origin();
    let mut stream = stalled(runtime, &origin);
    let handle = stream.handle();
    let (kind, took) = blocked(&mut stream, || handle.close());
    assert_eq!(kind, ErrorKind::Closed);
    assert!(took < Duration::from_millis(500), "{took:?}");
    stream.seek(SeekFrom::Start(0)).unwrap();
    let error = of_infill(&stream.read(&mut [0; 10]).unwrap_err());
    assert_eq!(error.kind(), ErrorKind::Closed);
    assert_eq!(handle.progress().state, State::Closed);
    let requests = origin.requests("/a").len();
    origin.wait_until_closed(Duration::from_secs(5)).unwrap();
    assert_eq!(origin.requests("/a").len(), requests);
    handle.close();
}

fn a_stream_that_goes_while_its_read_waits_leaves_a_handle_that_works(runtime: Runtime) {
    let origin = origin();
    let stream = stalled(runtime, &origin);
    let handle = stream.handle();
    match stream {
        Stream::Tokio(mut stream) => {
            use tokio::io::AsyncReadExt as _;
            // The future of a waiting read is dropped, then the stream.
            infill_tests::runtime::tokio_runtime().block_on(async move {
                let mut some = [0; 10];
                let read = stream.read(&mut some);
                let ended = tokio::time::timeout(Duration::from_millis(30), read).await;
                assert!(ended.is_err(), "nothing more comes");
            });
        }
        blocking => {
            // A thread's read can't be dropped; its reader beside it can, while the thread waits.
            let mut beside = blocking.new_reader();
            let waiting = thread::spawn(move || {
                let _ = beside.seek(SeekFrom::Start(10_000));
                of_infill(&beside.read(&mut [0; 10]).unwrap_err()).kind()
            });
            thread::sleep(Duration::from_millis(30));
            drop(blocking);
            handle.close();
            assert_eq!(waiting.join().unwrap(), ErrorKind::Closed);
        }
    }
    eventually("closed", || handle.progress().state == State::Closed);
    origin.wait_until_closed(Duration::from_secs(5)).unwrap();
    handle.interrupt();
    handle.close();
    assert!(handle.stats().requests >= 1);
}

fn notices_tell_of_retries_and_end_with_the_stream(runtime: Runtime) {
    let origin = origin();
    origin.on("/a").nth(0).cut_at(10_000);
    origin.on("/a").nth(1).status(503);
    let mut stream = open(runtime, &origin);
    let mut notices = stream.handle().notices();
    assert_eq!(stream.read_on(SEED).count, LEN);
    let next =
        |notices: &mut infill_tests::runtime::Notices| notices.next_timeout(Duration::from_secs(5));
    for status in [None, Some(503)] {
        let Some(Noticed::Notice(Notice::Retrying { cause, .. })) = next(&mut notices) else {
            panic!("no notice of the retry");
        };
        assert_eq!(cause.http_status(), status);
    }
    assert_eq!(notices.try_next(), None);
    assert_eq!(stream.handle().stats().retries, 2);
    drop(stream);
    assert_eq!(next(&mut notices), None, "over");
}

fn an_error_stays_until_a_read_succeeds(runtime: Runtime) {
    let origin = origin();
    origin.on("/a").nth(0).cut_at(10_000);
    origin.on("/a").from(1).status(500);
    let settings = Settings::quick().with(|c| c.give_up_after = Duration::from_millis(150));
    let mut stream = runtime.client(&settings).open(origin.url("/a")).unwrap();
    let error = stream.read_on(SEED).end.unwrap_err();
    assert_eq!((error.http_status(), error.offset()), (Some(500), Some(10_000)));
    let handle = stream.handle();
    assert_eq!(handle.error(), Some(error.clone()));
    assert_eq!(handle.progress().error, Some(error));
    origin.heal("/a");
    let begun = Instant::now();
    while stream.read_on(SEED).end.is_err() {
        assert!(begun.elapsed() < Duration::from_secs(5));
    }
    assert_eq!(handle.error(), None);
}

fn a_changed_network_is_told_by_the_handle(runtime: Runtime) {
    let origin = origin();
    let mut stream = stalled(runtime, &origin);
    let begun = Instant::now();
    stream.handle().network_changed();
    assert_eq!(stream.read_on(SEED).count, LEN - 10_000);
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert_eq!(origin.connections(), 2, "the old connection is not used again");
}

fn an_expired_url_is_renewed_a_bounded_number_of_times(runtime: Runtime) {
    let origin = origin();
    origin.put("/b", content(SEED, LEN));
    origin.on("/a").nth(0).cut_at(10_000);
    origin.on("/a").from(1).status(403);
    let (good, bad) = (origin.url("/b"), origin.url("/a"));
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let source = Source::url(origin.url("/a")).renew(move |error| {
        assert_eq!(error.http_status(), Some(403));
        count.fetch_add(1, Ordering::SeqCst);
        Some(good.clone())
    });
    let client = client(runtime);
    let mut stream = client.open(source).unwrap();
    assert_eq!(stream.read_on(SEED).count, LEN);
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    let resumed = origin.requests("/b")[0].range().and_then(|range| range.first());
    assert_eq!(resumed, Some(10_000));
    // A fresh URL that is as bad as the old one.
    let count = Arc::clone(&calls);
    let source = Source::url(origin.url("/a?again")).renew(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        Some(bad.clone())
    });
    let error = client.open(source).unwrap_err();
    assert_eq!(error.http_status(), Some(403), "{error}");
    assert!(calls.load(Ordering::SeqCst) <= 3);
}
