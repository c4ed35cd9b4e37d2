//! Read and seek a remote audio file while it downloads: the tokio runtime of infill.
//!
//! [`Client::open`] gives a [`FileStream`]: `AsyncRead + AsyncSeek + Unpin + Send + Sync`. Reads wait, without blocking,
//! until the bytes are there; a seek into what is missing asks for it at once; what is there is not asked for again.
//! Early closes, stalls and errors of the origin are retried from the first missing byte, and a file that changes
//! meanwhile is never mixed up with its former self.
//!
//! ```no_run
//! use infill_tokio::{Client, Source};
//! use std::io::SeekFrom;
//! use tokio::io::AsyncSeekExt;
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::new()?; // on the current runtime
//! let source = Source::url("https://radio.example/episodes/17.mp3").header("Authorization", "Bearer x");
//! let stream = client.open(source).await?;
//! let handle = stream.handle(); // for progress, errors, closing; works from anywhere
//!
//! // Ranges, several at once:
//! let len = stream.byte_len().ok_or("the origin does not say how long it is")?;
//! let (mut head, mut tail) = ([0; 16], [0; 128]);
//! tokio::try_join!(stream.read_at(0, &mut head), stream.read_at(len.saturating_sub(128), &mut tail))?;
//!
//! // In order, from the middle:
//! let mut reader = stream.new_reader();
//! reader.seek(SeekFrom::Start(len / 2)).await?;
//! tokio::io::copy(&mut reader, &mut tokio::io::sink()).await?;
//!
//! // For a decoder on a thread: `Read + Seek`.
//! let blocking = stream.into_blocking();
//! # drop(blocking);
//! println!("{:?}", handle.progress());
//! # Ok(())
//! # }
//! ```
//!
//! Closing a stream, by dropping it or by [`StreamHandle::close`], stops its requests, tasks and timers and deletes
//! what was stored outside a cache. Where bytes are kept, how far ahead it fetches and how long it waits is set with
//! [`Client::builder`]. Streams of one client that open the same source share one download.
//!
//! # The cache
//! With [`ClientBuilder::cache_dir`], what was fetched is used again: after a seek, a close, a restart, a crash. A
//! partial file is resumed, with the holes that it has; a complete one is read without any request, unless
//! [`ClientBuilder::revalidate`] says otherwise. What the origin forbids to store is not.
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use infill_tokio::{Client, Source};
//!
//! let client = Client::builder().cache_dir("episodes").cache_limit(2 << 30).build()?;
//! let episode = Source::url("https://radio.example/17.mp3?token=a1b2").cache_key("episode 17");
//! client.download(episode.clone()).pin().await?; // plays offline from now on
//! for entry in client.cache().ok_or("no cache")?.list().await? {
//!     println!("{} {} {:?} %", entry.key, entry.url, entry.percent());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! What it promises to keep, and what may be lost when, is in a
//! [table](https://docs.rs/infill-blocking/latest/infill_blocking/#the-cache) of the threaded crate, which has the same
//! cache.
//!
//! # The runtime
//! A client works on the runtime that it was built in, or that [`ClientBuilder::runtime`] was given; IO and time must
//! be enabled there. Streams can be polled, dropped and turned into blocking ones anywhere. When that runtime is shut
//! down, all reads end with [`ErrorKind::Closed`].
//!
//! # A client of your own
//! [`ClientBuilder::http`] takes a [`reqwest::Client`], whose settings stand. [`reqwest_builder`] is the place to start
//! from; with a builder from elsewhere, take care:
//! - **Decompression** (`gzip`, `brotli`, `zstd`, `deflate`; on by default where reqwest's features are): bytes would no
//!   longer be where the origin says they are. Turn it off with `no_gzip()` and so on.
//! - **Time-outs**: a total one (`timeout`) is overridden here, for it would cut every long body. `read_timeout` ends
//!   transfers that infill would still wait for. `connect_timeout` is yours to set; without one, a connect may take as
//!   long as [`ClientBuilder::head_timeout`].
//! - **Retries**: set `retry(reqwest::retry::never())`, or requests are made that are counted nowhere.
//! - **Redirects**: set `redirect(reqwest::redirect::Policy::none())`; infill follows them itself, at most ten, with
//!   credentials for their own origin only.
//! - **Connections**: after one was found dead, infill asks for a new one, which only its own clients can promise. Idle
//!   ones live as long as your client keeps them.
//! - **TLS**: reqwest's own set-up with rustls panics where no process-wide `CryptoProvider` was installed.
//!
//! # Features
//! - `cache` (default): the cache. Without it, bincode and serde are not needed.
//! - `rustls` (default): `https` with rustls, ring and Mozilla's roots. Without it, `native-tls` is the alternative;
//!   with neither, `http` only.
//! - `platform-verifier`: certificates are verified by the platform instead.
//! - `http2`: HTTP/2 where the origin offers it.
//! - `symphonia`: decoding of what [`FileStream::into_blocking`] gives, in `infill_tokio::audio`.

mod builder;
#[cfg(feature = "cache")]
mod cache;
mod client;
#[cfg(feature = "cache")]
mod download;
mod driver;
mod hls;
mod http;
mod stream;

pub use builder::ClientBuilder;
#[cfg(feature = "cache")]
pub use cache::Cache;
pub use client::Client;
#[cfg(feature = "cache")]
pub use download::Download;
pub use hls::HlsStream;
pub use http::reqwest_builder;
#[cfg(feature = "symphonia")]
pub use infill_blocking::audio;
#[cfg(feature = "cache")]
pub use infill_blocking::{CacheEntry, CacheKey, CacheState, Durability, Revalidate, Verified};
pub use infill_blocking::{
    Cause, Content, Error, ErrorKind, Notice, Noticed, Notices, Progress, RenditionInfo,
    ResourceStatus, Run, RunId, SegmentEntry, SegmentIndex, Source, State, Stats, StoreKind,
    StreamHandle, VariantChoice, VariantInfo, VirtualSpace,
};
pub use infill_blocking::{FileStream as BlockingFileStream, HlsStream as BlockingHlsStream};
pub use reqwest;
pub use stream::FileStream;
