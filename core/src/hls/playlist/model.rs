//! What playlists say, with every scope resolved: a segment carries its own key, map, range and numbers.

use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::Arc;

use url::Url;

use crate::ByteRange;

/// A master playlist (RFC 8216, section 4.3.4).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MasterPlaylist {
    /// `EXT-X-VERSION`.
    pub version: Option<u64>,
    /// `EXT-X-STREAM-INF`, in the order of the playlist. Those for trick play alone are left out.
    pub variants: Vec<Variant>,
    /// `EXT-X-MEDIA`, in the order of the playlist.
    pub renditions: Vec<Rendition>,
    /// `EXT-X-INDEPENDENT-SEGMENTS`.
    pub independent_segments: bool,
    /// `EXT-X-START`.
    pub start: Option<StartPoint>,
    /// `EXT-X-SESSION-KEY`: keys that can be fetched early.
    pub session_keys: Vec<Arc<KeyEntry>>,
    /// `EXT-X-DEFINE`: what media playlists may import.
    pub variables: BTreeMap<String, String>,
}

/// One `EXT-X-STREAM-INF` and its URI.
#[derive(Clone, Debug, PartialEq)]
pub struct Variant {
    /// Its media playlist.
    pub url: Arc<Url>,
    /// `BANDWIDTH`, bits per second; 0 where it is missing.
    pub bandwidth: u64,
    /// `AVERAGE-BANDWIDTH`, bits per second.
    pub average_bandwidth: Option<u64>,
    /// `CODECS`.
    pub codecs: Option<String>,
    /// `RESOLUTION`: it has video.
    pub resolution: Option<(u32, u32)>,
    /// `FRAME-RATE`: it has video.
    pub frame_rate: Option<f64>,
    /// `AUDIO`: the group of its audio renditions.
    pub audio: Option<String>,
}

/// What a rendition is (RFC 8216, section 4.3.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MediaKind {
    /// `AUDIO`.
    Audio,
    /// `VIDEO`.
    Video,
    /// `SUBTITLES`.
    Subtitles,
    /// `CLOSED-CAPTIONS`.
    ClosedCaptions,
}

/// One `EXT-X-MEDIA`.
#[derive(Clone, Debug, PartialEq)]
pub struct Rendition {
    /// `TYPE`.
    pub kind: MediaKind,
    /// `GROUP-ID`.
    pub group: String,
    /// `NAME`.
    pub name: String,
    /// `LANGUAGE`.
    pub language: Option<String>,
    /// `DEFAULT=YES`.
    pub default: bool,
    /// `AUTOSELECT=YES`.
    pub autoselect: bool,
    /// `CHANNELS`.
    pub channels: Option<String>,
    /// Its media playlist; without one it is in the variant's own (FAULTS C32).
    pub url: Option<Arc<Url>>,
}

/// `EXT-X-START` (RFC 8216, section 4.3.5.2).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StartPoint {
    /// Seconds from the beginning; from the end where it is negative.
    pub offset: f64,
    /// `PRECISE=YES`.
    pub precise: bool,
}

/// A media playlist (RFC 8216, sections 4.3.2 and 4.3.3).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MediaPlaylist {
    /// `EXT-X-VERSION`.
    pub version: Option<u64>,
    /// `EXT-X-TARGETDURATION`, or what stands in for it (FAULTS C16).
    pub target_duration: Duration,
    /// `EXT-X-MEDIA-SEQUENCE`: the number of the first segment.
    pub media_sequence: u64,
    /// `EXT-X-DISCONTINUITY-SEQUENCE`.
    pub discontinuity_sequence: u64,
    /// `EXT-X-ENDLIST`: nothing will be added.
    pub ended: bool,
    /// `EXT-X-PLAYLIST-TYPE`: `Some(true)` for `VOD`, `Some(false)` for `EVENT`.
    pub vod: Option<bool>,
    /// `EXT-X-I-FRAMES-ONLY`.
    pub i_frames_only: bool,
    /// `EXT-X-INDEPENDENT-SEGMENTS`.
    pub independent_segments: bool,
    /// `EXT-X-START`.
    pub start: Option<StartPoint>,
    /// What its segments need and infill doesn't do, with the line: another encryption than AES-128 with keys of the
    /// identity format. To be refused before anything is fetched.
    pub unsupported: Option<String>,
    /// The segments, in order.
    pub segments: Vec<SegmentEntry>,
}

/// One segment: where it is, when it plays, and what is needed to read it.
#[derive(Clone, Debug, PartialEq)]
pub struct SegmentEntry {
    /// Where it is. Shared where many segments are ranges of one resource.
    pub url: Arc<Url>,
    /// `EXT-X-BYTERANGE`, with its offset worked out (RFC 8216, section 4.3.2.2).
    pub byte_range: Option<ByteRange>,
    /// `EXTINF`. Advisory: the media's own timestamps correct it (FAULTS C17).
    pub duration: Duration,
    /// When it begins: the sum of the durations before it.
    pub timestamp_start: Duration,
    /// Its media sequence number (RFC 8216, section 6.2.1).
    pub sequence: u64,
    /// Its discontinuity sequence number (RFC 8216, section 6.2.1).
    pub discontinuity: u64,
    /// `EXT-X-KEY` in force: AES-128 of the identity key format.
    pub key: Option<Arc<KeyEntry>>,
    /// `EXT-X-MAP` in force.
    pub map: Option<Arc<MapEntry>>,
    /// `EXT-X-GAP`: it is not to be fetched.
    pub gap: bool,
    /// `EXT-X-BITRATE` in force, bits per second.
    pub bitrate: Option<u64>,
    /// `EXT-X-PROGRAM-DATE-TIME` of its first sample, worked out from the last one given: milliseconds since 1970.
    pub program_date_time: Option<i64>,
}

impl SegmentEntry {
    /// When it ends, as the playlist says.
    pub fn timestamp_end(&self) -> Duration {
        self.timestamp_start.saturating_add(self.duration)
    }

    /// The initialization vector of its first block, where it is encrypted: the key's, or else the media sequence
    /// number, big-endian (RFC 8216, section 5.2; FAULTS C7).
    pub fn iv(&self) -> Option<[u8; 16]> {
        let key = self.key.as_ref()?;
        Some(key.iv.unwrap_or_else(|| u128::from(self.sequence).to_be_bytes()))
    }
}

/// `EXT-X-KEY` with `METHOD=AES-128` (RFC 8216, section 4.3.2.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyEntry {
    /// Where its 16 bytes are.
    pub url: Arc<Url>,
    /// `IV`, filled up from the left (FAULTS C8).
    pub iv: Option<[u8; 16]>,
}

/// `EXT-X-MAP` (RFC 8216, section 4.3.2.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapEntry {
    /// Where it is.
    pub url: Arc<Url>,
    /// `BYTERANGE`.
    pub byte_range: Option<ByteRange>,
    /// The key in force where it stands. It has an `IV`: there is no number to stand in for one (FAULTS C9).
    pub key: Option<Arc<KeyEntry>>,
}
