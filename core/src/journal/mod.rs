//! The journal's format: how [`Record`]s lie in a file so that damage is noticed, and costs no more than it must.
//!
//! ```text
//! file   = header record* [padding]      in blocks of 32 KiB, which begin at multiples of that
//! header = magic[8] version[u32] zero[u32] epoch[u64] digest[u64]
//! record = digest[u64] length[u16] payload[length]     never across the end of a block
//! ```
//!
//! Numbers are little-endian, digests XXH3-64. A header's is of the bytes before it. A record's is of its length and its
//! payload, and seeded with the epoch, which is drawn anew for each file, and with its place in the file: so what is
//! left of an older file, or lies where it does not belong, is no record. Where a record doesn't fit, zeros fill the
//! block.
//!
//! A bad record ends its block, for nothing says where the next one begins; reading goes on with the next block. Replaying
//! any subset of the records is safe, so nothing else is lost. What lies behind the last good record is to be cut off
//! before anything is appended.
//!
//! No IO here: an [`Encoder`] fills buffers, a [`Reader`] is given blocks.
//!
//! [`Record`]: crate::catalog::Record

mod codec;
mod encoder;
mod frame;
mod header;
mod reader;

pub use encoder::{Encoder, TooLong};
pub use header::{Header, NoHeader};
pub use reader::{Found, Reader};

/// How long a header is.
pub const HEADER_BYTES: usize = header::LEN;

/// How long a block is: what damage to one byte costs at most.
pub const BLOCK_BYTES: usize = 32 * 1024;

/// How long a record's payload is at most: half a block, so that no block is mostly padding.
pub const MAX_PAYLOAD: usize = 16 * 1024;

#[cfg(test)]
mod tests;
