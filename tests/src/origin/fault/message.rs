//! What fields and coding the answer has: rows B13-B15 and B20, and any field that a test wants.

use bytes::Bytes;

use crate::origin::{reply::Reply, respond::View, rule::Injection};

/// A fault in the fields or the coding.
#[derive(Clone, Debug)]
pub enum MessageFault {
    /// This field replaces those of its name.
    Set(String, String),
    /// This field is added, also when there is one.
    Add(String, String),
    /// No field of this name.
    Without(String),
    /// The representation is coded, truly as gzip, and labelled with this coding; everything else stays.
    Encoded(String),
    /// These interim answers go first.
    Interim(Vec<u16>),
}

impl MessageFault {
    pub(super) fn prepare(&self, view: &mut View<'_>) {
        if let (Self::Encoded(_), Some(resource)) = (self, &mut view.resource) {
            resource.bytes = gzip(&resource.bytes);
        }
    }

    pub(super) fn apply(&self, reply: &mut Reply) {
        match self {
            Self::Set(name, value) => reply.headers.set(name, value.as_str()),
            Self::Add(name, value) => reply.headers.push(name.as_str(), value.as_str()),
            Self::Without(name) => reply.headers.remove(name),
            Self::Encoded(label) if matches!(reply.status, 200 | 206) => {
                reply.headers.set("Content-Encoding", label.as_str());
            }
            Self::Encoded(_) => {}
            Self::Interim(statuses) => reply.script.interim.extend(statuses),
        }
    }
}

/// Faults in the fields or the coding.
impl Injection<'_> {
    /// This field instead of those of its name.
    pub fn header(self, name: &str, value: &str) -> Self {
        self.fault(MessageFault::Set(name.to_owned(), value.to_owned()))
    }

    /// One more field of this name.
    pub fn add_header(self, name: &str, value: &str) -> Self {
        self.fault(MessageFault::Add(name.to_owned(), value.to_owned()))
    }

    /// No field of this name.
    pub fn without_header(self, name: &str) -> Self {
        self.fault(MessageFault::Without(name.to_owned()))
    }

    /// B20: this `Content-Type`, or none.
    pub fn content_type(self, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.header("Content-Type", value),
            None => self.without_header("Content-Type"),
        }
    }

    /// B13-B15: gzip, as a client that sent `Accept-Encoding: identity` should not get it: lengths and ranges are of
    /// the coded bytes, the ETag is that of the plain ones.
    pub fn gzip(self) -> Self {
        self.content_encoding("gzip")
    }

    /// B13: coded bytes with this label.
    pub fn content_encoding(self, label: &str) -> Self {
        self.fault(MessageFault::Encoded(label.to_owned()))
    }

    /// These interim answers (1xx) before the final one.
    pub fn interim(self, statuses: impl IntoIterator<Item = u16>) -> Self {
        self.fault(MessageFault::Interim(statuses.into_iter().collect()))
    }
}

/// A valid gzip member of stored blocks: other bytes at other offsets, and decodable.
fn gzip(plain: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(plain.len() + plain.len() / 8192 + 32);
    out.extend_from_slice(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
    let mut blocks = plain.chunks(0xffff).peekable();
    if blocks.peek().is_none() {
        out.extend_from_slice(&[1, 0, 0, 0xff, 0xff]);
    }
    while let Some(block) = blocks.next() {
        let length = block.len() as u16;
        out.push(u8::from(blocks.peek().is_none()));
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&(!length).to_le_bytes());
        out.extend_from_slice(block);
    }
    out.extend_from_slice(&crc32(plain).to_le_bytes());
    out.extend_from_slice(&(plain.len() as u32).to_le_bytes());
    out.into()
}

fn crc32(bytes: &[u8]) -> u32 {
    let table: [u32; 256] = std::array::from_fn(|n| {
        (0..8).fold(n as u32, |c, _| if c & 1 == 1 { 0xedb8_8320 ^ (c >> 1) } else { c >> 1 })
    });
    !bytes
        .iter()
        .fold(!0, |crc, byte| table[((crc ^ u32::from(*byte)) & 0xff) as usize] ^ (crc >> 8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_coding_is_gzip() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        let coded = gzip(b"abc");
        assert_eq!(&coded[..15], &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1, 3, 0, 0xfc, 0xff]);
        assert_eq!(&coded[15..18], b"abc");
        assert_eq!(coded.len(), 26);
        assert_eq!(gzip(&[7; 0x1_0000]).len(), 10 + 5 + 0xffff + 5 + 1 + 8);
    }
}
