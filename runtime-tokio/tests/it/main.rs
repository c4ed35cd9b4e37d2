//! The tokio runtime against a small origin on loopback.

mod https;
mod lifecycle;
mod local;
mod origin;
mod reading;
