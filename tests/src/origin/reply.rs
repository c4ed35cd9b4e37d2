//! A reply as a value: the head, the body, the framing, and the script of what goes wrong while it is written.
//! Faults change it; `send` writes it.

use std::time::Duration;

use bytes::Bytes;

use super::{headers::Headers, pace::Trickle};

/// An answer that is ready to be written.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) version: &'static str,
    pub(super) status: u16,
    pub(super) headers: Headers,
    pub(super) body: Body,
    pub(super) framing: Framing,
    /// The bytes of the resource that the body is, if it is bytes of the resource.
    pub(super) slice: Option<Slice>,
    pub(super) script: Script,
}

/// Where the body of a reply lies in its resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slice {
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) total: u64,
}

/// The bytes of a body.
#[derive(Clone, Debug)]
pub(super) enum Body {
    Plain(Bytes),
    /// `unit` again and again, `length` bytes in all: for streams that have no end.
    Repeat {
        unit: Bytes,
        length: u64,
    },
}

/// How the end of the body is told (RFC 9112 section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// By `Content-Length`.
    Length,
    /// By chunks of at most this size.
    Chunked(u64),
    /// By the end of the connection.
    Close,
}

/// What goes wrong while a reply is written.
#[derive(Clone, Debug, Default)]
pub(super) struct Script {
    /// Interim answers that go first.
    pub(super) interim: Vec<u16>,
    /// More latency before the head.
    pub(super) latency: Duration,
    /// In place of the head.
    pub(super) raw_head: Option<Vec<u8>>,
    /// Stop at this byte of the head.
    pub(super) head_stop: Option<Stop>,
    /// The head trickles.
    pub(super) head_trickle: Option<Trickle>,
    /// Stop at this byte of the body.
    pub(super) stop: Option<Stop>,
    /// Rest once at each of these bytes of the body; sorted.
    pub(super) pauses: Vec<(u64, Duration)>,
    /// From this byte of the body on it trickles.
    pub(super) trickle: Option<(u64, Trickle)>,
    /// Bytes per second of this reply.
    pub(super) rate: Option<u64>,
    /// Reset the connection when the client reads nothing for as long.
    pub(super) send_timeout: Option<Duration>,
    /// Close after a complete reply that promised to keep the connection.
    pub(super) close_unannounced: bool,
    /// Close a TLS connection without `close_notify`.
    pub(super) no_close_notify: bool,
}

/// Where writing stops, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stop {
    pub(super) at: u64,
    pub(super) how: StopHow,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StopHow {
    /// The connection is closed.
    Fin,
    /// The connection is reset.
    Reset,
    /// The connection stays open, and nothing comes.
    Freeze,
    /// The message ends as if it was complete (chunked only).
    ValidEnd,
}

impl Reply {
    /// An answer with this body and a `Content-Length`.
    pub(super) fn new(status: u16, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        let mut headers = Headers::default();
        if status != 204 && status != 304 {
            headers.push("Content-Length", body.len().to_string());
        }
        Self {
            version: "HTTP/1.1",
            status,
            headers,
            body: Body::Plain(body),
            framing: Framing::Length,
            slice: None,
            script: Script::default(),
        }
    }

    /// Another answer in its place; the script, the date and what was said of the connection stay.
    pub(super) fn replace(&mut self, status: u16, body: impl Into<Bytes>) {
        let mut fresh = Self::new(status, body);
        for name in ["Date", "Connection"] {
            if let Some(value) = self.headers.value(name) {
                fresh.headers.push(name, value);
            }
        }
        fresh.script = std::mem::take(&mut self.script);
        *self = fresh;
    }

    /// Replaces the body and says its true length.
    pub(super) fn set_body(&mut self, body: Body) {
        if self.framing == Framing::Length {
            self.headers.set("Content-Length", body.len().to_string());
        }
        self.body = body;
    }

    /// Says the body's end by other means.
    pub(super) fn set_framing(&mut self, framing: Framing) {
        self.headers.remove("Content-Length");
        self.headers.remove("Transfer-Encoding");
        match framing {
            Framing::Length => self.headers.set("Content-Length", self.body.len().to_string()),
            Framing::Chunked(_) => self.headers.set("Transfer-Encoding", "chunked"),
            Framing::Close => self.version = "HTTP/1.0",
        }
        self.framing = framing;
    }

    /// Whether the message ends where its head says, so that another can follow.
    pub(super) fn is_delimited(&self, has_body: bool) -> bool {
        match self.framing {
            Framing::Chunked(_) => true,
            Framing::Close => false,
            Framing::Length if !has_body => true,
            Framing::Length => {
                let length = self.body.len().to_string();
                let mut declared = self.headers.values("Content-Length").peekable();
                match declared.peek() {
                    Some(_) => declared.all(|value| value == length),
                    None => self.status == 204 || self.status == 304,
                }
            }
        }
    }

    /// The head as it goes on the wire.
    pub(super) fn head(&self) -> Vec<u8> {
        if let Some(raw) = &self.script.raw_head {
            return raw.clone();
        }
        let mut head = format!("{} {} {}\r\n", self.version, self.status, reason(self.status));
        for (name, value) in self.headers.iter() {
            head.push_str(name);
            head.push_str(": ");
            head.push_str(value);
            head.push_str("\r\n");
        }
        head.push_str("\r\n");
        head.into_bytes()
    }
}

impl Body {
    /// The length in bytes.
    pub(super) fn len(&self) -> u64 {
        match self {
            Self::Plain(bytes) => bytes.len() as u64,
            Self::Repeat { length, .. } => *length,
        }
    }

    /// Up to `max` bytes from `offset` on; empty only at the end.
    pub(super) fn piece(&self, offset: u64, max: u64) -> Bytes {
        let left = self.len().saturating_sub(offset).min(max);
        let (bytes, at) = match self {
            Self::Plain(bytes) => (bytes, offset as usize),
            Self::Repeat { unit, .. } if unit.is_empty() => return Bytes::new(),
            Self::Repeat { unit, .. } => (unit, (offset % unit.len() as u64) as usize),
        };
        let at = at.min(bytes.len());
        bytes.slice(at..bytes.len().min(at + left as usize))
    }

    /// All of it, for faults that rewrite bodies. An endless one gives its unit.
    pub(super) fn bytes(&self) -> Bytes {
        match self {
            Self::Plain(bytes) => bytes.clone(),
            Self::Repeat { unit, .. } => unit.clone(),
        }
    }
}

impl Slice {
    /// The value of `Content-Range`.
    pub(super) fn content_range(self) -> String {
        format!("bytes {}-{}/{}", self.first, self.last, self.total)
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        103 => "Early Hints",
        200 => "OK",
        204 => "No Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        410 => "Gone",
        416 => "Range Not Satisfiable",
        425 => "Too Early",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Whatever",
    }
}
