//! What the journal says: one record for each thing that happened. The tables are what replaying them gives.
//!
//! Replaying any subset of the records, in order, is safe: a record of a generation counts only after that generation's
//! [`Record::Open`], and the newest word about a byte wins. What is claimed so is believed only once its digest was
//! compared.

use super::{Key, ResourceKey};
use crate::ByteRange;
use crate::http::{ETag, Validator};
use crate::view::Facts;

/// One stay of one version of one resource in the cache: never used twice with one cache. Its upper half rises from one
/// to the next, its lower half is the salt of the session that made it, so that a number whose records were all lost is
/// not used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "cache", derive(serde::Serialize, serde::Deserialize))]
pub struct Generation(pub u64);

impl Generation {
    /// The one after this, in the session with that salt.
    pub fn next(self, salt: u32) -> Self {
        Self(((self.0 >> 32) + 1) << 32 | u64::from(salt))
    }

    /// The salt of the session that made it.
    pub fn salt(self) -> u32 {
        self.0 as u32
    }
}

/// Where the bytes of one generation are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "cache", derive(serde::Serialize, serde::Deserialize))]
pub struct Place {
    /// Whose.
    pub key: ResourceKey,
    /// Which stay.
    pub generation: Generation,
    /// How much of it goes into one file, as a power of two.
    pub file_bits: u8,
}

/// A run of stored bytes and its digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "cache", derive(serde::Serialize, serde::Deserialize))]
pub struct Extent {
    /// Where it begins.
    pub start: u64,
    /// XXH3-64 of its bytes.
    pub digest: u64,
    /// How long it is; never past its block.
    pub len: u32,
}

impl Extent {
    /// No extent crosses a multiple of this: what is verified at once, and what a killed process loses at most.
    pub const BLOCK_BYTES: u64 = 256 * 1024;

    /// How much fits between `position` and the end of its block; never nothing.
    pub fn room(position: u64) -> u64 {
        Self::BLOCK_BYTES - position % Self::BLOCK_BYTES
    }

    /// Its positions.
    pub fn range(&self) -> ByteRange {
        ByteRange::at(self.start, u64::from(self.len))
    }

    /// Whether it lies in one block, as all do that are made here.
    pub fn is_valid(&self) -> bool {
        let within = self.start % Self::BLOCK_BYTES + u64::from(self.len);
        self.len > 0
            && within <= Self::BLOCK_BYTES
            && self.start.checked_add(u64::from(self.len)).is_some()
    }
}

/// What is known of a resource besides its bytes: [`Facts`] and [`Validator`], as they are stored. Its texts are its own,
/// or `&str`s that lie in the journal's bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "cache", derive(serde::Serialize, serde::Deserialize))]
pub struct StoredFacts<Text = Box<str>> {
    /// The length, if it is proven.
    pub total: Option<u64>,
    /// `Content-Type`.
    pub content_type: Option<Text>,
    /// Whether the end was told by closing the connection alone.
    pub unverified: bool,
    /// `ETag`, as it was sent.
    pub etag: Option<Text>,
    /// `Last-Modified`, as it was sent.
    pub last_modified: Option<Text>,
    /// `Date`, as it was sent.
    pub date: Option<Text>,
    /// Whether ETags were seen to differ over equal bytes (FAULTS A10).
    pub etags_per_node: bool,
}

/// The longest field that is kept. A validator that is longer is not: what comes later is compared instead.
pub(super) const FIELD_BYTES: usize = 1024;

/// The longest label that is kept; a longer one is cut.
pub(super) const LABEL_BYTES: usize = 1024;

/// As much of a label as is kept.
pub(crate) fn cut_label(label: &str) -> &str {
    let mut end = label.len().min(LABEL_BYTES);
    while !label.is_char_boundary(end) {
        end -= 1;
    }
    &label[..end]
}

impl StoredFacts {
    /// For the journal.
    pub(crate) fn new(facts: &Facts, validator: &Validator, etags_per_node: bool) -> Self {
        let kept = |text: &Option<String>| {
            text.as_deref().filter(|text| text.len() <= FIELD_BYTES).map(Box::from)
        };
        let etag = validator.etag.as_ref().map(|etag| {
            let weak = if etag.is_weak() { "W/" } else { "" };
            format!("{weak}{}", etag.as_str())
        });
        Self {
            total: facts.total,
            content_type: kept(&facts.content_type),
            unverified: facts.unverified,
            etag: kept(&etag),
            last_modified: kept(&validator.last_modified),
            date: kept(&validator.date),
            etags_per_node,
        }
    }

