//! What the outside sees of a presentation, and what a reader of it is given.

use core::fmt;
use core::time::Duration;
use std::sync::Arc;

use super::index::SegmentIndex;
use super::playlist::SegmentEntry;
use crate::TrackId;

/// A presentation as it is known so far. Published anew whenever it changes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Presentation {
    /// The variants, in the order of the master playlist; one where there is only a media playlist.
    pub variants: Vec<VariantInfo>,
    /// The audio renditions, in the order of the master playlist.
    pub renditions: Vec<RenditionInfo>,
    /// The rendition that was chosen, by its index.
    pub rendition: Option<usize>,
    /// How long it is, as the playlist of the first variant that was loaded says.
    pub duration: Duration,
}

/// One variant.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct VariantInfo {
    /// Its place in the master playlist.
    pub index: usize,
    /// Peak bits per second, as the playlist says; 0 where it doesn't.
    pub bandwidth: u64,
    /// `CODECS`; empty where the playlist gives none.
    pub codecs: String,
    /// Whether it can be decoded, as far as is known.
    pub playable: bool,
    /// Its segments, once its media playlist was loaded.
    pub segments: Option<Arc<SegmentIndex>>,
}

/// One audio rendition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RenditionInfo {
    /// Its place in the master playlist, among the audio renditions.
    pub index: usize,
    /// `NAME`.
    pub name: String,
    /// `LANGUAGE`.
    pub language: Option<String>,
    /// `CHANNELS`.
    pub channels: Option<String>,
    /// `DEFAULT=YES`.
    pub default: bool,
}

/// What a reader of a presentation is given to read next.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    /// Of which variant, by its index.
    pub variant: usize,
    /// Which of its segments.
    pub index: usize,
    /// What the playlist says of it.
    pub entry: SegmentEntry,
    /// Its bytes. `None` for a gap (`EXT-X-GAP`) that no variant fills: it is silence, as long as the playlist says
    /// (FAULTS C15).
    pub media: Option<Part>,
    /// Its Media Initialization Section: to be read whole before the first segment of a run.
    pub init: Option<Part>,
    /// Whether it follows the segment that the reader left without a seam: the same variant, the next segment, the same
    /// map, no discontinuity. Otherwise a run begins here.
    pub continues: bool,
}

/// A resource of a presentation: a track that the machine opened by itself. It is read as any track is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The track.
    pub track: TrackId,
    /// How its bytes are decrypted.
    pub cipher: Option<Cipher>,
}

/// AES-128 in CBC mode with PKCS #7 padding (RFC 8216, section 4.3.2.4).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Cipher {
    /// The key.
    pub key: [u8; 16],
    /// The initialization vector of the first block.
    pub iv: [u8; 16],
}

impl fmt::Debug for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Keys stay out of logs.
        f.debug_struct("Cipher").finish_non_exhaustive()
    }
}
