//! Without a rule the origin is honest.

use super::*;
use crate::origin::{Method, Outcome, RangeSpec};

#[test]
fn the_whole_and_its_ranges() {
    let origin = origin();
    let whole = get(&origin, "/a", "");
    assert_eq!((whole.line.as_str(), whole.end), ("HTTP/1.1 200 OK", End::Fin));
    assert_eq!(whole.value("Content-Length"), "10000");
    assert_eq!(whole.value("Accept-Ranges"), "bytes");
    assert_eq!(whole.value("Content-Type"), "audio/mpeg");
    whole.assert_is(0..LEN);

    for (range, described, span) in [
        ("0-", "bytes 0-9999/10000", 0..10_000),
        ("5000-", "bytes 5000-9999/10000", 5000..10_000),
        ("17-21", "bytes 17-21/10000", 17..22),
        ("-10", "bytes 9990-9999/10000", 9990..10_000),
        ("9000-99999", "bytes 9000-9999/10000", 9000..10_000),
    ] {
        let part = get_range(&origin, range);
        assert_eq!((part.status, part.value("Content-Range")), (206, described), "{range}");
        assert_eq!(part.value("ETag"), whole.value("ETag"));
        part.assert_is(span);
    }
    let past = get_range(&origin, "10000-");
    assert_eq!((past.status, past.value("Content-Range")), (416, "bytes */10000"), "A14");
    assert_eq!(get(&origin, "/b", "").status, 404);
    let head = request(&origin, "HEAD", "/a", "", SOON);
    assert_eq!((head.status, head.value("Content-Length"), head.body.len()), (200, "10000", 0));
    assert_eq!(request(&origin, "DELETE", "/a", "", SOON).status, 405);
}

#[test]
fn if_range_is_honoured() {
    let origin = origin();
    let etag = get(&origin, "/a", "").value("ETag").to_owned();
    let modified = get(&origin, "/a", "").value("Last-Modified").to_owned();
    for (validator, status) in [
        (etag.as_str(), 206),
        (modified.as_str(), 206),
        ("\"other\"", 200),
        (&format!("W/{etag}"), 200),
        ("Mon, 01 Jan 2001 00:00:00 GMT", 200),
    ] {
        let fields = format!("Range: bytes=5-\r\nIf-Range: {validator}\r\n");
        assert_eq!(get(&origin, "/a", &fields).status, status, "{validator}");
    }
    origin.put("/a", content(2, 500));
    let fields = format!("Range: bytes=5-\r\nIf-Range: {etag}\r\n");
    let next = get(&origin, "/a", &fields);
    assert_eq!((next.status, next.body.len()), (200, 500));
}

#[test]
fn connections_are_kept_and_the_log_tells_all() {
    let origin = origin();
    let mut socket = connect(&origin);
    for range in ["0-99", "100-199"] {
        ask(&mut socket, "GET", "/a?x=1", &format!("Range: bytes={range}\r\nIf-Range: \"e\"\r\n"));
        assert_eq!(read_message(&mut socket).status, 200);
    }
    ask(&mut socket, "GET", "/a", "Range: bytes=200-299\r\n");
    read_message(&mut socket).assert_is(200..300);
    assert_eq!((origin.connections(), origin.open_connections()), (1, 1));
    assert_eq!(origin.bytes_sent("/a"), 2 * LEN + 100);
    origin.wait_for(SOON, |stats| stats.running("/a") == 0).unwrap();
    let log = origin.requests("/a");
    assert_eq!(
        log.iter().map(|e| (e.nth, e.reused())).collect::<Vec<_>>(),
        [(0, false), (1, true), (2, true)]
    );
    assert_eq!(log[0].request.query.as_deref(), Some("x=1"));
    assert_eq!((log[1].range_field(), log[1].if_range()), (Some("bytes=100-199"), Some("\"e\"")));
    assert_eq!(log[2].range(), Some(RangeSpec::FromTo { first: 200, last: 299 }));
    assert_eq!((log[2].status, log[2].body_bytes), (Some(206), 100));
    assert_eq!((&log[2].request.method, log[2].outcome), (&Method::Get, Outcome::Complete));
    drop(socket);
    origin.wait_until_closed(SOON).unwrap();
    assert!(origin.wait_for(Duration::from_millis(1), |s| s.connections == 9).is_err());
}

#[test]
fn sloppy_requests_are_refused_and_noted() {
    let origin = origin();
    let mut socket = connect(&origin);
    socket.write_all(b"GET /a HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n").unwrap();
    let (bytes, end) = read_to_end(&mut socket);
    assert_eq!((parse(&bytes, end).status, end), (400, End::Fin));
    assert_eq!(origin.stats().refused, ["HTTP/1.1 needs exactly one Host"]);
    assert!(origin.stats().exchanges.is_empty());

    let mut socket = connect(&origin);
    socket.write_all(b"GET /a HTTP/1.1\r\nX: ").unwrap();
    let junk = [b'x'; 70 * 1024];
    // The origin may close before it has all.
    let _ = socket.write_all(&junk);
    origin.wait_for(SOON, |stats| stats.refused.len() == 2).unwrap();
}

#[test]
fn too_many_connections_are_closed() {
    let origin = Origin::builder().max_connections(2).start();
    let held = [connect(&origin), connect(&origin)];
    origin.wait_for(SOON, |stats| stats.open_connections == 2).unwrap();
    let (bytes, _) = read_to_end(&mut connect(&origin));
    assert!(bytes.is_empty());
    assert_eq!(origin.connections(), held.len());
}