    /// From the journal.
    pub(crate) fn facts(&self) -> Facts {
        Facts {
            total: self.total,
            content_type: self.content_type.as_deref().map(str::to_owned),
            unverified: self.unverified,
        }
    }

    /// From the journal.
    pub(crate) fn validator(&self) -> Validator {
        let own = |text: &Option<Box<str>>| text.as_deref().map(str::to_owned);
        Validator {
            etag: self.etag.as_deref().and_then(ETag::parse),
            last_modified: own(&self.last_modified),
            date: own(&self.date),
        }
    }
}

impl StoredFacts<&str> {
    fn into_owned(self) -> StoredFacts {
        StoredFacts {
            total: self.total,
            content_type: self.content_type.map(Box::from),
            unverified: self.unverified,
            etag: self.etag.map(Box::from),
            last_modified: self.last_modified.map(Box::from),
            date: self.date.map(Box::from),
            etags_per_node: self.etags_per_node,
        }
    }
}

/// One thing that happened. Its texts are its own, or `&str`s that lie in the journal's bytes.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "cache", derive(serde::Serialize, serde::Deserialize))]
pub enum Record<Text = Box<str>> {
    /// A generation began. It takes the place of an older one of the same resource.
    Open {
        /// Where its bytes are.
        place: Place,
        /// The URL without what may be secret: for people.
        label: Text,
        /// What is known of it.
        facts: StoredFacts<Text>,
    },
    /// More became known.
    Facts {
        /// Of which.
        generation: Generation,
        /// All that is known now.
        facts: StoredFacts<Text>,
    },
    /// Bytes were written. An extent that shares a byte with an older one takes its place.
    Extents {
        /// Of which.
        generation: Generation,
        /// At most [`Record::MAX_EXTENTS`].
        extents: Vec<Extent>,
    },
    /// Bytes are no longer to be used. Every extent goes that shares a byte with them.
    Retract {
        /// Of which.
        generation: Generation,
        /// Which.
        range: ByteRange,
    },
    /// Every byte up to the proven length was verified.
    Commit {
        /// Of which.
        generation: Generation,
        /// That length.
        final_len: u64,
    },
    /// The files are deleted.
    Remove {
        /// Of which.
        generation: Generation,
    },
    /// An asset was pinned, or unpinned.
    Pin {
        /// Which.
        asset: Key,
        /// Whether it is pinned now.
        pinned: bool,
    },
    /// An asset was used.
    Use {
        /// Which.
        asset: Key,
        /// When: a number that rises with each use.
        at: u64,
    },
}

impl Record {
    /// So many extents fit into one record.
    pub const MAX_EXTENTS: usize = 512;
}

impl<Text> Record<Text> {
    /// The generation that it is about, if it is about one.
    pub fn generation(&self) -> Option<Generation> {
        match self {
            Self::Open { place, .. } => Some(place.generation),
            Self::Facts { generation, .. }
            | Self::Extents { generation, .. }
            | Self::Retract { generation, .. }
            | Self::Commit { generation, .. }
            | Self::Remove { generation } => Some(*generation),
            Self::Pin { .. } | Self::Use { .. } => None,
        }
    }
}

impl Record<&str> {
    /// The same with texts of its own.
    pub fn into_owned(self) -> Record {
        match self {
            Self::Open { place, label, facts } => {
                Record::Open { place, label: label.into(), facts: facts.into_owned() }
            }
            Self::Facts { generation, facts } => {
                Record::Facts { generation, facts: facts.into_owned() }
            }
            Self::Extents { generation, extents } => Record::Extents { generation, extents },
            Self::Retract { generation, range } => Record::Retract { generation, range },
            Self::Commit { generation, final_len } => Record::Commit { generation, final_len },
            Self::Remove { generation } => Record::Remove { generation },
            Self::Pin { asset, pinned } => Record::Pin { asset, pinned },
            Self::Use { asset, at } => Record::Use { asset, at },
        }
    }
}
