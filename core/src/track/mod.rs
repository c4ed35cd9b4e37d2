//! What an embedder opens, by kind. A file is one resource; a presentation is many.

mod file;

pub(crate) use file::FileTrack;
