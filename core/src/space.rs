//! The store's bound: how much is stored or may still come, over all tracks.
//!
//! Credit counts as used from the moment it is granted, for its bytes may come at any time. Whose bytes are given back
//! is for the tracks to decide; this only counts.

use crate::Config;

/// The count.
#[derive(Debug)]
pub(crate) struct Space {
    limit: Option<u64>,
    used: u64,
    tracks: u64,
}

impl Space {
    /// Nothing is used.
    pub(crate) fn new(config: &Config) -> Self {
        Self { limit: config.store_limit_bytes, used: 0, tracks: 0 }
    }

    /// A track more shares the space.
    pub(crate) fn join(&mut self) {
        self.tracks += 1;
    }

    /// A track less.
    pub(crate) fn leave(&mut self) {
        self.tracks = self.tracks.saturating_sub(1);
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

    /// Gives `bytes` back.
    pub(crate) fn release(&mut self, bytes: u64) {
        self.used = self.used.saturating_sub(bytes);
    }

    /// What one track may hold when all want the same; `None` without a bound.
    pub(crate) fn share(&self) -> Option<u64> {
        self.limit.map(|limit| limit / self.tracks.max(1))
    }

    /// Whether nothing is used.
    pub(crate) fn is_unused(&self) -> bool {
        self.used == 0
    }
}
