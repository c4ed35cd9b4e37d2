//! Streams of one identity share one download; of different ones, nothing.

use std::{thread, time::Duration};

use infill_tests::runtime::{ErrorKind, Runtime, Source, State};

use crate::case::{Case, LEN, SEED, cache_of, eventually, only};

both! {
    two_opens_of_one_identity_are_one_download,
    opens_at_the_same_time_are_one_download,
    the_other_goes_on_when_one_is_closed,
    a_seek_of_one_serves_the_other,
    another_authorization_is_another_file,
    a_cache_key_makes_urls_one_file,
    a_download_and_a_stream_are_one_download,
}

/// A file that takes half a second.
fn slow(runtime: Runtime) -> Case {
    let case = Case::new(runtime);
    case.on().rate(2 * LEN);
    case
}

fn two_opens_of_one_identity_are_one_download(runtime: Runtime) {
    let case = slow(runtime);
    let client = case.client();
    let mut one = client.open(case.url()).unwrap();
    let mut other = client.open(format!("{}#t=3", case.url())).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| case.reads_on(&mut one));
        scope.spawn(|| case.reads_on(&mut other));
    });
    assert_eq!((case.requests().len(), case.sent()), (1, LEN), "{}", case.story());
    // A third comes when all is there.
    let mut third = client.open(case.url()).unwrap();
    case.reads_on(&mut third);
    assert_eq!(case.requests().len(), 1, "{}", case.story());
    assert_eq!(only(&cache_of(&client)).stored, LEN);
}

fn opens_at_the_same_time_are_one_download(runtime: Runtime) {
    let case = Case::new(runtime);
    case.on().latency(Duration::from_millis(100));
    let client = case.client();
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| case.reads_on(&mut client.open(case.url()).unwrap()));
        }
    });
    assert_eq!((case.requests().len(), case.sent()), (1, LEN), "{}", case.story());
}

fn the_other_goes_on_when_one_is_closed(runtime: Runtime) {
    for closes_first in [true, false] {
        let case = slow(runtime);
        let client = case.client();
        let one = client.open(case.url()).unwrap();
        let other = client.open(case.url()).unwrap();
        let (gone, mut left) = if closes_first { (one, other) } else { (other, one) };
        left.check_at(SEED, 0, 100_000);
        let handle = gone.handle();
        handle.close();
        let error = gone
            .read_at(0, &mut [0; 10])
            .map_err(|error| infill_tests::runtime::of_infill(&error).kind());
        assert_eq!(error, Err(ErrorKind::Closed));
        drop(gone);
        case.reads_on(&mut left);
        assert_eq!(handle.progress().state, State::Closed);
        assert_eq!((case.requests().len(), case.sent()), (1, LEN), "{}", case.story());
    }
}

fn a_seek_of_one_serves_the_other(runtime: Runtime) {
    let case = Case::new(runtime);
    case.on().nth(0).stall_at(100_000);
    case.on().nth(1).stall_at(100_000);
    let client = case.client();
    let mut one = client.open(case.url()).unwrap();
    let mut other = client.open(case.url()).unwrap();
    one.check_at(SEED, 0, 100_000);
    other.check_at(SEED, 600_000, 100_000);
    one.check_at(SEED, 610_000, 90_000);
    other.check_at(SEED, 0, 100_000);
    assert_eq!((case.requests().len(), case.sent()), (2, 200_000), "{}", case.story());
}

fn another_authorization_is_another_file(runtime: Runtime) {
    let case = slow(runtime);
    let client = case.client();
    let source = |who: &str| Source::url(case.url()).header("Authorization", who);
    let mut streams = ["Bearer a", "Bearer b"].map(|who| client.open(source(who)).unwrap());
    for stream in &mut streams {
        case.reads_on(stream);
    }
    assert_eq!((case.requests().len(), case.sent()), (2, 2 * LEN), "{}", case.story());
    assert_eq!(cache_of(&client).list().unwrap().len(), 2);
    drop((streams, client));
    // Nor in the next life.
    let client = case.client();
    case.reads_on(&mut client.open(source("Bearer a")).unwrap());
    assert_eq!(case.requests().len(), 2, "{}", case.story());
    case.reads_on(&mut client.open(case.url()).unwrap());
    assert_eq!(case.requests().len(), 3, "without one is yet another: {}", case.story());
}

fn a_cache_key_makes_urls_one_file(runtime: Runtime) {
    let case = Case::new(runtime);
    let source = |nth: u32| Source::url(format!("{}?sig={nth}", case.url())).cache_key("ep-17");
    case.on().nth(0).stall_at(300_000);
    let mut stream = case.client().open(source(1)).unwrap();
    stream.check_at(SEED, 0, 300_000);
    drop(stream);
    let client = case.client();
    let mut one = client.open(source(2)).unwrap();
    let mut other = client.open(source(3)).unwrap();
    case.reads_on(&mut one);
    case.reads_on(&mut other);
    assert_eq!((case.requests().len(), case.sent()), (2, LEN), "{}", case.story());
    let asked = case.requests()[1].request.query.clone();
    assert_eq!(asked.as_deref(), Some("sig=2"), "the fresh one is asked");
}

fn a_download_and_a_stream_are_one_download(runtime: Runtime) {
    let case = slow(runtime);
    let client = case.client();
    let download = client.download(case.url());
    let mut stream = client.open(case.url()).unwrap();
    stream.check_at(SEED, 0, 100_000);
    drop(download);
    case.reads_on(&mut stream);
    let handle = stream.handle();
    eventually("complete", || handle.progress().state == State::Complete);
    assert_eq!((case.requests().len(), case.sent()), (1, LEN), "{}", case.story());
    client.download(case.url()).wait().unwrap();
    assert_eq!(case.requests().len(), 1, "{}", case.story());
}
