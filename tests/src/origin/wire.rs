//! One accepted socket, plain or TLS: reads request heads, writes all of what it is given, waits without losing sight
//! of the client, and ends in whichever way is wanted. Knows no HTTP but where a request head ends.

use std::{
    io::{self, Read, Write},
    net::{Shutdown as Half, TcpStream},
    sync::Arc,
    time::{Duration, Instant},
};

use rustls::{ServerConfig, ServerConnection};
use socket2::SockRef;

use super::{request::HEAD_LIMIT_BYTES, shutdown::Shutdown};

/// A wait looks this often whether the client is still there.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Before a reset: what was written must be delivered first, or the reset would drop it from the send buffer.
const RESET_AFTER: Duration = Duration::from_millis(20);

/// What the wait for a request came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Incoming {
    /// A head, without its final empty line.
    Head(Vec<u8>),
    /// The client closed the connection, or the idle time is over.
    Nothing,
    /// More than the limit, or the connection ended inside the head.
    Unusable(&'static str),
}

/// One accepted socket.
pub(super) struct Wire {
    socket: Arc<TcpStream>,
    tls: Option<Box<ServerConnection>>,
    /// Received and not consumed.
    input: Vec<u8>,
    shutdown: Arc<Shutdown>,
}

impl Wire {
    /// A wire over `socket`; with a configuration, the handshake happens at the first read.
    pub(super) fn new(
        socket: Arc<TcpStream>,
        tls: Option<Arc<ServerConfig>>,
        shutdown: Arc<Shutdown>,
    ) -> Result<Self, rustls::Error> {
        let tls = match tls {
            Some(config) => {
                let mut connection = ServerConnection::new(config)?;
                connection.set_buffer_limit(None);
                Some(Box::new(connection))
            }
            None => None,
        };
        Ok(Self { socket, tls, input: Vec::new(), shutdown })
    }

    /// Waits for a request head, at most `idle` for each read.
    pub(super) fn read_head(&mut self, idle: Option<Duration>) -> io::Result<Incoming> {
        self.socket.set_read_timeout(idle.map(at_least_a_millisecond))?;
        let mut seen = 0;
        loop {
            if let Some(end) = find_end(&self.input, seen) {
                let rest = self.input.split_off(end + 4);
                let mut head = std::mem::replace(&mut self.input, rest);
                head.truncate(end);
                return Ok(Incoming::Head(head));
            }
            if self.input.len() > HEAD_LIMIT_BYTES {
                return Ok(Incoming::Unusable("request head over 64 KiB"));
            }
            seen = self.input.len();
            match self.fill() {
                Ok(0) if seen == 0 => return Ok(Incoming::Nothing),
                Ok(0) => return Ok(Incoming::Unusable("connection ended inside a request head")),
                Ok(_) => {}
                Err(error) if is_time_out(&error) && seen == 0 => return Ok(Incoming::Nothing),
                Err(error) => return Err(error),
            }
        }
    }

