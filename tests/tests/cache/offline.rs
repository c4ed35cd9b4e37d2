//! Without a network: what is there plays, what is not is a clear error; and when the origin is asked all the same.

use std::{
    io::{Read as _, Seek as _, SeekFrom},
    time::{Duration, Instant},
};

use infill_core::Revalidate;
use infill_tests::{
    origin::{Origin, Resource, content},
    runtime::{Cause, ErrorKind, ResourceStatus, Runtime, State},
};

use crate::case::{Case, LEN, OTHER_SEED, SEED, cache_of, eventually};

both! {
    a_complete_file_plays_without_a_request,
    present_ranges_play_and_the_rest_is_a_clear_error,
    what_was_missing_comes_when_the_origin_is_back,
    d14_always_asks_once_and_takes_what_is_there_if_it_is_the_same,
    d14_always_takes_what_is_there_if_nobody_answers,
    d14_always_sees_a_change,
    d14_no_store_leaves_nothing_on_the_disk,
    an_empty_file_is_kept_too,
}

/// The origin is gone.
fn shut_down(case: &mut Case) -> std::net::SocketAddr {
    let address = case.origin.address();
    // Another port, so that nobody takes the first one by chance.
    case.origin = Origin::start();
    address
}

fn url_at(address: std::net::SocketAddr) -> String {
    format!("http://{address}{}", crate::case::PATH)
}

