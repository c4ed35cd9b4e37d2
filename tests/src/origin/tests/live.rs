//! B26-B28 on the wire.

use super::*;

#[test]
fn b26_icy_status_line() {
    let origin = origin();
    origin.on("/a").icy_status_line();
    let answer = get(&origin, "/a", "");
    assert_eq!((answer.line.as_str(), answer.value("icy-br")), ("ICY 200 OK", "128"));
    assert_eq!((answer.value("Content-Length"), answer.end), ("-", End::Fin));
    answer.assert_is(0..LEN);
}

#[test]
fn b27_metadata_is_interleaved() {
    let origin = origin();
    origin.on("/a").icy_metadata(4000, "A song");
    let answer = get(&origin, "/a", "");
    assert_eq!(answer.value("icy-metaint"), "4000");
    assert_eq!(answer.value("Content-Length"), answer.body.len().to_string());
    let plain = content(SEED, LEN);
    let text = b"StreamTitle='A song';";
    assert_eq!(answer.body[..4000], plain[..4000]);
    assert_eq!(answer.body[4000], 2);
    assert_eq!(&answer.body[4001..4001 + text.len()], text);
    assert_eq!(answer.body[4001 + text.len()..4033], [0; 11]);
    assert_eq!(answer.body[4033..8033], plain[4000..8000]);
    assert_eq!(answer.body[8033], 0);
    assert_eq!(answer.body[8034..], plain[8000..]);
}

#[test]
fn b28_live_streams_have_no_end() {
    let origin = origin();
    origin.on("/a").nth(0).endless().cut_at(25_000);
    origin.on("/a").nth(1).fake_range(1_073_741_823).cut_at(15_000);
    origin.on("/a").nth(2).endless().rate(1 << 20);
    let plain = content(SEED, LEN);
    let burst = get(&origin, "/a", "");
    assert_eq!((burst.status, burst.value("icy-name")), (200, "infill test radio"));
    assert_eq!(burst.value("Content-Length"), "-");
    assert_eq!(burst.body, [&plain[..], &plain, &plain[..5000]].concat());
    let fake = get_range(&origin, "0-1");
    assert_eq!((fake.status, fake.value("Content-Length")), (206, "1073741823"));
    assert_eq!(fake.value("Content-Range"), "bytes 0-1073741822/1073741823");
    assert_eq!(fake.body, [&plain[..], &plain[..5000]].concat());
    let mut socket = connect(&origin);
    ask(&mut socket, "GET", "/a", "");
    let mut listened = vec![0; 30_000];
    socket.read_exact(&mut listened).unwrap();
    drop(socket);
    origin.wait_until_closed(SOON).unwrap();
}
