//! What an embedder opens, by kind. A file is one resource; a presentation is many.

mod file;
mod hls;

pub(crate) use file::FileTrack;
pub(crate) use hls::{HlsTrack, Order, Report};