fn a_complete_file_plays_without_a_request(runtime: Runtime) {
    let mut case = Case::new(runtime);
    case.plays();
    // First while it is there to be asked.
    let mut stream = case.open();
    case.reads_on(&mut stream);
    assert_eq!(case.requests().len(), 1, "{}", case.story());
    drop(stream);
    let url = url_at(shut_down(&mut case));
    let begun = Instant::now();
    let mut stream = case.client().open(url).unwrap();
    assert_eq!(stream.byte_len(), Some(LEN));
    case.reads_on(&mut stream);
    for at in [LEN - 1, 0, LEN / 2] {
        stream.check_at(SEED, at, 5000);
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    let handle = stream.handle();
    assert_eq!(handle.status(), ResourceStatus::Committed { final_len: LEN });
    let stats = handle.stats();
    assert_eq!((stats.requests, stats.bytes_fetched, stats.bytes_from_cache), (0, 0, LEN));
}

fn present_ranges_play_and_the_rest_is_a_clear_error(runtime: Runtime) {
    let mut case = Case::new(runtime).impatient();
    case.on().nth(0).stall_at(200_000);
    case.on().nth(1).stall_at(100_000);
    let mut stream = case.open();
    stream.check_at(SEED, 0, 200_000);
    stream.check_at(SEED, 700_000, 100_000);
    drop(stream);
    let url = url_at(shut_down(&mut case));
    let mut stream = case.client().open(url).unwrap();
    assert_eq!(stream.byte_len(), Some(LEN));
    stream.check_at(SEED, 700_000, 100_000);
    stream.check_at(SEED, 0, 199_000);
    let reading = stream.read_on(SEED);
    assert_eq!(reading.count, 1000);
    let error = reading.end.unwrap_err();
    assert!(matches!(error.cause(), Cause::Connect(_)), "{error}");
    assert_eq!((error.offset(), error.is_retryable()), (Some(200_000), true), "{error}");
    // It goes on to play what is there.
    stream.check_at(SEED, 710_000, 1000);
    assert_eq!(stream.handle().stats().bytes_fetched, 0);
}

fn what_was_missing_comes_when_the_origin_is_back(runtime: Runtime) {
    let mut case = Case::new(runtime).impatient();
    case.begins_with(200_000);
    let address = shut_down(&mut case);
    let mut stream = case.client().open(url_at(address)).unwrap();
    assert_eq!(stream.read_on(SEED).count, 200_000);
    case.origin = Origin::builder().address(address).start();
    case.put(content(SEED, LEN));
    // The wait between two attempts may be longer than a read is patient; none is lost for that.
    let begun = Instant::now();
    while stream.read(&mut [0; 1]).is_err() {
        assert!(begun.elapsed() < Duration::from_secs(10), "{}", case.story());
    }
    stream.seek(SeekFrom::Start(200_000)).unwrap();
    case.reads_on(&mut stream);
    assert_eq!(case.sent(), LEN - 200_000, "{}", case.story());
}

fn always(case: Case) -> Case {
    case.with(|config| config.revalidate = Revalidate::Always)
}

fn d14_always_asks_once_and_takes_what_is_there_if_it_is_the_same(runtime: Runtime) {
    let case = always(Case::new(runtime));
    case.plays();
    let (asked, sent) = (case.requests().len(), case.sent());
    let mut stream = case.open();
    case.reads_on(&mut stream);
    for at in [0, LEN / 2] {
        stream.check_at(SEED, at, 5000);
    }
    assert_eq!(case.requests().len(), asked + 1, "{}", case.story());
    // What was sent before the request was stopped counts, too; it is far from all.
    assert!(stream.handle().stats().bytes_fetched <= 64 * 1024, "{}", case.story());
    assert!(case.sent() >= sent);
}

fn d14_always_takes_what_is_there_if_nobody_answers(runtime: Runtime) {
    let mut case = always(Case::new(runtime)).impatient();
    case.plays();
    let url = url_at(shut_down(&mut case));
    let begun = Instant::now();
    let mut stream = case.client().open(url).unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    let reading = stream.read_on(SEED);
    assert_eq!((reading.count, reading.end), (LEN, Ok(())));
    // An answer that says nothing of the file is none.
    let case = always(Case::new(runtime)).impatient();
    case.plays();
    case.on().from(1).status(503);
    let mut stream = case.open();
    assert_eq!(stream.read_on(SEED).count, LEN, "{}", case.story());
}

fn d14_always_sees_a_change(runtime: Runtime) {
    let case = always(Case::new(runtime));
    case.plays();
    for len in [LEN, LEN + 5] {
        case.put(content(OTHER_SEED + len, len));
        let mut stream = case.open();
        let reading = stream.read_on(OTHER_SEED + len);
        assert_eq!((reading.count, reading.end), (len, Ok(())), "{}", case.story());
        let handle = stream.handle();
        eventually("complete", || handle.progress().state == State::Complete);
    }
}

fn d14_no_store_leaves_nothing_on_the_disk(runtime: Runtime) {
    let case = Case::new(runtime);
    case.put(Resource::new(content(SEED, LEN)).header("Cache-Control", "private, no-store"));
    let client = case.client();
    let mut stream = client.open(case.url()).unwrap();
    case.reads_on(&mut stream);
    stream.check_at(SEED, 10, 1000);
    assert_eq!(case.data_files(), Vec::<std::path::PathBuf>::new());
    assert_eq!(cache_of(&client).list().unwrap(), []);
    drop((stream, client));
    // Nor does the next life know of it.
    let client = case.client();
    assert_eq!(cache_of(&client).list().unwrap(), []);
    let mut stream = client.open(case.url()).unwrap();
    case.reads_on(&mut stream);
    assert_eq!((case.requests().len(), case.sent()), (2, 2 * LEN), "{}", case.story());
    assert_eq!(case.data_files(), Vec::<std::path::PathBuf>::new());
}

fn an_empty_file_is_kept_too(runtime: Runtime) {
    let case = Case::new(runtime);
    case.put(content(SEED, 0));
    for _ in 0..2 {
        let mut stream = case.open();
        let reading = stream.read_on(SEED);
        assert_eq!((reading.count, reading.end), (0, Ok(())), "{}", case.story());
        assert_eq!(stream.byte_len(), Some(0));
    }
    let kind = case.client().open(case.origin.url("/none")).unwrap_err().kind();
    assert_eq!(kind, ErrorKind::Origin, "a 404 is none");
}
