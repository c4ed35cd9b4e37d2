//! A client of either runtime.

use std::sync::OnceLock;

use infill_blocking::ureq::{
    self,
    tls::{Certificate, RootCerts, TlsConfig, TlsProvider},
};
use infill_core::Cause;
use infill_tokio::reqwest;

use super::{Cache, Download, Error, Runtime, Settings, Source, Stream};
use crate::origin::CertificateAuthority;

/// A client of either runtime.
#[derive(Clone, Debug)]
pub enum Client {
    /// Of `infill-blocking`.
    Blocking(infill_blocking::Client),
    /// Of `infill-tokio`, on [`tokio_runtime`].
    Tokio(infill_tokio::Client),
}

impl Client {
    pub(super) fn build(runtime: Runtime, settings: &Settings) -> Result<Self, Error> {
        let config = settings.config.clone();
        let store = settings.store.clone();
        match runtime {
            Runtime::Blocking => {
                let mut builder =
                    infill_blocking::Client::builder().store(store).configure(|all| *all = config);
                if let Some(dir) = &settings.cache_dir {
                    builder = builder.cache_dir(dir);
                }
                if let Some(authority) = settings.authority.clone() {
                    builder = builder.agent_factory(move || agent(&authority));
                }
                builder.build().map(Self::Blocking)
            }
            Runtime::Tokio => {
                let mut builder = infill_tokio::Client::builder()
                    .store(store)
                    .configure(|all| *all = config)
                    .runtime(tokio_runtime().clone());
                if let Some(dir) = &settings.cache_dir {
                    builder = builder.cache_dir(dir);
                }
                if let Some(authority) = &settings.authority {
                    builder = builder.http(http(authority)?);
                }
                builder.build().map(Self::Tokio)
            }
        }
    }

    /// Opens a source; blocks until its first answer is judged.
    pub fn open(&self, source: impl Into<Source>) -> Result<Stream, Error> {
        match self {
            Self::Blocking(client) => client.open(source).map(Stream::Blocking),
            Self::Tokio(client) => tokio_runtime().block_on(client.open(source)).map(Stream::Tokio),
        }
    }

    /// Begins to fetch all of it into the cache.
    pub fn download(&self, source: impl Into<Source>) -> Download {
        match self {
            Self::Blocking(client) => Download::Blocking(client.download(source)),
            Self::Tokio(client) => Download::Tokio(client.download(source)),
        }
    }

    /// Begins to fetch its first bytes into the cache.
    pub fn prefetch(&self, source: impl Into<Source>, bytes: u64) -> Download {
        match self {
            Self::Blocking(client) => Download::Blocking(client.prefetch(source, bytes)),
            Self::Tokio(client) => Download::Tokio(client.prefetch(source, bytes)),
        }
    }

    /// The cache, if there is one.
    pub fn cache(&self) -> Option<Cache> {
        match self {
            Self::Blocking(client) => client.cache().map(Cache::Blocking),
            Self::Tokio(client) => client.cache().map(Cache::Tokio),
        }
    }

    /// The network is another one.
    pub fn network_changed(&self) {
        match self {
            Self::Blocking(client) => client.network_changed(),
            Self::Tokio(client) => client.network_changed(),
        }
    }
}

/// The runtime on which all tokio clients of this process work. Never shut down.
pub fn tokio_runtime() -> &'static tokio::runtime::Handle {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    let runtime = RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("test-tokio")
            .enable_all()
            .build()
            .expect("a test needs a runtime, and has nothing to do without one")
    });
    runtime.handle()
}

fn agent(authority: &CertificateAuthority) -> ureq::Agent {
    let certificate = Certificate::from_der(authority.der()).to_owned();
    let tls = TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .root_certs(RootCerts::new_with_certs(&[certificate]))
        .build();
    ureq::Agent::config_builder().proxy(None).tls_config(tls).build().into()
}

fn http(authority: &CertificateAuthority) -> Result<reqwest::Client, Error> {
    let failed = |error: &dyn std::error::Error| Error::new(Cause::Connect(error.to_string()));
    let tls = authority.client_config().map_err(|error| failed(&error))?;
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .build()
        .map_err(|error| failed(&error))
}
