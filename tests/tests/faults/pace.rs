//! B8-B12, B16 and B17: silence, trickles, dead connections.

use std::{
    thread,
    time::{Duration, Instant},
};

use infill_tests::{
    origin::{Origin, content},
    runtime::{Cause, ErrorKind, Runtime, StoreKind},
};

use crate::case::{Case, LEN, PATH, SEED};

both! {
    b8_a_stalled_body_is_asked_again,
    b8_a_silent_head_is_asked_again,
    b8_silence_for_good_is_an_error,
    b8_a_changed_network_ends_a_stall_at_once,
    b9_a_rest_in_a_slow_body_is_no_stall,
    b10_a_trickle_is_not_enough_for_who_waits,
    b11_a_server_that_cuts_off_a_paused_client_is_resumed,
    b11_a_connection_that_died_in_the_pool_costs_nothing,
    b12_contradicting_lengths_are_refused,
    b17_what_was_not_processed_is_repeated_at_once,
}

fn b8_a_stalled_body_is_asked_again(runtime: Runtime) {
    let case = Case::new(runtime).with(|c| c.stall_timeout = Duration::from_millis(250));
    case.on().nth(0).stall_at(100_000);
    let begun = Instant::now();
    let stream = case.plays_with(2);
    assert!(begun.elapsed() >= Duration::from_millis(250));
    assert_eq!(case.firsts(), [Some(0), Some(100_000)]);
    assert_eq!(stream.handle().stats().stalls, 1);
}

fn b8_a_silent_head_is_asked_again(runtime: Runtime) {
    for head_bytes in [0, 20] {
        let case = Case::new(runtime).with(|c| c.head_timeout = Duration::from_millis(250));
        case.on().nth(0).stall_in_head(head_bytes);
        case.plays_with(2);
    }
}

fn b8_silence_for_good_is_an_error(runtime: Runtime) {
    let case =
        Case::new(runtime).impatient().with(|c| c.stall_timeout = Duration::from_millis(100));
    case.on().nth(0).stall_at(100_000);
    case.on().from(1).stall_before_head();
    let mut stream = case.open();
    let begun = Instant::now();
    let reading = stream.read_on(SEED);
    assert_eq!(reading.count, 100_000);
    let error = reading.end.expect_err("not an end");
    assert!(matches!(error.cause(), Cause::Stalled(_)), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(3), "{error}");
    let text = error.to_string();
    assert!(text.contains("at byte 100000"), "{text}");
}

fn b8_a_changed_network_ends_a_stall_at_once(runtime: Runtime) {
    let case = Case::new(runtime);
    case.on().nth(0).stall_at(100_000);
    let client = case.client();
    let mut stream = client.open(case.url()).unwrap();
    let reading = stream.read_most(SEED, 100_000);
    assert_eq!((reading.count, reading.end), (100_000, Ok(())));
    let begun = Instant::now();
    client.network_changed();
    case.reads_on(&mut stream);
    assert!(begun.elapsed() < Duration::from_secs(3));
    case.rests(&mut stream);
    assert_eq!(case.firsts(), [Some(0), Some(100_000)]);
}

fn b9_a_rest_in_a_slow_body_is_no_stall(runtime: Runtime) {
    let case = Case::new(runtime);
    case.on().pause_at(100_000, Duration::from_millis(400));
    case.on().rate(2_000_000);
    let stream = case.plays_with(1);
    assert_eq!(stream.handle().stats().stalls, 0);
}

fn b10_a_trickle_is_not_enough_for_who_waits(runtime: Runtime) {
    let case = Case::new(runtime).with(|config| {
        config.min_progress_window = Duration::from_millis(300);
        config.min_progress_bytes = 1024;
    });
    case.on().nth(0).trickle_from(100_000, 1, Duration::from_millis(10));
    let stream = case.plays_with(2);
    assert!(case.firsts()[1] >= Some(100_000), "{}", case.story());
    assert_eq!(stream.handle().stats().stalls, 1);
}

fn b11_a_server_that_cuts_off_a_paused_client_is_resumed(runtime: Runtime) {
    let total = 6 << 20;
    let mut case = Case::at(runtime, Origin::builder().send_buffer(16 * 1024));
    case.settings = case.settings.clone().store(StoreKind::memory(1 << 20));
    case.origin.put(PATH, content(SEED, total));
    case.on().send_timeout(Duration::from_millis(100));
    let mut stream = case.open();
    let reading = stream.read_most(SEED, 100_000);
    assert_eq!((reading.count, reading.end), (100_000, Ok(())));
    // The store is full and nobody reads: the server loses its patience.
    thread::sleep(Duration::from_millis(500));
    let reading = stream.read_on(SEED);
    assert_eq!((reading.count, reading.end), (total - 100_000, Ok(())), "{}", case.story());
    assert!(case.requests().len() >= 2, "{}", case.story());
    assert!(case.requests().len() <= 40, "{}", case.story());
}

fn b11_a_connection_that_died_in_the_pool_costs_nothing(runtime: Runtime) {
    let case = Case::new(runtime).piecewise(100_000);
    case.on().close_unannounced();
    let stream = case.plays_with(3);
    assert_eq!(stream.handle().stats().bytes_fetched, LEN);
}

fn b12_contradicting_lengths_are_refused(runtime: Runtime) {
    let flaws: [&[&str]; 3] = [&["300000", "299999"], &["-5"], &["everything"]];
    for lengths in flaws {
        let case = Case::new(runtime);
        case.on().nth(0).content_lengths(lengths.iter().copied());
        case.plays_with(2);
        // To each request: an error that says so.
        let case = Case::new(runtime).impatient();
        case.on().content_lengths(lengths.iter().copied());
        let error = case.refused();
        assert_eq!(error.kind(), ErrorKind::Origin, "{lengths:?}: {error}");
        assert!(case.requests().len() <= 12, "{}", case.story());
    }
}

fn b17_what_was_not_processed_is_repeated_at_once(runtime: Runtime) {
    let case = Case::new(runtime)
        .piecewise(100_000)
        .with(|config| config.backoff_min = Duration::from_secs(20));
    case.on().on_reused().times(1).reset_before_head();
    let begun = Instant::now();
    let stream = case.plays_with(4);
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert_eq!(stream.handle().stats().retries, 0, "not counted as a failure");
    assert_eq!(case.firsts()[1], case.firsts()[2], "{}", case.story());
}
