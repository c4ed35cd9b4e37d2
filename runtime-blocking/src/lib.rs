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
//! what was stored outside a cache. Where bytes are kept, how far ahead it fetches and how long it waits is set with
//! [`Client::builder`]. Streams of one client that open the same source share one download.
//!
//! # The cache
//! With [`ClientBuilder::cache_dir`], what was fetched is used again: after a seek, a close, a restart, a crash. A
//! partial file is resumed, with the holes that it has; a complete one is read without any request, unless
//! [`ClientBuilder::revalidate`] says otherwise. What the origin forbids to store is not.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use infill_blocking::{Client, Source};
//!
//! let client = Client::builder().cache_dir("episodes").cache_limit(2 << 30).build()?;
//! let episode = Source::url("https://radio.example/17.mp3?token=a1b2").cache_key("episode 17");
//! client.download(episode.clone()).pin().wait()?; // plays offline from now on
//! for entry in client.cache().ok_or("no cache")?.list()? {
//!     println!("{} {} {:?} %", entry.key, entry.url, entry.percent());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! What a file is known by is its `cache_key`, or else its URL; and its request headers, so that one user is never given
//! what was fetched for another. Beside the bytes, the directory holds URLs without query, user-info and fragment,
//! lengths, media types and validators; on Unix it is for its owner alone. One client at a time has it; a process that
//! was killed has it no more.
//!
//! No stored byte is given to a reader after a restart before it was compared with its recorded digest. What is lost, or
//! not what it was, is a hole like any other, and fetched again:
//!
//! | what may be lost when | [`Durability::Fast`] (default) | [`Durability::Flush`] |
//! |---|---|---|
//! | the process is killed | of each connection the last 256 KiB, or the last second if that is less; and what was on its way | what came in the last second or two |
//! | the power is cut | what the system had not written yet, often half a minute | the same as above, if the disk keeps what it says it has |
//! | a write fails after it had seemed to succeed (a full thin volume, a failing disk) | what was written since the last sync, of which there is one every five seconds and one at a file's end; a [notice](Notice::NotCached) says so | the same, with a sync about every second |
//! | bytes on the disk change | the block of 256 KiB that has them | the same |
//! | the journal is damaged | what the damaged 32 KiB of it recorded; a [notice](Notice::CacheDamaged) says so | the same |
//!
//! A disk that is full or refuses to write stops nothing: what is least recently used makes room, and if that doesn't
//! help, the bytes go where they would go without a cache. [`Stats`] tells what came from the cache and what did not.
//!
//! # HLS
//! [`Client::open_hls`] opens a presentation on demand: a master playlist, or a media playlist alone. [`HlsStream::next_run`]
//! and [`HlsStream::read`] give what one decoder after the other can be given; [`StreamHandle::set_variant`] chooses by hand
//! what else the link chooses. AES keys stay in memory unless
//! [`hls_keep_keys`](ClientBuilder::hls_keep_keys) is set. Live playlists, SAMPLE-AES and the joining of decoded runs are not
//! there.
//!
//! # Features
//! - `cache` (default): the cache. Without it, bincode and serde are not needed.
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
mod hls;
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
pub use engine::{Content, Run, RunId};
#[cfg(feature = "cache")]
pub use entry::{CacheEntry, CacheKey, CacheState, Verified};
pub use handle::StreamHandle;
pub use hls::{HlsPosition, HlsStream};
pub use infill_core::hls::{RenditionInfo, SegmentEntry, SegmentIndex, VariantInfo, VirtualSpace};
pub use infill_core::{Cause, Error, ErrorKind, Notice, ResourceStatus, VariantChoice};
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
