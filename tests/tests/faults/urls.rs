//! B21-B25 and B30: redirects, URLs that expire, servers that are busy, and what a client library does unasked.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use infill_tests::{
    origin::{Method, content},
    runtime::{ErrorKind, Notice, Noticed, Runtime, Source, State},
};

use crate::case::{Case, LEN, PATH, SEED, eventually, notices};

both! {
    b21_a_resume_asks_the_final_url_first_then_the_original,
    b21_redirects_to_other_places_each_time_are_one_resource,
    b21_redirects_without_end_are_an_error,
    b22_an_expired_url_is_renewed_and_reading_goes_on,
    b23_a_refusal_that_is_no_expiry_ends_after_few_renewals,
    b23_who_has_no_fresh_url_gives_up,
    b24_retry_after_in_seconds_is_honoured,
    b24_retry_after_as_a_date_is_honoured,
    b24_a_retry_after_that_makes_no_sense_is_ignored,
    b24_a_retry_after_of_years_is_no_hang,
    b25_faults_of_the_server_are_retried,
    b25_a_404_in_the_middle_is_not_the_end,
    b30_every_request_is_ours,
}

fn b21_a_resume_asks_the_final_url_first_then_the_original(runtime: Runtime) {
    let case = Case::new(runtime);
    case.origin.put("/edge/1", content(SEED, LEN));
    case.origin.put("/edge/2", content(SEED, LEN));
    // Relative to where it is asked, and absolute by another name.
    let second = case.origin.url_by_name("/edge/2");
    case.on().redirects(302, ["edge/1".to_owned(), second]);
    case.origin.on("/edge/1").nth(0).cut_at(100_000);
    case.origin.on("/edge/1").nth(1).cut_at(50_000);
    case.origin.on("/edge/1").from(2).status(403);
    let mut stream = case.open();
    case.reads_on(&mut stream);
    case.rests(&mut stream);
    let stats = case.origin.stats();
    assert_eq!(stats.requests("/edge/1").count(), 3, "{}", case.story());
    assert_eq!(stats.requests("/edge/2").count(), 1, "{}", case.story());
    assert_eq!(case.requests().len(), 2, "{}", case.story());
    let resumed = stats.requests("/edge/2").next().unwrap();
    assert_eq!(resumed.range().and_then(|range| range.first()), Some(150_000));
}

fn b21_redirects_to_other_places_each_time_are_one_resource(runtime: Runtime) {
    for status in [301, 302, 303, 307, 308] {
        let case = Case::new(runtime);
        let edges: Vec<_> = (0..3).map(|n| format!("/edge/{n}?token={n}")).collect();
        for path in ["/edge/0", "/edge/1", "/edge/2"] {
            case.origin.put(path, content(SEED, LEN));
            case.origin.on(path).nth(0).cut_at(100_000);
            case.origin.on(path).from(1).status(404);
        }
        case.on().redirects(status, edges);
        let mut stream = case.open();
        case.reads_on(&mut stream);
        case.rests(&mut stream);
        assert_eq!(case.requests().len(), 3, "{}", case.story());
    }
}

fn b21_redirects_without_end_are_an_error(runtime: Runtime) {
    let case = Case::new(runtime).impatient();
    case.on().redirect(302, PATH);
    let error = case.refused();
    assert_eq!(error.kind(), ErrorKind::Origin, "{error}");
    assert!(case.requests().len() <= 150, "{}", case.story());
}

/// A source whose `t` is renewed, and how often it was.
fn renewed(case: &Case) -> (Source, Arc<AtomicUsize>) {
    let renewals = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&renewals);
    let url = case.origin.url(PATH);
    let source = Source::url(format!("{url}?t=0")).renew(move |_| {
        let next = count.fetch_add(1, Ordering::SeqCst) + 1;
        Some(format!("{url}?t={next}"))
    });
    (source, renewals)
}

fn b22_an_expired_url_is_renewed_and_reading_goes_on(runtime: Runtime) {
    let case = Case::new(runtime);
    case.on().signed_for_requests("t", 1);
    case.on().nth(0).cut_at(100_000);
    case.on().nth(2).cut_at(100_000);
    let (source, renewals) = renewed(&case);
    let mut stream = case.open_source(source);
    case.reads_on(&mut stream);
    case.rests(&mut stream);
    assert_eq!(renewals.load(Ordering::SeqCst), 2, "{}", case.story());
    let asked = [0, 100_000, 100_000, 200_000, 200_000].map(Some);
    assert_eq!(case.firsts(), asked, "{}", case.story());
    let noticed = notices(&stream);
    assert!(noticed.contains(&Noticed::Notice(Notice::Renewed)), "{noticed:?}");
}

fn b23_a_refusal_that_is_no_expiry_ends_after_few_renewals(runtime: Runtime) {
    let case = Case::new(runtime);
    case.on().nth(0).cut_at(100_000);
    case.on().from(1).status(403);
    let (source, renewals) = renewed(&case);
    let mut stream = case.open_source(source);
    let reading = stream.read_on(SEED);
    assert_eq!(reading.count, 100_000);
    let error = reading.end.expect_err("not an end");
    assert_eq!(error.http_status(), Some(403), "{error}");
    assert_eq!(renewals.load(Ordering::SeqCst), 2, "{}", case.story());
    // One more if the reader came after the refusals: it may ask.
    assert!((4..6).contains(&case.requests().len()), "{}", case.story());
    let handle = stream.handle();
    eventually("given up", || handle.progress().state == State::Failed);
    // Reading on is answered, and is no storm.
    for _ in 0..50 {
        assert!(stream.read_on(SEED).end.is_err());
    }
    assert!(case.requests().len() <= 12, "{}", case.story());
}

