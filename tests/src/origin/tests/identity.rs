//! A8-A13 on the wire.

use super::*;

#[test]
fn a8_the_total_changes() {
    let origin = origin();
    origin.on("/a").nth(0).total(20_000);
    origin.on("/a").nth(1).serve(content(2, 700));
    let lie = get_range(&origin, "5000-");
    assert_eq!(lie.value("Content-Range"), "bytes 5000-9999/20000");
    lie.assert_is(5000..LEN);
    let other = get_range(&origin, "100-");
    assert_eq!(other.value("Content-Range"), "bytes 100-699/700");
    assert_eq!(crate::origin::first_difference(2, 100, &other.body), None);
    assert_ne!(other.value("ETag"), lie.value("ETag"));
}

#[test]
fn a9_a10_etags_take_turns() {
    let origin = origin();
    origin.on("/a").first(3).etags(["\"x\"", "\"y\""]);
    let seen: Vec<_> = (0..3).map(|_| get(&origin, "/a", "").value("ETag").to_owned()).collect();
    assert_eq!(seen, ["\"x\"", "\"y\"", "\"x\""]);

    origin.on("/a").from(3).etags_by_connection(["\"even\"", "\"odd\""]);
    for etag in ["\"odd\"", "\"even\""] {
        let mut socket = connect(&origin);
        for _ in 0..2 {
            // If-Range is compared with the ETag of this node.
            ask(&mut socket, "GET", "/a", "Range: bytes=0-9\r\nIf-Range: \"odd\"\r\n");
            let answer = read_message(&mut socket);
            let status = if etag == "\"odd\"" { 206 } else { 200 };
            assert_eq!((answer.status, answer.value("ETag")), (status, etag));
        }
    }
}

#[test]
fn a10_no_validators() {
    let origin = origin();
    origin.on("/a").no_validators();
    let answer = get_range(&origin, "5-");
    assert_eq!((answer.value("ETag"), answer.value("Last-Modified")), ("-", "-"));
}

#[test]
fn a11_weak_etags() {
    let origin = origin();
    origin.on("/a").weak_etag();
    let etag = get(&origin, "/a", "").value("ETag").to_owned();
    assert!(etag.starts_with("W/\""), "{etag}");
    let fields = format!("Range: bytes=5-\r\nIf-Range: {etag}\r\n");
    assert_eq!(get(&origin, "/a", &fields).status, 200);
    origin.on("/a").honour_weak_if_range();
    assert_eq!(get(&origin, "/a", &fields).status, 206);
}

#[test]
fn a12_last_modified_is_as_old_as_told() {
    let origin = origin();
    origin.on("/a").nth(0).last_modified_age(Duration::ZERO);
    origin.on("/a").nth(1).last_modified_age(Duration::from_secs(3600));
    origin.on("/a").nth(2).no_etag();
    let now = get(&origin, "/a", "");
    assert_eq!(now.value("ETag"), "-");
    assert_eq!(now.value("Last-Modified"), now.value("Date"));
    let old = get(&origin, "/a", "");
    let date = |name| httpdate::parse_http_date(old.value(name)).unwrap();
    let age = date("Date").duration_since(date("Last-Modified")).unwrap();
    assert_eq!(age, Duration::from_secs(3600));
    let plain = get(&origin, "/a", "");
    assert_eq!(
        (plain.value("ETag"), plain.value("Last-Modified")),
        ("-", "Sun, 13 Sep 2020 12:26:40 GMT")
    );
}

#[test]
fn a13_if_range_is_ignored() {
    let origin = origin();
    origin.on("/a").ignore_if_range();
    assert_eq!(get(&origin, "/a", "Range: bytes=5-\r\nIf-Range: \"old\"\r\n").status, 206);
}
