//! Reads, seeks and several readers; changes of the file; bounds.

use std::{
    io::{Read as _, Seek as _, SeekFrom},
    thread,
    time::{Duration, Instant},
};

use infill_tests::{
    origin::{Origin, Resource, content, first_difference},
    runtime::{ErrorKind, Runtime, Settings, State, StoreKind, of_infill},
};

use crate::{LEN, SEED, client, eventually, open, origin};

both! {
    reads_and_seeks_cost_one_request,
    seeks_know_their_limits,
    a_seek_into_a_hole_asks_there_at_once,
    read_at_moves_nothing,
    readers_share_a_download,
    a_changed_file_is_changed_for_who_has_read_and_new_for_who_opens,
    read_ahead_is_bounded,
    max_request_is_bounded,
    a_long_file_plays_through_a_memory_window,
    a_seek_back_out_of_the_window_fetches_again,
    an_early_close_costs_its_remainder,
}

fn reads_and_seeks_cost_one_request(runtime: Runtime) {
    let origin = origin();
    let mut stream = open(runtime, &origin);
    let reading = stream.read_on(SEED);
    assert_eq!((reading.count, reading.end), (LEN, Ok(())));
    for at in [0, 1, LEN / 3, LEN - 1, LEN, LEN + 5] {
        stream.check_at(SEED, at, 3000);
    }
    assert_eq!(stream.seek(SeekFrom::Start(9)).unwrap(), 9);
    assert_eq!(stream.seek(SeekFrom::Current(-4)).unwrap(), 5);
    assert_eq!(stream.stream_position().unwrap(), 5);
    assert_eq!(stream.seek(SeekFrom::End(-7)).unwrap(), LEN - 7);
    assert_eq!(stream.read_on(SEED).count, 7);
    assert_eq!(origin.requests("/a").len(), 1);
    let stats = stream.handle().stats();
    assert_eq!((stats.requests, stats.bytes_fetched, stats.retries), (1, LEN, 0));
}

fn seeks_know_their_limits(runtime: Runtime) {
    let origin = origin();
    let mut stream = open(runtime, &origin);
    stream.seek(SeekFrom::Start(10)).unwrap();
    for impossible in [SeekFrom::Current(-11), SeekFrom::End(-(LEN as i64) - 1)] {
        let error = of_infill(&stream.seek(impossible).unwrap_err());
        assert_eq!(error.kind(), ErrorKind::Caller, "{error}");
    }
    assert_eq!(stream.stream_position().unwrap(), 10, "a failed seek moves nothing");
    stream.check_at(SEED, 10, 100);
    assert_eq!(stream.read(&mut []).unwrap(), 0);
}

fn a_seek_into_a_hole_asks_there_at_once(runtime: Runtime) {
    let origin = origin();
    origin.on("/a").nth(0).stall_at(10_000);
    let mut stream = open(runtime, &origin);
    let begun = Instant::now();
    stream.check_at(SEED, LEN / 2, 1000);
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    let asked = origin.requests("/a")[1].range().and_then(|range| range.first());
    assert_eq!(asked, Some(LEN / 2));
}

fn read_at_moves_nothing(runtime: Runtime) {
    let origin = origin();
    let mut stream = open(runtime, &origin);
    stream.check_at(SEED, 0, 100);
    thread::scope(|scope| {
        for nth in 0..4 {
            let stream = &stream;
            scope.spawn(move || {
                let (at, mut some) = (nth * LEN / 4, vec![0; 5000]);
                let count = stream.read_at(at, &mut some).unwrap();
                assert!(count > 0);
                assert_eq!(first_difference(SEED, at, &some[..count]), None);
            });
        }
    });
    assert_eq!(stream.stream_position().unwrap(), 100);
    assert_eq!(stream.read_at(LEN, &mut [0; 5]).unwrap(), 0);
}

fn readers_share_a_download(runtime: Runtime) {
    let origin = origin();
    let mut first = open(runtime, &origin);
    let mut second = first.new_reader();
    first.seek(SeekFrom::Start(LEN / 2)).unwrap();
    assert_eq!(second.stream_position().unwrap(), 0);
    assert_eq!(second.read_on(SEED).count, LEN);
    assert_eq!(first.read_on(SEED).count, LEN / 2);
    // The download lives as long as one of them.
    let handle = first.handle();
    drop(first);
    second.check_at(SEED, 77, 1000);
    assert_ne!(handle.progress().state, State::Closed);
    drop(second);
    assert_eq!(handle.progress().state, State::Closed);
    assert!(origin.requests("/a").len() <= 2);
}

