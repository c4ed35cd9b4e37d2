//! The tokio runtime against a small origin on loopback.
#![allow(clippy::unwrap_used, reason = "tests")]

#[cfg(feature = "cache")]
mod cache;
mod https;
mod lifecycle;
mod local;
mod origin;
mod reading;
