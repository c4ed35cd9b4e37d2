//! The cache as its owner sees it: list, pin, remove, verify.

use std::future::poll_fn;
use std::sync::Arc;

use infill_blocking::engine::{self, Hub};
use infill_blocking::{CacheEntry, CacheKey, Source, Verified};
use infill_core::{Command, Error};

/// The cache of a client. It keeps the cache open, as the client and its streams do. Calls wait for the client's driver,
/// and for the disk where they must.
#[derive(Clone)]
pub struct Cache {
    hub: Arc<Hub>,
}

impl Cache {
    pub(crate) fn of(hub: &Arc<Hub>) -> Option<Self> {
        hub.has_cache().then(|| Self { hub: Arc::clone(hub) })
    }

    /// All that is there.
    pub async fn list(&self) -> Result<Vec<CacheEntry>, Error> {
        let mut ticket = self.hub.command(Command::List);
        let listed = poll_fn(|cx| ticket.poll(cx)).await?;
        Ok(listed.into_iter().map(CacheEntry::from).collect())
    }

    /// Never evict it, whether it is there already or comes later.
    pub async fn pin(&self, key: &CacheKey) -> Result<(), Error> {
        self.ask(Command::Pin(*key)).await
    }

    /// It may be evicted again.
    pub async fn unpin(&self, key: &CacheKey) -> Result<(), Error> {
        self.ask(Command::Unpin(*key)).await
    }

    /// Deletes it, pinned or not. Fails while it is open.
    pub async fn remove(&self, key: &CacheKey) -> Result<(), Error> {
        self.ask(Command::Remove(*key)).await
    }

    /// Deletes all that is neither open nor pinned, and data files of this cache that belong to nothing.
    pub async fn clear(&self) -> Result<(), Error> {
        self.ask(Command::Clear).await
    }

    /// Compares all that is stored of it with what was stored. Makes no request. Dropping the future stops it.
    pub async fn verify(&self, key: &CacheKey) -> Result<Verified, Error> {
        let mut ticket = self.hub.command(Command::List);
        let listed = poll_fn(|cx| ticket.poll(cx)).await?;
        let (mut filling, stored) = self.hub.verify(&listed, *key)?;
        poll_fn(|cx| filling.poll(cx)).await?;
        Ok(Verified::new(stored, filling.present()))
    }

    /// The key that a source has here. It depends on the source's `cache_key`, or else on its URL; and on its headers.
    pub fn key(&self, source: &Source) -> Result<CacheKey, Error> {
        engine::identity(source)
    }

    async fn ask(&self, what: Command) -> Result<(), Error> {
        let mut ticket = self.hub.command(what);
        poll_fn(|cx| ticket.poll(cx)).await.map(drop)
    }
}

impl core::fmt::Debug for Cache {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Cache").finish_non_exhaustive()
    }
}
