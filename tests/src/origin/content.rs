//! Bodies that anyone can recompute: each 8-byte word is a hash of its own index, so that a byte in the wrong place, of
//! another resource or of nothing at all is seen, and where.

use std::ops::Range;

use bytes::Bytes;

const WORD: u64 = 8;

/// The first `len` bytes of the content that belongs to `seed`.
pub fn content(seed: u64, len: u64) -> Bytes {
    content_at(seed, 0..len)
}

/// The bytes of the content of `seed` at `range`.
pub fn content_at(seed: u64, range: Range<u64>) -> Bytes {
    let start = range.start / WORD * WORD;
    let words = range.end.saturating_sub(start).div_ceil(WORD);
    let mut bytes = vec![0; (words * WORD) as usize];
    for (slot, index) in bytes.chunks_exact_mut(WORD as usize).zip(start / WORD..) {
        slot.copy_from_slice(&word(seed, index));
    }
    let skip = (range.start - start) as usize;
    let len = range.end.saturating_sub(range.start) as usize;
    Bytes::from(bytes).slice(skip.min(words as usize * 8)..(skip + len).min(words as usize * 8))
}

/// The position in the resource of the first of `bytes`, which begin at `offset`, that the content of `seed` does not
/// have there; `None` if all are right. Allocates nothing.
pub fn first_difference(seed: u64, offset: u64, bytes: &[u8]) -> Option<u64> {
    let mut at = offset;
    let mut rest = bytes;
    while !rest.is_empty() {
        let expected = &word(seed, at / WORD)[(at % WORD) as usize..];
        let len = expected.len().min(rest.len());
        if expected[..len] != rest[..len] {
            let equal = expected.iter().zip(rest).take_while(|(a, b)| a == b).count();
            return Some(at + equal as u64);
        }
        at += len as u64;
        rest = &rest[len..];
    }
    None
}

/// splitmix64 of the index, in a stream of the seed's own.
fn word(seed: u64, index: u64) -> [u8; WORD as usize] {
    let stream = (seed ^ 0x5851_f42d_4c95_7f2d).wrapping_mul(0x2545_f491_4f6c_dd1d);
    let mut z = stream.wrapping_add(index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_what_the_whole_has_there() {
        let whole = content(7, 1001);
        assert_eq!(whole.len(), 1001);
        for range in [0..0, 0..1, 0..8, 3..29, 8..16, 15..17, 990..1001, 5..5, 1001..1001] {
            let expected = &whole[range.start as usize..range.end as usize];
            assert_eq!(content_at(7, range.clone()), expected, "{range:?}");
            assert_eq!(first_difference(7, range.start, expected), None, "{range:?}");
        }
        assert_ne!(content(8, 1001), whole);
    }

    #[test]
    fn a_wrong_byte_is_found_where_it_is() {
        let mut bytes = content_at(7, 100..200).to_vec();
        bytes[61] ^= 1;
        assert_eq!(first_difference(7, 100, &bytes), Some(161));
        assert_eq!(first_difference(7, 101, &content_at(7, 100..200)), Some(101));
    }
}
