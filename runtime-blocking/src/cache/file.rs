//! The bytes of one generation of one resource.

use std::io;

use infill_core::{ByteRange, Sum};

/// The bytes of one generation of one resource, in chunk files of `2^file_bits` bytes.
///
/// Writes, discards and syncs come one at a time and in order; any number of threads may read meanwhile.
pub struct CacheFile {}

impl CacheFile {
    /// Says what is stored since an earlier session; before anything else is asked, or never. Without it, all that
    /// earlier sessions may have stored is taken to be in use, and only a discard of whole files deletes any.
    pub fn restore(&self, stored: &[ByteRange]) {
        let _ = stored;
    }

    /// Writes all of `bytes`, which cross no multiple of [`Extent::BLOCK_BYTES`](infill_core::catalog::Extent), and
    /// gives the run that this lengthens. After an error any part may have been written.
    pub fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<Sum> {
        let _ = (offset, bytes);
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Reads until `buf` is full; less only where nothing is stored. An error where what was stored is gone.
    pub fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let _ = (offset, buf);
        Err(io::ErrorKind::Unsupported.into())
    }

    /// XXH3-64 of stored bytes.
    pub fn digest(&self, range: ByteRange) -> io::Result<u64> {
        let _ = range;
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Gives back the space of these bytes, as far as whole files hold nothing else.
    pub fn discard(&self, range: ByteRange) {
        let _ = range;
    }

    /// Has on the disk what was written since the last call. An error is final for all of that (FAULTS D6).
    pub fn sync(&self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