fn b23_who_has_no_fresh_url_gives_up(runtime: Runtime) {
    let case = Case::new(runtime);
    case.on().signed_for_requests("t", 1);
    case.on().nth(0).cut_at(100_000);
    let source = Source::url(case.origin.url("/a?t=0")).renew(|_| None::<String>);
    let mut stream = case.open_source(source);
    let reading = stream.read_on(SEED);
    assert_eq!(reading.count, 100_000);
    let error = reading.end.expect_err("not an end");
    assert_eq!(error.kind(), ErrorKind::Origin, "{error}");
    assert_eq!(case.requests().len(), 2, "{}", case.story());
}

fn b24_retry_after_in_seconds_is_honoured(runtime: Runtime) {
    for status in [503, 429] {
        let case = Case::new(runtime);
        case.on().nth(0).status(status).retry_after("1");
        let begun = Instant::now();
        case.plays_with(2);
        assert!(begun.elapsed() >= Duration::from_secs(1));
    }
}

fn b24_retry_after_as_a_date_is_honoured(runtime: Runtime) {
    let case = Case::new(runtime);
    // Dates have whole seconds: two of them are at least one.
    let later = Duration::from_secs(2);
    case.on().nth(0).status(503).retry_after_date(later);
    let begun = Instant::now();
    case.plays_with(2);
    assert!(begun.elapsed() >= Duration::from_secs(1));
}

fn b24_a_retry_after_that_makes_no_sense_is_ignored(runtime: Runtime) {
    for nonsense in ["soon", "-20", "1e3", "", "Thu, 99 Foo 2020 00:00:00 GMT"] {
        let case = Case::new(runtime);
        case.on().nth(0).status(503).retry_after(nonsense);
        let begun = Instant::now();
        case.plays_with(2);
        assert!(begun.elapsed() < Duration::from_secs(5), "{nonsense:?}");
    }
}

fn b24_a_retry_after_of_years_is_no_hang(runtime: Runtime) {
    for huge in ["99999999999", "99999999999999999999999"] {
        let case = Case::new(runtime).impatient();
        case.on().nth(0).cut_at(100_000);
        case.on().from(1).status(503).retry_after(huge);
        let mut stream = case.open();
        let reading = stream.read_on(SEED);
        assert_eq!(reading.count, 100_000);
        let error = reading.end.expect_err("not an end");
        assert_eq!(error.http_status(), Some(503), "{error}");
        assert!(case.requests().len() <= 8, "{}", case.story());
    }
    // What is here plays on meanwhile, and the embedder sees the wait.
    let case = Case::new(runtime);
    case.on().nth(0).cut_at(100_000);
    case.on().from(1).status(503).retry_after("40");
    let mut stream = case.open();
    let handle = stream.handle();
    eventually("waiting", || matches!(handle.progress().state, State::Waiting { .. }));
    let State::Waiting { retry_in } = handle.progress().state else {
        panic!("it waits for 40 s");
    };
    assert!(retry_in > Duration::from_secs(25), "{retry_in:?}");
    stream.check_at(SEED, 0, 100_000);
    assert_eq!(case.requests().len(), 2, "{}", case.story());
}

fn b25_faults_of_the_server_are_retried(runtime: Runtime) {
    for status in [500, 502, 503, 504, 408, 425, 429] {
        let case = Case::new(runtime);
        case.on().nth(0).cut_at(100_000);
        case.on().requests(1..3).status(status);
        case.plays_with(4);
        let asked = [0, 100_000, 100_000, 100_000].map(Some);
        assert_eq!(case.firsts(), asked, "{}", case.story());
    }
}

fn b25_a_404_in_the_middle_is_not_the_end(runtime: Runtime) {
    for status in [404, 410, 401] {
        let case = Case::new(runtime);
        case.on().nth(0).cut_at(100_000);
        case.on().from(1).status(status);
        let mut stream = case.open();
        let reading = stream.read_on(SEED);
        assert_eq!(reading.count, 100_000);
        let error = reading.end.expect_err("not an end");
        assert_eq!(error.http_status(), Some(status), "{error}");
        // It comes back, and so does the reader.
        case.origin.heal(PATH);
        let begun = Instant::now();
        while stream.read_on(SEED).end.is_err() {
            assert!(begun.elapsed() < Duration::from_secs(5), "{}", case.story());
        }
        case.rests(&mut stream);
    }
}

fn b30_every_request_is_ours(runtime: Runtime) {
    let case = Case::new(runtime).piecewise(50_000);
    case.on().nth(1).cut_before_head();
    case.on().nth(3).status(503);
    case.on().nth(4).reset_before_head();
    case.on().nth(5).close_unannounced();
    case.on().nth(7).cut_at(1000);
    let mut stream = case.open();
    case.reads_on(&mut stream);
    case.rests(&mut stream);
    let requests = case.requests();
    let counted = stream.handle().stats().requests;
    // One more may have been written to the connection that was closed unannounced.
    let came = requests.len() as u64;
    assert!(came <= counted && counted <= came + 1, "{counted}: {}", case.story());
    for request in &requests {
        assert_eq!(request.request.method, Method::Get);
        assert!(request.range().is_some(), "{}", case.story());
    }
}
