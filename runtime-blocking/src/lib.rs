//! placeholder

#[cfg(feature = "symphonia")]
pub mod audio;
