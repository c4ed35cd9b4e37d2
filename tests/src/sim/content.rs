//! The bytes of every version of every resource: windows of one pool of random bytes.
//!
//! Two versions lie at different places of the pool, so that a byte of another version, or of another position, is
//! seen for what it is. A body, a stored piece and the truth are slices of the same memory: nothing is generated or
//! copied while a session runs.

use std::sync::OnceLock;

use bytes::Bytes;
use fastrand::Rng;

/// The largest resource there is.
pub const MAX_TOTAL: u64 = 2 * 1024 * 1024;

/// What a body may go on for behind the end of its version.
pub(super) const OVERHANG: u64 = 4096;

const POOL_BYTES: usize = 16 * 1024 * 1024;

/// The bytes of one version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Content {
    offset: usize,
    total: u64,
}

impl Content {
    /// Some version of `total` bytes. Its first byte is none that a document begins with (FAULTS B19).
    pub fn new(total: u64, rng: &mut Rng) -> Self {
        assert!((1..=MAX_TOTAL).contains(&total), "a resource of {total} bytes");
        let room = POOL_BYTES - (MAX_TOTAL + OVERHANG) as usize - 4096;
        let mut offset = rng.usize(0..room);
        while !(0x80..0xe0).contains(&pool()[offset]) {
            offset += 1;
        }
        Self { offset, total }
    }

    /// The length.
    pub fn total(self) -> u64 {
        self.total
    }

    /// The bytes from `start` to `end`, which may lie a little behind the end of the resource.
    pub fn slice(self, start: u64, end: u64) -> Bytes {
        assert!(start <= end && end <= self.total + OVERHANG, "no bytes {start}..{end}");
        pool().slice(self.offset + start as usize..self.offset + end as usize)
    }

    /// Whether `bytes` are what this version has at `start`.
    pub fn matches(self, start: u64, bytes: &[u8]) -> bool {
        let end = start.saturating_add(bytes.len() as u64);
        end <= self.total
            && pool()[self.offset + start as usize..self.offset + end as usize] == *bytes
    }
}

fn pool() -> &'static Bytes {
    static POOL: OnceLock<Bytes> = OnceLock::new();
    POOL.get_or_init(|| {
        let mut bytes = vec![0; POOL_BYTES];
        Rng::with_seed(0x696e_6669_6c6c).fill(&mut bytes);
        Bytes::from(bytes)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_version_or_position_does_not_match() {
        let mut rng = Rng::with_seed(7);
        let (one, two) = (Content::new(100_000, &mut rng), Content::new(100_000, &mut rng));
        assert!(one.matches(500, &one.slice(500, 900)));
        assert!(!one.matches(501, &one.slice(500, 900)));
        assert!(!two.matches(500, &one.slice(500, 900)));
        assert!(!one.matches(99_999, &one.slice(99_999, 100_001)), "behind the end");
    }
}
