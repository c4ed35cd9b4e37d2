//! The client: what streams are opened with.

use std::future::{Future, poll_fn};
use std::sync::Arc;

use infill_blocking::Source;
use infill_blocking::engine::{Access, Hub, Runs};
#[cfg(feature = "cache")]
use infill_core::Intent;
use infill_core::{Cause, Error, Event, HlsOptions, OpenOptions};
use tokio::runtime::Handle;

use crate::builder::ClientBuilder;
#[cfg(feature = "cache")]
use crate::cache::Cache;
#[cfg(feature = "cache")]
use crate::download::Download;
use crate::driver;
use crate::hls::HlsStream;
use crate::http::Clients;
use crate::stream::FileStream;

/// Opens streams, and shares connections, a store and limits among them. Streams outlive it.
///
/// It has one task of its own, and one more for each request that is running.
#[derive(Clone)]
pub struct Client {
    hub: Arc<Hub>,
    runtime: Handle,
    hls: HlsOptions,
    stride_bits: u32,
}

impl Client {
    /// A client with the default settings, on the current runtime: see [`ClientBuilder`].
    pub fn new() -> Result<Self, Error> {
        Self::builder().build()
    }

    /// A client with other settings.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    fn start(builder: ClientBuilder) -> Result<Self, Error> {
        let runtime = match builder.runtime {
            Some(runtime) => runtime,
            None => Handle::try_current().map_err(|error| {
                let what = "there is no tokio runtime here: build the client inside one, or give the builder a handle";
                Error::new(Cause::Caller(what.into())).with_source(error)
            })?,
        };
        let settings = builder.settings;
        let store = settings.store.create().map_err(|error| {
            let what = format!("the store can't be made: {error}");
            Error::new(Cause::Store(what)).with_source(error)
        })?;
        let clients = match builder.http {
            Some(client) => Clients::given(client),
            None => Clients::own(settings.config.connect_timeout)
                .map_err(|what| Error::new(Cause::Connect(what)))?,
        };
        let shelf = settings.open_cache()?;
        let (hls, stride_bits) = (settings.hls, settings.config.hls.stride_bits);
        let hub = driver::start(settings.config, store, shelf, &runtime, clients);
        Ok(Self { hub, runtime, hls, stride_bits })
    }

    /// Opens a URL or a local path; ready when the first answer of the origin has been judged.
    ///
    /// A failure that may pass is retried for as long as [`ClientBuilder::give_up_after`] says; then the last cause is
    /// the error. Nothing happens before the future is polled; dropping it closes what it was opening.
    pub fn open<S: Into<Source>>(
        &self,
        source: S,
    ) -> impl Future<Output = Result<FileStream, Error>> + Send + 'static + use<S> {
        let client = self.clone();
        let source = source.into();
        let is_local = source.is_local();
        async move {
            let hub = client.hub;
            let begin = move || hub.open(&source, OpenOptions::default(), Access::Hop);
            let mut opening = if is_local {
                // The file system may take its time.
                let opened = client.runtime.spawn_blocking(begin).await;
                opened.map_err(|error| Error::new(Cause::Closed).with_source(error))??
            } else {
                begin()?
            };
            let reader = poll_fn(|cx| opening.poll(cx)).await?;
            Ok(FileStream::of(reader, 0))
        }
    }

    /// Opens an HLS presentation: a master playlist, or a media playlist alone; ready when there is a timeline.
    ///
    /// # Errors
    /// As [`Client::open`]; [`Cause::Playlist`] for a playlist that can't be used, [`Cause::Unsupported`] for a live one.
    pub fn open_hls<S: Into<Source>>(
        &self,
        source: S,
    ) -> impl Future<Output = Result<HlsStream, Error>> + Send + 'static + use<S> {
        let (client, source) = (self.clone(), source.into());
        async move {
            let mut opening = client.hub.open_hls(&source, client.hls, Access::Hop)?;
            let reader = poll_fn(|cx| opening.poll(cx)).await?;
            Ok(HlsStream::of(Runs::new(reader, Arc::default()), client.stride_bits))
        }
    }

    /// Fetches a URL into the cache, all of it, without playing it, and below whatever plays in priority. What a stream
    /// of the same source reads meanwhile is fetched once. It begins at once; await it to know when it is done.
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
        self.hub.port().post(Event::NetworkChanged);
    }
}

impl ClientBuilder {
    /// The client. Fails if there is no runtime, the store can't be made, the cache can't be opened (another client has
    /// it, or the disk refuses), or TLS can't be set up. A cache's journal is read meanwhile: milliseconds, unless it is
    /// huge or the disk slow.
    pub fn build(self) -> Result<Client, Error> {
        Client::start(self)
    }
}

impl core::fmt::Debug for Client {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}
