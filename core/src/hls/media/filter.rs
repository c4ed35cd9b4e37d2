//! The door: one run's plaintext in, a decoder's input out.

use super::{Container, MediaError, MediaTime, TrackConfig};

/// What a decoder is given of one run: one init section and consecutive segments.
///
/// ```text
/// new(init)  ( begin  push* end )*
/// ```
///
/// What comes out begins with the init section, where there is one. After an error every call gives it again.
#[derive(Debug)]
pub struct Filter {
    failed: Option<MediaError>,
}

impl Filter {
    /// A filter for a run with this Media Initialization Section, in plaintext.
    pub fn new(init: Option<&[u8]>) -> Result<Self, MediaError> {
        let _ = init;
        Ok(Self { failed: None })
    }

    /// A segment begins.
    pub fn begin(&mut self) {}

    /// The next bytes of the segment. What a decoder can have of them is added to `out`.
    pub fn push(&mut self, plaintext: &[u8], out: &mut Vec<u8>) -> Result<(), MediaError> {
        out.extend_from_slice(plaintext);
        self.failed.clone().map_or(Ok(()), Err)
    }

    /// The segment is over. What was held back of it is added to `out`.
    pub fn end(&mut self, out: &mut Vec<u8>) -> Result<(), MediaError> {
        let _ = out;
        self.failed.clone().map_or(Ok(()), Err)
    }

    /// The container of what comes out, once it is known: by the init section, else by the first bytes.
    pub fn container(&self) -> Option<Container> {
        None
    }

    /// The audio track, once it is known: by the init section, else by the first frame.
    pub fn track(&self) -> Option<&TrackConfig> {
        None
    }

    /// When the first frame of the segment begun last begins, as soon as that is known. In MP4 it is the decode time,
    /// before the edit list.
    pub fn media_start(&self) -> Option<MediaTime> {
        None
    }

    /// When the last frame of the segment begun last ends. Final once the segment is over.
    pub fn media_end(&self) -> Option<MediaTime> {
        None
    }

    /// How long the frames of the segment begun last are; known also where there are no timestamps.
    pub fn media_duration(&self) -> Option<MediaTime> {
        None
    }

    /// How many packets of audio the segment begun last has shown so far. One that has none opens no run.
    pub fn frames(&self) -> u64 {
        0
    }
}
