//! The digest of stored bytes, whatever keeps them.

use std::io;

use infill_core::ByteRange;
use xxhash_rust::xxh3::Xxh3;

/// How much is read at once: it stays in the processor's cache.
const BLOCK_BYTES: usize = 64 * 1024;

/// XXH3-64 of what `read` gives of `range`; nothing if it doesn't give all of it.
pub(crate) fn digest(
    range: ByteRange,
    read: impl Fn(u64, &mut [u8]) -> io::Result<usize>,
) -> io::Result<Option<u64>> {
    let mut hasher = Xxh3::new();
    let wanted = |at| usize::try_from(range.end - at).unwrap_or(usize::MAX).min(BLOCK_BYTES);
    let mut block = vec![0; wanted(range.start)];
    let mut at = range.start;
    while at < range.end {
        let count = read(at, &mut block[..wanted(at)])?;
        if count == 0 {
            return Ok(None);
        }
        hasher.update(&block[..count]);
        at += count as u64;
    }
    Ok(Some(hasher.digest()))
}
