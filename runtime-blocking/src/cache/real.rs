//! A directory of the file system.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::disk::{Disk, DiskFile, DiskLock};
use super::layout::LOCK;
use crate::store::positional;

/// How often a file is tried to be made while its directory is deleted, being empty, by somebody else.
const MAKE_ATTEMPTS: usize = 8;

/// How often the lock's file may be exchanged under our hands before we give up.
const LOCK_ATTEMPTS: usize = 4;

/// A directory of the file system.
#[derive(Debug)]
pub(super) struct RealDisk {
    root: PathBuf,
}

impl RealDisk {
    /// Makes the directory, for its owner alone, if it is not there.
    pub(super) fn new(root: &Path) -> io::Result<Self> {
        let root = std::path::absolute(root)?;
        make_dir(&root, true).map_err(|error| at(&root, &error))?;
        Ok(Self { root })
    }

    fn path(&self, path: &str) -> PathBuf {
        // `join("")` would end in a separator.
        if path.is_empty() { self.root.clone() } else { self.root.join(path) }
    }

    fn open_file(&self, path: &Path, create: bool) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(create).truncate(false);
        for_owner_alone(&mut options);
        for _ in 1..MAKE_ATTEMPTS {
            match options.open(path) {
                Err(error) if create && error.kind() == ErrorKind::NotFound => {}
                done => return done,
            }
            match path.parent() {
                // Never the root itself: where it is gone, somebody wanted it to be.
                Some(dir) if dir != self.root => make_dir(dir, false)?,
                _ => break,
            }
        }
        options.open(path)
    }
}

impl Disk for RealDisk {
    fn open(&self, path: &str, create: bool) -> io::Result<Arc<dyn DiskFile>> {
        let path = self.path(path);
        let file = self.open_file(&path, create).map_err(|error| at(&path, &error))?;
        Ok(Arc::new(RealFile { file }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let (from, to) = (self.path(from), self.path(to));
        fs::rename(&from, &to).map_err(|error| at(&to, &error))
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        let path = self.path(path);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(at(&path, &error)),
            _ => Ok(()),
        }
    }

    fn remove_dir(&self, path: &str) -> io::Result<()> {
        let path = self.path(path);
        fs::remove_dir(&path).map_err(|error| at(&path, &error))
    }

    fn list(&self, path: &str) -> io::Result<Vec<String>> {
        let path = self.path(path);
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(at(&path, &error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| at(&path, &error))?;
            // A name that is no text is none of ours.
            names.extend(entry.file_name().into_string());
        }
        Ok(names)
    }

    fn sync_dir(&self, path: &str) -> io::Result<()> {
        let path = self.path(path);
        sync_dir(&path).map_err(|error| at(&path, &error))
    }

    fn lock(&self) -> io::Result<Arc<dyn DiskLock>> {
        let path = self.path(LOCK);
        for _ in 0..LOCK_ATTEMPTS {
            let file = self.open_file(&path, true).map_err(|error| at(&path, &error))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    return Err(at(&path, &io::Error::new(ErrorKind::WouldBlock, "it is locked")));
                }
                Err(TryLockError::Error(error)) => return Err(no_locks(&path, &error)),
            }
            let lock = RealLock { file, path: path.clone() };
            // Whoever deletes or exchanges the file after we opened it leaves us with a lock that nobody else sees.
            if lock.is_held()? {
                return Ok(Arc::new(lock));
            }
        }
        Err(at(&path, &io::Error::other("it is exchanged again and again")))
    }

    fn identity(&self, path: &str) -> io::Result<Option<(u64, u64)>> {
        let path = self.path(path);
        let metadata = fs::metadata(&path).map_err(|error| at(&path, &error))?;
        Ok(identity(&metadata))
    }

    fn describe(&self, path: &str) -> String {
        self.path(path).display().to_string()
    }
}

/// An open file.
#[derive(Debug)]
struct RealFile {
    file: File,
}

impl DiskFile for RealFile {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        positional::write_all_at(&self.file, offset, bytes)
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        positional::read_full_at(&self.file, offset, buf)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn identity(&self) -> io::Result<Option<(u64, u64)>> {
        Ok(identity(&self.file.metadata()?))
    }
}

/// The lock, held until the file is closed.
#[derive(Debug)]
struct RealLock {
    file: File,
    path: PathBuf,
}

impl DiskLock for RealLock {
    fn is_held(&self) -> io::Result<bool> {
        let named = match fs::metadata(&self.path) {
            Ok(named) => named,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(at(&self.path, &error)),
        };
        Ok(identity(&named) == identity(&self.file.metadata()?))
    }
}

/// The same error, and where.
fn at(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// The system's words for a file system that knows no locks differ from system to system.
fn no_locks(path: &Path, error: &io::Error) -> io::Error {
    let what = format!("{}: this file system gives no locks ({error})", path.display());
    io::Error::new(ErrorKind::Unsupported, what)
}

#[cfg(unix)]
fn identity(metadata: &fs::Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(_: &fs::Metadata) -> Option<(u64, u64)> {
    None
}

#[cfg(unix)]
fn for_owner_alone(options: &mut OpenOptions) {
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
}

#[cfg(not(unix))]
fn for_owner_alone(_: &mut OpenOptions) {}

fn make_dir(path: &Path, with_parents: bool) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.recursive(with_parents).create(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            Err(io::Error::new(ErrorKind::NotADirectory, "there is a file of this name"))
        }
        done => done,
    }
}

#[cfg(unix)]
fn sync_dir(path: &Path) -> io::Result<()> {
    match File::open(path)?.sync_all() {
        // Some network file systems have no such thing.
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => {
            Ok(())
        }
        done => done,
    }
}

#[cfg(not(unix))]
fn sync_dir(_: &Path) -> io::Result<()> {
    Ok(())
}
