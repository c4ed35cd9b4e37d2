//! A1-A7 and A14-A27 on the wire.

use super::*;
use crate::origin::{ContentRangeFlaw, Instead};

#[test]
fn a1_a28_range_is_ignored() {
    let origin = origin();
    origin.on("/a").nth(0).ignore_range();
    let first = get_range(&origin, "5000-");
    assert_eq!((first.status, first.value("Content-Range")), (200, "-"));
    first.assert_is(0..LEN);
    assert_eq!(get_range(&origin, "5000-").status, 206);
}

#[test]
fn a2_a3_the_range_served_is_not_the_one_asked() {
    let origin = origin();
    origin.on("/a").nth(0).shift_start(-100);
    origin.on("/a").nth(1).shift_start(100);
    origin.on("/a").nth(2).start_at(0);
    origin.on("/a").nth(3).align_start(4096);
    origin.on("/a").nth(4).short(50);
    for span in [4900..10_000, 5100..10_000, 0..10_000, 4096..10_000, 5000..5050] {
        let answer = get_range(&origin, "5000-");
        let described = format!("bytes {}-{}/10000", span.start, span.end - 1);
        assert_eq!((answer.status, answer.value("Content-Range")), (206, described.as_str()));
        answer.assert_is(span);
    }
}

#[test]
fn a4_a15_no_content_range() {
    let origin = origin();
    origin.on("/a").no_content_range();
    let part = get_range(&origin, "5000-");
    assert_eq!((part.status, part.value("Content-Range")), (206, "-"));
    part.assert_is(5000..LEN);
    let past = get_range(&origin, "10000-");
    assert_eq!((past.status, past.value("Content-Range")), (416, "-"));
}

#[test]
fn a5_the_body_is_longer_than_its_range() {
    let origin = origin();
    origin.on("/a").nth(0).append_junk(7);
    origin.on("/a").nth(1).whole_behind_slice();
    let junk = get_range(&origin, "10-19");
    assert_eq!(junk.value("Content-Range"), "bytes 10-19/10000");
    assert_eq!((junk.value("Content-Length"), junk.body.len()), ("17", 17));
    assert_eq!(junk.body[10..], [0xEE; 7]);
    let whole = get_range(&origin, "10-19");
    assert_eq!(whole.value("Content-Range"), "bytes 10-19/10000");
    whole.assert_is(0..LEN);
}

#[test]
fn a6_a7_the_status_does_not_fit() {
    let origin = origin();
    origin.on("/a").nth(0).slice_as_200();
    origin.on("/a").nth(1).unasked_206(100, 199);
    let slice = get_range(&origin, "5000-");
    assert_eq!((slice.status, slice.value("Content-Range")), (200, "bytes 5000-9999/10000"));
    slice.assert_is(5000..LEN);
    let unasked = get(&origin, "/a", "");
    assert_eq!((unasked.status, unasked.value("Content-Range")), (206, "bytes 100-199/10000"));
    unasked.assert_is(100..200);
}

#[test]
fn a14_a16_the_end_is_told_otherwise() {
    let origin = origin();
    origin.on("/a").nth(0).refuse_range(Some(77));
    origin.on("/a").nth(1).refuse_range(None);
    origin.on("/a").nth(2).instead_of_416(Instead::Whole);
    origin.on("/a").nth(3).instead_of_416(Instead::Empty);
    origin.on("/a").nth(4).instead_of_416(Instead::Hangup);
    origin.on("/a").nth(5).instead_of_416(Instead::Empty);
    let refused = get_range(&origin, "5-");
    assert_eq!((refused.status, refused.value("Content-Range")), (416, "bytes */77"));
    assert_eq!(get_range(&origin, "5-").value("Content-Range"), "-");
    let whole = get_range(&origin, "10000-");
    assert_eq!(whole.status, 200);
    whole.assert_is(0..LEN);
    let empty = get_range(&origin, "10000-");
    assert_eq!((empty.status, empty.value("Content-Length"), empty.body.len()), (200, "0", 0));
    let hangup = get_range(&origin, "10000-");
    assert_eq!((hangup.line.as_str(), hangup.end), ("", End::Fin));
    get_range(&origin, "9999-").assert_is(9999..LEN);
}

