//! A run of byte positions.

use core::fmt;

/// Byte positions `start..end`: half-open, as Rust's ranges, unlike the inclusive `first-last` of the wire
/// (RFC 9110, section 14.1.2). Never inverted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[cfg_attr(feature = "cache", derive(serde::Serialize, serde::Deserialize))]
pub struct ByteRange {
    /// The first position in the range.
    pub start: u64,
    /// The first position after the range.
    pub end: u64,
}

impl ByteRange {
    /// `start..end`; empty at `start` when `end` lies before it.
    pub const fn new(start: u64, end: u64) -> Self {
        Self { start, end: if end < start { start } else { end } }
    }

    /// `len` bytes from `start`, cut at the last position there is.
    pub const fn at(start: u64, len: u64) -> Self {
        Self { start, end: start.saturating_add(len) }
    }

    /// How many bytes.
    pub const fn len(self) -> u64 {
        self.end - self.start
    }

    /// Whether it holds no byte.
    pub const fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// Whether `position` is one of its bytes.
    pub const fn contains(self, position: u64) -> bool {
        self.start <= position && position < self.end
    }

    /// The bytes that both have; empty when there are none.
    pub fn intersect(self, other: Self) -> Self {
        Self::new(self.start.max(other.start), self.end.min(other.end))
    }
}

impl fmt::Debug for ByteRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.start, self.end)
    }
}

impl fmt::Display for ByteRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
