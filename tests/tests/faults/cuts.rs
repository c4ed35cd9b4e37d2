//! B1-B7 and B29: an end is not the end, and a broken connection costs one request and no byte.

use std::io::{Read as _, Seek as _, SeekFrom};

use infill_tests::{
    origin::Origin,
    runtime::{Cause, ErrorKind, Notice, Noticed, ResourceStatus, Runtime, of_infill},
};

use crate::case::{Case, LEN, PATH, SEED, notices};

both! {
    b1_an_early_end_is_resumed_from_the_first_missing_byte,
    b1_an_early_end_is_never_complete,
    b1_an_end_before_or_in_the_head_is_asked_again,
    b2_chunks_without_the_last_one_are_incomplete,
    b2_chunks_that_are_cut_are_resumed,
    b3_chunks_that_end_properly_too_early_are_bounded_by_a_known_total,
    b4_a_body_that_ends_with_its_connection_is_unverified,
    b4_a_cut_that_looks_like_the_end_is_found_by_asking_what_follows,
    b4_a_part_that_ends_with_its_connection_is_measured_by_its_range,
    b5_tls_that_ends_without_its_alert_is_judged_by_the_framing,
    b6_a_network_error_is_not_the_end,
    b7_a_reset_is_resumed,
    b29_progress_survives_many_cuts,
}

fn b1_an_early_end_is_resumed_from_the_first_missing_byte(runtime: Runtime) {
    let case = Case::new(runtime);
    case.on().nth(0).cut_at(150_000);
    let stream = case.plays_with(2);
    assert_eq!(case.firsts(), [Some(0), Some(150_000)]);
    assert_eq!(stream.handle().stats().bytes_fetched, LEN);
    assert!(case.requests()[1].if_range().is_some());
}

fn b1_an_early_end_is_never_complete(runtime: Runtime) {
    let case = Case::new(runtime);
    case.on().nth(0).cut_at(LEN - 1);
    case.on().from(1).stall_before_head();
    let mut stream = case.open();
    let reading = stream.read_most(SEED, LEN - 1);
    assert_eq!((reading.count, reading.end), (LEN - 1, Ok(())));
    let handle = stream.handle();
    let status = handle.status();
    let (downloaded, expected) = (LEN - 1, Some(LEN));
    assert_eq!(status, ResourceStatus::Active { downloaded, expected });
    assert_eq!(stream.seek(SeekFrom::End(0)).unwrap(), LEN);
}

fn b1_an_end_before_or_in_the_head_is_asked_again(runtime: Runtime) {
    for head_bytes in [0, 10, 60] {
        let case = Case::new(runtime);
        case.on().nth(0).cut_in_head(head_bytes);
        case.plays_with(2);
    }
}

fn b2_chunks_without_the_last_one_are_incomplete(runtime: Runtime) {
    let case = Case::new(runtime);
    case.on().nth(0).ignore_range().without_last_chunk();
    // The total is not proven by the cut: the origin is asked what follows, and says that nothing does.
    case.plays_with(2);
    assert_eq!(case.firsts(), [Some(0), Some(LEN)]);
}

fn b2_chunks_that_are_cut_are_resumed(runtime: Runtime) {
    let case = Case::new(runtime);
    case.on().nth(0).ignore_range().chunked(10_000).cut_at(123_456);
    case.plays_with(2);
    assert_eq!(case.firsts(), [Some(0), Some(123_456)]);
}

fn b3_chunks_that_end_properly_too_early_are_bounded_by_a_known_total(runtime: Runtime) {
    // By the range that the same answer named.
    let case = Case::new(runtime);
    case.on().nth(0).chunked(1000).end_chunks_at(150_000);
    case.plays_with(2);
    assert_eq!(case.firsts(), [Some(0), Some(150_000)]);
    // By the length that an earlier answer named.
    let case = Case::new(runtime);
    case.on().nth(0).cut_at(100_000);
    case.on().nth(1).ignore_range().chunked(1000).end_chunks_at(200_000);
    case.plays_with(3);
    assert_eq!(case.firsts(), [Some(0), Some(100_000), Some(200_000)]);
}

