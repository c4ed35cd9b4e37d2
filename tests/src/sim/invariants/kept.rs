//! What a cache adds: where published bytes come from, and who is owed an answer.

use std::collections::{BTreeMap, BTreeSet};

use infill_core::catalog::Extent;
use infill_core::{
    ByteRange, ByteRanges, Change, CommandId, Error, Intent, OpId, ResourceId, Tier, TrackId,
    Verification,
};

use super::violated;

/// Where the bytes of one resource come from.
#[derive(Debug, Default)]
pub(super) struct KeptBytes {
    placed: bool,
    writes: BTreeMap<OpId, (ByteRange, Tier)>,
    verifies: BTreeMap<OpId, ByteRange>,
    /// Written in this life.
    written: ByteRanges,
    /// Claims whose bytes were digested.
    digested: ByteRanges,
    /// Written to the cache since the disk was asked last whether it has kept everything.
    unsynced: ByteRanges,
    /// The same of before, until it answers.
    asked: ByteRanges,
    /// What it has not kept.
    lost: ByteRanges,
}

impl KeptBytes {
    pub(super) fn is_placed(&self) -> bool {
        self.placed
    }

    pub(super) fn placed(&mut self, resource: ResourceId) {
        if std::mem::replace(&mut self.placed, true) {
            violated!("{resource} is placed twice");
        }
    }

    pub(super) fn writes(&mut self, op: OpId, range: ByteRange, tier: Tier) {
        if tier == Tier::Cache {
            if !self.placed {
                violated!("{op} writes {range} to the cache, which has no place for it");
            }
            let block = |position: u64| position / Extent::BLOCK_BYTES;
            if block(range.start) != block(range.end - 1) {
                violated!("{op} writes {range}, which leaves its block");
            }
        }
        self.writes.insert(op, (range, tier));
    }

    pub(super) fn written(&mut self, op: OpId, success: bool) {
        if let Some((range, tier)) = self.writes.remove(&op)
            && success
        {
            self.written.insert(range);
            if tier == Tier::Cache {
                self.unsynced.insert(range);
            }
        }
    }

    /// These bytes are no longer there.
    pub(super) fn discarded(&mut self, range: ByteRange) {
        for ranges in [&mut self.unsynced, &mut self.asked, &mut self.lost] {
            ranges.remove(range);
        }
    }

    pub(super) fn syncs(&mut self) {
        for range in std::mem::take(&mut self.unsynced).iter() {
            self.asked.insert(range);
        }
    }

    /// The disk has answered: what it has not kept must be taken back.
    pub(super) fn synced(&mut self, kept: bool) {
        let asked = std::mem::take(&mut self.asked);
        if !kept {
            self.lost = asked;
            for range in std::mem::take(&mut self.unsynced).iter() {
                self.lost.insert(range);
            }
        }
    }

    /// What was lost is no longer seen; a claim of it may be verified and seen again.
    pub(super) fn checked(&mut self) {
        self.lost = ByteRanges::new();
    }

    /// What the disk has just said that it has not kept.
    pub(super) fn lost(&self) -> &ByteRanges {
        &self.lost
    }

    pub(super) fn verifies(&mut self, op: OpId, range: ByteRange) {
        self.verifies.insert(op, range);
    }

    pub(super) fn verified(&mut self, op: OpId, result: &Verification) {
        if let Some(range) = self.verifies.remove(&op)
            && matches!(result, Verification::Digest(_))
        {
            self.digested.insert(range);
        }
    }

    /// What is published was written by this process, or was verified.
    pub(super) fn check_source(&self, resource: ResourceId, change: &Change) {
        match change {
            Change::Present(range) if !self.written.contains_range(*range) => {
                violated!("{resource} publishes {range}, which nobody wrote");
            }
            Change::Verified(range) if !self.digested.contains_range(*range) => {
                violated!("{resource} publishes {range} from the cache, unverified");
            }
            _ => {}
        }
    }
}

/// Who is owed an answer.
#[derive(Debug, Default)]
pub(super) struct Owed {
    commands: BTreeSet<CommandId>,
    fills: BTreeMap<TrackId, Intent>,
}

impl Owed {
    pub(super) fn asked(&mut self, command: CommandId) {
        self.commands.insert(command);
    }

    pub(super) fn answered(&mut self, command: CommandId) {
        if !self.commands.remove(&command) {
            violated!("{command} is answered, but nobody asks");
        }
    }

    pub(super) fn opened(&mut self, track: TrackId, intent: Intent) {
        if intent != Intent::Play {
            self.fills.insert(track, intent);
        }
    }

    /// Up to where it was to be filled, if that has succeeded.
    pub(super) fn filled(&mut self, track: TrackId, result: &Result<(), Error>) -> Option<u64> {
        match self.fills.remove(&track) {
            None => violated!("{track} is filled, but nobody asks"),
            Some(Intent::Fill(end)) if result.is_ok() => Some(end),
            Some(_) => None,
        }
    }

    pub(super) fn closed(&self, track: TrackId) {
        if self.fills.contains_key(&track) {
            violated!("{track} is closed and was never said to be filled or not");
        }
    }

    pub(super) fn finished(&self) {
        if let Some(command) = self.commands.first() {
            violated!("{command} was never answered");
        }
        if let Some(track) = self.fills.keys().next() {
            violated!("{track} was never said to be filled or not");
        }
    }
}
