//! The cache of a scene: a journal and files in memory, which outlive the machine. It does what it is told, at once; a
//! killed process loses nothing of it, for the system has it all.

use std::collections::BTreeMap;

use bytes::Bytes;
use infill_core::catalog::{Catalog, Extent, Generation, Place, Record};
use infill_core::{ByteRange, Restored, Sum};

use super::super::store::Stored;

const HEADER_BYTES: u64 = 32;

/// As if all were as long.
const RECORD_BYTES: u64 = 64;

/// What is on the disk.
#[derive(Debug, Default)]
pub(super) struct Cache {
    records: Vec<Record>,
    files: BTreeMap<Generation, File>,
    sessions: u32,
}

/// The bytes of one generation.
#[derive(Debug, Default)]
struct File {
    stored: Stored,
    /// Runs that may go on: where each ends, and where it began.
    runs: BTreeMap<u64, u64>,
}

impl Cache {
    /// What the next session begins with.
    pub(super) fn restore(&mut self) -> Restored {
        let mut catalog = Catalog::new();
        for record in &self.records {
            catalog.apply(record);
        }
        self.sessions += 1;
        for file in self.files.values_mut() {
            file.runs.clear();
        }
        Restored { catalog, journal_bytes: self.journal_bytes(), salt: self.sessions, damage: None }
    }

    /// Appends; how long the journal is then.
    pub(super) fn append(&mut self, records: Vec<Record>) -> u64 {
        self.records.extend(records);
        self.journal_bytes()
    }

    /// Begins the journal anew; how long it is then.
    pub(super) fn compact(&mut self, records: Vec<Record>) -> u64 {
        self.records = records;
        self.journal_bytes()
    }

    /// Writes; the run that this has lengthened.
    pub(super) fn write(&mut self, generation: Generation, offset: u64, bytes: Bytes) -> Sum {
        let file = self.files.entry(generation).or_default();
        let end = offset + bytes.len() as u64;
        file.stored.put(offset, bytes);
        let goes_on = !offset.is_multiple_of(Extent::BLOCK_BYTES);
        let start = file.runs.remove(&offset).filter(|_| goes_on).unwrap_or(offset);
        file.runs.insert(end, start);
        let digest = file.stored.digest(ByteRange::new(start, end));
        Sum { start, digest: digest.expect("all of the run was written") }
    }

    /// The digest of these bytes, if they are there.
    pub(super) fn digest(&self, generation: Generation, range: ByteRange) -> Option<u64> {
        self.files.get(&generation)?.stored.digest(range)
    }

    /// Deletes.
    pub(super) fn remove(&mut self, place: &Place) {
        self.files.remove(&place.generation);
    }

    /// Deletes all but these, and those of this session.
    pub(super) fn sweep(&mut self, keep: &[Place]) {
        let salt = self.sessions;
        self.files.retain(|generation, _| {
            generation.salt() == salt || keep.iter().any(|place| place.generation == *generation)
        });
    }

    fn journal_bytes(&self) -> u64 {
        HEADER_BYTES + RECORD_BYTES * self.records.len() as u64
    }
}
