//! The resources that a presentation has open: each is a track that the machine opened by itself.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::Key;
use crate::{Error, TrackId};

/// What a resource is to its presentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// A playlist: the master, or one of the ladder's.
    Playlist(Option<usize>),
    /// An AES-128 key.
    Key,
    /// A Media Initialization Section.
    Init,
    /// A segment.
    Segment,
}

/// How far it is.
#[derive(Clone, Debug)]
pub(super) enum Status {
    /// To be had whole.
    Wanted,
    /// Not wanted now; what is there of it stays.
    Idle,
    /// Every byte is here.
    Whole,
    /// It was given up.
    Failed(Error),
}

/// One resource.
#[derive(Debug)]
pub(super) struct PartState {
    pub(super) name: Key,
    pub(super) role: Role,
    pub(super) status: Status,
    /// Its length, once it is whole.
    pub(super) len: u64,
    /// When it was last asked for: the least recently used goes first.
    used: u64,
}

/// All that are open.
#[derive(Debug, Default)]
pub(super) struct Parts {
    table: BTreeMap<TrackId, PartState>,
    names: BTreeMap<Key, TrackId>,
    /// Closed, and not yet reported as such.
    closing: BTreeSet<TrackId>,
    /// How many of the open ones are segments.
    segments: usize,
    turn: u64,
}

impl Parts {
    /// The open one of that name, which is used now.
    pub(super) fn named(&mut self, name: Key) -> Option<TrackId> {
        let track = *self.names.get(&name)?;
        self.turn += 1;
        if let Some(part) = self.table.get_mut(&track) {
            part.used = self.turn;
        }
        Some(track)
    }

    /// The open one of that name, to look at.
    pub(super) fn find(&self, name: Key) -> Option<&PartState> {
        self.table.get(self.names.get(&name)?)
    }

    /// A new one.
    pub(super) fn insert(&mut self, track: TrackId, name: Key, role: Role) {
        self.turn += 1;
        let used = self.turn;
        self.names.insert(name, track);
        let part = PartState { name, role, status: Status::Wanted, len: 0, used };
        self.table.insert(track, part);
        self.segments += usize::from(role == Role::Segment);
    }

    pub(super) fn get(&self, track: TrackId) -> Option<&PartState> {
        self.table.get(&track)
    }

    pub(super) fn get_mut(&mut self, track: TrackId) -> Option<&mut PartState> {
        self.table.get_mut(&track)
    }

    /// Whether every byte of it is here.
    pub(super) fn is_whole(&self, track: TrackId) -> bool {
        self.get(track).is_some_and(|part| matches!(part.status, Status::Whole))
    }

    /// It is told to close.
    pub(super) fn close(&mut self, track: TrackId) {
        if self.forget(track) {
            self.closing.insert(track);
        }
    }

    /// It has closed.
    pub(super) fn closed(&mut self, track: TrackId) {
        self.closing.remove(&track);
        // One that could not be opened at all.
        self.forget(track);
    }

    fn forget(&mut self, track: TrackId) -> bool {
        let Some(part) = self.table.remove(&track) else {
            return false;
        };
        self.names.remove(&part.name);
        self.segments -= usize::from(part.role == Role::Segment);
        true
    }

    /// Whether none is open, nor closing.
    pub(super) fn is_empty(&self) -> bool {
        self.table.is_empty() && self.closing.is_empty()
    }

    /// All that are open.
    pub(super) fn tracks(&self) -> Vec<TrackId> {
        self.table.keys().copied().collect()
    }

    /// Whether every byte of all of them is here.
    pub(super) fn all_whole(&self) -> bool {
        self.table.values().all(|part| matches!(part.status, Status::Whole))
    }

    /// How many segments are open.
    pub(super) fn segments(&self) -> usize {
        self.segments
    }

    /// The segments that `needed` doesn't name, the least recently used first.
    pub(super) fn spare(&self, needed: &BTreeSet<TrackId>) -> Vec<TrackId> {
        let spare = self
            .table
            .iter()
            .filter(|(track, part)| part.role == Role::Segment && !needed.contains(track));
        let mut spare: Vec<(u64, TrackId)> =
            spare.map(|(track, part)| (part.used, *track)).collect();
        spare.sort_unstable();
        spare.into_iter().map(|(_, track)| track).collect()
    }
}
