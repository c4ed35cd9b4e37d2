//! ID3 tags at the start of a segment of packed audio: where they end, and the timestamp that one may hold (RFC 8216,
//! section 3.4).

/// Bytes of a tag's header, and of its footer.
pub(super) const HEADER: usize = 10;
/// The owner of the private frame that holds the timestamp.
const OWNER: &[u8] = b"com.apple.streaming.transportStreamTimestamp\0";

/// A tag's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tag {
    /// Bytes that follow the header, the footer included.
    pub(super) len: u64,
    major: u8,
}

impl Tag {
    /// Reads a header of [`HEADER`] bytes, if it is one.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let [b'I', b'D', b'3', major, minor, flags, size @ ..] = bytes.get(..HEADER)? else {
            return None;
        };
        let size = synchsafe(size)?;
        let footer = if flags & 0x10 == 0 { 0 } else { HEADER as u64 };
        (*major != 0xFF && *minor != 0xFF)
            .then(|| Self { len: u64::from(size) + footer, major: *major })
    }

    /// The timestamp in the tag's body, 33 bits of 90 kHz (FAULTS C28).
    pub(super) fn timestamp(self, body: &[u8]) -> Option<u64> {
        let mut rest = body;
        while let Some(([a, b, c, d, size @ ..], after)) = rest.split_first_chunk::<10>() {
            let size = size.get(..4)?;
            let len = if self.major >= 4 { synchsafe(size)? } else { big_endian(size)? };
            let frame = after.get(..usize::try_from(len).ok()?)?;
            if [*a, *b, *c, *d] == *b"PRIV"
                && let Some(time) = frame.strip_prefix(OWNER)
            {
                let time = time.first_chunk::<8>()?;
                return Some(u64::from_be_bytes(*time) & ((1 << 33) - 1));
            }
            rest = &after[frame.len()..];
        }
        None
    }
}

/// Four bytes of seven bits each.
fn synchsafe(bytes: &[u8]) -> Option<u32> {
    let safe = bytes.iter().all(|byte| *byte < 0x80);
    safe.then(|| bytes.iter().take(4).fold(0, |size, byte| size << 7 | u32::from(*byte)))
}

fn big_endian(bytes: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.first_chunk()?))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A tag of version 2.4 with a timestamp, after a frame of another kind.
    pub(in crate::hls::media) fn tag(time: u64) -> Vec<u8> {
        let mut body = b"TIT2\0\0\0\x03\0\0\0hi".to_vec();
        body.extend_from_slice(b"PRIV\0\0\0\x35\0\0");
        body.extend_from_slice(OWNER);
        body.extend_from_slice(&time.to_be_bytes());
        let mut tag = b"ID3\x04\0\0\0\0\0".to_vec();
        tag.push(u8::try_from(body.len()).unwrap());
        tag.extend_from_slice(&body);
        tag
    }

    #[test]
    fn c28_a_timestamp_is_masked_to_33_bits() {
        let tag = tag((1 << 40) | 900_000);
        let header = Tag::read(&tag).unwrap();
        assert_eq!(header.len, tag.len() as u64 - 10);
        assert_eq!(header.timestamp(&tag[10..]), Some(900_000));
        assert_eq!(header.timestamp(&tag[10..tag.len() - 1]), None, "cut off");
    }

    #[test]
    fn a_footer_belongs_to_its_tag() {
        assert_eq!(Tag::read(b"ID3\x04\0\x10\0\0\x01\0").unwrap().len, 128 + 10);
        assert_eq!(Tag::read(b"ID3\x04\0\0\0\0\x80\0"), None, "not synchsafe");
        assert_eq!(Tag::read(b"ID4\x04\0\0\0\0\0\0"), None);
    }
}
