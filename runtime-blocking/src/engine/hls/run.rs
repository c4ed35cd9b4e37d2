//! A run as it is seen from outside.

use core::fmt;
use core::time::Duration;

use bytes::Bytes;
use infill_core::hls::{Container, MediaError, PresentationTime, TrackConfig};
use infill_core::{Cause, Error};

/// Names a run of one stream. Never used twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(pub u64);

impl fmt::Debug for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "run{}", self.0)
    }
}

/// What one decoder can be given: an init section, if there is one, and consecutive segments of one variant, one
/// section, one discontinuity. It is read forward; it can't be sought and has no length. What follows is another run.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Run {
    /// Its name.
    pub id: RunId,
    /// Of which variant, by its index.
    pub variant: usize,
    /// Its first segment, by its place in the variant.
    pub segment: usize,
    /// The media sequence number of that.
    pub sequence: u64,
    /// The discontinuity sequence number of its segments: within one, all variants share a clock.
    pub discontinuity: u64,
    /// What it is made of.
    pub content: Content,
    /// What is known of its audio. `None` for a gap.
    pub track: Option<TrackConfig>,
    /// When its first frame begins, as the media says, exactly; it may be negative. `None` if the media says nothing:
    /// then it begins at `playlist_start`.
    pub start: Option<PresentationTime>,
    /// When its first segment begins, as the playlist says.
    pub playlist_start: Duration,
    /// Its Media Initialization Section, decrypted, as the origin has it; empty where there is none. What is to be
    /// decoded is what [`read`](crate::HlsStream::read) gives, which begins with one of its own.
    pub init: Bytes,
}

/// What a run is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Content {
    /// Bytes for a decoder.
    Media(Container),
    /// Nothing to read: silence, of this length (`EXT-X-GAP`).
    Gap(Duration),
}

impl Run {
    /// Whether `start` accounts for the encoder's delay: an edit list tells it, or the codec has none. Otherwise the
    /// first frames of what is decoded may be priming.
    pub fn is_exact(&self) -> bool {
        self.track.as_ref().is_some_and(|track| {
            let told = track.edit.is_some_and(|edit| edit.media_time > 0);
            told || matches!(&track.fourcc, b"fLaC" | b"alac")
        })
    }
}

/// What is wrong with media, as the error of whoever reads it.
pub(super) fn media_error(error: MediaError) -> Error {
    Error::new(Cause::from(error))
}
