//! The two tables that lead to the audio: which program there is, and which streams it has (ISO/IEC 13818-1, section
//! 2.4.4).

use super::packet::Packet;

/// The longest table section.
const MAX_SECTION: usize = 1024;

/// Collects a table's section from packets.
#[derive(Debug, Default)]
pub(super) struct Section {
    bytes: Vec<u8>,
    begun: bool,
}

impl Section {
    /// Takes a packet's part. Gives the section when it is whole.
    pub(super) fn push(&mut self, packet: &Packet<'_>) -> Option<Vec<u8>> {
        let mut part = packet.payload;
        if packet.begins {
            let pointer = usize::from(*part.first()?);
            part = part.get(1 + pointer..)?;
            self.bytes.clear();
            self.begun = true;
        }
        if !self.begun {
            return None;
        }
        let room = MAX_SECTION - self.bytes.len();
        self.bytes.extend_from_slice(&part[..part.len().min(room)]);
        let len = 3 + length(self.bytes.get(1..3)?);
        if len > MAX_SECTION {
            self.begun = false;
            return None;
        }
        let section = self.bytes.get(..len)?.to_vec();
        self.begun = false;
        Some(section)
    }
}

/// Twelve bits.
fn length(bytes: &[u8]) -> usize {
    match bytes {
        [high, low, ..] => usize::from(high & 0x0F) << 8 | usize::from(*low),
        _ => 0,
    }
}

/// Thirteen bits.
fn pid(bytes: &[u8]) -> Option<u16> {
    let [high, low, ..] = bytes else {
        return None;
    };
    Some(u16::from(high & 0x1F) << 8 | u16::from(*low))
}

/// What is between a section's head and its checksum.
fn body(section: &[u8], table: u8, head: usize) -> Option<&[u8]> {
    let end = section.len().checked_sub(4)?;
    (section.first() == Some(&table)).then(|| section.get(head..end))?
}

/// Where the table of the first program is.
pub(super) fn program_of(pat: &[u8]) -> Option<u16> {
    let programs = body(pat, 0, 8)?.chunks_exact(4);
    // Program 0 is the network's own information.
    programs.filter(|entry| entry[..2] != [0, 0]).find_map(|entry| pid(&entry[2..]))
}

/// What a program's table leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// The packet identifier of AAC in ADTS, or of MPEG audio.
    Audio(u16),
    /// Audio of another kind.
    Unsupported(String),
    /// No audio.
    Nothing,
}

/// The first stream of audio that can be taken.
pub(super) fn audio_of(pmt: &[u8]) -> Found {
    let Some(body) = body(pmt, 2, 10) else {
        return Found::Nothing;
    };
    let mut rest = body.get(2 + length(body)..).unwrap_or_default();
    let mut other = None;
    while let [kind, a, b, c, d, after @ ..] = rest {
        match kind {
            0x0F | 0x03 | 0x04 => {
                if let Some(pid) = pid(&[*a, *b]) {
                    return Found::Audio(pid);
                }
            }
            kind => other = other.or_else(|| unsupported(*kind)),
        }
        rest = after.get(length(&[*c, *d])..).unwrap_or_default();
    }
    other.map_or(Found::Nothing, Found::Unsupported)
}

/// Audio that isn't taken, by the type of its stream.
fn unsupported(kind: u8) -> Option<String> {
    let name = match kind {
        0x11 | 0x2D => "AAC in LATM",
        0x81 | 0xC1 => "AC-3",
        0x84 | 0x87 | 0xC2 => "E-AC-3",
        0x82 | 0x86 | 0x8A => "DTS",
        0xCF => "AAC with SAMPLE-AES",
        _ => return None,
    };
    Some(format!("{name} (stream type {kind:#04x}) in a transport stream"))
}