    /// A write that makes no progress for as long fails with `TimedOut`.
    pub(super) fn set_write_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.socket.set_write_timeout(timeout.map(at_least_a_millisecond))
    }

    /// Writes all of `bytes`; on failure says how many were written (of TLS: none of the failed part).
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), (u64, io::Error)> {
        let mut written = 0;
        while written < bytes.len() {
            match self.write_some(&bytes[written..]) {
                Ok(n) => written += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if is_time_out(&error) => {
                    let kind = io::ErrorKind::TimedOut;
                    return Err((written as u64, io::Error::new(kind, "the client reads nothing")));
                }
                Err(error) => return Err((written as u64, error)),
            }
        }
        Ok(())
    }

    /// Waits; an error if the client leaves or the origin ends meanwhile. Short waits are exact and don't look.
    pub(super) fn wait_until(&mut self, deadline: Instant) -> io::Result<()> {
        loop {
            let now = Instant::now();
            let next = deadline.min(now + LOOK_EVERY);
            self.shutdown.sleep_until(next)?;
            if next == deadline {
                return Ok(());
            }
            if self.client_left() {
                return Err(io::Error::new(io::ErrorKind::BrokenPipe, "the client left"));
            }
        }
    }

    /// Stays open and silent until the client leaves or the origin ends.
    pub(super) fn freeze(&mut self) {
        let forever = self.socket.set_read_timeout(None);
        while forever.is_ok() && matches!(self.fill(), Ok(1..)) {
            self.input.clear();
        }
    }

    /// Ends with a FIN, over TLS after `close_notify` if wanted.
    pub(super) fn close(mut self, close_notify: bool) {
        if let Some(tls) = self.tls.as_mut().filter(|_| close_notify) {
            tls.send_close_notify();
            let _ = flush(tls, &self.socket);
        }
        let _ = self.socket.shutdown(Half::Write);
        // Closing with unread input would reset the connection, and the client would lose what it has not read yet.
        if self.socket.set_nonblocking(true).is_ok() {
            let mut sink = [0; 4096];
            while matches!((&*self.socket).read(&mut sink), Ok(1..)) {}
        }
    }

    /// Ends with a RST.
    pub(super) fn reset(self) {
        if self.shutdown.sleep_until(Instant::now() + RESET_AFTER).is_ok() {
            let _ = SockRef::from(&*self.socket).set_linger(Some(Duration::ZERO));
        }
    }

    fn client_left(&mut self) -> bool {
        if self.input.len() > HEAD_LIMIT_BYTES || self.socket.set_nonblocking(true).is_err() {
            return false;
        }
        let left = match self.fill() {
            Ok(n) => n == 0,
            Err(error) => error.kind() != io::ErrorKind::WouldBlock,
        };
        left || self.socket.set_nonblocking(false).is_err()
    }

    /// Appends to the input what comes next; 0 at the end.
    fn fill(&mut self) -> io::Result<usize> {
        let mut buffer = [0; 8192];
        loop {
            let result = match &mut self.tls {
                None => (&*self.socket).read(&mut buffer),
                Some(tls) => read_tls(tls, &self.socket, &mut buffer),
            };
            match result {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
                Ok(n) => {
                    self.input.extend_from_slice(&buffer[..n]);
                    return Ok(n);
                }
            }
        }
    }

    fn write_some(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.tls {
            None => (&*self.socket).write(bytes),
            Some(tls) => {
                let part = &bytes[..bytes.len().min(64 * 1024)];
                tls.writer().write_all(part)?;
                flush(tls, &self.socket)?;
                Ok(part.len())
            }
        }
    }
}

fn flush(tls: &mut ServerConnection, mut socket: &TcpStream) -> io::Result<()> {
    while tls.wants_write() {
        tls.write_tls(&mut socket)?;
    }
    Ok(())
}

fn read_tls(
    tls: &mut ServerConnection,
    mut socket: &TcpStream,
    out: &mut [u8],
) -> io::Result<usize> {
    loop {
        match tls.reader().read(out) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            done => return done,
        }
        flush(tls, socket)?;
        if tls.read_tls(&mut socket)? == 0 {
            return Ok(0);
        }
        if let Err(error) = tls.process_new_packets() {
            // The alert tells the client what was wrong; the error below tells us.
            let _ = flush(tls, socket);
            return Err(io::Error::new(io::ErrorKind::InvalidData, error));
        }
        flush(tls, socket)?;
    }
}

/// The position of the empty line that ends a head, looking only at what is new since `seen`.
fn find_end(input: &[u8], seen: usize) -> Option<usize> {
    let from = seen.saturating_sub(3);
    input[from..].windows(4).position(|window| window == b"\r\n\r\n").map(|at| from + at)
}

/// A socket time-out of zero is refused by the standard library.
fn at_least_a_millisecond(duration: Duration) -> Duration {
    duration.max(Duration::from_millis(1))
}

fn is_time_out(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}
