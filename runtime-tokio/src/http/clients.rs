//! The reqwest clients, which hold the connections: infill's own, made when needed and thrown away to be rid of their
//! pools, or the one that the embedder gave.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use infill_core::Error;
use infill_core::http::FetchRequest;
use url::{Origin, Url};

/// How many origins are remembered as having pooled connections.
const MAX_ORIGINS: usize = 64;

/// Where clients come from.
pub(crate) enum Clients {
    /// The embedder's.
    Given(Http),
    /// Infill's own.
    Own(Box<Own>),
}

/// Infill's own.
pub(crate) struct Own {
    /// The one in use, with its connect time-out: reqwest has that for a whole client, and core for each request, but
    /// always the same one.
    current: Option<(Duration, Http)>,
    #[cfg(feature = "rustls")]
    tls: rustls::ClientConfig,
}

/// A client, and what its pool may hold.
#[derive(Clone)]
pub(crate) struct Http {
    pub(super) client: reqwest::Client,
    pub(super) pooled: Pooled,
    /// The embedder's client may have a total time-out, which would cut long bodies.
    pub(super) given: bool,
}

impl Clients {
    /// Only this one. Its pool is its own: a request that wants a new connection may get an old one.
    pub(crate) fn given(client: reqwest::Client) -> Self {
        Self::Given(Http { client, pooled: Pooled::default(), given: true })
    }

    /// Infill's own; the first is made now, to learn whether it can be.
    pub(crate) fn own(connect_timeout: Duration) -> Result<Self, String> {
        let mut own = Own {
            current: None,
            #[cfg(feature = "rustls")]
            tls: super::tls::config()?,
        };
        own.current = Some((connect_timeout, own.make(connect_timeout)?));
        Ok(Self::Own(Box::new(own)))
    }

    /// The client for a request. One that must not use a pooled connection gets a client with an empty pool; the old
    /// one's idle connections, which are under suspicion, go.
    pub(super) fn client(&mut self, request: &FetchRequest) -> Result<Http, String> {
        let own = match self {
            Self::Given(http) => return Ok(http.clone()),
            Self::Own(own) => own,
        };
        let timeout = request.connect_timeout;
        match &own.current {
            Some((of, http)) if *of == timeout && !request.fresh => Ok(http.clone()),
            _ => {
                let http = own.make(timeout)?;
                own.current = Some((timeout, http.clone()));
                Ok(http)
            }
        }
    }

    /// Whether there may be idle connections that [`Clients::rest`] would close.
    pub(super) fn is_resting(&self) -> bool {
        match self {
            Self::Given(_) => true,
            Self::Own(own) => own.current.is_none(),
        }
    }

    /// Closes idle connections, as far as they are infill's own.
    pub(super) fn rest(&mut self) {
        if let Self::Own(own) = self {
            own.current = None;
        }
    }
}

impl Own {
    fn make(&self, connect_timeout: Duration) -> Result<Http, String> {
        let builder = plain_builder()
            .connect_timeout(connect_timeout)
            .no_proxy()
            // With a time-out, the pool keeps a task that ticks; idle connections are closed by `rest` instead.
            .pool_idle_timeout(None);
        #[cfg(feature = "rustls")]
        let builder = builder.tls_backend_preconfigured(self.tls.clone());
        let client = builder.build().map_err(|error| {
            let why = super::failure::describe(&error);
            format!("the HTTP client can't be set up: {why}")
        })?;
        Ok(Http { client, pooled: Pooled::default(), given: false })
    }
}

/// A builder of reqwest clients with the settings that infill needs, for [`ClientBuilder::http`]: no decompression, no
/// redirects and no retries of its own, and with the feature `rustls` the same TLS as infill's own clients. Add a
/// proxy, a resolver, time-outs for connecting. (Certificates are part of the TLS set-up that is made here: to trust
/// others, give another one with `tls_backend_preconfigured`.)
///
/// Fails if TLS can't be set up.
///
/// [`ClientBuilder::http`]: crate::ClientBuilder::http
pub fn reqwest_builder() -> Result<reqwest::ClientBuilder, Error> {
    let builder = plain_builder();
    #[cfg(feature = "rustls")]
    let builder = {
        let tls =
            super::tls::config().map_err(|why| Error::new(infill_core::Cause::Connect(why)))?;
        builder.tls_backend_preconfigured(tls)
    };
    Ok(builder)
}

fn plain_builder() -> reqwest::ClientBuilder {
    let builder = reqwest::Client::builder()
        .user_agent(concat!("infill/", env!("CARGO_PKG_VERSION")))
        // Redirects, retries and deadlines are the engine's and core's.
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        // Whoever embeds this may have turned the features on, elsewhere in the tree.
        .no_gzip()
        .no_brotli()
        .no_deflate()
        .no_zstd();
    #[cfg(all(feature = "native-tls", not(feature = "rustls")))]
    let builder = builder.tls_backend_native();
    builder
}

/// The origins that a client may have idle connections to: one that broke there may have been dead before it was used.
#[derive(Clone, Default)]
pub(super) struct Pooled(Arc<Mutex<Vec<Origin>>>);

impl Pooled {
    /// A connection to the origin of `url` went back into the pool.
    pub(super) fn note(&self, url: &Url) {
        let origin = url.origin();
        let mut origins = self.origins();
        if !origins.contains(&origin) {
            if origins.len() == MAX_ORIGINS {
                origins.remove(0);
            }
            origins.push(origin);
        }
    }

    pub(super) fn contains(&self, url: &Url) -> bool {
        self.origins().contains(&url.origin())
    }

    fn origins(&self) -> MutexGuard<'_, Vec<Origin>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
