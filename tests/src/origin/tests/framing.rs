//! A23, B2-B4, B11 and B12 on the wire.

use super::*;

/// Decodes chunks; whether the last chunk came.
fn dechunk(mut rest: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    while let Some(at) = rest.windows(2).position(|w| w == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..at]).unwrap(), 16).unwrap();
        if size == 0 {
            assert_eq!(&rest[at..], b"\r\n\r\n");
            return (body, true);
        }
        body.extend_from_slice(&rest[at + 2..at + 2 + size]);
        assert_eq!(&rest[at + 2 + size..at + 4 + size], b"\r\n");
        rest = &rest[at + 4 + size..];
    }
    (body, false)
}

#[test]
fn b2_b3_chunks() {
    let origin = origin();
    origin.on("/a").nth(0).chunked(999);
    origin.on("/a").nth(1).without_last_chunk();
    origin.on("/a").nth(2).chunked(1000).cut_at(2500);
    origin.on("/a").nth(3).chunked(1000).end_chunks_at(2500);
    for (length, whole) in [(10_000, true), (10_000, false), (2500, false), (2500, true)] {
        let mut answer = get(&origin, "/a", "");
        assert_eq!(
            (answer.value("Transfer-Encoding"), answer.value("Content-Length")),
            ("chunked", "-")
        );
        assert_eq!(answer.end, End::Fin);
        let (body, last) = dechunk(&answer.body);
        assert_eq!(last, whole);
        answer.body = body;
        answer.assert_is(0..length);
    }
}

#[test]
fn b3_a_hidden_truncation_keeps_the_connection() {
    let origin = origin();
    origin.on("/a").nth(0).chunked(1000).end_chunks_at(5);
    let mut socket = connect(&origin);
    ask(&mut socket, "GET", "/a", "");
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"0\r\n\r\n") {
        let mut buffer = [0; 512];
        let n = socket.read(&mut buffer).unwrap();
        assert_ne!(n, 0);
        bytes.extend_from_slice(&buffer[..n]);
    }
    ask(&mut socket, "GET", "/a", "");
    read_message(&mut socket).assert_is(0..LEN);
}

#[test]
fn b4_the_end_of_the_connection_is_the_end() {
    let origin = origin();
    origin.on("/a").nth(0).close_delimited();
    origin.on("/a").nth(1).unframed();
    origin.on("/a").nth(2).close_delimited().cut_at(10);
    for (line, length) in
        [("HTTP/1.0 200 OK", LEN), ("HTTP/1.1 200 OK", LEN), ("HTTP/1.0 200 OK", 10)]
    {
        let mut socket = connect(&origin);
        ask(&mut socket, "GET", "/a", "");
        let (bytes, end) = read_to_end(&mut socket);
        let answer = parse(&bytes, end);
        assert_eq!((answer.line.as_str(), answer.end), (line, End::Fin));
        assert_eq!((answer.value("Content-Length"), answer.value("Transfer-Encoding")), ("-", "-"));
        answer.assert_is(0..length);
    }
}

#[test]
fn a23_b12_content_lengths() {
    let origin = origin();
    let cases: [&[&str]; 6] = [&["10", "11"], &["-5"], &["ten"], &["10, 10"], &["5"], &["99"]];
    for (nth, values) in cases.into_iter().enumerate() {
        origin.on("/a").nth(nth).content_lengths(values.iter().copied());
        let mut socket = connect(&origin);
        ask(&mut socket, "GET", "/a", "Range: bytes=0-9\r\n");
        let (bytes, end) = read_to_end(&mut socket);
        let answer = parse(&bytes, end);
        assert_eq!(answer.headers.values("Content-Length").collect::<Vec<_>>(), values);
        assert_eq!((answer.value("Content-Range"), end), ("bytes 0-9/10000", End::Fin));
        answer.assert_is(0..10);
    }
    origin.on("/a").from(cases.len()).content_lengths(["10", "10"]);
    let mut socket = connect(&origin);
    for _ in 0..2 {
        ask(&mut socket, "GET", "/a", "Range: bytes=0-9\r\n");
        assert_eq!(read_message(&mut socket).headers.values("Content-Length").count(), 2);
    }
}

#[test]
fn b11_a_kept_connection_is_dead() {
    let origin = origin();
    origin.on("/a").nth(0).close_unannounced();
    let mut socket = connect(&origin);
    ask(&mut socket, "GET", "/a", "");
    let answer = read_message(&mut socket);
    assert_eq!((answer.value("Connection"), answer.end), ("-", End::Open));
    answer.assert_is(0..LEN);
    assert_eq!(read_to_end(&mut socket), (Vec::new(), End::Fin));

    let origin = Origin::builder().idle_close(Duration::from_millis(20)).start();
    let mut socket = connect(&origin);
    ask(&mut socket, "GET", "/none", "");
    assert_eq!(read_message(&mut socket).status, 404);
    let (rest, idle) = timed(|| read_to_end(&mut socket));
    assert_eq!(rest, (Vec::new(), End::Fin));
    assert!(idle > Duration::from_millis(10), "{idle:?}");
}

#[test]
fn any_head_can_be_sent() {
    let origin = origin();
    origin.on("/a").raw_head(&b"HTTP/1.1 2000 Odd\r\n\r\n"[..]).cut_at(3);
    let answer = get(&origin, "/a", "");
    assert_eq!(answer.line, "HTTP/1.1 2000 Odd");
    answer.assert_is(0..3);
}
