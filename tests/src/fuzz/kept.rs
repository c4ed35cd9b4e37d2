//! The cache's disk as far as a driver knows it: what is in its files, what its journal says, and what was asked of
//! both and not answered.

use std::collections::{BTreeMap, BTreeSet};

use infill_core::catalog::{Catalog, Generation, Listing, Place, Record};
use infill_core::{ByteRange, ByteRanges, CommandId, OpId};

/// What was asked of the journal.
#[derive(Debug)]
struct Journaling {
    op: OpId,
    records: Vec<Record>,
    compact: bool,
}

/// The disk.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) on: bool,
    salt: u32,
    /// What is in the files of each generation.
    files: BTreeMap<Generation, ByteRanges>,
    /// What records may name.
    known: BTreeSet<Generation>,
    /// Whose files are deleted.
    gone: BTreeSet<Generation>,
    journaling: Option<Journaling>,
    pub(super) removals: BTreeMap<OpId, Place>,
    pub(super) commands: BTreeSet<CommandId>,
    /// The last list that was answered.
    pub(super) listed: Option<Vec<Listing>>,
    /// What the journal gives when it is read.
    journal: Catalog,
    /// The journal has all that was to be in it.
    complete: bool,
    /// Files could not be deleted: their records stay, and they are found again when the cache is opened.
    undeleted: bool,
}

impl Kept {
    /// A disk with that journal. What it says is there, whatever it is.
    pub(super) fn new(journal: Catalog, salt: u32) -> Self {
        let mut kept = Self { on: true, salt, complete: true, ..Self::default() };
        for download in journal.downloads().iter() {
            let mut files = ByteRanges::new();
            for extent in download.extents() {
                files.insert(extent.range());
            }
            kept.files.insert(download.place().generation, files);
        }
        kept.known.extend(kept.files.keys());
        let spent = journal.snapshot();
        kept.known.extend(spent.iter().filter_map(Record::generation));
        kept.journal = journal;
        kept
    }

    /// Whether it is of this session.
    pub(super) fn is_new(&self, generation: Generation) -> bool {
        generation.salt() == self.salt
    }

    /// What the journal gives when it is read.
    pub(super) fn journal(&self) -> &Catalog {
        &self.journal
    }

    /// A resource is kept there. Gives what is there already.
    pub(super) fn place(&mut self, place: &Place) -> ByteRanges {
        let generation = place.generation;
        assert!(!self.gone.contains(&generation), "{generation:?} was removed");
        if self.known.insert(generation) {
            assert_eq!(generation.salt(), self.salt, "not a number of this session");
        }
        self.files.entry(generation).or_default().clone()
    }

    /// Bytes were written.
    pub(super) fn wrote(&mut self, place: Place, range: ByteRange) {
        self.files.entry(place.generation).or_default().insert(range);
    }

    /// Bytes were given back.
    pub(super) fn discarded(&mut self, place: Place, range: ByteRange) {
        self.files.entry(place.generation).or_default().remove(range);
    }

    /// Files that no record names are deleted.
    pub(super) fn sweep(&mut self, keep: &[Place]) {
        let salt = self.salt;
        let kept = |at: &Generation| keep.iter().any(|place| place.generation == *at);
        self.files.retain(|at, _| at.salt() == salt || kept(at));
    }

    /// The journal is to be written.
    pub(super) fn write_journal(&mut self, op: OpId, records: Vec<Record>, compact: bool) {
        assert!(self.on, "there is no journal");
        assert!(self.journaling.is_none(), "{op} before {:?} was answered", self.journaling);
        assert!(compact || !records.is_empty(), "an append of nothing");
        for generation in records.iter().filter_map(Record::generation) {
            assert!(self.known.contains(&generation), "{generation:?} was never placed");
        }
        for record in records.iter().filter(|_| !compact) {
            if let Record::Remove { generation } = record {
                assert!(self.gone.contains(generation), "{generation:?} is still there");
            }
        }
        self.journaling = Some(Journaling { op, records, compact });
    }

    /// The journal was written, or could not be. Gives what was asked.
    pub(super) fn journaled(&mut self, good: bool) -> Option<OpId> {
        let Journaling { op, records, compact } = self.journaling.take()?;
        if compact && good {
            self.journal = Catalog::new();
            self.complete = true;
        }
        self.complete &= good || compact;
        for record in records.iter().filter(|_| good) {
            self.journal.apply(record);
        }
        Some(op)
    }

    /// Files are to be deleted.
    pub(super) fn remove(&mut self, op: OpId, place: Place) {
        let generation = place.generation;
        assert!(self.known.contains(&generation), "{generation:?} was never placed");
        let again = self.removals.values().any(|other| other.generation == generation);
        assert!(!again && !self.gone.contains(&generation), "{generation:?} is removed twice");
        self.removals.insert(op, place);
    }

    /// They are deleted, or could not be.
    pub(super) fn removed(&mut self, op: OpId, good: bool) {
        let Some(place) = self.removals.remove(&op) else {
            return;
        };
        if good {
            self.gone.insert(place.generation);
            self.files.remove(&place.generation);
        } else {
            self.undeleted = true;
        }
    }

    /// Whether that generation goes, or is gone.
    pub(super) fn is_doomed(&self, generation: Generation) -> bool {
        let doomed = self.removals.values().any(|place| place.generation == generation);
        doomed || self.gone.contains(&generation)
    }

    /// Whether an answer of the journal or a removal is owed.
    pub(super) fn is_owed(&self) -> bool {
        self.journaling.is_some() || !self.removals.is_empty()
    }

    /// Whether an answer of the journal is owed.
    pub(super) fn is_journaling(&self) -> bool {
        self.journaling.is_some()
    }

    /// At rest, the journal says what the machine knows, and the files hold what the journal says.
    pub(super) fn check_rest(&self) {
        assert!(self.commands.is_empty(), "never answered: {:?}", self.commands);
        let Some(listed) = self.listed.as_ref().filter(|_| self.complete && !self.undeleted) else {
            return;
        };
        assert_eq!(*listed, self.journal.listing(), "the journal says something else");
        for download in self.journal.downloads().iter() {
            let generation = download.place().generation;
            let files = self.files.get(&generation);
            for extent in download.extents() {
                let there = files.is_some_and(|files| files.contains_range(extent.range()));
                assert!(there, "{generation:?} has not {extent:?}");
            }
        }
    }
}
