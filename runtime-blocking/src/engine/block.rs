//! The bytes that a reader holds: true ones, of its version, so that small reads cost no lock and no call.

use bytes::Bytes;

/// How much is read at once at most.
pub(super) const BLOCK_BYTES: usize = 128 * 1024;

/// How much is read at once after a jump; doubled while reading goes on in order.
const FIRST_BYTES: usize = 4 * 1024;

/// A block buffer.
pub(super) struct Block {
    start: u64,
    held: Held,
    own: Vec<u8>,
    window: usize,
    /// Where reading in order goes on.
    next: u64,
    /// For one read only: nothing is read beyond what is asked for.
    once: bool,
}

enum Held {
    Nothing,
    Chunk(Bytes),
    /// So many bytes of `own`.
    Own(usize),
}

impl Block {
    pub(super) fn new(once: bool) -> Self {
        Self { start: 0, held: Held::Nothing, own: Vec::new(), window: FIRST_BYTES, next: 0, once }
    }

    /// Copies what it holds from `offset` on.
    pub(super) fn copy(&self, offset: u64, buf: &mut [u8]) -> Option<usize> {
        let held = match &self.held {
            Held::Nothing => return None,
            Held::Chunk(bytes) => &bytes[..],
            Held::Own(len) => &self.own[..*len],
        };
        let from = usize::try_from(offset.checked_sub(self.start)?).ok()?;
        let bytes = held.get(from..).filter(|bytes| !bytes.is_empty())?;
        let count = bytes.len().min(buf.len());
        buf[..count].copy_from_slice(&bytes[..count]);
        Some(count)
    }

    /// How much to read at `offset`.
    pub(super) fn window(&mut self, offset: u64) -> usize {
        if self.once {
            return 0;
        }
        self.window =
            if offset == self.next { (self.window * 2).min(BLOCK_BYTES) } else { FIRST_BYTES };
        self.window
    }

    /// How much the workers shall read, of a run of `run` bytes.
    pub(super) fn hop_len(&self, run: u64, asked: usize) -> usize {
        let most = if self.once { asked.min(BLOCK_BYTES) } else { BLOCK_BYTES };
        usize::try_from(run).map_or(most, |run| run.min(most))
    }

    /// Holds a chunk.
    pub(super) fn hold_chunk(&mut self, start: u64, bytes: Bytes) {
        self.next = start + bytes.len() as u64;
        self.start = start;
        self.held = Held::Chunk(bytes);
    }

    /// Space for `len` bytes; what was held is gone.
    pub(super) fn space(&mut self, len: usize) -> &mut [u8] {
        self.held = Held::Nothing;
        if self.own.len() < len {
            self.own.resize(len, 0);
        }
        &mut self.own[..len]
    }

    /// Holds the first `len` bytes of its space.
    pub(super) fn hold_own(&mut self, start: u64, len: usize) {
        self.next = start + len as u64;
        self.start = start;
        self.held = Held::Own(len.min(self.own.len()));
    }

    /// Lends its space away.
    pub(super) fn lend(&mut self) -> Vec<u8> {
        self.held = Held::Nothing;
        core::mem::take(&mut self.own)
    }

    /// Takes its space back.
    pub(super) fn give_back(&mut self, own: Vec<u8>) {
        self.held = Held::Nothing;
        self.own = own;
    }

    /// Holds nothing, and no memory.
    pub(super) fn free(&mut self) {
        self.held = Held::Nothing;
        self.own = Vec::new();
    }

    /// Bytes up to `next` were read past the buffer.
    pub(super) fn passed(&mut self, next: u64) {
        self.next = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_in_order_grow_and_jumps_start_small() {
        let mut block = Block::new(false);
        let mut at = 1000;
        assert_eq!(block.window(at), FIRST_BYTES);
        for _ in 0..10 {
            let len = block.window;
            block.space(len);
            block.hold_own(at, len);
            at += len as u64;
            assert_eq!(block.window(at), (len * 2).min(BLOCK_BYTES));
        }
        assert_eq!(block.window, BLOCK_BYTES);
        assert_eq!(block.window(5), FIRST_BYTES);
    }

    #[test]
    fn gives_what_it_holds_and_nothing_else() {
        let mut block = Block::new(false);
        let mut buf = [0; 4];
        assert_eq!(block.copy(0, &mut buf), None);
        block.hold_chunk(10, Bytes::from_static(b"abcdef"));
        assert_eq!(block.copy(9, &mut buf), None);
        assert_eq!(block.copy(16, &mut buf), None);
        assert_eq!((block.copy(13, &mut buf), &buf[..3]), (Some(3), &b"def"[..]));
        block.space(2).copy_from_slice(b"xy");
        assert_eq!(block.copy(13, &mut buf), None, "space is not yet bytes");
        block.hold_own(20, 2);
        assert_eq!((block.copy(20, &mut buf), &buf[..2]), (Some(2), &b"xy"[..]));
    }
}
