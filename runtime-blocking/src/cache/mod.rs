//! The cache on the disk: it does what the machine decides, and decides nothing.
//!
//! ```text
//! <root>/lock                              one process, one client in it
//! <root>/_index/journal.bin                records, appended
//! <root>/<asset>/<name>-<generation>.<n>   data: 16 MiB of a resource in a file, less where the limit is small
//! ```

mod disk;

pub use disk::{Disk, DiskFile, DiskLock};
