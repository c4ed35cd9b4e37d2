//! A small origin with one file: ranges, and a few ways to misbehave.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// What to do with a request.
#[derive(Clone, Debug)]
pub(crate) enum Plan {
    /// Answer as asked.
    Serve,
    /// Answer, but send only so many bytes of the body, then close.
    CutAfter(usize),
    /// Answer, but send only so many bytes of the body, then nothing until the client goes.
    StallAfter(usize),
    /// Answer nothing until the client goes.
    Silent,
    /// Close without a word.
    Close,
    /// Answer with this status and header lines and no body.
    Status(u16, String),
    /// Answer as asked, but later.
    Late(Duration),
    /// Answer in pieces of so many bytes, with a pause after each.
    Slow(usize, Duration),
}

/// A request as it was seen.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) headers: String,
    /// The number of its connection.
    pub(crate) connection: usize,
}

type Planner = dyn Fn(usize, &Seen) -> Plan + Send + Sync;

struct Shared {
    content: Vec<u8>,
    plan: Box<Planner>,
    seen: Mutex<Vec<Seen>>,
    open: AtomicUsize,
    closing: AtomicBool,
}

/// The origin; dropping it ends it.
pub(crate) struct Origin {
    addr: SocketAddr,
    shared: Arc<Shared>,
}

impl Origin {
    /// An origin of `content`; `plan` is asked for each request with its number, from 0.
    pub(crate) fn new(
        content: Vec<u8>,
        plan: impl Fn(usize, &Seen) -> Plan + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            content,
            plan: Box::new(plan),
            seen: Mutex::default(),
            open: AtomicUsize::new(0),
            closing: AtomicBool::new(false),
        });
        let of_thread = Arc::clone(&shared);
        thread::spawn(move || {
            for (number, socket) in listener.incoming().enumerate() {
                if of_thread.closing.load(Ordering::SeqCst) {
                    return;
                }
                let shared = Arc::clone(&of_thread);
                thread::spawn(move || shared.connection(socket.unwrap(), number));
            }
        });
        Self { addr, shared }
    }

    /// An origin that behaves.
    pub(crate) fn honest(content: Vec<u8>) -> Self {
        Self::new(content, |_, _| Plan::Serve)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/a.mp3", self.addr)
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// Connections that are open.
    pub(crate) fn open(&self) -> usize {
        self.shared.open.load(Ordering::SeqCst)
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.shared.closing.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.addr));
    }
}

impl Shared {
    fn connection(&self, socket: TcpStream, number: usize) {
        self.open.fetch_add(1, Ordering::SeqCst);
        socket.set_nodelay(true).unwrap();
        let mut reader = BufReader::new(socket.try_clone().unwrap());
        let mut writer = socket;
        while let Some(seen) = request(&mut reader, number) {
            let count = {
                let mut all = self.seen.lock().unwrap();
                all.push(seen.clone());
                all.len() - 1
            };
            if answer(&self.content, &(self.plan)(count, &seen), &seen, &mut writer).is_none() {
                break;
            }
        }
        let _ = writer.shutdown(Shutdown::Both);
        self.open.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Reads a request's head.
pub(crate) fn request(reader: &mut impl BufRead, connection: usize) -> Option<Seen> {
    let mut first = String::new();
    reader.read_line(&mut first).ok().filter(|count| *count > 0)?;
    let mut headers = String::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
        if line == "\r\n" {
            let headers = headers.to_lowercase();
            return Some(Seen { headers, connection });
        }
        headers.push_str(&line);
    }
}

/// Answers; `None` when the connection is spent.
pub(crate) fn answer(
    content: &[u8],
    plan: &Plan,
    seen: &Seen,
    writer: &mut impl ReadWrite,
) -> Option<()> {
    match plan {
        Plan::Late(pause) => thread::sleep(*pause),
        Plan::Close => return None,
        Plan::Silent => return wait_for_end(writer),
        Plan::Status(status, lines) => {
            let head = format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n{lines}\r\n");
            return writer.write_all(head.as_bytes()).ok();
        }
        _ => {}
    }
    let (first, end) = range(&seen.headers, content.len());
    let head = format!(
        "HTTP/1.1 206 Partial\r\nContent-Type: audio/mpeg\r\nETag: \"one\"\r\nContent-Length: {}\r\nContent-Range: bytes {first}-{}/{}\r\n\r\n",
        end - first,
        end - 1,
        content.len(),
    );
    writer.write_all(head.as_bytes()).ok()?;
    let body = &content[first..end];
    match plan {
        Plan::CutAfter(count) => {
            writer.write_all(&body[..body.len().min(*count)]).ok()?;
            None
        }
        Plan::StallAfter(count) => {
            writer.write_all(&body[..body.len().min(*count)]).ok()?;
            wait_for_end(writer)
        }
        Plan::Slow(piece, pause) => {
            for piece in body.chunks(*piece) {
                writer.write_all(piece).ok()?;
                thread::sleep(*pause);
            }
            Some(())
        }
        _ => writer.write_all(body).ok(),
    }
}

/// A socket, or TLS over one.
pub(crate) trait ReadWrite: Read + Write {}

impl<T: Read + Write> ReadWrite for T {}

fn wait_for_end(writer: &mut impl ReadWrite) -> Option<()> {
    let _ = writer.read(&mut [0; 1]);
    None
}

fn range(headers: &str, len: usize) -> (usize, usize) {
    let asked = headers.lines().find_map(|line| line.strip_prefix("range: bytes="));
    let Some((first, last)) = asked.and_then(|asked| asked.trim().split_once('-')) else {
        return (0, len);
    };
    let end = last.parse().map_or(len, |last: usize| last + 1);
    (first.parse().unwrap(), end.min(len))
}

/// Bytes that differ from place to place.
pub(crate) fn content(len: usize) -> Vec<u8> {
    (0..len as u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

/// Waits until `what` holds, for at most `within`.
pub(crate) async fn until(within: Duration, what: &str, holds: impl Fn() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < within, "not within {within:?}: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
