//! Read and seek a remote audio file while it downloads: the threaded runtime of infill.
//!
//! [`Client::open`] gives a [`FileStream`]: `Read + Seek + Send + Sync`, for any decoder. Reads block until the bytes
//! are there; a seek into what is missing asks for it at once; what is there is not asked for again. Early closes,
//! stalls and errors of the origin are retried from the first missing byte, and a file that changes meanwhile is never
//! mixed up with its former self.
//!
//! ```no_run
//! use std::io::{Read, Seek, SeekFrom};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let client = infill_blocking::Client::new()?;
//! let mut stream = client.open("https://radio.example/episodes/17.mp3")?;
//! let handle = stream.handle(); // for progress, errors, closing; works from any thread
//!
//! let mut head = [0; 16];
//! stream.read_exact(&mut head)?;
//! stream.seek(SeekFrom::End(-128))?; // costs nothing until bytes are read
//! let mut tail = Vec::new();
//! stream.read_to_end(&mut tail)?;
//!
//! println!("{:?}", handle.progress());
//! # Ok(())
//! # }
//! ```
//!
//! Closing a stream, by dropping it or by [`StreamHandle::close`], stops its requests, threads and timers and deletes
//! what was stored. Where bytes are kept, how far ahead it fetches and how long it waits is set with
//! [`Client::builder`].
//!
//! # Features
//! - `rustls` (default): `https` with rustls, ring and Mozilla's roots. Without it, `native-tls` is the alternative;
//!   with neither, `http` only.
//! - `platform-verifier`: certificates are verified by the platform instead.
//! - `symphonia`: decoding, in [`audio`](https://docs.rs/infill-blocking/latest/infill_blocking/audio).
//! - `client` (default): the HTTP client ureq, re-exported as [`ureq`] for [`ClientBuilder::agent_factory`].

#[cfg(feature = "symphonia")]
pub mod audio;
#[cfg(feature = "client")]
mod builder;
#[cfg(feature = "cache")]
#[doc(hidden)]
pub mod cache;
#[cfg(all(feature = "cache", feature = "client"))]
mod cache_handle;
#[cfg(feature = "client")]
mod client;
#[cfg(all(feature = "cache", feature = "client"))]
mod download;
#[cfg(feature = "client")]
mod driver;
#[doc(hidden)]
pub mod engine;
#[cfg(feature = "cache")]
mod entry;
mod handle;
#[cfg(feature = "client")]
mod http;
mod local;
mod notices;
mod park;
mod progress;
mod settings;
mod source;
mod stats;
mod store;
mod stream;

#[cfg(feature = "client")]
pub use builder::ClientBuilder;
#[cfg(all(feature = "cache", feature = "client"))]
pub use cache_handle::Cache;
#[cfg(feature = "client")]
pub use client::Client;
#[cfg(all(feature = "cache", feature = "client"))]
pub use download::Download;
#[cfg(feature = "cache")]
pub use entry::{CacheEntry, CacheKey, CacheState, Verified};
pub use handle::StreamHandle;
pub use infill_core::{Cause, Error, ErrorKind, Notice, ResourceStatus};
#[cfg(feature = "cache")]
pub use infill_core::{Durability, Revalidate};
pub use notices::{Noticed, Notices};
pub use progress::{Progress, State};
pub use source::Source;
pub use stats::Stats;
pub use store::StoreKind;
pub use stream::FileStream;
#[cfg(feature = "client")]
pub use ureq;
