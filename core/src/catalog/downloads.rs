//! What is stored of each resource: the seed's `DownloadIndex`.

use std::collections::BTreeMap;

use super::{Download, Generation, Key, Place, Record, ResourceKey, StoredFacts};

/// All resources.
///
/// Two trees, of generations and of names: the generations come in order, so that they lie close together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DownloadIndex {
    by_generation: BTreeMap<Generation, Box<Download>>,
    by_key: BTreeMap<ResourceKey, Generation>,
    bytes: u64,
    live_bytes: u64,
}

impl DownloadIndex {
    /// The current generation of a resource.
    pub fn get(&self, key: &ResourceKey) -> Option<&Download> {
        self.generation(*self.by_key.get(key)?)
    }

    /// One generation, if it is the current one of its resource.
    pub fn generation(&self, generation: Generation) -> Option<&Download> {
        self.by_generation.get(&generation).map(|download| &**download)
    }

    /// The resources of an asset, by name.
    pub fn of_asset(&self, asset: Key) -> impl Iterator<Item = &Download> + '_ {
        let first = ResourceKey { asset, name: Key::FIRST };
        let last = ResourceKey { asset, name: Key::LAST };
        self.by_key.range(first..=last).filter_map(|(_, generation)| self.generation(*generation))
    }

    /// All resources, by key.
    pub fn iter(&self) -> impl Iterator<Item = &Download> + '_ {
        self.by_key.values().filter_map(|generation| self.generation(*generation))
    }

    /// How many resources there are.
    pub fn len(&self) -> usize {
        self.by_key.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes the extents of all hold.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How many bytes the extents of an asset hold.
    pub fn bytes_of(&self, asset: Key) -> u64 {
        self.of_asset(asset).map(Download::bytes).sum()
    }

    /// Takes the place of an older generation of the same resource. Says whether it is now there.
    pub(super) fn open(&mut self, place: Place, label: &str, facts: &StoredFacts) -> bool {
        let older = self.by_key.get(&place.key).copied();
        let taken = self.by_generation.contains_key(&place.generation);
        if taken || older.is_some_and(|older| older >= place.generation) {
            return false;
        }
        if let Some(older) = older {
            self.remove(older);
        }
        let download = Box::new(Download::new(place, label, facts));
        self.live_bytes += download.live_bytes();
        self.by_key.insert(place.key, place.generation);
        self.by_generation.insert(place.generation, download);
        true
    }

    /// Takes a record of a generation over, if that is current.
    pub(super) fn change(&mut self, generation: Generation, record: &Record) {
        if let Some(download) = self.by_generation.get_mut(&generation) {
            self.bytes -= download.bytes();
            self.live_bytes -= download.live_bytes();
            download.apply(record);
            self.bytes += download.bytes();
            self.live_bytes += download.live_bytes();
        }
    }

    /// Drops a generation, and says whose it was if that asset has nothing else.
    pub(super) fn remove(&mut self, generation: Generation) -> Option<Key> {
        let download = self.by_generation.remove(&generation)?;
        let ResourceKey { asset, .. } = download.place().key;
        self.by_key.remove(&download.place().key);
        self.bytes -= download.bytes();
        self.live_bytes -= download.live_bytes();
        self.of_asset(asset).next().is_none().then_some(asset)
    }

    /// All of them, in the order in which they began.
    pub(super) fn by_generation(&self) -> impl Iterator<Item = &Download> + '_ {
        self.by_generation.values().map(|download| &**download)
    }

    /// How long the records are that give these.
    pub(super) fn live_bytes(&self) -> u64 {
        self.live_bytes
    }
}
