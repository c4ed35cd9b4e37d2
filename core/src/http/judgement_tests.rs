//! What each kind of answer means, by the FAULTS row that it answers.

use super::*;

const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
const LATER: &str = "Sun, 06 Nov 1994 09:49:37 GMT";

fn head(status: u16, fields: &[(&str, &str)]) -> ResponseHead {
    fields.iter().fold(ResponseHead::new(status), |head, (name, value)| {
        head.with_field(name, value.as_bytes())
    })
}

fn asked(first: u64) -> Asked {
    Asked { first, ..Asked::default() }
}

fn judge_first(head: &ResponseHead, asked: Asked) -> Judgement {
    let validator = Validator::default();
    let known =
        Known { answered: false, total: None, validator: &validator, etags_per_node: false };
    judge(head, asked, known)
}

fn judge_against(
    before: &ResponseHead,
    total: Option<u64>,
    now: &ResponseHead,
    at: u64,
) -> Judgement {
    let known =
        Known { answered: true, total, validator: &before.validator, etags_per_node: false };
    judge(now, asked(at), known)
}

fn place(judgement: Judgement) -> BodyPlace {
    match judgement {
        Judgement::Body(place) => place,
        other => panic!("no body: {other:?}"),
    }
}

fn refused(judgement: Judgement) -> (Cause, Remedy) {
    match judgement {
        Judgement::Refuse { cause, remedy } => (cause, remedy),
        other => panic!("not refused: {other:?}"),
    }
}

fn part_at(range: &str) -> ResponseHead {
    head(206, &[("Content-Range", range)])
}

#[test]
fn a1_a_200_to_a_range_is_the_whole_from_0() {
    let place = place(judge_first(&head(200, &[("Content-Length", "1000")]), asked(500)));
    assert_eq!((place.at, place.end, place.total), (0, Some(1000), Some(1000)));
    assert_eq!(place.ranges, Ranges::Ignored);
}

#[test]
fn a2_a_206_belongs_where_it_says() {
    let earlier = place(judge_first(&part_at("bytes 400-999/1000"), asked(500)));
    assert_eq!((earlier.at, earlier.end, earlier.total), (400, Some(1000), Some(1000)));
    let later = place(judge_first(&part_at("bytes 600-999/1000"), asked(500)));
    assert_eq!(later.at, 600);
    let before = refused(judge_first(&part_at("bytes 0-499/1000"), asked(500)));
    assert_eq!(before, (Cause::Misplaced { wanted: 500, first: 0 }, Remedy::Plain));
}

#[test]
fn a4_a_206_without_a_position_is_refused_and_asked_plainly() {
    assert_eq!(
        refused(judge_first(&head(206, &[("Content-Length", "9")]), asked(5))),
        (Cause::NoPosition, Remedy::Plain)
    );
    let plain = Asked { plain: true, ..asked(5) };
    assert_eq!(refused(judge_first(&head(206, &[]), plain)).1, Remedy::Retry);
}

#[test]
fn a5_the_whole_behind_the_head_of_a_later_slice_is_no_slice() {
    let sliced = |range, length| {
        let fields = [("Content-Range", range), ("Content-Length", length)];
        judge_first(&head(206, &fields), asked(0))
    };
    let whole = refused(sliced("bytes 4-9/10", "10"));
    assert_eq!(whole, (Cause::NoPosition, Remedy::Plain));
    let first = place(sliced("bytes 0-3/10", "10"));
    assert_eq!((first.at, first.end), (0, Some(4)), "right up to its end");
    let longer = place(sliced("bytes 4-9/10", "8"));
    assert_eq!((longer.at, longer.end), (4, Some(10)), "junk at the end");
}

#[test]
fn a6_a_200_with_a_slice_is_a_slice_only_if_all_numbers_agree() {
    let fields = [("Content-Range", "bytes 500-999/1000"), ("Content-Length", "500")];
    assert_eq!(place(judge_first(&head(200, &fields), asked(500))).at, 500);
    assert_eq!(place(judge_first(&head(200, &fields), asked(400))).at, 0);
    let fields = [("Content-Range", "bytes 0-999/1000"), ("Content-Length", "1000")];
    let all = place(judge_first(&head(200, &fields), asked(0)));
    assert_eq!((all.at, all.total), (0, Some(1000)));
}

#[test]
fn a7_an_unasked_206_is_placed_by_its_range() {
    let plain = Asked { plain: true, ..asked(0) };
    let place = place(judge_first(&part_at("bytes 100-199/1000"), plain));
    assert_eq!((place.at, place.end, place.whole), (100, Some(200), false));
}

#[test]
fn a8_another_total_is_another_version() {
    let before = head(206, &[("ETag", "\"a\"")]);
    let now = head(206, &[("ETag", "\"a\""), ("Content-Range", "bytes 5-9/11")]);
    assert_eq!(place(judge_against(&before, Some(10), &now, 5)).version, Version::Other);
}

