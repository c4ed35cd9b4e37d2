//! What stands before a payload: its digest and its length.

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::MAX_PAYLOAD;

const DIGEST_BYTES: usize = 8;

/// How long it is.
pub(super) const HEAD_BYTES: usize = DIGEST_BYTES + 2;

/// Begins a record with room for its digest, which [`seal`] gives it. The payload follows.
pub(super) fn begin(len: u16, out: &mut Vec<u8>) {
    out.extend_from_slice(&[0; DIGEST_BYTES]);
    out.extend_from_slice(&len.to_le_bytes());
}

/// Ends the record that is `frame`, which will lie at `offset`.
pub(super) fn seal(frame: &mut [u8], epoch: u64, offset: u64) {
    let digest = digest(&frame[DIGEST_BYTES..], epoch, offset);
    frame[..DIGEST_BYTES].copy_from_slice(&digest.to_le_bytes());
}

/// What bytes begin with that lie at some offset of a file.
pub(super) enum Next<'a> {
    /// A record with this payload.
    Record(&'a [u8]),
    /// Nothing but zeros, or nothing at all.
    Padding,
    /// Something else.
    Damage,
}

/// Looks at the rest of a block, `bytes`, which lies at `offset`.
pub(super) fn next(bytes: &[u8], epoch: u64, offset: u64) -> Next<'_> {
    checked(bytes, epoch, offset).map_or_else(
        || if bytes.iter().all(|byte| *byte == 0) { Next::Padding } else { Next::Damage },
        Next::Record,
    )
}

fn checked(bytes: &[u8], epoch: u64, offset: u64) -> Option<&[u8]> {
    let (stored, sealed) = bytes.split_first_chunk::<DIGEST_BYTES>()?;
    let (len, rest) = sealed.split_first_chunk::<2>()?;
    let len = usize::from(u16::from_le_bytes(*len));
    let payload = rest.get(..len).filter(|_| (1..=MAX_PAYLOAD).contains(&len))?;
    let digest = digest(&sealed[..2 + len], epoch, offset);
    (digest == u64::from_le_bytes(*stored)).then_some(payload)
}

fn digest(sealed: &[u8], epoch: u64, offset: u64) -> u64 {
    // An odd factor spreads offsets that differ in their low bits over all of them.
    xxh3_64_with_seed(sealed, epoch ^ offset.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}
