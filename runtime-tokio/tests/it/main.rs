//! The tokio runtime against a small origin on loopback.
#![allow(clippy::unwrap_used, reason = "tests")]

mod https;
mod lifecycle;
mod local;
mod origin;
mod reading;
