//! Identifiers: one newtype for each kind of thing, so that one can't be passed for another.
//!
//! An id is never used twice. The driver chooses [`TrackId`], [`ReaderId`] and [`RequestId`]; the machine chooses the
//! rest. An event with an id that the machine doesn't know (any more) is ignored.

use core::fmt;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident $letter:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u64);

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($letter, "{}"), self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(self, f)
            }
        }
    )*};
}

ids! {
    /// What an embedder opened: a file or an HLS presentation. Chosen by the driver, but for the resources of
    /// presentations: see [`TrackId::is_part`].
    TrackId "t";
    /// One reading position in a track. Chosen by the driver, unique in the machine, not only in its track.
    ReaderId "rd";
    /// One [`ReadRequest`](crate::Event::ReadRequest) of one reader. Chosen by the reader, rising.
    RequestId "q";
    /// One version of one remote resource, and the stored bytes that belong to it. Chosen by the machine.
    ResourceId "rs";
    /// One HTTP request and its response. Chosen by the machine.
    FetchId "f";
    /// One operation on a store that is answered by an event. Chosen by the machine.
    OpId "op";
    /// One [`Command`](crate::Event::Command) to the cache. Chosen by the driver.
    CommandId "c";
}

impl TrackId {
    const PART: u64 = 1 << 63;

    /// The track of a resource of a presentation: a number that no driver chooses.
    pub(crate) const fn part(number: u64) -> Self {
        Self(number | Self::PART)
    }

    /// Whether the machine opened it by itself, as a resource of a presentation.
    pub const fn is_part(self) -> bool {
        self.0 & Self::PART != 0
    }
}
