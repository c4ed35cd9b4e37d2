//! A response's head as the driver reports it: parsed once, here, at the edge.

use url::Url;

use super::content_range::parse_digits;
use super::{ContentRange, ETag, RetryAfter, Validator};

/// A field that may be absent, or there and not to be understood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Field<T> {
    /// Not sent.
    #[default]
    Absent,
    /// Sent, against its grammar.
    Invalid,
    /// Sent.
    Valid(T),
}

impl<T: Copy> Field<T> {
    /// The value, if there is a valid one.
    pub fn valid(self) -> Option<T> {
        match self {
            Self::Valid(value) => Some(value),
            Self::Absent | Self::Invalid => None,
        }
    }
}

/// How the body says that it has ended (RFC 9112, section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// After this many bytes.
    Length(u64),
    /// By a last chunk, or an end-of-stream flag: an end that can be told from a cut.
    Chunked,
    /// By closing the connection: an end that can't be told from a cut (FAULTS B4).
    Close,
}

/// The status and the header fields that matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResponseHead {
    /// The status code.
    pub status: u16,
    /// Where the redirects ended; `None` when there were none.
    pub final_url: Option<Url>,
    /// `Content-Range`.
    pub content_range: Field<ContentRange>,
    /// `Content-Length`; [`Field::Invalid`] also for several that differ (FAULTS B12).
    pub content_length: Field<u64>,
    /// Whether `Transfer-Encoding` ends in `chunked`; a `Content-Length` beside it counts for nothing (RFC 9112,
    /// section 6.3).
    pub chunked: bool,
    /// Whether the protocol frames bodies by itself: HTTP/2 and later.
    pub self_framed: bool,
    /// `Content-Type`, in lower case, without its parameters.
    pub content_type: Option<String>,
    /// Whether a `Content-Encoding` other than `identity` was sent (FAULTS B13).
    pub encoded: bool,
    /// `ETag`, `Last-Modified` and `Date`.
    pub validator: Validator,
    /// `Retry-After`, verbatim; see [`ResponseHead::retry_after`].
    pub retry_after_field: Option<String>,
    /// Whether any `icy-` field was sent: a live stream that fakes the rest (FAULTS B28).
    pub icy: bool,
    /// Whether `icy-metaint` was sent: metadata is mixed into the body (FAULTS B27).
    pub icy_metadata: bool,
    /// Whether `Cache-Control` holds `no-store`.
    pub no_store: bool,
}

impl ResponseHead {
    /// A head without fields.
    pub fn new(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    /// Says where the redirects ended.
    #[must_use]
    pub fn with_final_url(mut self, url: Option<Url>) -> Self {
        self.final_url = url;
        self
    }

    /// Says that the protocol frames bodies by itself (HTTP/2 and later).
    #[must_use]
    pub fn with_self_framing(mut self, self_framed: bool) -> Self {
        self.self_framed |= self_framed;
        self
    }

    /// Adds a header field, in the order of the wire. Fields that don't matter are ignored; a value that isn't text
    /// is taken as invalid, never as an error.
    #[must_use]
    pub fn with_field(mut self, name: &str, value: &[u8]) -> Self {
        let text = core::str::from_utf8(value).unwrap_or("\u{fffd}").trim();
        match name.to_ascii_lowercase().as_str() {
            "content-range" => {
                self.content_range = once(self.content_range, ContentRange::parse(text));
            }
            "content-length" => {
                for part in text.split(',') {
                    self.content_length = once(self.content_length, parse_digits(part.trim()));
                }
            }
            "transfer-encoding" => self.chunked |= text.to_ascii_lowercase().ends_with("chunked"),
            "content-type" => {
                let essence =
                    text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
                self.content_type = (!essence.is_empty()).then_some(essence);
            }
            "content-encoding" => {
                let coded =
                    |coding: &str| !coding.is_empty() && !coding.eq_ignore_ascii_case("identity");
                self.encoded |= text.split(',').any(|coding| coded(coding.trim()));
            }
            "etag" => self.validator.etag = ETag::parse(text),
            "last-modified" => self.validator.last_modified = Some(text.to_owned()),
            "date" => self.validator.date = Some(text.to_owned()),
            "retry-after" => self.retry_after_field = Some(text.to_owned()),
            "icy-metaint" => (self.icy, self.icy_metadata) = (true, true),
            "cache-control" => self.no_store |= text.to_ascii_lowercase().contains("no-store"),
            name => self.icy |= name.starts_with("icy-"),
        }
        self
    }

    /// How the body ends.
    pub fn framing(&self) -> Framing {
        match self.content_length {
            Field::Valid(length) if !self.chunked => Framing::Length(length),
            _ if self.chunked || self.self_framed => Framing::Chunked,
            _ => Framing::Close,
        }
    }

    /// When the origin asks to be asked again (FAULTS B24).
    pub fn retry_after(&self) -> Option<RetryAfter> {
        RetryAfter::parse(self.retry_after_field.as_deref()?, self.validator.date.as_deref())
    }
}

/// A field that may stand once: a second, different one makes it invalid.
fn once<T: PartialEq>(before: Field<T>, now: Option<T>) -> Field<T> {
    match (before, now) {
        (Field::Absent, Some(value)) => Field::Valid(value),
        (Field::Valid(old), Some(new)) if old == new => Field::Valid(new),
        _ => Field::Invalid,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b12_content_length_must_be_one_number() {
        let length = |values: &[&str]| {
            values.iter().fold(ResponseHead::new(200), |head, v| {
                head.with_field("Content-Length", v.as_bytes())
            })
        };
        assert_eq!(length(&["5"]).content_length, Field::Valid(5));
        assert_eq!(length(&["5", "5"]).content_length, Field::Valid(5));
        assert_eq!(length(&["5, 5"]).content_length, Field::Valid(5));
        for bad in [&["5", "6"][..], &["-1"], &["5x"], &[""], &["5, 6"], &["6", "x", "6"]] {
            assert_eq!(length(bad).content_length, Field::Invalid, "{bad:?}");
        }
    }

    #[test]
    fn framing_follows_rfc_9112() {
        let head = ResponseHead::new(200).with_field("content-length", b"7");
        assert_eq!(head.framing(), Framing::Length(7));
        assert_eq!(head.with_field("Transfer-Encoding", b"chunked").framing(), Framing::Chunked);
        assert_eq!(ResponseHead::new(200).framing(), Framing::Close);
    }

    #[test]
    fn b13_identity_is_no_coding() {
        assert!(!ResponseHead::new(200).with_field("content-encoding", b"identity").encoded);
        assert!(!ResponseHead::new(200).with_field("content-encoding", b"").encoded);
        assert!(ResponseHead::new(200).with_field("content-encoding", b"identity, gzip").encoded);
    }

    #[test]
    fn fields_that_are_no_text_are_invalid_not_fatal() {
        let head = ResponseHead::new(206)
            .with_field("content-range", b"bytes 0-\xff/9")
            .with_field("content-length", b"\xff")
            .with_field("etag", b"\"\xff\"");
        assert_eq!(head.content_range, Field::Invalid);
        assert_eq!(head.content_length, Field::Invalid);
    }
}
