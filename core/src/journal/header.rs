//! How a journal begins: what it is, who can read it, and which one it is.

use core::fmt;

use xxhash_rust::xxh3::xxh3_64;

/// No text, so that nothing turns its line ends; not of another program.
const MAGIC: [u8; 8] = *b"\x89infill\n";

/// The format that is written. Magic, version and digest have their places in every version.
const VERSION: u32 = 1;

pub(super) const LEN: usize = 32;

/// Where the digest is, and all that it is of.
const SEALED: usize = LEN - 8;

/// The beginning of a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// A random number of this file alone: no record of another one passes for one of it.
    pub epoch: u64,
}

impl Header {
    /// What a new file begins with.
    pub fn encode(&self) -> [u8; LEN] {
        let mut bytes = [0; LEN];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[16..SEALED].copy_from_slice(&self.epoch.to_le_bytes());
        let digest = xxh3_64(&bytes[..SEALED]);
        bytes[SEALED..].copy_from_slice(&digest.to_le_bytes());
        bytes
    }

    /// Reads the header at the beginning of a file.
    ///
    /// # Errors
    ///
    /// [`NoHeader`] says what to do with the file.
    pub fn decode(file: &[u8]) -> Result<Self, NoHeader> {
        if file.is_empty() {
            return Err(NoHeader::Empty);
        }
        let bytes = file.first_chunk::<LEN>().ok_or(NoHeader::Damaged)?;
        let good = bytes[..8] == MAGIC && number(bytes, SEALED) == xxh3_64(&bytes[..SEALED]);
        // The lower half: the upper one is of the field behind it.
        match number(bytes, 8) as u32 {
            VERSION if good => Ok(Self { epoch: number(bytes, 16) }),
            version if good && version > VERSION => Err(NoHeader::Newer { version }),
            _ => Err(NoHeader::Damaged),
        }
    }
}

/// The eight bytes at `at`.
fn number(bytes: &[u8; LEN], at: usize) -> u64 {
    let mut number = [0; 8];
    number.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(number)
}

/// Why a file has no header that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoHeader {
    /// It is empty: a new one.
    Empty,
    /// It is no journal, or one whose beginning is lost. Its records can't be told from others: it is to be set aside.
    Damaged,
    /// A newer release wrote it, which can read it: it is to be left untouched.
    Newer {
        /// Its version.
        version: u32,
    },
}

impl fmt::Display for NoHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the journal is empty"),
            Self::Damaged => f.write_str("the beginning of the journal is damaged"),
            Self::Newer { version } => write!(
                f,
                "the journal has version {version} and this release knows {VERSION}: use a newer release, or another \
                 directory"
            ),
        }
    }
}

impl core::error::Error for NoHeader {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_comes_back() {
        let header = Header { epoch: 0x0123_4567_89ab_cdef };
        let mut file = header.encode().to_vec();
        assert_eq!(Header::decode(&file), Ok(header));
        file.extend_from_slice(b"records");
        assert_eq!(Header::decode(&file), Ok(header));
    }

    #[test]
    fn d12_any_damage_to_it_is_seen() {
        let bytes = Header { epoch: 7 }.encode();
        assert_eq!(Header::decode(&[]), Err(NoHeader::Empty));
        assert_eq!(Header::decode(&bytes[..31]), Err(NoHeader::Damaged));
        assert_eq!(Header::decode(&[0; LEN]), Err(NoHeader::Damaged));
        for bit in 0..LEN * 8 {
            let mut damaged = bytes;
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Header::decode(&damaged), Err(NoHeader::Damaged), "bit {bit}");
        }
    }

    #[test]
    fn d12_a_newer_version_is_newer_only_if_it_is_whole() {
        let mut bytes = Header { epoch: 7 }.encode();
        for (version, expected) in [(2, NoHeader::Newer { version: 2 }), (0, NoHeader::Damaged)] {
            bytes[8..12].copy_from_slice(&u32::to_le_bytes(version));
            assert_eq!(Header::decode(&bytes), Err(NoHeader::Damaged));
            let digest = xxh3_64(&bytes[..SEALED]);
            bytes[SEALED..].copy_from_slice(&digest.to_le_bytes());
            assert_eq!(Header::decode(&bytes), Err(expected));
        }
    }
}
