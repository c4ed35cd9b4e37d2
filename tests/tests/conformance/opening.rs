//! `open`: what it gives, what it refuses, what it sends.

use std::{
    fs,
    io::{Read as _, Seek as _, SeekFrom, Write as _},
    net::TcpListener,
    time::{Duration, Instant},
};

use infill_tests::{
    origin::{Origin, content, content_at},
    runtime::{Cause, ErrorKind, ResourceStatus, Runtime, Settings, Source, State, StoreKind},
};

use crate::{LEN, SEED, client, eventually, open, origin};

both! {
    an_open_stream_knows_what_the_origin_said,
    refusals_name_their_cause,
    an_origin_that_is_not_there_is_a_connect_error,
    bad_sources_are_the_callers_fault,
    headers_are_sent_with_every_request,
    local_files_read_the_same_way,
    https_works_with_an_authority_of_ones_own,
    https_refuses_a_stranger,
    a_failed_open_can_be_tried_again,
}

fn an_open_stream_knows_what_the_origin_said(runtime: Runtime) {
    let origin = origin();
    origin.on("/a").content_type(Some("Audio/MPEG; x=y"));
    let stream = open(runtime, &origin);
    assert_eq!(stream.byte_len(), Some(LEN));
    assert!(stream.is_seekable());
    assert_eq!(stream.content_type().as_deref(), Some("audio/mpeg"));
    assert_eq!(stream.handle().url(), origin.url("/a"));
    let first = &origin.requests("/a")[0];
    assert_eq!(first.range_field(), Some("bytes=0-"));
    assert_eq!(first.request.headers.value("Accept-Encoding"), Some("identity"));
}

fn refusals_name_their_cause(runtime: Runtime) {
    let origin = origin();
    let client = client(runtime);
    for (status, kind) in [
        (404, "NotFound"),
        (410, "NotFound"),
        (401, "PermissionDenied"),
        (403, "PermissionDenied"),
        (400, "Other"),
    ] {
        let path = format!("/{status}");
        origin.on(&path).status(status);
        let error = client.open(origin.url(&format!("{path}?secret=1"))).unwrap_err();
        assert_eq!((error.kind(), error.http_status()), (ErrorKind::Origin, Some(status)));
        assert!(!error.to_string().contains("secret"), "{error}");
        assert!(!error.to_string().contains('\n'), "{error}");
        assert_eq!(format!("{:?}", std::io::Error::from(error).kind()), kind);
        assert_eq!(origin.requests(&path).len(), 1, "asked once, for asking again can't help");
    }
}

fn an_origin_that_is_not_there_is_a_connect_error(runtime: Runtime) {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let settings = Settings::quick().with(|c| c.give_up_after = Duration::from_millis(200));
    let begun = Instant::now();
    let error = runtime.client(&settings).open(format!("http://{address}/a")).unwrap_err();
    assert!(matches!(error.cause(), Cause::Connect(_)), "{error}");
    assert!(error.is_retryable() && error.attempt() > Some(1), "{error:?}");
    assert!(begun.elapsed() < Duration::from_secs(3));
}

fn bad_sources_are_the_callers_fault(runtime: Runtime) {
    let client = client(runtime);
    let kind = |source: Source| client.open(source).unwrap_err().kind();
    assert_eq!(kind("http://".into()), ErrorKind::Caller);
    assert_eq!(kind(Source::url("no url at all")), ErrorKind::Caller);
    assert_eq!(kind("no/such/file.mp3".into()), ErrorKind::Caller);
    assert_eq!(kind("ftp://127.0.0.1/a".into()), ErrorKind::Unsupported);
    let split = Source::url("http://127.0.0.1:9/").header("X-A", "b\r\nX-C: d");
    assert_eq!(kind(split), ErrorKind::Caller);
}