#[test]
fn a17_accept_ranges_is_permuted() {
    let origin = origin();
    origin.on("/a").nth(0).accept_ranges(None);
    origin.on("/a").nth(1).accept_ranges(Some("none"));
    origin.on("/a").nth(2).ignore_range();
    let seen = [(206, "-"), (206, "none"), (200, "bytes")];
    for (status, value) in seen {
        let answer = get_range(&origin, "5-");
        assert_eq!((answer.status, answer.value("Accept-Ranges")), (status, value));
    }
}

#[test]
fn a19_a20_totals_that_are_not() {
    let origin = origin();
    origin.on("/a").range_in_query("range").unknown_total();
    let slice = get(&origin, "/a?x=y&range=10-19", "");
    assert_eq!((slice.status, slice.value("Content-Length")), (200, "10"));
    slice.assert_is(10..20);
    let unknown = get_range(&origin, "5000-");
    assert_eq!((unknown.status, unknown.value("Content-Range")), (206, "bytes 5000-9999/*"));
    unknown.assert_is(5000..LEN);
}

#[test]
fn a21_multipart() {
    let origin = origin();
    origin.on("/a").nth(0).multipart();
    origin.on("/a").nth(1).malformed_multipart();
    for start in
        ["--infill-0123456789\r\nContent-Type: ", "--infill-0123456789\r\n\r\nContent-Type: "]
    {
        let answer = get_range(&origin, "10-19");
        assert_eq!((answer.status, answer.value("Content-Range")), (206, "-"));
        assert!(answer.value("Content-Type").starts_with("multipart/byteranges; boundary="));
        assert_eq!(answer.value("Content-Length"), answer.body.len().to_string());
        assert!(answer.body.starts_with(start.as_bytes()), "{start:?}");
        let slice = crate::origin::content_at(SEED, 10..20);
        let end = [
            b"Content-Range: bytes 10-19/10000\r\n\r\n",
            &slice[..],
            b"\r\n--infill-0123456789--\r\n",
        ];
        assert!(answer.body.ends_with(&end.concat()));
    }
}

#[test]
fn a22_a27_content_range_is_invalid_or_off_by_one() {
    let origin = origin();
    origin.on("/a").nth(0).invalid_content_range(ContentRangeFlaw::LastBeforeFirst);
    origin.on("/a").nth(1).invalid_content_range(ContentRangeFlaw::TotalTooSmall);
    origin.on("/a").nth(2).invalid_content_range(ContentRangeFlaw::OtherUnit);
    origin.on("/a").nth(3).invalid_content_range(ContentRangeFlaw::Overflow);
    origin.on("/a").nth(4).invalid_content_range(ContentRangeFlaw::Garbage);
    origin.on("/a").nth(5).content_range("bytes=1-2/3");
    origin.on("/a").nth(6).last_off_by(1);
    origin.on("/a").nth(7).last_off_by(-1);
    for expected in [
        "bytes 20-10/10000",
        "bytes 10-19/19",
        "items 10-19/10000",
        "bytes 10-99999999999999999999/99999999999999999999999",
        "bytes everything",
        "bytes=1-2/3",
        "bytes 10-20/10000",
        "bytes 10-18/10000",
    ] {
        let answer = get_range(&origin, "10-19");
        assert_eq!((answer.status, answer.value("Content-Range")), (206, expected));
        answer.assert_is(10..20);
    }
}

#[test]
fn a24_suffixes_are_ignored() {
    let origin = origin();
    origin.on("/a").ignore_suffix();
    assert_eq!(get_range(&origin, "-10").status, 200);
    assert_eq!(get_range(&origin, "10-").status, 206);
}

#[test]
fn a25_large_ranges_are_throttled() {
    let origin = origin();
    origin.on("/a").throttle_over(1000, 40_000);
    let (small, fast) = timed(|| get_range(&origin, "0-999"));
    small.assert_is(0..1000);
    let (large, slow) = timed(|| get_range(&origin, "0-3999"));
    large.assert_is(0..4000);
    assert!(slow > Duration::from_millis(80) && slow > fast, "{fast:?} {slow:?}");
}

#[test]
fn a26_a_slice_ends_at_its_boundary() {
    let origin = origin();
    origin.on("/a").cut_slices(4096);
    let cut = get_range(&origin, "4000-");
    assert_eq!((cut.value("Content-Length"), cut.end), ("6000", End::Fin));
    cut.assert_is(4000..4096);
    get_range(&origin, "8192-").assert_is(8192..LEN);
}
