//! The stores' bounds: how much is stored or may still come, over all tracks.
//!
//! Credit counts as used from the moment it is granted, for its bytes may come at any time. Whose bytes are given back
//! is for the tracks to decide; this only counts.

use crate::Config;

/// Where bytes are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// In the store that is gone with the process: without a cache, for what must not be stored (`no-store`), and
    /// while the cache can't be written to.
    Scratch,
    /// In the cache.
    Cache,
}

/// The counts of both tiers.
#[derive(Debug)]
pub(crate) struct Spaces {
    scratch: Space,
    cache: Space,
}

impl Spaces {
    /// Nothing is used.
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            scratch: Space::new(config.store_limit_bytes),
            cache: Space::new(config.cache_limit_bytes),
        }
    }

    /// One tier's.
    pub(crate) fn of(&mut self, tier: Tier) -> &mut Space {
        match tier {
            Tier::Scratch => &mut self.scratch,
            Tier::Cache => &mut self.cache,
        }
    }

    /// One tier's, to look at.
    pub(crate) fn at(&self, tier: Tier) -> &Space {
        match tier {
            Tier::Scratch => &self.scratch,
            Tier::Cache => &self.cache,
        }
    }

    /// A track more shares the space.
    pub(crate) fn join(&mut self) {
        self.scratch.tracks += 1;
        self.cache.tracks += 1;
    }

    /// A track less.
    pub(crate) fn leave(&mut self) {
        self.scratch.tracks = self.scratch.tracks.saturating_sub(1);
        self.cache.tracks = self.cache.tracks.saturating_sub(1);
    }

    /// Whether nothing is used.
    pub(crate) fn is_unused(&self) -> bool {
        let unused = |space: &Space| space.used == 0 && space.stored == 0;
        unused(&self.scratch) && unused(&self.cache)
    }
}

/// The count of one tier.
#[derive(Debug)]
pub(crate) struct Space {
    limit: Option<u64>,
    /// Stored, or granted and so to be expected.
    used: u64,
    /// Stored.
    stored: u64,
    tracks: u64,
}

impl Space {
    fn new(limit: Option<u64>) -> Self {
        Self { limit, used: 0, stored: 0, tracks: 0 }
    }

    /// The bound is another one now.
    pub(crate) fn set_limit(&mut self, limit: Option<u64>) {
        self.limit = limit;
    }

    /// The bound.
    pub(crate) fn limit(&self) -> Option<u64> {
        self.limit
    }

    /// How much open tracks have stored, or are about to.
    pub(crate) fn stored(&self) -> u64 {
        self.stored
    }

    /// Of what was taken, `bytes` go to the store.
    pub(crate) fn store(&mut self, bytes: u64) {
        self.stored = self.stored.saturating_add(bytes);
    }

    /// Stored `bytes` are given back.
    pub(crate) fn discard(&mut self, bytes: u64) {
        self.stored = self.stored.saturating_sub(bytes);
        self.release(bytes);
    }

    /// Takes `bytes`, if there is room for them.
    pub(crate) fn reserve(&mut self, bytes: u64) -> bool {
        let fits = self.lack(bytes) == 0;
        if fits {
            self.used = self.used.saturating_add(bytes);
        }
        fits
    }

    /// Takes `bytes`, room or not: they are here.
    pub(crate) fn take(&mut self, bytes: u64) {
        self.used = self.used.saturating_add(bytes);
    }

    /// How much must be given back before `bytes` more fit.
    pub(crate) fn lack(&self, bytes: u64) -> u64 {
        let wanted = self.used.saturating_add(bytes);
        self.limit.map_or(0, |limit| wanted.saturating_sub(limit))
    }

    /// Gives `bytes` back that were not stored.
    pub(crate) fn release(&mut self, bytes: u64) {
        self.used = self.used.saturating_sub(bytes);
    }

    /// What one track may hold when all want the same; `None` without a bound.
    pub(crate) fn share(&self) -> Option<u64> {
        self.limit.map(|limit| limit / self.tracks.max(1))
    }
}
