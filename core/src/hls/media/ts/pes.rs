//! A packet of an elementary stream (ISO/IEC 13818-1, section 2.4.3.6): its head, and its time.

/// Bytes of the head before its optional fields.
const FIXED: usize = 9;

/// Reads one packet.
#[derive(Debug, Default)]
pub(super) struct Pes {
    /// The head, until it is whole.
    head: Vec<u8>,
    /// Whether the head is over.
    over: bool,
    time: Option<u64>,
    /// Bytes of payload that are still to come; `None` if the packet says no length.
    left: Option<usize>,
}

impl Pes {
    /// Takes the next bytes. Gives what is payload of them; `None` if it is no packet of audio.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        if self.over {
            return Some(self.take(bytes));
        }
        self.head.extend_from_slice(bytes);
        if self.head.len() < FIXED {
            return Some(Vec::new());
        }
        let [0, 0, 1, 0xC0..=0xDF | 0xBD, high, low, marks, flags, more, ..] = self.head[..] else {
            return None;
        };
        let len = FIXED + usize::from(more);
        if self.head.len() < len {
            return Some(Vec::new());
        }
        if marks & 0xC0 != 0x80 {
            return None;
        }
        if flags & 0x80 != 0 {
            self.time = time(self.head.get(FIXED..len)?);
        }
        let said = usize::from(high) << 8 | usize::from(low);
        self.left = (said > 0).then(|| (6 + said).saturating_sub(len));
        self.over = true;
        let payload = self.head.split_off(len);
        Some(self.take(&payload))
    }

    /// When its first frame plays: once.
    pub(super) fn take_time(&mut self) -> Option<u64> {
        self.time.take_if(|_| self.over)
    }

    fn take(&mut self, bytes: &[u8]) -> Vec<u8> {
        let taken = self.left.map_or(bytes.len(), |left| left.min(bytes.len()));
        self.left = self.left.map(|left| left - taken);
        bytes[..taken].to_vec()
    }
}

/// 33 bits of 90 kHz in five bytes, with marker bits between.
fn time(bytes: &[u8]) -> Option<u64> {
    let [a, b, c, d, e] = *bytes.first_chunk()?;
    let marked = a & 1 == 1 && c & 1 == 1 && e & 1 == 1;
    let high = u64::from(a >> 1 & 7) << 30;
    let middle = u64::from(b) << 22 | u64::from(c >> 1) << 15;
    let low = u64::from(d) << 7 | u64::from(e >> 1);
    marked.then_some(high | middle | low)
}
