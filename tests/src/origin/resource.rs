//! What the origin serves: the bytes of one version of a resource, and what is said about them.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use xxhash_rust::xxh3::xxh3_64;

use super::headers::Headers;

/// One version of a resource.
///
/// [`Resource::new`] makes an honest one: a strong ETag that is a digest of the bytes, and a Last-Modified far in the
/// past.
#[derive(Clone, Debug)]
pub struct Resource {
    /// The representation.
    pub bytes: Bytes,
    /// `Content-Type`, or none.
    pub content_type: Option<String>,
    /// `ETag` with its quotes, or none.
    pub etag: Option<String>,
    /// `Last-Modified`, or none.
    pub last_modified: Option<SystemTime>,
    /// More fields of every 200 and 206.
    pub headers: Headers,
}

impl Resource {
    /// The bytes as `audio/mpeg`, with honest validators.
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Self {
            etag: Some(format!("\"{:016x}\"", xxh3_64(&bytes))),
            content_type: Some("audio/mpeg".to_owned()),
            last_modified: Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1_600_000_000)),
            headers: Headers::default(),
            bytes,
        }
    }

    /// With this `Content-Type`.
    pub fn content_type(mut self, value: impl Into<String>) -> Self {
        self.content_type = Some(value.into());
        self
    }

    /// With this strong ETag, given without its quotes.
    pub fn etag(mut self, opaque: &str) -> Self {
        self.etag = Some(format!("\"{opaque}\""));
        self
    }

    /// With this weak ETag, given without its quotes.
    pub fn weak_etag(mut self, opaque: &str) -> Self {
        self.etag = Some(format!("W/\"{opaque}\""));
        self
    }

    /// With this `Last-Modified`.
    pub fn last_modified(mut self, time: SystemTime) -> Self {
        self.last_modified = Some(time);
        self
    }

    /// With one more field.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push(name, value);
        self
    }

    /// Without ETag and without Last-Modified.
    pub fn without_validators(mut self) -> Self {
        self.etag = None;
        self.last_modified = None;
        self
    }

    /// The length in bytes.
    pub fn total(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Whether `If-Range` names this version: a strong ETag or the exact Last-Modified (RFC 9110 section 13.1.5).
    pub(super) fn is_version(&self, if_range: &str) -> bool {
        if if_range.starts_with('"') {
            return self.etag.as_deref() == Some(if_range);
        }
        self.last_modified.is_some_and(|time| httpdate::fmt_http_date(time) == if_range)
    }
}

impl From<Bytes> for Resource {
    fn from(bytes: Bytes) -> Self {
        Self::new(bytes)
    }
}

impl From<Vec<u8>> for Resource {
    fn from(bytes: Vec<u8>) -> Self {
        Self::new(bytes)
    }
}
