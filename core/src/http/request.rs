//! A request as the machine wants it made.

use core::time::Duration;
use std::sync::Arc;

use url::Url;

use crate::FetchId;

/// A request header of the embedder's: name and value.
pub type Header = (String, String);

/// One `GET` that the driver is asked to make.
///
/// The driver sends [`FetchRequest::fields`] as they are and adds none that changes the answer. It follows redirects
/// and reports the URL that it ended at. It does not retry, decode content, or give up by a deadline of its own, but
/// for `connect_timeout`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchRequest {
    /// Names the request in all further events and actions.
    pub fetch: FetchId,
    /// Where to ask.
    pub url: Url,
    /// The first byte wanted.
    pub first: u64,
    /// The last byte wanted, inclusive as on the wire; `None` asks to the end.
    pub last: Option<u64>,
    /// Whether to send `Range` at all: after an answer to a range that can't be placed, the question is put plainly.
    pub plain: bool,
    /// The validator for `If-Range`.
    pub if_range: Option<String>,
    /// The embedder's headers. Credentials are not among them where `url` has left the origin they were given for.
    pub headers: Arc<[Header]>,
    /// How long a connect may take, TLS included.
    pub connect_timeout: Duration,
    /// Don't use a pooled connection: the last one was dead, or the network changed.
    pub fresh: bool,
    /// How many bytes may be read before the first [`Grant`](crate::Action::Grant).
    pub credit: u32,
    /// 1 for a first request, more when the bytes were asked for before without getting any further.
    pub attempt: u32,
}

impl FetchRequest {
    /// The value of the `Range` field, if one is to be sent.
    pub fn range_field(&self) -> Option<String> {
        if self.plain {
            return None;
        }
        Some(match self.last {
            Some(last) => format!("bytes={}-{last}", self.first),
            None => format!("bytes={}-", self.first),
        })
    }

    /// All header fields to send, the embedder's first. Fields that the machine must own (`Range`, `If-Range`,
    /// `Accept-Encoding`) are its own even if the embedder gave one.
    pub fn fields(&self) -> Vec<Header> {
        let owned = |name: &str| {
            ["range", "if-range", "accept-encoding"]
                .iter()
                .any(|own| name.eq_ignore_ascii_case(own))
        };
        let mut fields: Vec<Header> =
            self.headers.iter().filter(|(name, _)| !owned(name)).cloned().collect();
        fields.push(("Accept-Encoding".into(), "identity".into()));
        if let Some(range) = self.range_field() {
            fields.push(("Range".into(), range));
            if let Some(validator) = &self.if_range {
                fields.push(("If-Range".into(), validator.clone()));
            }
        }
        fields
    }
}
