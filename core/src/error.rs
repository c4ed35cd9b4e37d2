//! What went wrong, for whoever has to act on it: the embedder, a user, a log.

use core::fmt;
use core::time::Duration;
use std::io;
use std::sync::Arc;

use url::Url;

use crate::ByteRange;

/// Whose fault an [`Error`] is, and so who can mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The origin answered, with something that can't be used.
    Origin,
    /// The origin was not reached, or its answer broke off.
    Network,
    /// The resource is not the one that reading began with: open it again.
    Changed,
    /// Bytes could not be kept or found again here.
    Store,
    /// A thing that infill doesn't do.
    Unsupported,
    /// The reader was interrupted, or asked for something else meanwhile.
    Superseded,
    /// The stream was closed.
    Closed,
    /// The call makes no sense: a bad URL, a negative position.
    Caller,
}

/// What exactly happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// No connection could be made: name look-up, TCP, TLS.
    Connect(String),
    /// The connection closed before the request was processed (RFC 9110, section 9.2.2; FAULTS B17).
    NotProcessed,
    /// The connection broke (FAULTS B7).
    Reset(String),
    /// The body ended before its length (FAULTS B1, B2).
    Truncated,
    /// Nothing, or next to nothing, came for this long (FAULTS B8, B10).
    Stalled(Duration),
    /// Not HTTP, or HTTP that breaks its rules (FAULTS B12, B26).
    Protocol(String),
    /// A status code that is no success.
    Status(u16),
    /// A success without a body where there must be one (FAULTS B18).
    NoContent(u16),
    /// A page or a document where audio was expected (FAULTS B19).
    NotMedia(String),
    /// An encoded body: its positions mean nothing (FAULTS B13).
    Encoded,
    /// A 206 that doesn't say where its bytes belong (FAULTS A4, A21, A22).
    NoPosition,
    /// A range that doesn't hold the byte that was asked for (FAULTS A2).
    Misplaced {
        /// The byte that was asked for.
        wanted: u64,
        /// Where the answer begins.
        first: u64,
    },
    /// The origin has less than what is wanted of it; it may be written still (RFC 8216, section 4.3.2.2; FAULTS C6).
    TooShort {
        /// Which of its bytes are wanted.
        wanted: ByteRange,
        /// How many it has.
        total: u64,
    },
    /// 416, against all that is known of the length (FAULTS A14, A15).
    Unsatisfiable,
    /// ICY metadata is mixed into the body (FAULTS B27).
    Icy,
    /// Another version of the resource (FAULTS A8, A9).
    Changed,
    /// The store failed.
    Store(String),
    /// The store has no room left.
    StoreFull(String),
    /// What infill doesn't do.
    Unsupported(String),
    /// A blocked read was interrupted or replaced.
    Superseded,
    /// The stream was closed.
    Closed,
    /// The request for a fresh URL was not met (FAULTS B23).
    NotRenewed,
    /// A playlist that can't be used (RFC 8216; FAULTS C1-C27).
    Playlist(String),
    /// A segment can't be had whole, in any variant; its source says why.
    PartialSegment {
        /// Of which variant, by its index.
        variant: usize,
        /// Which of its segments.
        index: usize,
    },
    /// A segment's bytes are not what they should be: its key, its padding, its container (FAULTS C11).
    Segment(String),
    /// A key that is not 16 bytes long.
    Key(u64),
    /// No variant has codecs that can be decoded.
    NoPlayableVariant,
    /// A call that makes no sense.
    Caller(String),
}

impl Cause {
    /// An HLS playlist where one file was expected.
    pub(crate) fn hls() -> Self {
        Self::Unsupported("an HLS playlist; open it with `open_hls`".to_owned())
    }

