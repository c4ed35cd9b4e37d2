//! The client: what streams are opened with.

use std::io;
use std::sync::Arc;

use infill_core::{Cause, Error, OpenOptions};

use crate::builder::ClientBuilder;
use crate::driver;
use crate::engine::{Access, Hub};
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
        let store = builder
            .settings
            .store
            .create()
            .map_err(|error| failed("the store can't be made", error))?;
        let factory = builder.agent_factory;
        let hub =
            driver::start(builder.settings.config, store, |port| HttpFetcher::new(port, factory))
                .map_err(|error| failed("the driver's thread can't be started", error))?;
        Ok(Self { hub })
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

    /// Says that the network is another one (Wi-Fi to mobile, say): connections of the old one are given up, and waits
    /// for it end.
    pub fn network_changed(&self) {
        self.hub.port().post(infill_core::Event::NetworkChanged);
    }
}

impl ClientBuilder {
    /// The client. Fails if the store can't be made or no thread can be started.
    pub fn build(self) -> Result<Client, Error> {
        Client::start(self)
    }
}

impl core::fmt::Debug for Client {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}
