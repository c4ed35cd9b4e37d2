//! What a cache holds, for people: what its listing shows.

use infill_core::catalog::Listing;

pub use infill_core::catalog::Key as CacheKey;

/// One thing in a cache: a file, with all that is stored of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheEntry {
    /// Its name in the cache: shown, and parsed, as 40 hexadecimal digits.
    pub key: CacheKey,
    /// Where it came from: the URL without its query, user-info and fragment.
    pub url: String,
    /// How long it is, if that is known.
    pub total: Option<u64>,
    /// How much of it is stored.
    pub stored: u64,
    /// How complete it is.
    pub state: CacheState,
    /// Whether it is pinned, and so never evicted.
    pub pinned: bool,
    /// Whether a stream or a download of this client has it open.
    pub open: bool,
    /// How recently it was used: a higher number is later.
    pub used: u64,
}

/// How complete an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CacheState {
    /// All of it is stored.
    Complete,
    /// Something is missing, or how long it is isn't proven.
    Partial,
}

impl CacheEntry {
    /// How much of it is stored, in percent; `None` where its length is not known.
    pub fn percent(&self) -> Option<f64> {
        match self.total {
            Some(0) => Some(100.0),
            Some(total) => Some(self.stored.min(total) as f64 * 100.0 / total as f64),
            None => None,
        }
    }
}

impl From<Listing> for CacheEntry {
    fn from(listing: Listing) -> Self {
        let state = if listing.complete { CacheState::Complete } else { CacheState::Partial };
        Self {
            key: listing.asset,
            url: listing.label,
            total: listing.total,
            stored: listing.stored,
            state,
            pinned: listing.pinned,
            open: listing.open,
            used: listing.used,
        }
    }
}

/// What checking an entry has found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// Bytes that are what they were when they were stored.
    pub good: u64,
    /// Bytes that were not, or that are no longer there. They are fetched again when they are wanted.
    pub lost: u64,
}

impl Verified {
    #[doc(hidden)]
    pub fn new(stored: u64, good: u64) -> Self {
        Self { good, lost: stored.saturating_sub(good) }
    }
}
