//! The header of one frame: ADTS (ISO/IEC 13818-7, section 6.2) and MPEG audio (ISO/IEC 11172-3, section 2.4.1.3).

use crate::hls::media::{Container, MediaTime, TrackConfig};

/// Rates by their index in AAC (ISO/IEC 14496-3, table 1.18).
pub(in crate::hls::media) const AAC_RATES: [u32; 13] = [
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000,
    7_350,
];

/// Which kind of frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::hls::media) enum Codec {
    Aac,
    Mpeg,
}

impl Codec {
    pub(in crate::hls::media) fn container(self) -> Container {
        match self {
            Self::Aac => Container::Adts,
            Self::Mpeg => Container::Mp3,
        }
    }
}

/// A frame's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) codec: Codec,
    /// Bytes of the frame, its header included.
    pub(super) len: usize,
    /// What comes out of a decoder, per channel.
    pub(super) samples: u32,
    pub(super) rate: u32,
    channels: u16,
    /// The bits that no two frames of one stream differ in.
    pub(super) fixed: u32,
}

impl Header {
    /// Bytes that are needed to read any header.
    pub(super) const LEN: usize = 7;

    /// The header at the start of `bytes`, if there is one; at least [`LEN`](Self::LEN) bytes are needed.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; Self::LEN] = bytes.first_chunk()?;
        if bytes[0] != 0xff || bytes[1] & 0xe0 != 0xe0 {
            return None;
        }
        // Layer 0 is none: ADTS uses it, and has one more bit of synchronization.
        if bytes[1] & 0x06 == 0 { Self::adts(bytes) } else { Self::mpeg(bytes) }
    }

    fn adts(bytes: &[u8; Self::LEN]) -> Option<Self> {
        let rate = *AAC_RATES.get(usize::from(bytes[2] >> 2 & 0x0f))?;
        let len = usize::from(bytes[3] & 3) << 11
            | usize::from(bytes[4]) << 3
            | usize::from(bytes[5] >> 5);
        let header = if bytes[1] & 1 == 0 { 9 } else { 7 };
        let channels = u16::from((bytes[2] & 1) << 2 | bytes[3] >> 6);
        (bytes[1] & 0xf0 == 0xf0 && len > header).then(|| Self {
            codec: Codec::Aac,
            len,
            samples: 1024 * (u32::from(bytes[6] & 3) + 1),
            rate,
            channels: if channels == 7 { 8 } else { channels },
            // Not the CRC's presence, nor the private, original and home bits.
            fixed: u32::from_be_bytes([
                bytes[0],
                bytes[1] & 0xfe,
                bytes[2] & 0xfd,
                bytes[3] & 0xc0,
            ]),
        })
    }

    fn mpeg(bytes: &[u8; Self::LEN]) -> Option<Self> {
        let [_, one, two, three, ..] = *bytes;
        let (version, layer) = (one >> 3 & 3, 4 - (one >> 1 & 3));
        let halvings = match version {
            3 => 0,
            2 => 1,
            0 => 2,
            _ => return None,
        };
        let rate = *[44_100_u32, 48_000, 32_000].get(usize::from(two >> 2 & 3))? >> halvings;
        let row = match (halvings, layer) {
            (0, layer) => usize::from(layer) - 1,
            (_, 1) => 3,
            _ => 4,
        };
        // Index 0 is the free format, whose length no header tells.
        let bits = 1000 * BITRATES[row].get(usize::from(two >> 4).checked_sub(1)?)?;
        let pad = u32::from(two >> 1 & 1);
        let (samples, len) = match layer {
            1 => (384, (12 * bits / rate + pad) * 4),
            3 if halvings > 0 => (576, 72 * bits / rate + pad),
            _ => (1152, 144 * bits / rate + pad),
        };
        let channels = if three >> 6 == 3 { 1 } else { 2 };
        Some(Self {
            codec: Codec::Mpeg,
            len: len as usize,
            samples,
            rate,
            channels,
            // Version, layer and rate; of the mode only whether it is mono.
            fixed: u32::from_be_bytes([0xff, one & 0xfe, two & 0x0c, channels as u8]),
        })
    }

    /// The track that frames like this one are of.
    pub(super) fn track(&self) -> TrackConfig {
        let (codec, fourcc) = match self.codec {
            // The profile is the audio object type less one.
            Codec::Aac => (format!("mp4a.40.{}", (self.fixed >> 14 & 3) + 1), *b"mp4a"),
            Codec::Mpeg => (format!("mp{}", 4 - (self.fixed >> 17 & 3)), *b".mp3"),
        };
        TrackConfig {
            codec,
            fourcc,
            sample_rate: self.rate,
            channels: self.channels,
            timescale: MediaTime::MPEG,
            edit: None,
            setup: self.fixed.to_be_bytes().into(),
        }
    }
}

/// Whether an MPEG audio frame holds no audio but an encoder's notes on the whole stream.
pub(super) fn is_notes(frame: &[u8]) -> bool {
    let at =
        |offset: usize, tag: &[u8]| frame.get(offset..).is_some_and(|rest| rest.starts_with(tag));
    // After the side information, whose length depends on version and mode.
    at(36, b"VBRI") || [13, 21, 36].iter().any(|&side| at(side, b"Xing") || at(side, b"Info"))
}

/// kbit/s by index: layers I to III of MPEG-1, layer I of MPEG-2, layers II and III of MPEG-2.
const BITRATES: [[u32; 14]; 5] = [
    [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
    [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
    [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
    [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
    [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_both_kinds_are_read() {
        let aac = Header::read(&[0xff, 0xf1, 0x50, 0x80, 0x20, 0x1f, 0xfc]).unwrap();
        assert_eq!((aac.len, aac.samples, aac.rate, aac.channels), (256, 1024, 44_100, 2));
        assert_eq!(aac.track().codec, "mp4a.40.2");
        // MPEG-1 layer III, 128 kbit/s, 44.1 kHz, padded.
        let mp3 = Header::read(&[0xff, 0xfb, 0x92, 0x64, 0, 0, 0]).unwrap();
        assert_eq!((mp3.len, mp3.samples, mp3.rate, mp3.channels), (418, 1152, 44_100, 2));
        assert_eq!(mp3.track().codec, "mp3");
        // MPEG-2 layer III, 64 kbit/s, 22.05 kHz, mono.
        let low = Header::read(&[0xff, 0xf3, 0x80, 0xc4, 0, 0, 0]).unwrap();
        assert_eq!((low.len, low.samples, low.rate, low.channels), (208, 576, 22_050, 1));
        // MPEG-1 layer II, 192 kbit/s, 48 kHz.
        let two = Header::read(&[0xff, 0xfd, 0xa4, 0x00, 0, 0, 0]).unwrap();
        assert_eq!((two.len, two.samples, two.track().codec.as_str()), (576, 1152, "mp2"));
    }

    #[test]
    fn what_is_no_header_is_none() {
        for bytes in [
            [0xff, 0xf1, 0x74, 0x80, 0x20, 0x1f, 0xfc], // rate index 13
            [0xff, 0xf1, 0x50, 0x80, 0x00, 0xff, 0xfc], // 7 bytes: nothing but the header
            [0xff, 0xfb, 0x02, 0x64, 0, 0, 0],          // free format
            [0xff, 0xfb, 0xf2, 0x64, 0, 0, 0],          // no bit rate
            [0xff, 0xeb, 0x92, 0x64, 0, 0, 0],          // no version
            [0x49, 0x44, 0x33, 0x04, 0, 0, 0],
        ] {
            assert_eq!(Header::read(&bytes), None, "{bytes:02x?}");
        }
    }
}
