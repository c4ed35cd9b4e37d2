//! What live streams do to a client that wanted a file: rows B26-B28.

use bytes::Bytes;

use crate::origin::{
    reply::{Body, Framing, Reply},
    respond::View,
    rule::Injection,
};

/// Long enough that no test sees the end.
const ENDLESS_BYTES: u64 = u64::MAX / 4;

/// A habit of live streams.
#[derive(Clone, Debug)]
pub enum LiveFault {
    /// `ICY 200 OK` in place of the status line; no length.
    IcyStatusLine,
    /// A metadata block after every so many bytes of the body.
    IcyMetadata {
        /// `icy-metaint`.
        every: u64,
        /// The title in the first block; the others are empty.
        title: String,
    },
    /// The resource again and again, without length, with `icy-*` fields.
    Endless,
    /// A 206 that says `bytes 0-(length-1)/length`, endless all the same.
    FakeRange(u64),
}

impl LiveFault {
    pub(super) fn apply(&self, view: &View<'_>, reply: &mut Reply) {
        match self {
            Self::IcyStatusLine => {
                reply.set_framing(Framing::Close);
                reply.version = "ICY";
                reply.status = 200;
                reply.headers.remove("Content-Range");
                describe(reply);
            }
            Self::IcyMetadata { every, title } => {
                let body = interleave(&reply.body.bytes(), *every, title);
                reply.slice = None;
                reply.set_body(Body::Plain(body));
                reply.headers.set("icy-metaint", every.to_string());
                describe(reply);
            }
            Self::Endless => {
                repeat(view, reply, ENDLESS_BYTES);
                reply.status = 200;
                reply.headers.remove("Content-Range");
                reply.set_framing(Framing::Close);
                describe(reply);
            }
            Self::FakeRange(length) => {
                repeat(view, reply, *length);
                reply.status = 206;
                let last = length.saturating_sub(1);
                reply.headers.set("Content-Range", format!("bytes 0-{last}/{length}"));
                describe(reply);
            }
        }
    }
}

/// Habits of live streams.
impl Injection<'_> {
    /// B26: `ICY 200 OK`.
    pub fn icy_status_line(self) -> Self {
        self.fault(LiveFault::IcyStatusLine)
    }

    /// B27: metadata in the body after every `every` bytes, as `icy-metaint` says.
    pub fn icy_metadata(self, every: u64, title: &str) -> Self {
        self.fault(LiveFault::IcyMetadata { every, title: title.to_owned() })
    }

    /// B28: `icy-*` fields, no length, no end. With [`cut_at`](Self::cut_at): ends after a burst.
    pub fn endless(self) -> Self {
        self.fault(LiveFault::Endless)
    }

    /// B28: a live stream that claims to be a range of a file of `length` bytes; it repeats the resource so far.
    pub fn fake_range(self, length: u64) -> Self {
        self.fault(LiveFault::FakeRange(length))
    }
}

fn describe(reply: &mut Reply) {
    reply.headers.set("icy-name", "infill test radio");
    reply.headers.set("icy-br", "128");
}

fn repeat(view: &View<'_>, reply: &mut Reply, length: u64) {
    let unit = view.resource.as_ref().map_or(Bytes::new(), |resource| resource.bytes.clone());
    let length = if unit.is_empty() { 0 } else { length };
    reply.slice = None;
    reply.set_body(Body::Repeat { unit, length });
}

/// Audio with metadata blocks: a byte that counts units of 16, then the text padded with zeros.
fn interleave(audio: &[u8], every: u64, title: &str) -> Bytes {
    let mut text = format!("StreamTitle='{title}';").into_bytes();
    text.truncate(255 * 16);
    let units = text.len().div_ceil(16);
    text.resize(units * 16, 0);
    let mut out = Vec::with_capacity(audio.len() + audio.len() / 8 + text.len());
    let mut metadata = Some(text);
    for part in audio.chunks(every.max(1) as usize) {
        out.extend_from_slice(part);
        if part.len() as u64 == every.max(1) {
            match metadata.take() {
                Some(text) => {
                    out.push(units as u8);
                    out.extend_from_slice(&text);
                }
                None => out.push(0),
            }
        }
    }
    out.into()
}
