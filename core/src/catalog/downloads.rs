//! What is stored of each resource: the seed's `DownloadIndex`.

use core::ops::RangeBounds;
use std::collections::{BTreeMap, BTreeSet};

use super::{Download, FEW, Generation, Key, Place, Record, ResourceKey, StoredFacts};

/// All resources.
///
/// Two trees, of generations and of names. The first holds the resources: generations come in order, so that what is
/// written lies together. The second holds so little that a hundred thousand names are found quickly.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DownloadIndex {
    by_generation: BTreeMap<Generation, Box<Download>>,
    by_name: BTreeSet<Name>,
    bytes: u64,
    live_bytes: u64,
}

/// How the keys of a resource begin, which as a rule tells it from all others, and where to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name {
    asset: u64,
    name: u64,
    pub(super) generation: Generation,
}

impl Name {
    pub(super) fn new(key: &ResourceKey, generation: Generation) -> Self {
        Self { asset: key.asset.prefix(), name: key.name.prefix(), generation }
    }

    /// The least that begins so.
    fn first(self) -> Self {
        Self { generation: FIRST, ..self }
    }

    /// The greatest that begins so.
    fn last(self) -> Self {
        Self { generation: LAST, ..self }
    }
}

const FIRST: Generation = Generation(0);
const LAST: Generation = Generation(u64::MAX);

impl DownloadIndex {
    /// The current generation of a resource.
    pub fn get(&self, key: &ResourceKey) -> Option<&Download> {
        let names = Name::new(key, FIRST)..=Name::new(key, LAST);
        self.named(names).find(|download| download.place().key == *key)
    }

    /// One generation, if it is the current one of its resource.
    pub fn generation(&self, generation: Generation) -> Option<&Download> {
        self.by_generation.get(&generation).map(|download| &**download)
    }

    /// The resources of an asset, by name.
    pub fn of_asset(&self, asset: Key) -> impl Iterator<Item = &Download> + '_ {
        let prefix = asset.prefix();
        let first = Name { asset: prefix, name: 0, generation: FIRST };
        let last = Name { asset: prefix, name: u64::MAX, generation: LAST };
        self.named(first..=last).filter(move |download| download.place().key.asset == asset)
    }

    /// All resources, by the beginnings of their keys.
    pub fn iter(&self) -> impl Iterator<Item = &Download> + '_ {
        self.named(..)
    }

    /// How many resources there are.
    pub fn len(&self) -> usize {
        self.by_generation.len()
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
    pub(super) fn open<Text: AsRef<str>>(
        &mut self,
        place: Place,
        label: &str,
        facts: &StoredFacts<Text>,
    ) -> bool {
        if self.by_generation.contains_key(&place.generation) {
            return false;
        }
        let older = self.get(&place.key).map(|download| download.place().generation);
        if older.is_some_and(|older| older > place.generation) {
            return false;
        }
        if let Some(older) = older {
            self.remove(older);
        }
        let download = Box::new(Download::new(place, label, facts));
        self.live_bytes += download.live_bytes();
        self.by_name.insert(Name::new(&place.key, place.generation));
        self.by_generation.insert(place.generation, download);
        true
    }

    /// The same for many at once, which come in the order of their generations, all of them higher than any that is there.
    pub(super) fn take(&mut self, opened: Vec<(Name, Box<Download>)>) {
        let mut names: Vec<(Name, usize)> =
            opened.iter().enumerate().map(|(at, (name, _))| (*name, at)).collect();
        names.sort_unstable();
        let mut current = vec![true; opened.len()];
        for alike in names.chunk_by(|(one, _), (two, _)| one.first() == two.first()) {
            self.replace_older(alike, &opened, &mut current);
        }
        names.retain(|(_, at)| current[*at]);
        let opened = opened.into_iter().zip(current);
        let new: Vec<(Generation, Box<Download>)> = opened
            .filter(|(_, current)| *current)
            .map(|((name, download), _)| {
                self.bytes += download.bytes();
                self.live_bytes += download.live_bytes();
                (name.generation, download)
            })
            .collect();
        let names = names.into_iter().map(|(name, _)| name);
        // From many, a tree is made at once, which is quick and leaves no gaps.
        if new.len() < self.len() / FEW {
            self.by_generation.extend(new);
            self.by_name.extend(names);
        } else {
            self.by_generation.append(&mut new.into_iter().collect());
            self.by_name.append(&mut names.collect());
        }
    }

    /// Of each resource among those whose keys begin alike, the last generation is current, and none that is there.
    fn replace_older(
        &mut self,
        alike: &[(Name, usize)],
        opened: &[(Name, Box<Download>)],
        current: &mut [bool],
    ) {
        let is_there = self.by_name.range(alike[0].0.first()..=alike[0].0.last()).next().is_some();
        if alike.len() == 1 && !is_there {
            // As a rule. What is far away is not looked at.
            return;
        }
        for (nth, (_, at)) in alike.iter().enumerate() {
            let key = opened[*at].1.key();
            current[*at] = !alike[nth + 1..].iter().any(|(_, later)| opened[*later].1.key() == key);
            if let Some(older) = self.get(&key).map(Download::generation) {
                self.remove(older);
            }
        }
    }

    /// Takes a record of a generation over, if that is current.
    pub(super) fn change<Text: AsRef<str>>(
        &mut self,
        generation: Generation,
        record: &Record<Text>,
    ) {
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
        let key = download.place().key;
        self.by_name.remove(&Name::new(&key, generation));
        self.bytes -= download.bytes();
        self.live_bytes -= download.live_bytes();
        self.of_asset(key.asset).next().is_none().then_some(key.asset)
    }

    /// All of them, in the order in which they began.
    pub(super) fn by_generation(&self) -> impl Iterator<Item = &Download> + '_ {
        self.by_generation.values().map(|download| &**download)
    }

    /// How long the records are that give these.
    pub(super) fn live_bytes(&self) -> u64 {
        self.live_bytes
    }

    fn named(&self, names: impl RangeBounds<Name>) -> impl Iterator<Item = &Download> + '_ {
        self.by_name.range(names).filter_map(|name| self.generation(name.generation))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_begin_alike_are_told_apart() {
        let key = |last: u8| {
            let mut key = [1; 20];
            key[19] = last;
            Key(key)
        };
        let mut index = DownloadIndex::default();
        let names = [(1, 1), (1, 2), (2, 1), (2, 2)];
        for (counter, (asset, name)) in (1..).zip(names) {
            let key = ResourceKey { asset: key(asset), name: key(name) };
            let place = Place { key, generation: Generation(counter), file_bits: 0 };
            assert!(index.open(place, "", &StoredFacts::<Box<str>>::default()));
        }
        let of = |index: &DownloadIndex, asset, name| {
            let key = ResourceKey { asset: key(asset), name: key(name) };
            index.get(&key).map(|download| download.place().generation.0)
        };
        assert_eq!(names.map(|(asset, name)| of(&index, asset, name)), [1, 2, 3, 4].map(Some));
        assert_eq!((index.of_asset(key(1)).count(), index.of_asset(key(3)).count()), (2, 0));
        assert_eq!(index.remove(Generation(1)), None);
        assert_eq!(index.remove(Generation(2)), Some(key(1)), "the other asset is another");
        assert_eq!((of(&index, 1, 2), of(&index, 2, 2), index.iter().count()), (None, Some(4), 2));
    }
}
