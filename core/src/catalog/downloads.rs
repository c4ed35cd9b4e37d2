//! What is stored of each resource: the seed's `DownloadIndex`.

use super::{Extent, Generation, Key, Place, ResourceKey, StoredFacts};

/// One generation of one resource.
#[derive(Clone, Debug, PartialEq)]
pub struct Download {
    place: Place,
    label: Box<str>,
    facts: StoredFacts,
    final_len: Option<u64>,
}

impl Download {
    /// Where its bytes are.
    pub fn place(&self) -> Place {
        self.place
    }

    /// Where it came from, for people.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// What is known of it.
    pub fn facts(&self) -> &StoredFacts {
        &self.facts
    }

    /// Its length, if all of it was there and verified, and nothing was lost since.
    pub fn final_len(&self) -> Option<u64> {
        self.final_len
    }

    /// Its extents, in order; they never overlap.
    pub fn extents(&self) -> impl Iterator<Item = Extent> + '_ {
        core::iter::empty()
    }

    /// The extent that holds `position`.
    pub fn extent_at(&self, position: u64) -> Option<Extent> {
        let _ = position;
        None
    }

    /// How many bytes its extents hold.
    pub fn bytes(&self) -> u64 {
        0
    }
}

/// All resources.
#[derive(Clone, Debug, Default)]
pub struct DownloadIndex {}

impl DownloadIndex {
    /// The current generation of a resource.
    pub fn get(&self, key: &ResourceKey) -> Option<&Download> {
        let _ = key;
        None
    }

    /// One generation, if it is the current one of its resource.
    pub fn generation(&self, generation: Generation) -> Option<&Download> {
        let _ = generation;
        None
    }

    /// The resources of an asset.
    pub fn of_asset(&self, asset: Key) -> impl Iterator<Item = &Download> + '_ {
        let _ = asset;
        core::iter::empty()
    }

    /// All resources, by key.
    pub fn iter(&self) -> impl Iterator<Item = &Download> + '_ {
        core::iter::empty()
    }

    /// How many resources there are.
    pub fn len(&self) -> usize {
        0
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes the extents of all hold.
    pub fn bytes(&self) -> u64 {
        0
    }
}
