//! The cache of a client of either runtime, and what is downloaded into it.

use super::{CacheEntry, CacheKey, Error, Source, StreamHandle, Verified, tokio_runtime};

/// The cache of a client of either runtime.
#[derive(Clone, Debug)]
pub enum Cache {
    /// Of `infill-blocking`.
    Blocking(infill_blocking::Cache),
    /// Of `infill-tokio`.
    Tokio(infill_tokio::Cache),
}

/// A download of either runtime.
#[must_use = "a download that is dropped is stopped"]
#[derive(Debug)]
pub enum Download {
    /// Of `infill-blocking`.
    Blocking(infill_blocking::Download),
    /// Of `infill-tokio`.
    Tokio(infill_tokio::Download),
}

impl Cache {
    /// All that is there.
    pub fn list(&self) -> Result<Vec<CacheEntry>, Error> {
        match self {
            Self::Blocking(cache) => cache.list(),
            Self::Tokio(cache) => tokio_runtime().block_on(cache.list()),
        }
    }

    /// Never evict it.
    pub fn pin(&self, key: &CacheKey) -> Result<(), Error> {
        match self {
            Self::Blocking(cache) => cache.pin(key),
            Self::Tokio(cache) => tokio_runtime().block_on(cache.pin(key)),
        }
    }

    /// It may be evicted again.
    pub fn unpin(&self, key: &CacheKey) -> Result<(), Error> {
        match self {
            Self::Blocking(cache) => cache.unpin(key),
            Self::Tokio(cache) => tokio_runtime().block_on(cache.unpin(key)),
        }
    }

    /// Deletes it.
    pub fn remove(&self, key: &CacheKey) -> Result<(), Error> {
        match self {
            Self::Blocking(cache) => cache.remove(key),
            Self::Tokio(cache) => tokio_runtime().block_on(cache.remove(key)),
        }
    }

    /// Deletes all that is neither open nor pinned.
    pub fn clear(&self) -> Result<(), Error> {
        match self {
            Self::Blocking(cache) => cache.clear(),
            Self::Tokio(cache) => tokio_runtime().block_on(cache.clear()),
        }
    }

    /// Compares what is stored of it with what was.
    pub fn verify(&self, key: &CacheKey) -> Result<Verified, Error> {
        match self {
            Self::Blocking(cache) => cache.verify(key),
            Self::Tokio(cache) => tokio_runtime().block_on(cache.verify(key)),
        }
    }

    /// The key of a source.
    pub fn key(&self, source: &Source) -> Result<CacheKey, Error> {
        match self {
            Self::Blocking(cache) => cache.key(source),
            Self::Tokio(cache) => cache.key(source),
        }
    }
}

impl Download {
    /// Never evict it.
    pub fn pin(self) -> Self {
        match self {
            Self::Blocking(download) => Self::Blocking(download.pin()),
            Self::Tokio(download) => Self::Tokio(download.pin()),
        }
    }

    /// A handle.
    pub fn handle(&self) -> StreamHandle {
        match self {
            Self::Blocking(download) => download.handle(),
            Self::Tokio(download) => download.handle(),
        }
    }

    /// Waits until it is done.
    pub fn wait(self) -> Result<(), Error> {
        match self {
            Self::Blocking(download) => download.wait(),
            Self::Tokio(download) => tokio_runtime().block_on(download),
        }
    }
}
