//! Packets of 188 bytes (ISO/IEC 13818-1, section 2.4.3.2), found again where they were lost.

use crate::hls::media::MediaError;

/// Bytes of a packet.
pub(super) const LEN: usize = 188;
const SYNC: u8 = 0x47;
/// How much may be dropped in search of packets.
const MAX_SEARCH: u64 = 64 << 10;

/// Cuts a stream of bytes into packets.
#[derive(Debug, Default)]
pub(super) struct Packets {
    held: Vec<u8>,
    /// Whether `held` begins where a packet does.
    in_step: bool,
    dropped: u64,
}

impl Packets {
    /// A segment begins: with a packet, whatever the last one ended with. That is believed when another follows it.
    pub(super) fn begin(&mut self) {
        self.held.clear();
        self.in_step = false;
        self.dropped = 0;
    }

    /// The next packet, with bytes of `input` as far as they are needed.
    pub(super) fn next(&mut self, input: &mut &[u8]) -> Result<Option<Vec<u8>>, MediaError> {
        loop {
            // To find the way again takes the next packet's first byte, too.
            let need = if self.in_step { LEN } else { LEN + 1 };
            let taken = input.len().min(need.saturating_sub(self.held.len()));
            self.held.extend_from_slice(&input[..taken]);
            *input = &input[taken..];
            if self.held.len() < need {
                return Ok(None);
            }
            if self.held[0] == SYNC && (self.in_step || self.held[LEN] == SYNC) {
                self.in_step = true;
                let rest = self.held.split_off(LEN);
                return Ok(Some(core::mem::replace(&mut self.held, rest)));
            }
            self.in_step = false;
            let next = self.held[1..].iter().position(|byte| *byte == SYNC);
            let skip = next.map_or(self.held.len(), |next| next + 1);
            self.held.drain(..skip);
            self.dropped += skip as u64;
            if self.dropped > MAX_SEARCH {
                let what = format!("no transport stream packets in {MAX_SEARCH} bytes");
                return Err(MediaError::broken(what));
            }
        }
    }
}

/// One packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packet<'a> {
    pub(super) pid: u16,
    /// Whether a table or a packet of an elementary stream begins in it.
    pub(super) begins: bool,
    pub(super) counter: u8,
    pub(super) payload: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Reads one; `None` if it is marked as damaged, or scrambled.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let [_, high, low, flags, rest @ ..] = bytes else {
            return None;
        };
        if high & 0x80 != 0 || flags & 0xC0 != 0 {
            return None;
        }
        let adaptation = if flags & 0x20 == 0 { 0 } else { 1 + usize::from(*rest.first()?) };
        let payload = if flags & 0x10 == 0 { &[] } else { rest.get(adaptation..)? };
        Some(Self {
            pid: u16::from(high & 0x1F) << 8 | u16::from(*low),
            begins: high & 0x40 != 0,
            counter: flags & 0x0F,
            payload,
        })
    }
}
