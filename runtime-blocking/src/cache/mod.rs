//! The cache on the disk: it does what the machine decides, and decides nothing.
//!
//! ```text
//! <root>/lock                              one process, one client in it
//! <root>/_index/journal.bin                records, appended
//! <root>/<asset>/<name>-<generation>.<n>   data: 16 MiB of a resource in a file, less where the limit is small
//! ```

mod chunk;
mod claims;
mod disk;
mod file;
mod handles;
mod journal_file;
mod layout;
mod real;
mod shared;
mod shelf;
mod store;
mod sums;
mod sweep;
#[cfg(test)]
mod tests;

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::io;
use std::path::Path;
use std::sync::Arc;

pub use disk::{Disk, DiskFile, DiskLock};
pub use file::CacheFile;
pub(crate) use shelf::open;
pub use store::CacheStore;

/// The directory `root` of the file system; it is made if need be.
pub fn real(root: &Path) -> io::Result<Arc<dyn Disk>> {
    Ok(Arc::new(real::RealDisk::new(root)?))
}

/// A number that no other session has, as [`CacheStore::open`] wants it: the system's randomness.
pub fn entropy() -> u64 {
    RandomState::new().hash_one(std::process::id())
}
