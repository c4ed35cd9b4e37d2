//! MP3 frames: where the n-th begins, when that can be known without reading all before it.
//!
//! MP3 has no timestamps. Symphonia's accurate seek reads every frame header from the start, which for a remote file
//! means every byte; its coarse seek jumps, and may be a frame or many off. At a constant bit rate the place of a frame
//! follows from its number, and a landing there proves itself: a chain of frames of that rate in that very phase. One
//! frame of another size anywhere before would have shifted it.

use infill_core::Error;

use super::source::Shared;

/// How many frames at the start of a file without a tag must have one bit rate before it is believed constant.
const UNIFORM_FRAMES: usize = 17;
/// How many frames must follow each other at a landing.
const CHAIN: usize = 8;
/// The longest frame: 320 kbit/s at 32 kHz, padded.
const MAX_FRAME: usize = 1441;

/// The first four bytes of an MPEG audio layer 3 frame, as far as they matter here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FrameHeader {
    mpeg1: bool,
    rate: u32,
    mono: bool,
    bits_per_second: u32,
    /// The whole frame, in bytes.
    len: usize,
}

impl FrameHeader {
    fn parse(bytes: &[u8]) -> Option<Self> {
        const MPEG1: [u32; 14] = [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
        const MPEG2: [u32; 14] = [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
        let word = u32::from_be_bytes(bytes.get(..4)?.try_into().ok()?);
        if word >> 21 != 0x7ff || (word >> 17) & 3 != 0b01 {
            return None;
        }
        let divider = match (word >> 19) & 3 {
            0b11 => 1,
            0b10 => 2,
            0b00 => 4,
            _ => return None,
        };
        let mpeg1 = divider == 1;
        let rate = [44_100, 48_000, 32_000].get(((word >> 10) & 3) as usize)? / divider;
        // 0 is 'free', 15 is invalid.
        let index = (((word >> 12) & 15) as usize).checked_sub(1)?;
        let kilobits = *if mpeg1 { &MPEG1 } else { &MPEG2 }.get(index)?;
        let bits_per_second = kilobits * 1000;
        let slots = if mpeg1 { 144 } else { 72 };
        let padding = (word >> 9) & 1;
        Some(Self {
            mpeg1,
            rate,
            mono: (word >> 6) & 3 == 0b11,
            bits_per_second,
            len: (slots * bits_per_second / rate + padding) as usize,
        })
    }

    /// Everything but the padding.
    fn is_like(&self, other: &Self) -> bool {
        (self.mpeg1, self.rate, self.mono, self.bits_per_second)
            == (other.mpeg1, other.rate, other.mono, other.bits_per_second)
    }

    fn side_info_len(&self) -> usize {
        match (self.mpeg1, self.mono) {
            (true, false) => 32,
            (true, true) | (false, false) => 17,
            (false, true) => 9,
        }
    }

    fn frames(&self) -> u64 {
        if self.mpeg1 { 1152 } else { 576 }
    }

    /// How many frames to decode before one, so that it comes out as if all before had been decoded: those that may
    /// hold a part of the previous one's data (at most 511 bytes back, 255 in MPEG-2), that one, and one to be safe.
    fn priming(&self) -> u64 {
        let reservoir = if self.mpeg1 { 511 } else { 255 };
        let payload = self.len.saturating_sub(4 + 2 + self.side_info_len()).max(8);
        (reservoir / payload + 1 + 2) as u64
    }
}

/// The frames of a file of constant bit rate.
#[derive(Clone, Copy, Debug)]
pub(super) struct ConstantRate {
    /// Where the first frame of audio begins.
    first: u64,
    header: FrameHeader,
}

/// A frame whose place is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Landing {
    /// Where it begins.
    pub(super) byte: u64,
    /// How many samples per channel the frames before it hold, encoder delay included.
    pub(super) frames_before: u64,
}

/// Where a sample is to be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    At(Landing),
    PastTheEnd,
    /// Near the start, or where the bytes don't fit a constant rate.
    Unknown,
}

