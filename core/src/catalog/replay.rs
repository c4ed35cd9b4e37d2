//! Replaying a journal: what [`Catalog::apply`] gives, but the tables of names and uses are built together, in order.
//! One by one, a hundred thousand names at random places of a tree take longer than all else.
//!
//! That is possible while generations rise from one [`Record::Open`] to the next and nothing is removed: then it makes no
//! difference when a resource is found to have taken another one's place. Before any other record, what waits is entered.

use super::downloads::Name;
use super::lru::Change;
use super::{Catalog, Download, Generation, Key, Record};

/// No more wait than these, so that the memory doesn't depend on the file.
const MOST_OPENED: usize = 3 << 13;
const MOST_USES: usize = 1 << 12;

/// A catalog that grows by records.
#[derive(Debug, Default)]
pub struct Replay {
    catalog: Catalog,
    /// Generations that the catalog doesn't have yet, in their order, which is that of their records.
    opened: Vec<Opened>,
    /// Uses of what was not the last to be opened: how many were opened before, and which.
    uses: Vec<(usize, Key, u64)>,
}

#[derive(Debug)]
struct Opened {
    /// The download's own, which lies elsewhere.
    name: Name,
    asset: Key,
    download: Box<Download>,
    /// The last use of its asset before the next one was opened.
    used: Option<u64>,
}

impl Replay {
    /// Nothing is known.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a record over, as [`Catalog::apply`] does.
    pub fn apply<Text: AsRef<str>>(&mut self, record: &Record<Text>) {
        if self.opened.len() >= MOST_OPENED || self.uses.len() >= MOST_USES {
            self.enter();
        }
        let highest = self.catalog.highest;
        match record {
            Record::Open { place, label, facts } if highest < Some(place.generation) => {
                self.catalog.highest = Some(place.generation);
                let download = Box::new(Download::new(*place, label.as_ref(), facts));
                let name = Name::new(&place.key, place.generation);
                self.opened.push(Opened { name, asset: place.key.asset, download, used: None });
            }
            Record::Facts { generation, .. }
            | Record::Extents { generation, .. }
            | Record::Retract { generation, .. }
            | Record::Commit { generation, .. } => match self.waiting(*generation) {
                Some(download) => download.apply(record),
                None => self.catalog.take(record),
            },
            Record::Use { asset, at } => {
                let before = self.opened.len();
                match self.opened.last_mut() {
                    None => self.catalog.take(record),
                    Some(last) if last.asset == *asset => last.used = Some(*at),
                    Some(_) => self.uses.push((before, *asset, *at)),
                }
            }
            Record::Pin { .. } => self.catalog.take(record),
            Record::Open { .. } | Record::Remove { .. } => {
                self.enter();
                self.catalog.take(record);
            }
        }
    }

    /// The catalog.
    pub fn finish(mut self) -> Catalog {
        self.enter();
        self.catalog
    }

    /// A generation that the catalog doesn't have yet.
    fn waiting(&mut self, generation: Generation) -> Option<&mut Download> {
        // As a rule it is one of the last.
        let last = self.opened.last()?.name.generation;
        let at = match last == generation {
            true => self.opened.len() - 1,
            false => {
                let of = |opened: &Opened| opened.name.generation;
                self.opened.binary_search_by_key(&generation, of).ok()?
            }
        };
        Some(&mut self.opened[at].download)
    }

    /// Has the catalog take over what waits.
    fn enter(&mut self) {
        if self.opened.is_empty() {
            return;
        }
        let changes = self.changes();
        self.uses.clear();
        // With its room: the tables need some to grow.
        let opened = core::mem::take(&mut self.opened).into_iter();
        let opened = opened.map(|opened| (opened.name, opened.download)).collect();
        self.catalog.downloads.take(opened);
        self.catalog.lru.take(&changes);
    }

    /// What becomes of the order of use: by assets, and of one asset in the order of the records.
    fn changes(&self) -> Vec<Change> {
        let mut changes = Vec::with_capacity(self.opened.len() + self.uses.len());
        let mut uses = self.uses.iter().peekable();
        for (before, opened) in (1..).zip(&self.opened) {
            changes.push(Change { asset: opened.asset, opened: true, used: opened.used });
            while let Some((_, asset, at)) = uses.next_if(|(after, ..)| *after == before) {
                changes.push(Change { asset: *asset, opened: false, used: Some(*at) });
            }
        }
        changes.sort_by_key(|change| change.asset);
        changes
    }
}