    /// Whose fault it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Connect(_)
            | Self::NotProcessed
            | Self::Reset(_)
            | Self::Truncated
            | Self::Stalled(_) => ErrorKind::Network,
            Self::Protocol(_)
            | Self::Status(_)
            | Self::NoContent(_)
            | Self::NotMedia(_)
            | Self::Encoded => ErrorKind::Origin,
            Self::Playlist(_) | Self::PartialSegment { .. } | Self::Segment(_) | Self::Key(_) => {
                ErrorKind::Origin
            }
            Self::NoPosition
            | Self::Misplaced { .. }
            | Self::TooShort { .. }
            | Self::Unsatisfiable
            | Self::Icy
            | Self::NotRenewed => ErrorKind::Origin,
            Self::Changed => ErrorKind::Changed,
            Self::Store(_) | Self::StoreFull(_) => ErrorKind::Store,
            Self::Unsupported(_) | Self::NoPlayableVariant => ErrorKind::Unsupported,
            Self::Superseded => ErrorKind::Superseded,
            Self::Closed => ErrorKind::Closed,
            Self::Caller(_) => ErrorKind::Caller,
        }
    }

    /// Whether asking again, unchanged, may help. A 401, 403, 404 or 410 is final unless the URL worked before, which
    /// the machine knows and this type does not (FAULTS B22, B23).
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Status(status) => matches!(status, 408 | 425 | 429 | 500..=599),
            Self::Icy | Self::NotRenewed | Self::Encoded => false,
            Self::StoreFull(_) | Self::Store(_) => true,
            _ => matches!(
                self.kind(),
                ErrorKind::Network | ErrorKind::Origin | ErrorKind::Superseded
            ),
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(why) => write!(f, "no connection to the origin: {why}"),
            Self::NotProcessed => {
                f.write_str("the connection closed before the origin processed the request")
            }
            Self::Reset(why) => write!(f, "the connection broke: {why}"),
            Self::Truncated => f.write_str("the response ended before its length"),
            Self::Stalled(time) => {
                write!(f, "the origin sent (almost) nothing for {} s", time.as_secs())
            }
            Self::Protocol(why) => write!(f, "the answer is not valid HTTP: {why}"),
            Self::Status(status) => write!(f, "the origin answered {status}{}", hint(*status)),
            Self::NoContent(status) => write!(f, "the origin answered {status} without a body"),
            Self::NotMedia(what) => {
                write!(
                    f,
                    "the origin sent {what} where audio was expected (a sign-in or error page?)"
                )
            }
            Self::Encoded => {
                f.write_str("the origin sent an encoded body though identity was asked for")
            }
            Self::NoPosition => {
                f.write_str("the origin sent a part without saying where it belongs")
            }
            Self::Misplaced { wanted, first } => {
                write!(f, "the origin sent a part from byte {first} instead of byte {wanted}")
            }
            Self::TooShort { wanted, total } => write!(
                f,
                "the origin has {total} bytes, and bytes {} to {} are wanted of it (not written yet?)",
                wanted.start,
                wanted.end.saturating_sub(1)
            ),
            Self::Unsatisfiable => {
                f.write_str("the origin refused a range inside the resource (416)")
            }
            Self::Icy => f.write_str("the stream carries ICY metadata, which is not supported"),
            Self::Changed => f.write_str(
                "the resource changed at the origin; open it again to read the new version",
            ),
            Self::Store(why) => write!(f, "the local store failed: {why}"),
            Self::StoreFull(why) => write!(f, "the local store is full: {why}"),
            Self::Unsupported(what) => write!(f, "not supported: {what}"),
            Self::Superseded => f.write_str("the read was interrupted"),
            Self::Closed => f.write_str("the stream is closed"),
            Self::NotRenewed => f.write_str("the URL expired and no fresh one was given"),
            Self::Playlist(what) => write!(f, "the playlist can't be used: {what}"),
            Self::PartialSegment { variant, index } => write!(
                f,
                "segment {index} of variant {variant} can't be had whole, nor another in its place"
            ),
            Self::Segment(what) => write!(f, "the segment can't be used: {what}"),
            Self::Key(len) => write!(f, "the key has {len} bytes instead of 16"),
            Self::NoPlayableVariant => {
                f.write_str("no variant of the presentation has codecs that can be decoded")
            }
            Self::Caller(what) => f.write_str(what),
        }
    }
}

fn hint(status: u16) -> &'static str {
    match status {
        401 | 403 => " (missing or expired authorization?)",
        404 | 410 => " (no such resource)",
        429 => " (too many requests)",
        500..=599 => " (a fault at the origin)",
        _ => "",
    }
}

/// An error of infill: cheap to clone, the same in both runtimes.
///
/// `Display` is one line: the cause, then where it happened: byte position, attempt, and the URL without its query,
/// user-info and fragment.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    cause: Cause,
    url: Option<String>,
    offset: Option<u64>,
    attempt: Option<u32>,
    source: Option<Arc<dyn core::error::Error + Send + Sync>>,
}

impl Error {
    /// An error that says only what happened.
    pub fn new(cause: Cause) -> Self {
        Self(Arc::new(Inner { cause, url: None, offset: None, attempt: None, source: None }))
    }

    /// Adds the URL; its query, user-info and fragment are left out, for they may hold secrets.
    #[must_use]
    pub fn with_url(self, url: &Url) -> Self {
        self.with(|inner| inner.url = Some(redacted(url)))
    }