fn headers_are_sent_with_every_request(runtime: Runtime) {
    let origin = origin();
    let elsewhere = self::origin();
    origin.on("/a").nth(0).cut_at(100_000);
    origin.on("/a").nth(1).redirect(302, elsewhere.url("/a"));
    let source = Source::url(origin.url("/a"))
        .header("Authorization", "Bearer x")
        .header("X-Player", "one")
        .header("Range", "bytes=5-9");
    let mut stream = client(runtime).open(source).unwrap();
    let reading = stream.read_on(SEED);
    assert_eq!((reading.count, reading.end), (LEN, Ok(())));
    for request in origin.requests("/a") {
        let field = |name| request.request.headers.value(name);
        assert_eq!(field("Authorization"), Some("Bearer x"));
        assert_eq!(field("X-Player"), Some("one"));
        assert_ne!(field("Range"), Some("bytes=5-9"), "infill's own");
    }
    let there = &elsewhere.requests("/a")[0].request;
    assert_eq!(there.headers.value("Authorization"), None, "not to another origin");
    assert_eq!(there.headers.value("X-Player"), Some("one"));
}

fn local_files_read_the_same_way(runtime: Runtime) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&content(SEED, LEN)).unwrap();
    let client = client(runtime);
    let url = format!("file://{}", file.path().display());
    for source in [Source::from(file.path()), Source::from(url.as_str())] {
        let mut stream = client.open(source).unwrap();
        assert_eq!((stream.byte_len(), stream.is_seekable()), (Some(LEN), true));
        let reading = stream.read_on(SEED);
        assert_eq!((reading.count, reading.end), (LEN, Ok(())));
        assert_eq!(stream.seek(SeekFrom::End(-4)).unwrap(), LEN - 4);
        stream.check_at(SEED, LEN / 2, 1000);
        let mut tail = [0; 8];
        assert_eq!(stream.read_at(LEN - 3, &mut tail).unwrap(), 3);
        assert_eq!(tail[..3], content_at(SEED, LEN - 3..LEN));
        let handle = stream.handle();
        assert_eq!(handle.progress().state, State::Complete);
        assert_eq!(handle.status(), ResourceStatus::Committed { final_len: LEN });
        assert_eq!(handle.stats().requests, 0);
    }
    assert!(fs::metadata(file.path()).is_ok(), "it is not ours to delete");
}

fn https_works_with_an_authority_of_ones_own(runtime: Runtime) {
    let origin = Origin::builder().tls().start();
    origin.put("/a", content(SEED, LEN));
    origin.on("/a").nth(0).cut_at(LEN / 2);
    let settings = Settings::quick().trust(origin.authority().unwrap());
    for url in [origin.url("/a"), origin.url_by_name("/a")] {
        let mut stream = runtime.client(&settings).open(url).unwrap();
        let reading = stream.read_on(SEED);
        assert_eq!((reading.count, reading.end), (LEN, Ok(())));
    }
}

fn https_refuses_a_stranger(runtime: Runtime) {
    let origin = Origin::builder().tls().start();
    origin.put("/a", content(SEED, LEN));
    let settings = Settings::quick().with(|c| c.give_up_after = Duration::from_millis(200));
    let error = runtime.client(&settings).open(origin.url("/a")).unwrap_err();
    assert!(matches!(error.cause(), Cause::Connect(_)), "{error}");
    assert!(error.to_string().to_lowercase().contains("certificate"), "{error}");
    assert_eq!(origin.requests("/a").len(), 0);
}

fn a_failed_open_can_be_tried_again(runtime: Runtime) {
    let origin = origin();
    origin.on("/a").first(1).status(404);
    let settings = Settings::quick().store(StoreKind::temp_dir());
    let client = runtime.client(&settings);
    client.open(origin.url("/a")).unwrap_err();
    let mut stream = client.open(origin.url("/a")).unwrap();
    stream.read_exact(&mut [0; 10]).unwrap();
    eventually("complete", || stream.handle().progress().state == State::Complete);
}
