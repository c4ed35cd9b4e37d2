//! What the cache needs of a file system: few calls, each of which can be made to fail, or to lie, in a test.
//!
//! Paths are relative to the cache's directory, with `/` between their parts.

use std::io;
use std::sync::Arc;

/// A directory that the cache has for itself.
pub trait Disk: Send + Sync + 'static {
    /// Opens a file, for reading and writing. Makes it, and the directory that it is in, if asked to; but never the
    /// cache's own directory, which somebody has deleted where it is missing.
    fn open(&self, path: &str, create: bool) -> io::Result<Arc<dyn DiskFile>>;

    /// Gives a file another name, in place of whatever had it.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Deletes a file. That it is not there is no error.
    fn remove(&self, path: &str) -> io::Result<()>;

    /// Deletes a directory if it is empty.
    fn remove_dir(&self, path: &str) -> io::Result<()>;

    /// The names in a directory, `""` being the cache's own. None where it is not there.
    fn list(&self, path: &str) -> io::Result<Vec<String>>;

    /// Has the names in a directory on the disk.
    fn sync_dir(&self, path: &str) -> io::Result<()>;

    /// Takes the lock that one process, and one client in it, may hold; dropping the guard gives it back. `WouldBlock`
    /// where somebody else holds it, `Unsupported` where there are no locks.
    fn lock(&self) -> io::Result<Arc<dyn DiskLock>>;

    /// Which file that name leads to now, as [`DiskFile::identity`] says it; `NotFound` where it leads to none.
    fn identity(&self, path: &str) -> io::Result<Option<(u64, u64)>> {
        self.open(path, false)?.identity()
    }

    /// The whole of a path, for people; `""` is the cache's directory.
    fn describe(&self, path: &str) -> String {
        path.to_owned()
    }
}

/// An open file.
#[expect(clippy::len_without_is_empty, reason = "nobody asks whether a file is empty")]
pub trait DiskFile: Send + Sync + 'static {
    /// Writes all of `bytes` at `offset`.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Reads until `buf` is full or the file ends.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize>;

    /// How long it is.
    fn len(&self) -> io::Result<u64>;

    /// Cuts it there.
    fn truncate(&self, len: u64) -> io::Result<()>;

    /// Has its bytes on the disk. After an error nothing is known of what was written since the last success, and a
    /// second call proves nothing (FAULTS D6).
    fn sync(&self) -> io::Result<()>;

    /// What tells this file from another one of the same name: device and inode, where there is such a thing.
    fn identity(&self) -> io::Result<Option<(u64, u64)>>;
}

/// The lock, held.
pub trait DiskLock: Send + Sync + 'static {
    /// Whether the locked file is still the one that its name leads to: if not, somebody else may hold the lock.
    fn is_held(&self) -> io::Result<bool>;
}
