//! What the fuzz targets run: bytes in, a panic for a broken promise.
//!
//! The targets in `fuzz/` are one line each, so that an ordinary test can replay the corpus on stable, without a fuzzer.

mod cached;
mod contract;
mod draw;
mod kept;
mod stored;

pub mod byte_ranges;
pub mod cache;
pub mod decrypt;
pub mod journal;
pub mod machine;
pub mod media;
pub mod playlist;
pub mod response_head;

/// What a target does with one input.
pub type Run = fn(&[u8]);

/// The targets by name; `fuzz/corpus/<name>/` holds the inputs of each.
pub const TARGETS: [(&str, Run); 8] = [
    ("byte_ranges", byte_ranges::run),
    ("cache", cache::run),
    ("decrypt", decrypt::run),
    ("journal", journal::run),
    ("machine", machine::run),
    ("media", media::run),
    ("playlist", playlist::run),
    ("response_head", response_head::run),
];
