//! What is known of the audio track.

/// The container of what comes out of a [`Filter`](super::Filter).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Container {
    /// Fragmented MP4: an init section, then fragments.
    Fmp4,
    /// AAC frames with ADTS headers.
    Adts,
    /// MPEG audio frames, of any layer.
    Mp3,
}

/// The audio track, as its init section or its frames describe it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackConfig {
    /// The codec as `CODECS` would name it (RFC 6381): `mp4a.40.2`, `fLaC`, `alac`, `mp3`.
    pub codec: String,
    /// The type of the MP4 sample entry; `mp4a` for ADTS, `.mp3` for MPEG audio.
    pub fourcc: [u8; 4],
    /// Frames a second.
    pub sample_rate: u32,
    /// Samples a frame; 0 where the description leaves it to the codec's data.
    pub channels: u16,
    /// Ticks a second of the track's times: the media header's, or 90,000 for transport streams and packed audio.
    pub timescale: u32,
    /// The edit list.
    pub edit: Option<Edit>,
    /// What a decoder is set up with: the sample entry in MP4, the fixed part of the header for packed frames. Tracks
    /// with equal bytes here can share a decoder.
    pub setup: Box<[u8]>,
}

/// What an edit list says: where in the presentation the track begins, and where in the track (ISO/IEC 14496-12,
/// section 8.6.6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Edit {
    /// How long nothing plays first, in ticks of the track.
    pub empty: i64,
    /// The track's time that plays first: what lies before it is the encoder's delay.
    pub media_time: i64,
}
