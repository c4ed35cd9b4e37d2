//! A21-A28: parts that contradict themselves, and servers with habits.

use std::{
    io::{Read as _, Seek as _, SeekFrom},
    time::{Duration, Instant},
};

use infill_tests::{
    origin::{ContentRangeFlaw, RangeSpec},
    runtime::{Runtime, of_infill},
};

use crate::case::{Case, LEN, SEED};

both! {
    a21_a_multipart_answer_is_refused_and_asked_plainly,
    a22_an_invalid_content_range_is_refused,
    a22_a_content_range_that_overflows_is_refused,
    a23_content_length_and_content_range_disagree,
    a24_suffix_ranges_are_never_asked,
    a25_requests_are_bounded_where_asked,
    a26_a_cache_that_stops_at_slices_is_resumed_at_each,
    a27_a_last_position_that_is_off_by_one_loses_no_byte,
    a27_our_own_ranges_are_inclusive,
    a28_ranges_are_learned_anew_from_each_answer,
}

fn a21_a_multipart_answer_is_refused_and_asked_plainly(runtime: Runtime) {
    let case = Case::new(runtime);
    case.on().multipart();
    case.plays_with(2);
    let case = Case::new(runtime);
    case.on().nth(0).cut_at(100_000);
    case.on().from(1).malformed_multipart();
    case.plays_with(3);
    assert_eq!(case.firsts(), [Some(0), Some(100_000), None]);
}

fn a22_an_invalid_content_range_is_refused(runtime: Runtime) {
    for flaw in [
        ContentRangeFlaw::LastBeforeFirst,
        ContentRangeFlaw::TotalTooSmall,
        ContentRangeFlaw::OtherUnit,
        ContentRangeFlaw::Garbage,
    ] {
        let case = Case::new(runtime);
        case.on().nth(0).cut_at(100_000);
        case.on().from(1).invalid_content_range(flaw);
        case.plays_with(3);
        assert_eq!(case.firsts(), [Some(0), Some(100_000), None], "{flaw:?}");
    }
}

fn a22_a_content_range_that_overflows_is_refused(runtime: Runtime) {
    let case = Case::new(runtime);
    case.on().invalid_content_range(ContentRangeFlaw::Overflow);
    case.plays_with(2);
    for text in ["bytes 0-18446744073709551615/*", "bytes 5-4/9", ""] {
        let case = Case::new(runtime);
        case.on().nth(0).content_range(text);
        case.plays_within(3);
    }
}

fn a23_content_length_and_content_range_disagree(runtime: Runtime) {
    // Fewer bytes than the range: what came counts, and the rest is asked for.
    let case = Case::new(runtime);
    case.on().nth(0).content_lengths(["200000"]);
    case.plays_with(2);
    assert_eq!(case.firsts(), [Some(0), Some(200_000)]);
    // More than there are: the range is complete all the same.
    let case = Case::new(runtime);
    case.on().nth(0).content_lengths(["400000"]);
    case.plays_with(1);
}

fn a24_suffix_ranges_are_never_asked(runtime: Runtime) {
    let case = Case::new(runtime);
    case.on().ignore_suffix();
    case.on().nth(0).cut_at(10_000);
    let mut stream = case.open();
    stream.seek(SeekFrom::End(-100)).unwrap();
    let reading = stream.read_on(SEED);
    assert_eq!((reading.count, reading.end), (100, Ok(())));
    stream.seek(SeekFrom::Start(0)).unwrap();
    case.reads_on(&mut stream);
    case.rests(&mut stream);
    for request in case.requests() {
        let range = request.range();
        assert!(!matches!(range, Some(RangeSpec::Suffix { .. }) | None), "{}", case.story());
    }
}

fn a25_requests_are_bounded_where_asked(runtime: Runtime) {
    let case = Case::new(runtime).piecewise(65_536);
    // Slowed to 15 s for all of it.
    case.on().throttle_over(65_536, 20_000);
    let begun = Instant::now();
    case.plays_with(5);
    assert!(begun.elapsed() < Duration::from_secs(5));
    for (request, first) in case.requests().iter().zip((0..).step_by(65_536)) {
        let last = (first + 65_536).min(LEN) - 1;
        let asked = request.range();
        // Before the length is known, the whole first piece is asked for.
        assert_eq!(asked, Some(RangeSpec::FromTo { first, last }), "{}", case.story());
    }
}

fn a26_a_cache_that_stops_at_slices_is_resumed_at_each(runtime: Runtime) {
    let case = Case::new(runtime);
    case.on().cut_slices(65_536);
    case.plays_with(5);
    assert_eq!(case.firsts(), [0, 65_536, 131_072, 196_608, 262_144].map(Some));
}

fn a27_a_last_position_that_is_off_by_one_loses_no_byte(runtime: Runtime) {
    for by in [-1, 1] {
        let case = Case::new(runtime);
        case.on().last_off_by(by);
        case.plays_within(5);
        let case = Case::new(runtime).piecewise(100_000);
        case.on().last_off_by(by);
        case.plays_within(8);
    }
}

fn a27_our_own_ranges_are_inclusive(runtime: Runtime) {
    let case = Case::new(runtime).piecewise(100_000);
    case.plays_with(3);
    let asked: Vec<_> = case.requests().iter().filter_map(|request| request.range()).collect();
    let piece = |first, last| RangeSpec::FromTo { first, last };
    assert_eq!(asked, [piece(0, 99_999), piece(100_000, 199_999), piece(200_000, 299_999)]);
}

fn a28_ranges_are_learned_anew_from_each_answer(runtime: Runtime) {
    // 200, then 206.
    let case = Case::new(runtime);
    case.on().nth(0).ignore_range().cut_at(100_000);
    case.plays_with(2);
    assert_eq!(case.requests()[1].status, Some(206));
    // 206, then 200 to a resume, then 206 again.
    let case = Case::new(runtime);
    case.on().nth(0).cut_at(100_000);
    case.on().nth(1).ignore_range().cut_at(150_000);
    let mut stream = case.plays_with(3);
    let statuses: Vec<_> = case.requests().iter().map(|seen| seen.status).collect();
    assert_eq!(statuses, [Some(206), Some(200), Some(206)]);
    let error = stream.seek(SeekFrom::Current(-(LEN as i64) - 1));
    assert!(of_infill(&error.unwrap_err()).to_string().contains("seek"));
    assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
}
