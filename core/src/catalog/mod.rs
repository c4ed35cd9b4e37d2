//! What the cache holds, as far as the journal says: three tables, which replaying the records gives.
//!
//! [`Catalog::apply`] is the only way to change them, for an old record as for a new one; so what is remembered after a
//! restart can't differ from what was known before it.

mod downloads;
mod key;
mod lru;
mod pins;
mod record;

pub use downloads::{Download, DownloadIndex};
pub use key::{Key, NoKey, ResourceKey};
pub use lru::LruIndex;
pub use pins::PinsIndex;
pub use record::{Extent, Generation, Listing, Place, Record, StoredFacts};

/// The three tables.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    downloads: DownloadIndex,
    pins: PinsIndex,
    lru: LruIndex,
    /// The highest generation that any record shows, also of those that name nothing.
    highest: Option<Generation>,
}

impl Catalog {
    /// Nothing is known.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a record over. Total: what makes no sense is ignored.
    pub fn apply(&mut self, record: &Record) {
        let _ = record;
    }

    /// Records that give these tables, and no more.
    pub fn snapshot(&self) -> Vec<Record> {
        Vec::new()
    }

    /// About how long a journal of [`Catalog::snapshot`] would be, in bytes; kept up to date by each record.
    pub fn live_bytes(&self) -> u64 {
        0
    }

    /// What is stored.
    pub fn downloads(&self) -> &DownloadIndex {
        &self.downloads
    }

    /// What is pinned.
    pub fn pins(&self) -> &PinsIndex {
        &self.pins
    }

    /// What was used when.
    pub fn lru(&self) -> &LruIndex {
        &self.lru
    }

    /// A generation that was never used.
    pub fn next_generation(&self, salt: u32) -> Generation {
        self.highest.unwrap_or(Generation(0)).next(salt)
    }
}
