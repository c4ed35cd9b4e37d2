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
    /// What an embedder opened: a file today, an HLS presentation tomorrow. Chosen by the driver.
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
