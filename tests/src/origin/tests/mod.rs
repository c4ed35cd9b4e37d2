//! What is on the wire, read by a client that knows nothing: a raw socket.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use super::{Headers, Origin, Resource, content};

mod framing;
mod honest;
mod identity;
mod live;
mod message;
mod pace;
mod ranges;
mod rules;
mod shutdown;
mod status;
mod stop;
mod tls;

/// Longer than anything here takes; what needs it has failed.
pub(super) const SOON: Duration = Duration::from_secs(2);
/// How long a silence must be to count as a stall.
pub(super) const SILENCE: Duration = Duration::from_millis(60);
pub(super) const LEN: u64 = 10_000;
pub(super) const SEED: u64 = 1;

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Fin,
    Reset,
    Silence,
    /// The message was complete, and the connection may go on.
    Open,
}

/// What came.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) line: String,
    pub(super) status: u16,
    pub(super) headers: Headers,
    pub(super) body: Vec<u8>,
    pub(super) end: End,
}

impl Answer {
    pub(super) fn value(&self, name: &str) -> &str {
        self.headers.value(name).unwrap_or("-")
    }

    /// The position that the body has in the content, if it is a piece of it.
    #[track_caller]
    pub(super) fn assert_is(&self, range: std::ops::Range<u64>) {
        assert_eq!(self.body.len() as u64, range.end - range.start, "length for {range:?}");
        assert_eq!(super::first_difference(SEED, range.start, &self.body), None, "{range:?}");
    }
}

/// An origin with `LEN` bytes of content at `/a`.
pub(super) fn origin() -> Origin {
    let origin = Origin::start();
    origin.put("/a", Resource::new(content(SEED, LEN)));
    origin
}

pub(super) fn connect(origin: &Origin) -> TcpStream {
    let socket = TcpStream::connect(origin.address()).unwrap();
    socket.set_read_timeout(Some(SOON)).unwrap();
    socket.set_nodelay(true).unwrap();
    socket
}

/// Sends a request with `fields` (each ended by CRLF) that wants the connection closed, and reads to its end.
pub(super) fn get(origin: &Origin, target: &str, fields: &str) -> Answer {
    request(origin, "GET", target, fields, SOON)
}

/// The same with a range.
pub(super) fn get_range(origin: &Origin, range: &str) -> Answer {
    get(origin, "/a", &format!("Range: bytes={range}\r\n"))
}

/// The same; a silence as long as `patience` is an end.
pub(super) fn request(
    origin: &Origin,
    method: &str,
    target: &str,
    fields: &str,
    patience: Duration,
) -> Answer {
    let mut socket = connect(origin);
    socket.set_read_timeout(Some(patience)).unwrap();
    ask(&mut socket, method, target, &format!("Connection: close\r\n{fields}"));
    let (bytes, end) = read_to_end(&mut socket);
    parse(&bytes, end)
}

pub(super) fn ask(socket: &mut impl Write, method: &str, target: &str, fields: &str) {
    let text = format!("{method} {target} HTTP/1.1\r\nHost: test\r\n{fields}\r\n");
    socket.write_all(text.as_bytes()).unwrap();
}

pub(super) fn read_to_end(socket: &mut impl Read) -> (Vec<u8>, End) {
    let mut bytes = Vec::new();
    let end = match socket.read_to_end(&mut bytes) {
        Ok(_) => End::Fin,
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => End::Reset,
        Err(error) => {
            let timed_out =
                [io::ErrorKind::WouldBlock, io::ErrorKind::TimedOut].contains(&error.kind());
            assert!(timed_out, "{error}");
            End::Silence
        }
    };
    (bytes, end)
}

/// Reads one message with a `Content-Length` from a connection that stays open, or what comes before its end.
pub(super) fn read_message(socket: &mut impl Read) -> Answer {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        if bytes.windows(4).any(|w| w == b"\r\n\r\n") {
            let answer = parse(&bytes, End::Open);
            if answer.headers.value("Content-Length") == Some(&answer.body.len().to_string()) {
                return answer;
            }
        }
        match socket.read(&mut buffer) {
            Ok(0) => return parse(&bytes, End::Fin),
            Ok(n) => bytes.extend_from_slice(&buffer[..n]),
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                return parse(&bytes, End::Reset);
            }
            Err(error) => panic!("{error} after {} bytes", bytes.len()),
        }
    }
}

/// Splits what came; a head that is not whole is all line.
pub(super) fn parse(bytes: &[u8], end: End) -> Answer {
    let mut answer = Answer {
        line: String::from_utf8_lossy(bytes).into_owned(),
        status: 0,
        headers: Headers::default(),
        body: Vec::new(),
        end,
    };
    let Some(at) = bytes.windows(4).position(|w| w == b"\r\n\r\n") else {
        return answer;
    };
    let head = String::from_utf8(bytes[..at].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    answer.line = lines.next().unwrap().to_owned();
    answer.status = answer.line.split(' ').nth(1).unwrap().parse().unwrap();
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap();
        answer.headers.push(name, value);
    }
    answer.body = bytes[at + 4..].to_vec();
    answer
}

/// Runs `f` and says how long it took.
pub(super) fn timed<T>(f: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let value = f();
    (value, start.elapsed())
}

#[test]
fn every_row_of_the_catalogue_is_injected_and_checked() {
    let files = [
        include_str!("framing.rs"),
        include_str!("identity.rs"),
        include_str!("live.rs"),
        include_str!("message.rs"),
        include_str!("pace.rs"),
        include_str!("ranges.rs"),
        include_str!("status.rs"),
        include_str!("stop.rs"),
        include_str!("tls.rs"),
    ];
    let names =
        files.iter().flat_map(|file| file.lines()).filter_map(|line| line.strip_prefix("fn "));
    let tested: Vec<_> = names.flat_map(|name| name.split(['_', '('])).collect();
    // HTTP/2 framing, and what a client library does by itself: not an origin's to inject.
    let elsewhere = ["b16", "b30"];
    let rows = (1..=28).map(|n| format!("a{n}")).chain((1..=30).map(|n| format!("b{n}")));
    for row in rows.filter(|row| !elsewhere.contains(&row.as_str())) {
        assert!(tested.contains(&row.as_str()), "no test names {row}");
    }
}
