//! Playlists: their text, read into a model.

mod model;

pub use model::{
    KeyEntry, MapEntry, MasterPlaylist, MediaKind, MediaPlaylist, Rendition, SegmentEntry,
    StartPoint, Variant,
};
