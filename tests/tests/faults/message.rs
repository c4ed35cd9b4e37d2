//! B13-B15 and B18-B20: what the body is, whatever its status says.

use infill_tests::runtime::{Cause, ErrorKind, Runtime};

use crate::case::{Case, LEN, SEED};

both! {
    b13_an_encoded_body_is_refused,
    b14_an_encoded_body_under_the_same_etag_is_never_mixed_in,
    b15_a_range_of_an_encoded_body_is_refused,
    b18_no_content_is_no_end,
    b18_an_empty_refusal_is_no_end,
    b19_a_page_is_not_audio,
    b19_a_page_in_the_middle_is_waited_out,
    b20_odd_types_play,
}

fn b13_an_encoded_body_is_refused(runtime: Runtime) {
    let case = Case::new(runtime).impatient();
    case.on().ignore_range().gzip();
    let error = case.refused();
    assert_eq!(error.cause(), &Cause::Encoded, "{error}");
    assert_eq!(case.requests().len(), 1, "{}", case.story());
    let request = &case.requests()[0].request;
    let accepted: Vec<_> = request.headers.values("Accept-Encoding").collect();
    assert_eq!(accepted, ["identity"]);
}

fn b14_an_encoded_body_under_the_same_etag_is_never_mixed_in(runtime: Runtime) {
    let case = Case::new(runtime).impatient();
    case.on().nth(0).cut_at(100_000);
    case.on().from(1).ignore_range().gzip();
    let mut stream = case.open();
    let reading = stream.read_on(SEED);
    assert_eq!(reading.count, 100_000);
    let error = reading.end.expect_err("not an end");
    assert_eq!(error.cause(), &Cause::Encoded, "{error}");
    assert!(case.requests().len() <= 3, "{}", case.story());
}

fn b15_a_range_of_an_encoded_body_is_refused(runtime: Runtime) {
    for label in ["gzip", "br", "x-unheard-of"] {
        let case = Case::new(runtime).impatient();
        case.on().content_encoding(label);
        let error = case.refused();
        assert_eq!(error.cause(), &Cause::Encoded, "{label}: {error}");
        assert_eq!(case.requests().len(), 1, "{}", case.story());
    }
}

fn b18_no_content_is_no_end(runtime: Runtime) {
    // At first, and in the middle: it passes.
    let case = Case::new(runtime);
    case.on().nth(0).no_content();
    case.on().nth(1).cut_at(100_000);
    case.on().nth(2).empty(200);
    case.on().nth(3).no_content();
    case.plays_with(5);
    // For good: an error.
    for status in [204, 200] {
        let case = Case::new(runtime).impatient();
        case.on().empty(status);
        let error = case.refused();
        assert_eq!(error.cause(), &Cause::NoContent(status), "{error}");
        assert!(case.requests().len() <= 12, "{}", case.story());
    }
}

fn b18_an_empty_refusal_is_no_end(runtime: Runtime) {
    let case = Case::new(runtime).impatient();
    case.on().nth(0).cut_at(100_000);
    case.on().from(1).empty(403);
    let mut stream = case.open();
    let reading = stream.read_on(SEED);
    assert_eq!(reading.count, 100_000);
    let error = reading.end.expect_err("not an end");
    assert_eq!(error.http_status(), Some(403), "{error}");
    assert!(case.requests().len() <= 3, "{}", case.story());
}

fn b19_a_page_is_not_audio(runtime: Runtime) {
    for disguised in [false, true] {
        let case = Case::new(runtime).impatient();
        let page = case.on().html_page();
        drop(if disguised { page.content_type(Some("audio/mpeg")) } else { page });
        let error = match case.client().open(case.url()) {
            Err(error) => error,
            // The head looked well: the first read tells.
            Ok(mut stream) => {
                let reading = stream.read_on(SEED);
                assert_eq!(reading.count, 0);
                reading.end.expect_err("a page is no end")
            }
        };
        assert!(matches!(error.cause(), Cause::NotMedia(_)), "{error}");
        assert_eq!(error.kind(), ErrorKind::Origin);
        assert!(case.requests().len() <= 2, "{}", case.story());
    }
    let case = Case::new(runtime).impatient();
    case.on().json_page();
    let error = case.refused();
    assert!(matches!(error.cause(), Cause::NotMedia(_)), "{error}");
    assert_eq!(case.requests().len(), 1, "{}", case.story());
}

fn b19_a_page_in_the_middle_is_waited_out(runtime: Runtime) {
    let case = Case::new(runtime);
    case.on().nth(0).cut_at(100_000);
    case.on().nth(1).html_page();
    case.on().nth(2).json_page();
    case.plays_with(4);
}

fn b20_odd_types_play(runtime: Runtime) {
    for odd in [
        None,
        Some(""),
        Some("audio/mp3"),
        Some("application/octet-stream"),
        Some("text/plain"),
        Some("Audio/MPEG; charset=binary"),
    ] {
        let case = Case::new(runtime);
        case.on().content_type(odd);
        let stream = case.plays_with(1);
        assert_eq!(stream.byte_len(), Some(LEN));
        if odd == Some("Audio/MPEG; charset=binary") {
            assert_eq!(stream.content_type().as_deref(), Some("audio/mpeg"));
        }
    }
}