#[test]
fn a9_another_etag_and_another_date_is_another_version() {
    let before = head(206, &[("ETag", "\"a\""), ("Last-Modified", DATE)]);
    let now = head(
        206,
        &[("ETag", "\"b\""), ("Last-Modified", LATER), ("Content-Range", "bytes 5-9/10")],
    );
    assert_eq!(place(judge_against(&before, Some(10), &now, 5)).version, Version::Other);
}

#[test]
fn a10_another_etag_alone_is_a_doubt() {
    let before = head(206, &[("ETag", "\"a\""), ("Last-Modified", DATE)]);
    let now =
        head(206, &[("ETag", "\"b\""), ("Last-Modified", DATE), ("Content-Range", "bytes 5-9/10")]);
    assert_eq!(place(judge_against(&before, Some(10), &now, 5)).version, Version::Doubtful);
}

#[test]
fn a11_a_weak_etag_proves_nothing() {
    let before = head(206, &[("ETag", "W/\"a\"")]);
    let now = head(206, &[("ETag", "W/\"a\""), ("Content-Range", "bytes 5-9/10")]);
    assert_eq!(place(judge_against(&before, Some(10), &now, 5)).version, Version::Unproven);
}

#[test]
fn a12_last_modified_proves_a_minute_later_and_without_an_etag() {
    let before = head(206, &[("Last-Modified", DATE), ("Date", LATER)]);
    let now = head(206, &[("Last-Modified", DATE), ("Content-Range", "bytes 5-9/10")]);
    assert_eq!(place(judge_against(&before, Some(10), &now, 5)).version, Version::Same);
    let before = head(206, &[("Last-Modified", DATE), ("Date", DATE)]);
    assert_eq!(place(judge_against(&before, Some(10), &now, 5)).version, Version::Unproven);
}

#[test]
fn a13_if_range_is_no_proof() {
    // The server ignored If-Range and sent a part of what it has now.
    let before = head(206, &[("ETag", "\"a\""), ("Last-Modified", DATE)]);
    let now = head(206, &[("Last-Modified", LATER), ("Content-Range", "bytes 5-9/10")]);
    assert_eq!(place(judge_against(&before, Some(10), &now, 5)).version, Version::Other);
}

#[test]
fn a14_416_at_the_end_is_the_end() {
    let now = head(416, &[("Content-Range", "bytes */10")]);
    assert_eq!(judge_first(&now, asked(10)), Judgement::End { total: 10, version: Version::Same });
    assert_eq!(
        judge_against(&head(206, &[]), Some(20), &now, 15),
        Judgement::End { total: 10, version: Version::Other }
    );
    assert_eq!(refused(judge_first(&now, asked(5))), (Cause::Unsatisfiable, Remedy::Plain));
}

#[test]
fn a15_416_without_a_total_is_probed_then_asked_plainly_then_retried() {
    let now = head(416, &[]);
    assert_eq!(refused(judge_first(&now, asked(10))).1, Remedy::Probe);
    let probe = Asked { probe: true, ..asked(0) };
    assert_eq!(refused(judge_first(&now, probe)).1, Remedy::Plain);
    let plain = Asked { plain: true, ..asked(0) };
    assert_eq!(refused(judge_first(&now, plain)).1, Remedy::Retry);
}

#[test]
fn a16_a_200_instead_of_416_still_tells_the_length() {
    let place = place(judge_first(&head(200, &[("Content-Length", "10")]), asked(10)));
    assert_eq!((place.at, place.total), (0, Some(10)));
}

#[test]
fn a17_accept_ranges_is_advice_only() {
    for value in ["none", "bytes", "items"] {
        let now = head(206, &[("Accept-Ranges", value), ("Content-Range", "bytes 5-9/10")]);
        assert_eq!(place(judge_first(&now, asked(5))).ranges, Ranges::Honoured);
    }
}

#[test]
fn a19_a_slice_is_no_total() {
    let now = head(206, &[("Content-Range", "bytes 0-1/*"), ("Content-Length", "2")]);
    assert_eq!(place(judge_first(&now, asked(0))).total, None);
}

#[test]
fn a20_an_unknown_total_stays_unknown() {
    let place = place(judge_first(&part_at("bytes 0-99/*"), asked(0)));
    assert_eq!((place.end, place.total, place.whole), (Some(100), None, false));
}

#[test]
fn a21_multipart_is_refused() {
    let now = head(
        206,
        &[("Content-Type", "multipart/byteranges; boundary=x"), ("Content-Range", "bytes 5-9/10")],
    );
    assert_eq!(refused(judge_first(&now, asked(5))), (Cause::NoPosition, Remedy::Plain));
}

#[test]
fn a22_an_invalid_content_range_is_refused() {
    for bad in ["bytes 9-5/10", "bytes 5-10/10", "items 5-9/10"] {
        assert_eq!(refused(judge_first(&part_at(bad), asked(5))).0, Cause::NoPosition);
    }
}

