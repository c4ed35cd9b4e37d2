//! https, and B5, through a rustls client.

use std::sync::Arc;

use rustls::{ClientConnection, StreamOwned, pki_types::ServerName};

use super::*;

type Stream = StreamOwned<ClientConnection, TcpStream>;

fn secure() -> Origin {
    let origin = Origin::builder().tls().start();
    origin.put("/a", content(SEED, LEN));
    origin
}

fn open(origin: &Origin, name: &'static str) -> Stream {
    let config = origin.authority().unwrap().client_config().unwrap();
    let name = ServerName::try_from(name).unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    StreamOwned::new(connection, connect(origin))
}

/// Reads to the end; whether it was announced.
fn drain(stream: &mut Stream) -> (Answer, bool) {
    let mut bytes = Vec::new();
    let end = stream.read_to_end(&mut bytes);
    let announced = match end {
        Ok(_) => true,
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => false,
        Err(error) => panic!("{error}"),
    };
    (parse(&bytes, End::Fin), announced)
}

#[test]
fn https_serves_and_keeps_connections() {
    let origin = secure();
    assert!(origin.url("/a").starts_with("https://127.0.0.1:"));
    assert!(origin.authority().unwrap().pem().starts_with("-----BEGIN CERTIFICATE-----"));
    for name in ["127.0.0.1", "localhost"] {
        let mut stream = open(&origin, name);
        for _ in 0..2 {
            ask(&mut stream, "GET", "/a", "");
            read_message(&mut stream).assert_is(0..LEN);
        }
    }
    assert_eq!(origin.connections(), 2);
}

#[test]
fn b5_ends_with_and_without_close_notify() {
    let origin = secure();
    origin.on("/a").nth(0).close_delimited();
    origin.on("/a").nth(1).close_delimited().without_close_notify();
    origin.on("/a").nth(2).cut_at(500);
    origin.on("/a").nth(3).cut_at(500).without_close_notify();
    for (length, notified) in [(LEN, true), (LEN, false), (500, true), (500, false)] {
        let mut stream = open(&origin, "localhost");
        ask(&mut stream, "GET", "/a", "");
        let (answer, announced) = drain(&mut stream);
        answer.assert_is(0..length);
        assert_eq!(announced, notified);
    }
}

#[test]
fn stalls_end_when_a_tls_client_leaves_or_the_origin_ends() {
    let origin = secure();
    origin.on("/a").stall_at(10);
    for _ in 0..2 {
        let mut stream = open(&origin, "localhost");
        ask(&mut stream, "GET", "/a", "");
        origin.wait_for(SOON, |stats| stats.bytes_sent("/a") > 0).unwrap();
    }
    origin.wait_until_closed(SOON).unwrap();
    let mut stream = open(&origin, "localhost");
    ask(&mut stream, "GET", "/a", "");
    origin.wait_for(SOON, |stats| stats.requests("/a").count() == 3).unwrap();
    let (_, took) = timed(|| drop(origin));
    assert!(took < Duration::from_millis(500), "{took:?}");
}

#[test]
fn a_handshake_with_a_stranger_fails_and_is_noted() {
    let origin = secure();
    let mut socket = connect(&origin);
    ask(&mut socket, "GET", "/a", "");
    assert_ne!(read_to_end(&mut socket).1, End::Silence);
    origin.wait_for(SOON, |stats| stats.refused.len() == 1).unwrap();
    let other = secure();
    let config = other.authority().unwrap().client_config().unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = StreamOwned::new(connection, connect(&origin));
    assert!(stream.write_all(b"GET").is_err());
}
