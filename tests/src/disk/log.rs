//! What was done and is not known to be on the disk.

use super::tree::{FileId, Tree, is_within, parent};

/// A change of a file.
#[derive(Clone, Debug)]
pub(super) enum Edit {
    Write {
        offset: u64,
        bytes: Vec<u8>,
    },
    Truncate {
        len: u64,
    },
    /// It became this long; what is there is not known.
    Grow {
        len: u64,
    },
}

/// A change of names. A directory's sync makes it durable.
#[derive(Clone, Debug)]
pub(super) enum NameEdit {
    Create { path: String, file: FileId },
    Rename { from: String, to: String, file: FileId },
    Remove { path: String, file: FileId },
    MakeDir { path: String },
    RemoveDir { path: String },
}

/// Changes, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Log {
    edits: Vec<(FileId, Edit)>,
    names: Vec<NameEdit>,
}

impl Edit {
    pub(super) fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write { offset, bytes: new } => write(bytes, *offset as usize, new),
            Self::Truncate { len } => bytes.resize(*len as usize, 0),
            Self::Grow { len } => grow(bytes, *len as usize),
        }
    }
}

/// Writes, with zeros up to there if the file is shorter.
pub(super) fn write(bytes: &mut Vec<u8>, offset: usize, new: &[u8]) {
    grow(bytes, offset + new.len());
    bytes[offset..offset + new.len()].copy_from_slice(new);
}

pub(super) fn grow(bytes: &mut Vec<u8>, len: usize) {
    if bytes.len() < len {
        bytes.resize(len, 0);
    }
}

impl NameEdit {
    pub(super) fn apply(&self, tree: &mut Tree) {
        match self {
            Self::Create { path, file } => tree.name(path, *file),
            Self::Rename { from, to, file } => {
                tree.unname(from, *file);
                tree.name(to, *file);
            }
            Self::Remove { path, file } => tree.unname(path, *file),
            Self::MakeDir { path } => tree.make_dir(path),
            Self::RemoveDir { path } => tree.remove_dir(path),
        }
    }

    fn path(&self) -> &str {
        match self {
            Self::Create { path, .. }
            | Self::Remove { path, .. }
            | Self::MakeDir { path }
            | Self::RemoveDir { path }
            | Self::Rename { to: path, .. } => path,
        }
    }
}

impl Log {
    pub(super) fn edit(&mut self, file: FileId, edit: Edit) {
        self.edits.push((file, edit));
    }

    pub(super) fn rename(&mut self, edit: NameEdit) {
        self.names.push(edit);
    }

    /// The changes of files.
    pub(super) fn edits(&self) -> &[(FileId, Edit)] {
        &self.edits
    }

    /// The changes of names.
    pub(super) fn names(&self) -> &[NameEdit] {
        &self.names
    }

    /// Takes the changes of a file out.
    pub(super) fn take_edits(&mut self, file: FileId) -> Vec<Edit> {
        self.edits.extract_if(.., |(of, _)| *of == file).map(|(_, edit)| edit).collect()
    }

    /// Takes the changes of the names in a directory out.
    pub(super) fn take_names(&mut self, dir: &str) -> Vec<NameEdit> {
        self.names.extract_if(.., |edit| parent(edit.path()) == dir).collect()
    }

    /// Drops a change of a file.
    pub(super) fn drop_edit(&mut self, index: usize) {
        self.edits.remove(index);
    }

    /// Forgets the changes of names at or in a path.
    pub(super) fn forget_names(&mut self, path: &str) {
        self.names.retain(|edit| !is_within(edit.path(), path));
    }
}
