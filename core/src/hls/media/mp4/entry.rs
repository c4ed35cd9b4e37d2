//! A sample entry: which codec a track has, and what its own data say of rate and channels.

use super::boxes::{Child, children, find, full, name, u16_at, u32_at};

/// What a sample entry says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SampleEntry {
    pub(super) codec: String,
    pub(super) fourcc: [u8; 4],
    pub(super) rate: u32,
    pub(super) channels: u16,
}

impl SampleEntry {
    /// Reads an audio sample entry. The codec's own data are right where they differ from it: the entry has no room for
    /// rates above 65,535.
    pub(super) fn read(entry: &Child<'_>) -> Result<Self, String> {
        let body = entry.body;
        let version = u16_at(body, 8).ok_or("a sample entry that is cut off")?;
        let mut channels = u16_at(body, 16).ok_or("a sample entry that is cut off")?;
        let mut rate = u32_at(body, 24).ok_or("a sample entry that is cut off")? >> 16;
        // QuickTime's versions 1 and 2 have more fields before the boxes.
        let boxes = match version {
            1 => 44,
            2 => 64,
            _ => 28,
        };
        let inner = body.get(boxes..).unwrap_or_default();
        let mut codec = name(entry.kind);
        match &entry.kind {
            b"mp4a" => {
                if let Some(esds) = esds(inner)? {
                    let config = Descriptors::read(esds).ok_or("an `esds` that is cut off")?;
                    codec = config.codec();
                    let (own_rate, own_channels) = (config.rate, config.channels);
                    rate = own_rate.unwrap_or(rate);
                    channels = own_channels.unwrap_or(channels);
                }
            }
            b"fLaC" => {
                if let Some(info) =
                    find(inner, 0, b"dfLa")?.and_then(|found| stream_info(found.body))
                {
                    (rate, channels) = info;
                }
            }
            b"alac" => {
                if let Some(info) = find(inner, 0, b"alac")?.and_then(|found| alac(found.body)) {
                    (rate, channels) = info;
                }
            }
            _ => {}
        }
        Ok(Self { codec, fourcc: entry.kind, rate, channels })
    }
}

/// The body of `esds`, which QuickTime puts into a box `wave`.
fn esds(inner: &[u8]) -> Result<Option<&[u8]>, String> {
    for child in children(inner, 0) {
        let child = child?;
        match &child.kind {
            b"esds" => return Ok(Some(child.body)),
            b"wave" => {
                if let Some(found) = find(child.body, 0, b"esds")? {
                    return Ok(Some(found.body));
                }
            }
            _ => {}
        }
    }
    Ok(None)
}

/// Rate and channels of FLAC's STREAMINFO, the first metadata block.
fn stream_info(dfla: &[u8]) -> Option<(u32, u16)> {
    let (_, _, blocks) = full(dfla).ok()?;
    // 4 bytes of block header, then sizes of blocks and frames (10 bytes), then 20 bits of rate and 3 of channels.
    let packed = u32_at(blocks, 14)?;
    Some((packed >> 12, ((packed >> 9) & 7) as u16 + 1)).filter(|(rate, _)| *rate > 0)
}

/// Rate and channels of ALAC's magic cookie.
fn alac(body: &[u8]) -> Option<(u32, u16)> {
    let (_, _, cookie) = full(body).ok()?;
    Some((u32_at(cookie, 20)?, u16::from(*cookie.get(9)?))).filter(|(rate, _)| *rate > 0)
}

/// What the descriptors of MPEG-4 (ISO/IEC 14496-1, section 7.2.6) say of the codec.
#[derive(Debug, Default)]
struct Descriptors {
    /// `objectTypeIndication`.
    object: u8,
    /// Audio object type of the AudioSpecificConfig (ISO/IEC 14496-3, section 1.6.2.1).
    audio: Option<u8>,
    rate: Option<u32>,
    channels: Option<u16>,
}