fn b4_a_body_that_ends_with_its_connection_is_unverified(runtime: Runtime) {
    for unframed in [false, true] {
        let case = Case::new(runtime);
        let injection = case.on().ignore_range();
        drop(if unframed { injection.unframed() } else { injection.close_delimited() });
        // The question for what follows is answered with all of it again, which tells nothing.
        let stream = case.plays_with(2);
        assert_eq!(case.firsts(), [Some(0), Some(LEN)]);
        let noticed = notices(&stream);
        assert!(noticed.contains(&Noticed::Notice(Notice::Unverified)), "{noticed:?}");
    }
}

fn b4_a_cut_that_looks_like_the_end_is_found_by_asking_what_follows(runtime: Runtime) {
    let case = Case::new(runtime);
    case.on().nth(0).ignore_range().close_delimited().cut_at(123_456);
    let stream = case.plays_with(2);
    assert_eq!(case.firsts(), [Some(0), Some(123_456)]);
    let noticed = notices(&stream);
    assert!(!noticed.contains(&Noticed::Notice(Notice::Unverified)), "{noticed:?}");
}

fn b4_a_part_that_ends_with_its_connection_is_measured_by_its_range(runtime: Runtime) {
    let case = Case::new(runtime);
    case.on().close_delimited();
    case.on().nth(0).cut_at(123_456);
    let stream = case.plays_with(2);
    assert_eq!(case.firsts(), [Some(0), Some(123_456)]);
    let noticed = notices(&stream);
    assert!(!noticed.contains(&Noticed::Notice(Notice::Unverified)), "{noticed:?}");
}

fn b5_tls_that_ends_without_its_alert_is_judged_by_the_framing(runtime: Runtime) {
    let secure = || Case::at(runtime, Origin::builder().tls());
    // No length: incomplete, and the origin says whether anything follows.
    let case = secure();
    case.on().nth(0).ignore_range().close_delimited().without_close_notify();
    let stream = case.plays_with(2);
    assert_eq!(case.firsts(), [Some(0), Some(LEN)]);
    assert!(!notices(&stream).contains(&Noticed::Notice(Notice::Unverified)));
    // With one: complete if all of it came, and resumed if not.
    let case = secure();
    case.on().nth(0).close_delimited().without_close_notify();
    case.plays_with(1);
    let case = secure();
    case.on().nth(0).cut_at(100_000).without_close_notify();
    case.plays_with(2);
    assert_eq!(case.firsts(), [Some(0), Some(100_000)]);
}

fn b6_a_network_error_is_not_the_end(runtime: Runtime) {
    let case = Case::new(runtime).impatient();
    case.on().nth(0).cut_at(100_000);
    case.on().from(1).reset_before_head();
    let mut stream = case.open();
    let reading = stream.read_on(SEED);
    assert_eq!(reading.count, 100_000);
    let error = reading.end.expect_err("not an end");
    assert_eq!(error.kind(), ErrorKind::Network, "{error}");
    assert!(error.is_retryable(), "{error}");
    assert_eq!(stream.handle().error(), Some(error));
    // What is there can still be read, and once the network is back, the rest as well.
    stream.check_at(SEED, 10, 1000);
    case.origin.heal(PATH);
    stream.seek(SeekFrom::Start(100_000)).unwrap();
    case.reads_on(&mut stream);
    case.rests(&mut stream);
    assert!(case.requests().len() <= 16, "{}", case.story());
}

fn b7_a_reset_is_resumed(runtime: Runtime) {
    let case = Case::new(runtime);
    case.on().nth(0).reset_at(150_000);
    let stream = case.plays_with(2);
    let asked = case.firsts()[1].unwrap();
    assert!(asked <= 150_000, "{}", case.story());
    assert_eq!(stream.handle().stats().retries, 1);
    // Before any byte, on a connection that was not used before.
    let case = Case::new(runtime);
    case.on().nth(0).reset_before_head();
    case.plays_with(2);
    // Nothing but resets: an error that says so, not a hang.
    let case = Case::new(runtime).impatient();
    case.on().reset_before_head();
    let error = case.refused();
    assert!(matches!(error.cause(), Cause::Reset(_) | Cause::NotProcessed), "{error}");
    assert!(case.requests().len() <= 12, "{}", case.story());
}

fn b29_progress_survives_many_cuts(runtime: Runtime) {
    let case = Case::new(runtime);
    case.on().first(20).cut_at(15_000);
    let mut stream = case.plays_with(20);
    assert_eq!(stream.handle().stats().bytes_fetched, LEN);
    let error = stream.read_at(LEN, &mut [0; 1]).map_err(|e| of_infill(&e));
    assert_eq!(error, Ok(0));
    assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
}
