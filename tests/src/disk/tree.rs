//! Files, and the names that lead to them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};
use std::sync::Arc;

/// What tells a file from another one of the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FileId(pub(super) u64);

/// One image of the disk.
#[derive(Clone, Debug, Default)]
pub(super) struct Tree {
    names: BTreeMap<String, FileId>,
    /// All directories but the cache's own.
    dirs: BTreeSet<String>,
    /// Also of files without a name: somebody may have them open.
    files: BTreeMap<FileId, Arc<Vec<u8>>>,
}

/// The directory that a path is in.
pub(super) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

fn error(kind: ErrorKind, path: &str) -> io::Error {
    io::Error::new(kind, format!("{path}: {kind}"))
}

impl Tree {
    pub(super) fn find(&self, path: &str) -> io::Result<FileId> {
        if self.dirs.contains(path) || path.is_empty() {
            return Err(error(ErrorKind::IsADirectory, path));
        }
        if self.names.contains_key(parent(path)) {
            return Err(error(ErrorKind::NotADirectory, path));
        }
        self.names.get(path).copied().ok_or_else(|| error(ErrorKind::NotFound, path))
    }

    pub(super) fn has_dir(&self, path: &str) -> bool {
        path.is_empty() || self.dirs.contains(path)
    }

    pub(super) fn list(&self, path: &str) -> io::Result<Vec<String>> {
        if self.names.contains_key(path) {
            return Err(error(ErrorKind::NotADirectory, path));
        }
        let name =
            |full: &String| full.rsplit_once('/').map_or(full.as_str(), |(_, n)| n).to_owned();
        let inside = self.names.keys().chain(&self.dirs).filter(|full| parent(full) == path);
        Ok(inside.map(name).collect())
    }

    pub(super) fn is_empty_dir(&self, path: &str) -> bool {
        !self.names.keys().chain(&self.dirs).any(|full| parent(full) == path)
    }

    pub(super) fn make_dir(&mut self, path: &str) {
        self.dirs.insert(path.to_owned());
    }

    pub(super) fn remove_dir(&mut self, path: &str) {
        self.dirs.remove(path);
    }

    /// Gives a file a name, in place of whatever had it.
    pub(super) fn name(&mut self, path: &str, file: FileId) {
        self.names.insert(path.to_owned(), file);
        self.files.entry(file).or_default();
    }

    /// Takes the name away, if it leads to that file.
    pub(super) fn unname(&mut self, path: &str, file: FileId) {
        if self.names.get(path) == Some(&file) {
            self.names.remove(path);
        }
    }

    pub(super) fn bytes(&self, file: FileId) -> &[u8] {
        self.files.get(&file).map_or(&[], |bytes| bytes)
    }

    pub(super) fn bytes_mut(&mut self, file: FileId) -> &mut Vec<u8> {
        Arc::make_mut(self.files.entry(file).or_default())
    }

    pub(super) fn contents(&self, path: &str) -> Option<&[u8]> {
        self.names.get(path).map(|file| self.bytes(*file))
    }

    pub(super) fn contents_mut(&mut self, path: &str) -> Option<&mut Vec<u8>> {
        let file = *self.names.get(path)?;
        Some(self.bytes_mut(file))
    }

    pub(super) fn paths(&self) -> Vec<String> {
        self.names.keys().cloned().collect()
    }

    /// Bytes of the files that have a name.
    pub(super) fn used(&self) -> u64 {
        self.names.values().map(|file| self.bytes(*file).len() as u64).sum()
    }

    /// Puts a file there, and the directory that it is in.
    pub(super) fn put(&mut self, path: &str, file: FileId, bytes: Vec<u8>) {
        if !parent(path).is_empty() {
            self.make_dir(parent(path));
        }
        self.name(path, file);
        self.files.insert(file, Arc::new(bytes));
    }

    pub(super) fn put_dir(&mut self, path: &str) {
        if !parent(path).is_empty() {
            self.make_dir(parent(path));
        }
        self.make_dir(path);
    }

    /// Deletes a file, or a directory with all that is in it; `""` is everything.
    pub(super) fn delete(&mut self, path: &str) {
        self.names.retain(|full, _| !is_within(full, path));
        self.dirs.retain(|full| !is_within(full, path));
    }

    /// Nobody has a file open any more.
    pub(super) fn forget_nameless(&mut self) {
        let named: BTreeSet<FileId> = self.names.values().copied().collect();
        self.files.retain(|file, _| named.contains(file));
    }

    /// Drops names whose directory is not there: nothing leads to them.
    pub(super) fn forget_unreachable(&mut self) {
        let dirs = &self.dirs;
        self.names.retain(|path, _| parent(path).is_empty() || dirs.contains(parent(path)));
        self.forget_nameless();
    }
}

/// Whether it is that path, or in that directory.
pub(super) fn is_within(full: &str, path: &str) -> bool {
    let inside = |rest: &str| rest.is_empty() || rest.starts_with('/');
    path.is_empty() || full.strip_prefix(path).is_some_and(inside)
}
