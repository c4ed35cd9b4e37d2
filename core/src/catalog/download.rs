//! One generation of one resource: where its bytes are, what is known of it, and which of them are there.

use super::extents::Extents;
use super::size;
use super::texts::Texts;
use super::{Extent, Generation, Place, Record, ResourceKey, StoredFacts};
use crate::ByteRange;

/// One generation of one resource.
#[derive(Clone, Debug, PartialEq)]
pub struct Download {
    key: ResourceKey,
    file_bits: u8,
    unverified: bool,
    etags_per_node: bool,
    /// Whether the total is proven to be all that there is, and all of it was there.
    committed: bool,
    texts: Texts,
    generation: Generation,
    total: Option<u64>,
    extents: Extents,
}

impl Download {
    /// Where its bytes are.
    pub fn place(&self) -> Place {
        let Self { key, generation, file_bits, .. } = *self;
        Place { key, generation, file_bits }
    }

    pub(super) fn key(&self) -> ResourceKey {
        self.key
    }

    pub(super) fn generation(&self) -> Generation {
        self.generation
    }

    /// Where it came from, for people.
    pub fn label(&self) -> &str {
        self.texts.label()
    }

    /// What is known of it.
    pub fn facts(&self) -> StoredFacts {
        let own = |text: Option<&str>| text.map(Box::from);
        StoredFacts {
            total: self.total,
            content_type: own(self.texts.content_type()),
            unverified: self.unverified,
            etag: own(self.texts.etag()),
            last_modified: own(self.texts.last_modified()),
            date: own(self.texts.date()),
            etags_per_node: self.etags_per_node,
        }
    }

    /// How long it is, if that is known.
    pub fn total(&self) -> Option<u64> {
        self.total
    }

    /// Its length, if all of it was there and verified, and nothing was lost since.
    pub fn final_len(&self) -> Option<u64> {
        self.total.filter(|_| self.committed)
    }

    /// Whether its extents hold every byte of its length.
    pub fn is_whole(&self) -> bool {
        self.total.is_some_and(|total| self.extents.cover(total))
    }

    /// Its extents, in order; they never overlap.
    pub fn extents(&self) -> impl Iterator<Item = Extent> + '_ {
        self.extents.as_slice().iter().copied()
    }

    /// The same, at once.
    pub fn extents_slice(&self) -> &[Extent] {
        self.extents.as_slice()
    }

    /// The extents that share a byte with `range`, in order.
    pub fn extents_within(&self, range: ByteRange) -> &[Extent] {
        self.extents.within(range)
    }

    /// The extent that holds `position`.
    pub fn extent_at(&self, position: u64) -> Option<Extent> {
        self.extents.within(ByteRange::at(position, 1)).first().copied()
    }

    /// How many bytes its extents hold.
    pub fn bytes(&self) -> u64 {
        self.extents.bytes()
    }

    pub(super) fn new<Text: AsRef<str>>(
        place: Place,
        label: &str,
        facts: &StoredFacts<Text>,
    ) -> Self {
        Self {
            key: place.key,
            file_bits: place.file_bits,
            unverified: facts.unverified,
            etags_per_node: facts.etags_per_node,
            committed: false,
            texts: Texts::new(label, facts),
            generation: place.generation,
            total: facts.total,
            extents: Extents::default(),
        }
    }

    /// Takes a record of its generation over.
    pub(super) fn apply<Text: AsRef<str>>(&mut self, record: &Record<Text>) {
        match record {
            Record::Facts { facts, .. } => {
                // Of another length, it was never complete.
                self.committed &= self.total == facts.total;
                self.total = facts.total;
                self.unverified = facts.unverified;
                self.etags_per_node = facts.etags_per_node;
                self.texts = self.texts.with_facts(facts);
            }
            Record::Extents { extents, .. } => {
                let mut lost = false;
                for extent in extents.iter().filter(|extent| extent.is_valid()) {
                    lost |= self.extents.insert(*extent);
                }
                self.committed &= !lost || self.is_whole();
            }
            Record::Retract { range, .. } if range.start < range.end => {
                self.extents.remove(*range);
                self.committed = false;
            }
            Record::Commit { final_len, .. } => {
                self.total = Some(*final_len);
                self.committed = true;
            }
            _ => {}
        }
    }

    /// The records that give it.
    pub(super) fn records(&self, records: &mut Vec<Record>) {
        let generation = self.generation;
        let (place, label) = (self.place(), self.label().into());
        records.push(Record::Open { place, label, facts: self.facts() });
        for extents in self.extents_slice().chunks(Record::MAX_EXTENTS) {
            records.push(Record::Extents { generation, extents: extents.to_vec() });
        }
        if let Some(final_len) = self.final_len() {
            records.push(Record::Commit { generation, final_len });
        }
    }

    /// How long those are in the journal.
    pub(super) fn live_bytes(&self) -> u64 {
        size::of_download(self)
    }

    pub(super) fn texts(&self) -> &Texts {
        &self.texts
    }
}