#[test]
fn a23_placement_is_content_ranges_whatever_content_length_says() {
    let now = head(206, &[("Content-Range", "bytes 5-9/10"), ("Content-Length", "99")]);
    let place = place(judge_first(&now, asked(5)));
    assert_eq!((place.at, place.end), (5, Some(10)));
}

#[test]
fn b3_a_known_total_bounds_a_chunked_body() {
    let now = head(200, &[("Transfer-Encoding", "chunked"), ("ETag", "\"a\"")]);
    let place = place(judge_against(&now, Some(10), &now, 0));
    assert_eq!((place.end, place.total), (Some(10), None));
}

#[test]
fn b4_the_end_of_a_close_delimited_body_is_unverified() {
    assert!(place(judge_first(&head(200, &[]), asked(0))).unverified);
    let chunked = head(200, &[("Transfer-Encoding", "chunked")]);
    assert!(!place(judge_first(&chunked, asked(0))).unverified);
}

#[test]
fn b12_an_invalid_content_length_is_refused() {
    let now = head(200, &[("Content-Length", "5"), ("Content-Length", "6")]);
    assert!(matches!(refused(judge_first(&now, asked(0))), (Cause::Protocol(_), Remedy::Retry)));
}

#[test]
fn b13_b15_an_encoded_body_is_refused() {
    for status in [200, 206] {
        let now = head(status, &[("Content-Encoding", "gzip"), ("Content-Range", "bytes 0-9/10")]);
        assert_eq!(refused(judge_first(&now, asked(0))), (Cause::Encoded, Remedy::GiveUp));
    }
}

#[test]
fn b18_no_content_is_no_end() {
    for now in [head(204, &[]), head(200, &[("Content-Length", "0")])] {
        assert!(matches!(
            refused(judge_first(&now, asked(0))),
            (Cause::NoContent(_), Remedy::Retry)
        ));
    }
    let forbidden = head(403, &[("Content-Length", "0")]);
    assert_eq!(refused(judge_first(&forbidden, asked(0))).0, Cause::Status(403));
}

#[test]
fn b19_a_page_is_refused_and_later_retried() {
    let page = head(200, &[("Content-Type", "text/html; charset=utf-8"), ("Content-Length", "10")]);
    assert_eq!(refused(judge_first(&page, asked(0))).1, Remedy::GiveUp);
    let before = head(206, &[("ETag", "\"a\"")]);
    assert_eq!(refused(judge_against(&before, Some(10), &page, 5)).1, Remedy::Retry);
}

#[test]
fn a_playlist_is_no_file() {
    for media_type in [
        "application/vnd.apple.mpegurl",
        "Application/X-MpegURL; charset=UTF-8",
        "audio/mpegurl",
        "audio/x-mpegurl",
    ] {
        let fields = [("Content-Type", media_type), ("Content-Length", "10")];
        let refused = refused(judge_first(&head(200, &fields), asked(0)));
        assert_eq!(refused, (Cause::hls(), Remedy::GiveUp), "{media_type}");
    }
}

#[test]
fn b20_odd_types_pass() {
    for odd in ["audio/mp3", "application/octet-stream", "text/plain", "", "binary"] {
        let now = head(200, &[("Content-Type", odd), ("Content-Length", "10")]);
        assert_eq!(place(judge_first(&now, asked(0))).total, Some(10), "{odd}");
    }
}

#[test]
fn b22_b24_statuses_have_their_remedies() {
    for (status, remedy) in [
        (401, Remedy::Renew),
        (403, Remedy::Renew),
        (404, Remedy::Renew),
        (410, Remedy::Renew),
        (408, Remedy::Retry),
        (425, Remedy::Retry),
        (429, Remedy::Retry),
        (500, Remedy::Retry),
        (503, Remedy::Retry),
        (400, Remedy::GiveUp),
        (405, Remedy::GiveUp),
        (304, Remedy::GiveUp),
    ] {
        assert_eq!(
            refused(judge_first(&head(status, &[]), asked(0))),
            (Cause::Status(status), remedy)
        );
    }
}

#[test]
fn b27_icy_metadata_is_refused() {
    let now = head(200, &[("icy-metaint", "16000")]);
    assert_eq!(refused(judge_first(&now, asked(0))), (Cause::Icy, Remedy::GiveUp));
}

#[test]
fn b28_a_live_streams_length_is_invented() {
    let now = head(200, &[("icy-name", "radio"), ("Content-Length", "221183499")]);
    assert_eq!(place(judge_first(&now, asked(0))).total, None);
    let now = head(206, &[("icy-name", "radio"), ("Content-Range", "bytes 0-9/1073741823")]);
    assert_eq!(place(judge_first(&now, asked(0))).total, None);
}
