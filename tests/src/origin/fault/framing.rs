//! How the end of the body is told: rows A23, B2-B5 and B12.

use crate::origin::{
    reply::{Framing, Reply, Stop, StopHow},
    rule::Injection,
};

/// A fault in the framing.
#[derive(Clone, Debug)]
pub enum FramingFault {
    /// Chunks of at most so many bytes.
    Chunked(u64),
    /// Chunks without the last one: the connection is closed instead.
    WithoutLastChunk(u64),
    /// HTTP/1.0, no length: the end of the connection is the end of the body.
    CloseDelimited,
    /// HTTP/1.1 with `Connection: close` and no length.
    Unframed,
    /// These `Content-Length` fields, whatever the body.
    ContentLengths(Vec<String>),
    /// A TLS connection ends without `close_notify`.
    WithoutCloseNotify,
    /// The connection is closed after the reply, unannounced.
    CloseUnannounced,
    /// These bytes instead of the head.
    RawHead(Vec<u8>),
}

impl FramingFault {
    pub(super) fn apply(&self, reply: &mut Reply) {
        match self {
            Self::Chunked(size) => reply.set_framing(Framing::Chunked(*size)),
            Self::WithoutLastChunk(size) => {
                reply.set_framing(Framing::Chunked(*size));
                reply.script.stop = Some(Stop { at: reply.body.len(), how: StopHow::Fin });
            }
            Self::CloseDelimited => reply.set_framing(Framing::Close),
            Self::Unframed => {
                reply.set_framing(Framing::Close);
                reply.version = "HTTP/1.1";
                reply.headers.set("Connection", "close");
            }
            Self::ContentLengths(values) => {
                reply.headers.remove("Content-Length");
                for value in values {
                    reply.headers.push("Content-Length", value.as_str());
                }
            }
            Self::WithoutCloseNotify => reply.script.no_close_notify = true,
            Self::CloseUnannounced => reply.script.close_unannounced = true,
            Self::RawHead(head) => reply.script.raw_head = Some(head.clone()),
        }
    }
}

/// Faults in the framing.
impl Injection<'_> {
    /// Chunks of at most `size` bytes, and no length.
    pub fn chunked(self, size: u64) -> Self {
        self.fault(FramingFault::Chunked(size))
    }

    /// B2: all of the body in chunks, then a FIN in place of the last chunk.
    pub fn without_last_chunk(self) -> Self {
        self.fault(FramingFault::WithoutLastChunk(16 * 1024))
    }

    /// B4: HTTP/1.0 without a length.
    pub fn close_delimited(self) -> Self {
        self.fault(FramingFault::CloseDelimited)
    }

    /// B4: HTTP/1.1 without a length, `Connection: close`.
    pub fn unframed(self) -> Self {
        self.fault(FramingFault::Unframed)
    }

    /// A23, B12: these `Content-Length` fields. The body stays as it is: a larger one ends too early, and after any
    /// that is not true the connection is closed.
    pub fn content_lengths<'a>(self, values: impl IntoIterator<Item = &'a str>) -> Self {
        let values = values.into_iter().map(str::to_owned).collect();
        self.fault(FramingFault::ContentLengths(values))
    }

    /// B5: if the connection ends with this reply, TLS is not closed properly.
    pub fn without_close_notify(self) -> Self {
        self.fault(FramingFault::WithoutCloseNotify)
    }

    /// B11: closed after a complete reply that promised to keep the connection: dead in the client's pool.
    pub fn close_unannounced(self) -> Self {
        self.fault(FramingFault::CloseUnannounced)
    }

    /// These bytes instead of the head.
    pub fn raw_head(self, head: impl Into<Vec<u8>>) -> Self {
        self.fault(FramingFault::RawHead(head.into()))
    }
}
