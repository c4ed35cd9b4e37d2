//! HTTP Live Streaming (RFC 8216): what its playlists say and what its media says of itself, as pure functions and values.
//!
//! Nothing here knows of requests, readers or the machine. The policy that fetches a presentation is in the machine.

pub mod abr;
mod clock;
mod fraction;
mod index;
pub mod media;
pub mod playlist;
mod presentation;
mod space;

pub use clock::{Clock, Placed};
pub use fraction::PresentationTime;
pub use index::SegmentIndex;
pub use media::{Container, Decryptor, Filter, MediaError, MediaTime, TrackConfig};
pub use playlist::{KeyEntry, MapEntry, SegmentEntry};
pub use presentation::{Cipher, Part, Presentation, RenditionInfo, Segment, VariantInfo};
pub use space::{SpaceError, VirtualSpace};