impl ConstantRate {
    /// Looks at the frames from `first` on, and at the one before, which may be a tag. `None` if the bit rate varies, or
    /// can't be told.
    pub(super) fn find(source: &Shared, first: u64) -> Result<Option<Self>, Error> {
        let back = first.min(MAX_FRAME as u64) as usize;
        let bytes = source.read_at(first - back as u64, back + MAX_FRAME)?;
        let (before, after) = bytes.split_at(back.min(bytes.len()));
        let Some(header) = FrameHeader::parse(after) else {
            return Ok(None);
        };
        let constant = match tag_before(before) {
            Some(Tag::Info) => true,
            Some(Tag::Variable) => false,
            None => {
                let bytes = source.read_at(first, UNIFORM_FRAMES * (header.len + 1))?;
                chain_len(&bytes, &header) >= UNIFORM_FRAMES
            }
        };
        Ok(constant.then_some(Self { first, header }))
    }

    /// Where to begin decoding so that the sample `target` (per channel, encoder delay included) comes out right.
    pub(super) fn place(&self, source: &Shared, target: u64) -> Result<Place, Error> {
        let header = &self.header;
        let frame = target / header.frames();
        let Some(begin) = frame.checked_sub(header.priming()).filter(|&n| n > 0) else {
            return Ok(Place::Unknown);
        };
        // Encoders pad so that the mean is exact: the n-th frame begins within a byte of n times the mean length.
        let bits =
            u128::from(begin) * u128::from(header.frames()) * u128::from(header.bits_per_second);
        let offset = u64::try_from(bits / (8 * u128::from(header.rate))).unwrap_or(u64::MAX);
        let expected = self.first.saturating_add(offset);
        if source.seekable_len().is_some_and(|len| expected >= len) {
            return Ok(Place::PastTheEnd);
        }
        let wanted = (CHAIN + 1) * (header.len + 1);
        let bytes = source.read_at(expected - 1, wanted)?;
        // The last frames have fewer behind them.
        let chain = if bytes.len() < wanted { 2 } else { CHAIN };
        let found = (0..3).find(|&shift| {
            let bytes = bytes.get(shift..);
            bytes.is_some_and(|bytes| chain_len(bytes, header) >= chain)
        });
        Ok(match found {
            Some(shift) => Place::At(Landing {
                byte: expected - 1 + shift as u64,
                frames_before: begin * header.frames(),
            }),
            None => Place::Unknown,
        })
    }
}

/// How many frames like `header` follow each other from the start of `bytes`.
fn chain_len(bytes: &[u8], header: &FrameHeader) -> usize {
    let (mut at, mut count) = (0, 0);
    while let Some(next) = bytes.get(at..).and_then(FrameHeader::parse) {
        if !next.is_like(header) {
            break;
        }
        at += next.len;
        count += 1;
    }
    count
}

enum Tag {
    /// Written for files of constant rate.
    Info,
    /// `Xing` or `VBRI`.
    Variable,
}

/// The tag in the frame that ends where `before` does.
fn tag_before(before: &[u8]) -> Option<Tag> {
    (0..before.len()).rev().find_map(|at| {
        let frame = &before[at..];
        let header = FrameHeader::parse(frame)?;
        if header.len != frame.len() {
            return None;
        }
        let at = |offset: usize| frame.get(offset..offset + 4);
        match (at(4 + header.side_info_len()), at(4 + 32)) {
            (Some(b"Info"), _) => Some(Tag::Info),
            (Some(b"Xing"), _) | (_, Some(b"VBRI")) => Some(Tag::Variable),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_headers() {
        let header = FrameHeader::parse(&[0xff, 0xfb, 0x90, 0x44]).unwrap();
        assert_eq!((header.rate, header.bits_per_second, header.len), (44_100, 128_000, 417));
        assert!(header.mpeg1 && !header.mono);
        let padded = FrameHeader::parse(&[0xff, 0xfb, 0x92, 0x44]).unwrap();
        assert_eq!(padded.len, 418);
        assert!(padded.is_like(&header));
        let half = FrameHeader::parse(&[0xff, 0xf3, 0x40, 0xc0]).unwrap();
        assert_eq!((half.rate, half.bits_per_second, half.mono), (22_050, 32_000, true));
        for wrong in [
            [0xff, 0xfb, 0x00, 0x44], // free bit rate
            [0xff, 0xfb, 0xf0, 0x44], // no bit rate
            [0xff, 0xfb, 0x9c, 0x44], // no sample rate
            [0xff, 0xfd, 0x90, 0x44], // layer 2
            [0xff, 0xeb, 0x90, 0x44], // no version
            [0xfe, 0xfb, 0x90, 0x44],
        ] {
            assert_eq!(FrameHeader::parse(&wrong), None);
        }
        assert_eq!(FrameHeader::parse(&[0xff, 0xfb, 0x90]), None);
    }
}
