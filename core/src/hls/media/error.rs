//! Why media can't be used.

use core::fmt;

use crate::Cause;

/// What is wrong with a segment or an init section, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaError {
    unsupported: bool,
    what: String,
    at: Option<u64>,
}

impl MediaError {
    /// Bytes that are not what they should be.
    pub(crate) fn broken(what: impl Into<String>) -> Self {
        Self { unsupported: false, what: what.into(), at: None }
    }

    /// A container, codec or feature that is not supported.
    pub(crate) fn unsupported(what: impl Into<String>) -> Self {
        Self { unsupported: true, what: what.into(), at: None }
    }

    /// The byte of the segment at which it was seen.
    #[must_use]
    pub(crate) fn or_at(mut self, byte: u64) -> Self {
        self.at.get_or_insert(byte);
        self
    }

    /// Whether it is a thing that infill doesn't do, rather than damage.
    pub fn is_unsupported(&self) -> bool {
        self.unsupported
    }

    /// The byte of the segment's plaintext (or of the init section) at which it was seen.
    pub fn at(&self) -> Option<u64> {
        self.at
    }
}

impl fmt::Display for MediaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        match self.at {
            Some(byte) => write!(f, ", at byte {byte} of its plaintext"),
            None => Ok(()),
        }
    }
}

impl core::error::Error for MediaError {}

impl From<MediaError> for Cause {
    fn from(error: MediaError) -> Self {
        if error.unsupported {
            Self::Unsupported(error.to_string())
        } else {
            Self::Segment(error.to_string())
        }
    }
}
