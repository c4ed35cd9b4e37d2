//! The client: what streams are opened with.

use std::io;
use std::sync::Arc;

#[cfg(feature = "cache")]
use infill_core::Intent;
use infill_core::{Cause, Error, HlsOptions, OpenOptions};

use crate::builder::ClientBuilder;
#[cfg(feature = "cache")]
use crate::cache_handle::Cache;
#[cfg(feature = "cache")]
use crate::download::Download;
use crate::driver;
use crate::engine::{Access, Hub, Runs};
use crate::hls::HlsStream;
use crate::http::HttpFetcher;
use crate::park;
use crate::source::Source;
use crate::stream::FileStream;

/// Opens streams, and shares connections, a store and limits among them. Streams outlive it.
///
/// It has one thread of its own, and one more for each request that is running.
#[derive(Clone)]
pub struct Client {
    hub: Arc<Hub>,
    hls: HlsOptions,
    stride_bits: u32,
}

impl Client {
    /// A client with the default settings: see [`ClientBuilder`].
    pub fn new() -> Result<Self, Error> {
        Self::builder().build()
    }

    /// A client with other settings.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    fn start(builder: ClientBuilder) -> Result<Self, Error> {
        let failed = |what: &str, error: io::Error| {
            Error::new(Cause::Store(format!("{what}: {error}"))).with_source(error)
        };
        let settings = builder.settings;
        let store = settings.store.create();
        let store = store.map_err(|error| failed("the store can't be made", error))?;
        let shelf = settings.open_cache()?;
        let (hls, stride_bits) = (settings.hls, settings.config.hls.stride_bits);
        let fetcher = |port| HttpFetcher::new(port, builder.agent_factory);
        let hub = driver::start(settings.config, store, shelf, fetcher)
            .map_err(|error| failed("the driver's thread can't be started", error))?;
        Ok(Self { hub, hls, stride_bits })
    }

    /// Opens a URL or a local path; returns when the first answer of the origin has been judged.
    ///
    /// A failure that may pass is retried for as long as [`ClientBuilder::give_up_after`] says; then the last cause is
    /// the error.
    pub fn open(&self, source: impl Into<Source>) -> Result<FileStream, Error> {
        let source = source.into();
        let mut opening = self.hub.open(&source, OpenOptions::default(), Access::Inline)?;
        let reader = park::block_on_poll(|cx| opening.poll(cx))?;
        Ok(FileStream::of(reader))
    }

    /// Opens an HLS presentation: a master playlist, or a media playlist alone; returns when there is a timeline.
    ///
    /// # Errors
    /// As [`Client::open`]; [`Cause::Playlist`] for a playlist that can't be used, [`Cause::Unsupported`] for a live one.
    pub fn open_hls(&self, source: impl Into<Source>) -> Result<HlsStream, Error> {
        let mut opening = self.hub.open_hls(&source.into(), self.hls.clone(), Access::Inline)?;
        let reader = park::block_on_poll(|cx| opening.poll(cx))?;
        let runs = Runs::new(reader, Arc::default());
        Ok(HlsStream::of(runs, self.stride_bits))
    }

    /// Fetches a URL into the cache, all of it, without playing it, and below whatever plays in priority. What a stream
    /// of the same source reads meanwhile is fetched once.
    ///
    /// Without a [cache](ClientBuilder::cache_dir) it fails.
    #[cfg(feature = "cache")]
    pub fn download(&self, source: impl Into<Source>) -> Download {
        Download::of(self.hub.fill(&source.into(), Intent::Fill(u64::MAX)))
    }

    /// The same for the first bytes: what plays next begins without waiting.
    #[cfg(feature = "cache")]
    pub fn prefetch(&self, source: impl Into<Source>, bytes: u64) -> Download {
        Download::of(self.hub.fill(&source.into(), Intent::Fill(bytes)))
    }

    /// The cache, if there is one.
    #[cfg(feature = "cache")]
    pub fn cache(&self) -> Option<Cache> {
        Cache::of(&self.hub)
    }

    /// Says that the network is another one (Wi-Fi to mobile, say): connections of the old one are given up, and waits
    /// for it end.
    pub fn network_changed(&self) {
        self.hub.port().post(infill_core::Event::NetworkChanged);
    }
}

impl ClientBuilder {
    /// The client. Fails if the store can't be made, the cache can't be opened (another client has it, or the disk
    /// refuses), or no thread can be started.
    pub fn build(self) -> Result<Client, Error> {
        Client::start(self)
    }
}

impl core::fmt::Debug for Client {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}