    /// Adds the byte position.
    #[must_use]
    pub fn with_offset(self, offset: u64) -> Self {
        self.with(|inner| inner.offset = Some(offset))
    }

    /// Adds how many times it was tried.
    #[must_use]
    pub fn with_attempt(self, attempt: u32) -> Self {
        self.with(|inner| inner.attempt = Some(attempt))
    }

    /// Adds the error beneath.
    #[must_use]
    pub fn with_source(self, source: impl core::error::Error + Send + Sync + 'static) -> Self {
        self.with(|inner| inner.source = Some(Arc::new(source)))
    }

    fn with(mut self, change: impl FnOnce(&mut Inner)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    /// Whose fault it is.
    pub fn kind(&self) -> ErrorKind {
        self.0.cause.kind()
    }

    /// What exactly happened.
    pub fn cause(&self) -> &Cause {
        &self.0.cause
    }

    /// The status code, if the origin answered with one that is no success.
    pub fn http_status(&self) -> Option<u16> {
        match self.0.cause {
            Cause::Status(status) | Cause::NoContent(status) => Some(status),
            Cause::Unsatisfiable => Some(416),
            _ => None,
        }
    }

    /// The byte position at which it happened.
    pub fn offset(&self) -> Option<u64> {
        self.0.offset
    }

    /// How many times it was tried.
    pub fn attempt(&self) -> Option<u32> {
        self.0.attempt
    }

    /// Whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        self.0.cause.is_retryable()
    }

    /// The error of infill inside an [`io::Error`], if there is one.
    pub fn from_io(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }

    /// The kind for IO traits. Never `Interrupted`, `WouldBlock`, `TimedOut` or `UnexpectedEof`: decoders lose bytes on
    /// the first three and take the last for the end.
    fn io_kind(&self) -> io::ErrorKind {
        match self.0.cause {
            Cause::Status(404 | 410) => io::ErrorKind::NotFound,
            Cause::Status(401 | 403) => io::ErrorKind::PermissionDenied,
            Cause::StoreFull(_) => io::ErrorKind::StorageFull,
            _ => io::ErrorKind::Other,
        }
    }
}

/// The URL without its query, user-info and fragment, which may hold secrets: for errors, logs and displays.
pub fn redacted(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    // Both fail only for URLs that can't have user-info.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.into()
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.cause)?;
        let mut open = "; ";
        if let Some(offset) = self.0.offset {
            write!(f, "{open}at byte {offset}")?;
            open = ", ";
        }
        if let Some(attempt) = self.0.attempt {
            write!(f, "{open}attempt {attempt}")?;
            open = ", ";
        }
        match &self.0.url {
            Some(url) => write!(f, "{open}{url}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("cause", &self.0.cause)
            .field("url", &self.0.url)
            .field("offset", &self.0.offset)
            .field("attempt", &self.0.attempt)
            .finish_non_exhaustive()
    }
}

impl PartialEq for Error {
    /// By cause and place; the error beneath is not compared.
    fn eq(&self, other: &Self) -> bool {
        let (one, two) = (&self.0, &other.0);
        (&one.cause, &one.url, one.offset, one.attempt)
            == (&two.cause, &two.url, two.offset, two.attempt)
    }
}

impl core::error::Error for Error {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match &self.0.source {
            Some(source) => Some(source.as_ref()),
            None => None,
        }
    }
}

impl From<Cause> for Error {
    fn from(cause: Cause) -> Self {
        Self::new(cause)
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        Self::new(error.io_kind(), error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_where_and_how_often_without_secrets() {
        let url = Url::parse("https://user:pass@radio.example/ep/17.mp3?token=secret#t=3").unwrap();
        let error =
            Error::new(Cause::Status(403)).with_url(&url).with_offset(700_000).with_attempt(3);
        assert_eq!(
            error.to_string(),
            "the origin answered 403 (missing or expired authorization?); at byte 700000, attempt 3, \
             https://radio.example/ep/17.mp3"
        );
        assert_eq!((error.kind(), error.http_status()), (ErrorKind::Origin, Some(403)));
    }

    #[test]
    fn survives_the_way_through_io() {
        let error = Error::new(Cause::Status(404));
        let io = io::Error::from(error.clone());
        assert_eq!(io.kind(), io::ErrorKind::NotFound);
        assert_eq!(Error::from_io(&io), Some(&error));
        assert_eq!(Error::from_io(&io::Error::other("else")), None);
        assert_eq!(
            io::Error::from(Error::new(Cause::Stalled(Duration::from_secs(9)))).kind(),
            io::ErrorKind::Other
        );
    }
}
