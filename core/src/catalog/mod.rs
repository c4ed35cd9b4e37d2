//! What the cache holds, as far as the journal says: three tables, which replaying the records gives.
//!
//! [`Catalog::apply`] is the only way to change them, for an old record as for a new one; so what is remembered after a
//! restart can't differ from what was known before it.

mod download;
mod downloads;
mod extents;
mod key;
mod listing;
mod lru;
mod pins;
mod record;
mod replay;
mod size;
mod texts;

pub use download::Download;
pub use downloads::DownloadIndex;
pub use key::{Key, NoKey, ResourceKey};
pub use listing::Listing;
pub use lru::LruIndex;
pub use pins::PinsIndex;
pub(crate) use record::cut_label;
pub use record::{Extent, Generation, Place, Record, StoredFacts};
pub use replay::Replay;

/// So much more is there already that what is new is few.
const FEW: usize = 8;

/// The three tables.
#[derive(Clone, Debug, Default, PartialEq)]
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
    ///
    /// A use of an asset of which nothing is stored is ignored too: an order of what is not there leads nowhere.
    pub fn apply(&mut self, record: &Record) {
        self.take(record);
    }

    fn take<Text: AsRef<str>>(&mut self, record: &Record<Text>) {
        // Also of what is not there any more: its number was used.
        self.highest = self.highest.max(record.generation());
        match record {
            Record::Open { place, label, facts } => {
                if self.downloads.open(*place, label.as_ref(), facts) {
                    self.lru.add(place.key.asset);
                }
            }
            Record::Remove { generation } => {
                if let Some(asset) = self.downloads.remove(*generation) {
                    self.lru.remove(asset);
                }
            }
            Record::Facts { generation, .. }
            | Record::Extents { generation, .. }
            | Record::Retract { generation, .. }
            | Record::Commit { generation, .. } => self.downloads.change(*generation, record),
            Record::Pin { asset, pinned } => self.pins.set(*asset, *pinned),
            Record::Use { asset, at } => self.lru.touch(*asset, *at),
        }
    }

    /// Records that give these tables, and no more.
    pub fn snapshot(&self) -> Vec<Record> {
        let mut records = Vec::new();
        for download in self.downloads.by_generation() {
            download.records(&mut records);
        }
        records.extend(self.pins.iter().map(|asset| Record::Pin { asset, pinned: true }));
        records.extend(self.lru.uses().map(|(asset, at)| Record::Use { asset, at }));
        records.extend(self.spent().map(|generation| Record::Remove { generation }));
        records
    }

    /// How long the records of [`Catalog::snapshot`] would be in a journal, without padding, in bytes; kept up to date
    /// by each record.
    pub fn live_bytes(&self) -> u64 {
        let spent = if self.spent().is_some() { size::REMOVE } else { 0 };
        self.downloads.live_bytes()
            + self.pins.len() as u64 * size::PIN
            + self.lru.use_count() as u64 * size::USE
            + spent
    }

    /// The highest generation, if nothing is stored of it: it must not be used again all the same.
    fn spent(&self) -> Option<Generation> {
        self.highest.filter(|highest| self.downloads.generation(*highest).is_none())
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

#[cfg(test)]
mod tests;