fn a_changed_file_is_changed_for_who_has_read_and_new_for_who_opens(runtime: Runtime) {
    let origin = origin();
    origin.on("/a").nth(0).cut_at(LEN / 2);
    origin.on("/a").from(1).latency(Duration::from_millis(150));
    let new = Resource::new(content(SEED + 1, LEN + 100));
    origin.on("/a").from(1).serve(new);
    let client = client(runtime);
    let mut old = client.open(origin.url("/a")).unwrap();
    let reading = old.read_on(SEED);
    assert_eq!(reading.end.unwrap_err().kind(), ErrorKind::Changed);
    let mut fresh = client.open(origin.url("/a")).unwrap();
    let reading = fresh.read_on(SEED + 1);
    assert_eq!((reading.count, reading.end), (LEN + 100, Ok(())));
    // A reader that begins now reads the version that is current now.
    let mut late = old.new_reader();
    assert_eq!(late.read_on(SEED + 1).count, LEN + 100);
}

fn read_ahead_is_bounded(runtime: Runtime) {
    let origin = Origin::builder().send_buffer(16 * 1024).start();
    origin.put("/a", content(SEED, 8 << 20));
    let settings = Settings::quick().with(|c| c.read_ahead_bytes = Some(256 * 1024));
    let mut stream = runtime.client(&settings).open(origin.url("/a")).unwrap();
    stream.check_at(SEED, 0, 1000);
    let handle = stream.handle();
    eventually("at rest", || handle.progress().state == State::Idle);
    thread::sleep(Duration::from_millis(50));
    let held: u64 = handle.progress().buffered.iter().map(|r| r.end - r.start).sum();
    assert!((128 * 1024..=512 * 1024).contains(&held), "{held}");
    let reading = stream.read_on(SEED);
    assert_eq!((reading.count, reading.end), ((8 << 20) - 1000, Ok(())));
    let fetched = handle.stats().bytes_fetched;
    assert!(fetched <= (8 << 20) + 256 * 1024, "{fetched}");
}

fn max_request_is_bounded(runtime: Runtime) {
    let origin = origin();
    let settings = Settings::quick().with(|c| c.max_request_bytes = Some(100_000));
    let mut stream = runtime.client(&settings).open(origin.url("/a")).unwrap();
    assert_eq!(stream.read_on(SEED).count, LEN);
    for request in origin.requests("/a") {
        let infill_tests::origin::RangeSpec::FromTo { first, last } = request.range().unwrap()
        else {
            panic!("unbounded: {request:?}");
        };
        assert!(last - first < 100_000);
    }
    assert_eq!(stream.handle().stats().bytes_fetched, LEN);
}

fn a_long_file_plays_through_a_memory_window(runtime: Runtime) {
    let total = 20 << 20;
    let origin = Origin::start();
    origin.put("/a", content(SEED, total));
    let settings = Settings::quick().store(StoreKind::memory(4 << 20));
    let mut stream = runtime.client(&settings).open(origin.url("/a")).unwrap();
    let reading = stream.read_on(SEED);
    assert_eq!((reading.count, reading.end), (total, Ok(())));
    let held: u64 = stream.handle().progress().buffered.iter().map(|r| r.end - r.start).sum();
    assert!(held <= 4 << 20, "{held}");
}

fn a_seek_back_out_of_the_window_fetches_again(runtime: Runtime) {
    let total = 20 << 20;
    let origin = Origin::start();
    origin.put("/a", content(SEED, total));
    let settings = Settings::quick().store(StoreKind::memory(4 << 20));
    let mut stream = runtime.client(&settings).open(origin.url("/a")).unwrap();
    let reading = stream.read_most(SEED, 12 << 20);
    assert_eq!((reading.count, reading.end), (12 << 20, Ok(())));
    stream.check_at(SEED, 1 << 20, 200_000);
    stream.check_at(SEED, 19 << 20, 200_000);
    stream.seek(SeekFrom::Start(11 << 20)).unwrap();
    let reading = stream.read_on(SEED);
    assert_eq!((reading.count, reading.end), (9 << 20, Ok(())));
}

fn an_early_close_costs_its_remainder(runtime: Runtime) {
    let origin = origin();
    origin.on("/a").nth(0).cut_at(LEN / 2);
    let mut stream = open(runtime, &origin);
    assert_eq!(stream.read_on(SEED).count, LEN);
    let requests = origin.requests("/a");
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[1].range().and_then(|range| range.first()), Some(LEN / 2));
    assert_eq!(stream.handle().stats().bytes_fetched, LEN);
}