impl Descriptors {
    fn read(esds: &[u8]) -> Option<Self> {
        let (_, _, rest) = full(esds).ok()?;
        let (3, body, _) = descriptor(rest)? else { return None };
        // ES_ID, then flags that tell which fields follow.
        let flags = *body.get(2)?;
        let mut at = 3;
        at += if flags & 0x80 != 0 { 2 } else { 0 };
        at += if flags & 0x40 != 0 { 1 + usize::from(*body.get(at)?) } else { 0 };
        at += if flags & 0x20 != 0 { 2 } else { 0 };
        let (4, config, _) = descriptor(body.get(at..)?)? else { return None };
        let mut found = Self { object: *config.first()?, ..Self::default() };
        if let Some((5, specific, _)) = config.get(13..).and_then(descriptor)
            && found.object == 0x40
        {
            found.specific(specific);
        }
        Some(found)
    }

    fn specific(&mut self, config: &[u8]) -> Option<()> {
        let mut bits = Bits { bytes: config, at: 0 };
        let audio = bits.object_type()?;
        self.audio = Some(audio);
        self.rate = Some(bits.rate()?);
        let channels = bits.take(4)?;
        // 0: they are in the codec's own configuration.
        self.channels = Some(if channels == 7 { 8 } else { channels as u16 }).filter(|n| *n > 0);
        // Explicit SBR or PS: the rate that comes out follows.
        if audio == 5 || audio == 29 {
            self.rate = Some(bits.rate()?);
        }
        Some(())
    }

    fn codec(&self) -> String {
        match self.audio {
            Some(audio) => format!("mp4a.{:02X}.{audio}", self.object),
            None => format!("mp4a.{:02X}", self.object),
        }
    }
}

/// The descriptor at the start of `bytes`: its tag, its body, what follows it.
fn descriptor(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, mut rest) = bytes.split_first()?;
    let mut len = 0_usize;
    for _ in 0..4 {
        let (&byte, after) = rest.split_first()?;
        rest = after;
        len = len << 7 | usize::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            break;
        }
    }
    // Some writers count more than there is.
    let (body, after) = rest.split_at(len.min(rest.len()));
    Some((tag, body, after))
}

/// Reads bits, the highest first.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn take(&mut self, count: usize) -> Option<u32> {
        let mut value = 0;
        for _ in 0..count {
            let byte = self.bytes.get(self.at / 8)?;
            value = value << 1 | u32::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(value)
    }

    fn object_type(&mut self) -> Option<u8> {
        let object = self.take(5)?;
        Some(if object == 31 { 32 + self.take(6)? as u8 } else { object as u8 })
    }

    fn rate(&mut self) -> Option<u32> {
        let index = self.take(4)? as usize;
        if index == 15 {
            return self.take(24).filter(|rate| *rate > 0);
        }
        super::super::packed::AAC_RATES.get(index).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codec_is_named_as_rfc_6381_says() {
        let esds = |object: u8, config: &[u8]| {
            let mut bytes = vec![0; 4];
            let inner = 15 + config.len() as u8;
            bytes.extend([3, 0x80, 0x80, 0x80, inner + 5, 0, 1, 0, 4, inner, object]);
            bytes.extend([0; 12]);
            bytes.extend([5, config.len() as u8]);
            bytes.extend(config);
            Descriptors::read(&bytes).unwrap()
        };
        let lc = esds(0x40, &[0x12, 0x10]);
        assert_eq!(
            (lc.codec().as_str(), lc.rate, lc.channels),
            ("mp4a.40.2", Some(44_100), Some(2))
        );
        // HE-AAC, signalled explicitly: the core has 24 kHz, what comes out 48.
        let he = esds(0x40, &[0x2b, 0x11, 0x88, 0x00]);
        assert_eq!((he.codec().as_str(), he.rate), ("mp4a.40.5", Some(48_000)));
        assert_eq!(esds(0x6b, &[]).codec(), "mp4a.6B");
    }
}
