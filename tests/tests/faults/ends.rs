//! A14-A20: where a resource ends, and who may say so.

use std::{
    io::{Read as _, Seek as _, SeekFrom},
    time::Duration,
};

use infill_tests::{
    origin::{Instead, Method, RangeSpec},
    runtime::{Cause, ErrorKind, Runtime, State, of_infill},
};

use crate::case::{Case, LEN, PATH, SEED, eventually};

both! {
    a14_416_at_the_end_is_the_end,
    a14_416_inside_the_resource_is_asked_plainly,
    a14_nothing_is_asked_at_or_past_a_known_total,
    a15_416_without_a_total_is_probed,
    a15_a_probe_that_does_not_tell_either_is_followed_by_a_plain_question,
    a15_416_without_a_total_to_everything_is_asked_plainly,
    a16_a_200_instead_of_416_tells_the_end,
    a16_an_origin_that_never_tells_the_end_is_an_error,
    a17_accept_ranges_is_advice,
    a18_head_is_never_asked,
    a19_a_slice_named_by_the_query_is_a_resource_of_its_own,
    a20_an_unknown_total_is_found_at_the_end,
}

fn a14_416_at_the_end_is_the_end(runtime: Runtime) {
    let case = Case::new(runtime);
    case.on().unknown_total();
    case.plays_with(2);
    assert_eq!(case.firsts(), [Some(0), Some(LEN)]);
    assert_eq!(case.requests()[1].status, Some(416));
}

fn a14_416_inside_the_resource_is_asked_plainly(runtime: Runtime) {
    let case = Case::new(runtime);
    case.on().nth(0).cut_at(100_000);
    case.on().nth(1).refuse_range(Some(LEN));
    case.plays_with(3);
    assert_eq!(case.firsts(), [Some(0), Some(100_000), None]);
}

fn a14_nothing_is_asked_at_or_past_a_known_total(runtime: Runtime) {
    let case = Case::new(runtime);
    case.on().nth(0).cut_at(LEN - 1);
    let mut stream = case.open();
    for past in [LEN, LEN + 1, u64::MAX / 2] {
        stream.seek(SeekFrom::Start(past)).unwrap();
        assert_eq!(stream.read(&mut [0; 10]).unwrap(), 0, "{}", case.story());
        assert_eq!(stream.read_at(past, &mut [0; 10]).unwrap(), 0);
    }
    stream.seek(SeekFrom::Start(0)).unwrap();
    case.reads_on(&mut stream);
    case.rests(&mut stream);
    assert_eq!(case.firsts(), [Some(0), Some(LEN - 1)]);
}

fn a15_416_without_a_total_is_probed(runtime: Runtime) {
    let case = Case::new(runtime);
    case.on().nth(0).unknown_total();
    case.on().at_or_past(LEN).no_content_range();
    case.plays_within(4);
    let requests = case.requests();
    let probe = requests.last().unwrap().range();
    assert_eq!(probe, Some(RangeSpec::FromTo { first: 0, last: 0 }));
}

fn a15_a_probe_that_does_not_tell_either_is_followed_by_a_plain_question(runtime: Runtime) {
    let case = Case::new(runtime);
    case.on().unknown_total();
    case.on().at_or_past(LEN).no_content_range();
    case.plays_within(5);
    assert_eq!(case.firsts().last(), Some(&None), "{}", case.story());
}

fn a15_416_without_a_total_to_everything_is_asked_plainly(runtime: Runtime) {
    let case = Case::new(runtime);
    case.on().nth(0).cut_at(100_000);
    case.on().from(1).when(|request| request.range().is_some()).refuse_range(None);
    case.plays_within(5);
    assert_eq!(case.firsts().last(), Some(&None), "{}", case.story());
}

fn a16_a_200_instead_of_416_tells_the_end(runtime: Runtime) {
    let case = Case::new(runtime);
    case.on().unknown_total().instead_of_416(Instead::Whole);
    case.plays_with(2);
}

