//! A small origin: ranges, keep-alive, and a few ways to misbehave. The large one has a crate of its own.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses its part")]

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What to do with one request.
#[derive(Clone, Debug, PartialEq)]
pub enum Do {
    /// Answer well.
    Serve,
    /// Answer with all of it, whatever range was asked for.
    Whole,
    /// Close after so many bytes of the body.
    CutAfter(usize),
    /// Say nothing more after so many bytes of the body.
    StallAfter(usize),
    /// Say nothing at all.
    Silence,
    /// This status, without a body.
    Status(u16),
    /// Send it elsewhere.
    Redirect(String),
    /// Chunked, without a length.
    Chunked,
    /// Close without an answer.
    Hang,
}

/// One request as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    pub path: String,
    pub fields: Vec<(String, String)>,
}

impl Seen {
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.fields.iter();
        let field = fields.find(|(field, _)| field.eq_ignore_ascii_case(name));
        field.map(|(_, value)| value.as_str())
    }
}

/// An origin with one resource under every path. Stops when dropped.
pub struct Origin {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    body: Vec<u8>,
    script: Mutex<VecDeque<Do>>,
    seen: Mutex<Vec<Seen>>,
    connections: AtomicUsize,
    open: Mutex<Vec<TcpStream>>,
    stop: AtomicUsize,
    latency: Duration,
}

impl Origin {
    /// Serves `len` bytes of [`content`]; the first requests as the script says, further ones well.
    pub fn new(len: usize, script: impl IntoIterator<Item = Do>) -> Self {
        Self::with_latency(len, script, Duration::ZERO)
    }

    pub fn with_latency(
        len: usize,
        script: impl IntoIterator<Item = Do>,
        latency: Duration,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            body: content(len),
            script: Mutex::new(script.into_iter().collect()),
            seen: Mutex::default(),
            connections: AtomicUsize::new(0),
            open: Mutex::default(),
            stop: AtomicUsize::new(0),
            latency,
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for socket in listener.incoming() {
                let socket = socket.unwrap();
                if accepting.stop.load(Ordering::SeqCst) == 1 {
                    return;
                }
                accepting.connections.fetch_add(1, Ordering::SeqCst);
                let kept = socket.try_clone().unwrap();
                accepting.open.lock().unwrap().push(kept);
                let shared = Arc::clone(&accepting);
                thread::spawn(move || {
                    let _ = shared.serve(&socket);
                    let _ = socket.shutdown(Shutdown::Both);
                });
            }
        });
        Self { address, shared }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn body(&self) -> &[u8] {
        &self.shared.body
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// The `Range` of each request.
    pub fn ranges(&self) -> Vec<String> {
        let ranges = self.seen().into_iter();
        ranges.map(|seen| seen.field("range").unwrap_or_default().to_owned()).collect()
    }

    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.shared.stop.store(1, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        for socket in self.shared.open.lock().unwrap().drain(..) {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}

/// Bytes that differ wherever they are.
pub fn content(len: usize) -> Vec<u8> {
    (0..len as u64).map(|at| (at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u8).collect()
}

impl Shared {
    fn serve(&self, socket: &TcpStream) -> std::io::Result<()> {
        let mut lines = BufReader::new(socket);
        loop {
            let Some(seen) = read_head(&mut lines)? else {
                return Ok(());
            };
            thread::sleep(self.latency);
            self.seen.lock().unwrap().push(seen.clone());
            let what = self.script.lock().unwrap().pop_front();
            if !self.answer(socket, &seen, &what.unwrap_or(Do::Serve))? {
                return Ok(());
            }
        }
    }

    /// False when the connection is to be closed.
    fn answer(&self, mut socket: &TcpStream, seen: &Seen, what: &Do) -> std::io::Result<bool> {
        let range = seen.field("range").filter(|_| *what != Do::Whole);
        let (first, end) = range.map_or((0, self.body.len()), |range| self.parse(range));
        let total = self.body.len();
        let mut head = match (what, range) {
            (Do::Silence, _) => {
                self.stall();
                return Ok(false);
            }
            (Do::Hang, _) => return Ok(false),
            (Do::Status(status), _) => format!("HTTP/1.1 {status} So\r\nContent-Length: 0\r\n"),
            (Do::Redirect(to), _) => {
                format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n")
            }
            (Do::Chunked, _) => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n".to_owned(),
            (_, Some(_)) if first >= total => {
                format!(
                    "HTTP/1.1 416 No\r\nContent-Range: bytes */{total}\r\nContent-Length: 0\r\n"
                )
            }
            (_, Some(_)) => format!(
                "HTTP/1.1 206 Part\r\nContent-Range: bytes {first}-{}/{total}\r\nContent-Length: {}\r\n",
                end - 1,
                end - first
            ),
            (_, None) => format!("HTTP/1.1 200 OK\r\nContent-Length: {total}\r\n"),
        };
        head.push_str("Content-Type: audio/mpeg; x=y\r\nETag: \"one\"\r\n\r\n");
        socket.write_all(head.as_bytes())?;
        let body = &self.body[first.min(total)..end];
        match what {
            Do::Serve | Do::Whole if first < total => socket.write_all(body)?,
            Do::CutAfter(count) => {
                socket.write_all(&body[..*count])?;
                return Ok(false);
            }
            Do::StallAfter(count) => {
                socket.write_all(&body[..*count])?;
                self.stall();
                return Ok(false);
            }
            Do::Chunked => {
                for chunk in self.body.chunks(5000) {
                    write!(socket, "{:x}\r\n", chunk.len())?;
                    socket.write_all(chunk)?;
                    write!(socket, "\r\n")?;
                }
                write!(socket, "0\r\n\r\n")?;
            }
            _ => {}
        }
        Ok(true)
    }

    /// Says nothing for as long as the origin lives.
    fn stall(&self) {
        while self.stop.load(Ordering::SeqCst) == 0 {
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn parse(&self, range: &str) -> (usize, usize) {
        let (first, last) = range.trim_start_matches("bytes=").split_once('-').unwrap();
        let end = last.parse().map_or(self.body.len(), |last: usize| last + 1).min(self.body.len());
        let first = first.parse().unwrap();
        (first, end.max(first.min(self.body.len())))
    }
}

fn read_head(lines: &mut BufReader<&TcpStream>) -> std::io::Result<Option<Seen>> {
    let mut line = String::new();
    if lines.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut fields = Vec::new();
    loop {
        line.clear();
        lines.read_line(&mut line)?;
        match line.trim_end().split_once(':') {
            Some((name, value)) => fields.push((name.to_owned(), value.trim().to_owned())),
            None => return Ok(Some(Seen { path, fields })),
        }
    }
}
