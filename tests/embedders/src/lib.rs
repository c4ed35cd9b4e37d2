//! What embedders write: a player on rodio, one on kira, ranges in an async application, a progress bar in a frame loop,
//! a podcast. Each is a function as it would stand in a program of theirs, and the tests run it.
//!
//! The podcast plays at once instead of pinning the episode first, for there is no cache on disk yet. What streams HLS is
//! missing for the same reason.

pub mod bar;
pub mod kira_player;
pub mod podcast;
pub mod ranges;
pub mod rodio_player;

/// Whatever went wrong.
pub type Any = Box<dyn std::error::Error + Send + Sync>;