fn a16_an_origin_that_never_tells_the_end_is_an_error(runtime: Runtime) {
    for instead in [Instead::Empty, Instead::Hangup] {
        let case = Case::new(runtime).impatient();
        case.on().unknown_total().instead_of_416(instead);
        let mut stream = case.open();
        let reading = stream.read_on(SEED);
        assert_eq!(reading.count, LEN);
        let error = reading.end.expect_err("not proven to be the end");
        let fits = match instead {
            Instead::Empty => error.cause() == &Cause::NoContent(200),
            _ => error.kind() == ErrorKind::Network,
        };
        assert!(fits, "{error}");
        assert!(case.requests().len() <= 12, "{}", case.story());
        // Nobody reads on: it rests, having nothing more to ask for.
        eventually("at rest", || {
            !matches!(stream.handle().progress().state, State::Downloading | State::Connecting)
        });
    }
}

fn a17_accept_ranges_is_advice(runtime: Runtime) {
    for (said, ignored) in
        [(None, false), (Some("none"), false), (Some("bytes"), true), (Some("nonsense"), false)]
    {
        let case = Case::new(runtime);
        let injection = case.on().accept_ranges(said);
        drop(if ignored { injection.ignore_range() } else { injection });
        case.on().nth(0).cut_at(50_000);
        let mut stream = case.open();
        assert!(stream.is_seekable());
        stream.check_at(SEED, 250_000, 1000);
        stream.seek(SeekFrom::Start(0)).unwrap();
        case.reads_on(&mut stream);
        case.rests(&mut stream);
        assert!(case.requests().len() <= 4, "{said:?} {}", case.story());
        let asked = case.firsts();
        assert!(asked.iter().all(Option::is_some), "{}", case.story());
    }
}

fn a18_head_is_never_asked(runtime: Runtime) {
    let case = Case::new(runtime);
    case.on().on_head().status(403);
    case.on().nth(0).cut_at(100_000);
    case.plays_with(2);
    let methods = case.requests().into_iter().map(|seen| seen.request.method);
    assert!(methods.into_iter().all(|method| method == Method::Get), "{}", case.story());
}

fn a19_a_slice_named_by_the_query_is_a_resource_of_its_own(runtime: Runtime) {
    let case = Case::new(runtime);
    case.on().range_in_query("range");
    let url = case.origin.url(&format!("{PATH}?range=1000-1999"));
    let mut stream = case.open_source(url);
    assert_eq!(stream.byte_len(), Some(1000));
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    assert_eq!(all, infill_tests::origin::content_at(SEED, 1000..2000));
    assert_eq!(case.requests().len(), 1, "{}", case.story());
    // The same path with another slice is another resource.
    let url = case.origin.url(&format!("{PATH}?range=0-99"));
    let mut stream = case.open_source(url);
    all.clear();
    stream.read_to_end(&mut all).unwrap();
    assert_eq!(all, infill_tests::origin::content_at(SEED, 0..100));
}

fn a20_an_unknown_total_is_found_at_the_end(runtime: Runtime) {
    let case = Case::new(runtime);
    case.on().unknown_total();
    let late = Duration::from_millis(150);
    case.on().at_or_past(LEN).latency(late);
    let mut stream = case.open();
    assert_eq!((stream.byte_len(), stream.is_seekable()), (None, false));
    let error = of_infill(&stream.seek(SeekFrom::End(-1)).unwrap_err());
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    case.reads_on(&mut stream);
    assert_eq!((stream.byte_len(), stream.is_seekable()), (Some(LEN), true));
    case.rests(&mut stream);
    assert_eq!(case.requests().len(), 2, "{}", case.story());
    // A short part at the end of which nothing is known.
    let case = Case::new(runtime);
    case.on().unknown_total().short(100_000);
    case.plays_with(4);
}
