//! B1, B7 and B8 on the wire.

use super::*;
use crate::origin::Outcome;

#[test]
fn b1_b6_b29_cuts() {
    let origin = origin();
    origin.on("/a").nth(0).cut_at(1234);
    origin.on("/a").nth(1).cut_in_head(20);
    origin.on("/a").nth(2).cut_before_head();
    origin.on("/a").nth(3).cut_at(0);
    origin.on("/a").nth(4).cut_at(LEN + 1);
    let body = get(&origin, "/a", "");
    assert_eq!((body.value("Content-Length"), body.end), ("10000", End::Fin));
    body.assert_is(0..1234);
    assert_eq!(origin.bytes_sent("/a"), 1234);
    let head = get(&origin, "/a", "");
    assert_eq!((head.line.as_str(), head.end), ("HTTP/1.1 200 OK\r\nCon", End::Fin));
    let none = get(&origin, "/a", "");
    assert_eq!((none.line.as_str(), none.end), ("", End::Fin));
    let empty = get(&origin, "/a", "");
    assert_eq!((empty.status, empty.body.len()), (200, 0));
    get(&origin, "/a", "").assert_is(0..LEN);
    let log = origin.requests("/a");
    assert_eq!(log[0].outcome, Outcome::Injected);
    assert_eq!((log[1].status, log[2].status), (Some(200), None));
    origin.wait_for(SOON, |stats| stats.running("/a") == 0).unwrap();
    assert_eq!(origin.requests("/a")[4].outcome, Outcome::Complete);
}

#[test]
fn b7_resets() {
    let origin = origin();
    origin.on("/a").nth(0).reset_at(1234);
    origin.on("/a").nth(1).reset_before_head();
    let body = get(&origin, "/a", "");
    assert_eq!((body.status, body.end), (200, End::Reset));
    body.assert_is(0..1234);
    let none = get(&origin, "/a", "");
    assert_eq!((none.line.as_str(), none.end), ("", End::Reset));
}

#[test]
fn b7_b17_a_reused_connection_is_reset_before_an_answer() {
    let origin = origin();
    origin.on("/a").on_reused().reset_before_head();
    let mut socket = connect(&origin);
    ask(&mut socket, "GET", "/a", "");
    read_message(&mut socket).assert_is(0..LEN);
    ask(&mut socket, "GET", "/a", "");
    assert_eq!(read_message(&mut socket).end, End::Reset);
    get(&origin, "/a", "").assert_is(0..LEN);
}

#[test]
fn b8_stalls() {
    let origin = origin();
    origin.on("/a").nth(0).stall_at(1234);
    origin.on("/a").nth(1).stall_in_head(20);
    origin.on("/a").nth(2).stall_before_head();
    origin.on("/a").nth(3).stall_at(LEN);
    origin.on("/a").nth(4).chunked(LEN).stall_at(LEN);
    let body = request(&origin, "GET", "/a", "", SILENCE);
    assert_eq!(body.end, End::Silence);
    body.assert_is(0..1234);
    let head = request(&origin, "GET", "/a", "", SILENCE);
    assert_eq!((head.line.as_str(), head.end), ("HTTP/1.1 200 OK\r\nCon", End::Silence));
    let none = request(&origin, "GET", "/a", "", SILENCE);
    assert_eq!((none.line.as_str(), none.end), ("", End::Silence));
    let whole = request(&origin, "GET", "/a", "", SILENCE);
    assert_eq!(whole.end, End::Silence);
    whole.assert_is(0..LEN);
    let chunks = request(&origin, "GET", "/a", "", SILENCE);
    assert_eq!(chunks.end, End::Silence);
    assert!(chunks.body.starts_with(b"2710\r\n") && !chunks.body.ends_with(b"0\r\n\r\n"));
    // A client that leaves a stalled connection ends it.
    origin.wait_until_closed(Duration::from_millis(500)).unwrap();
}
