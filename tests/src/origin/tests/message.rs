//! B13-B15, B20 and interim answers on the wire.

use super::*;

#[test]
fn b13_b14_b15_gzip() {
    let origin = origin();
    let plain = get(&origin, "/a", "");
    origin.on("/a").gzip();
    let coded = get(&origin, "/a", "");
    assert_eq!(coded.value("Content-Encoding"), "gzip");
    assert_eq!(coded.value("ETag"), plain.value("ETag"), "B14");
    assert_eq!(coded.value("Content-Length"), "10023");
    assert_eq!(coded.body[..3], [0x1f, 0x8b, 8]);
    assert_eq!(coded.body[15..10_015], plain.body);
    let slice = get_range(&origin, "100-199");
    assert_eq!((slice.status, slice.value("Content-Range")), (206, "bytes 100-199/10023"));
    assert_eq!((slice.value("Content-Encoding"), &slice.body[..]), ("gzip", &coded.body[100..200]));
    assert_eq!(get_range(&origin, "99999-").value("Content-Encoding"), "-");
}

#[test]
fn b20_content_types() {
    let origin = origin();
    origin.on("/a").nth(0).content_type(None);
    origin.on("/a").nth(1).content_type(Some("text/plain"));
    origin.on("/a").nth(2).add_header("X-More", "1").header("etag", "\"set\"");
    assert_eq!(get(&origin, "/a", "").value("Content-Type"), "-");
    assert_eq!(get(&origin, "/a", "").value("Content-Type"), "text/plain");
    let more = get(&origin, "/a", "");
    assert_eq!((more.value("X-More"), more.value("ETag")), ("1", "\"set\""));
    assert_eq!(more.headers.values("ETag").count(), 1);
}

#[test]
fn interim_answers_go_first() {
    let origin = origin();
    origin.on("/a").interim([100, 103]);
    let first = get_range(&origin, "0-9");
    assert_eq!(first.status, 100);
    let second = parse(&first.body, first.end);
    assert_eq!(second.status, 103);
    let last = parse(&second.body, first.end);
    assert_eq!(last.status, 206);
    last.assert_is(0..10);
}
