//! The file in the cache: where its bytes go, which records name them, and what becomes of them when the disk refuses.

use bytes::Bytes;

use super::FileTrack;
use super::stored::DIGESTS_AT_ONCE;
use crate::catalog::{Extent, Generation, Place, Record};
use crate::context::Context;
use crate::event::{StoreFailure, Sum, Verification};
use crate::flight::Flight;
use crate::resource::{Question, Writing};
use crate::syncing::Synced;
use crate::view::Change;
use crate::{
    Action, ByteRange, Config, Durability, FetchId, Instant, OpId, ResourceId, Tier, redacted,
};

impl FileTrack {
    /// Keeps the tier up with the disk. What is on its way was granted room in the old one: it takes it along.
    pub(super) fn choose_tier(&mut self, context: &mut Context<'_>) {
        let without = self.no_store || self.crowded_out;
        let tier = if without { Tier::Scratch } else { context.cache.tier(context.now) };
        if tier == self.tier {
            return;
        }
        let flying: u64 = self.flights.iter().map(Flight::reserved).sum();
        context.spaces.of(self.tier).release(flying);
        context.spaces.of(tier).take(flying);
        self.tier = tier;
        self.dirty = true;
    }

    /// The origin forbids to store what it sends (FAULTS D14).
    pub(super) fn forbid_store(&mut self, context: &mut Context<'_>) {
        self.no_store = true;
        self.choose_tier(context);
    }

    /// Sends bytes to the store. In the cache a piece never leaves its block.
    pub(super) fn store(
        &mut self,
        fetch: FetchId,
        offset: u64,
        mut bytes: Bytes,
        context: &mut Context<'_>,
    ) {
        if self.tier == Tier::Cache {
            self.settle_in(context);
            let mut at = offset;
            while !bytes.is_empty() {
                let room = Extent::room(at);
                let piece = bytes.split_to(
                    usize::try_from(room).map_or(bytes.len(), |room| room.min(bytes.len())),
                );
                let len = piece.len() as u64;
                self.write(fetch, at, piece, Tier::Cache, context);
                at += len;
            }
        } else {
            self.write(fetch, offset, bytes, Tier::Scratch, context);
        }
    }

    pub(super) fn write(
        &mut self,
        fetch: FetchId,
        offset: u64,
        bytes: Bytes,
        tier: Tier,
        context: &mut Context<'_>,
    ) {
        let op = context.out.op();
        if let Some(flight) = self.flights.iter_mut().find(|flight| flight.id == fetch) {
            flight.writes += 1;
        }
        self.resource.write(op, ByteRange::at(offset, bytes.len() as u64), fetch, tier);
        context.spaces.of(tier).store(bytes.len() as u64);
        let resource = self.resource.id();
        context.out.push(Action::Write { resource, op, offset, bytes, tier });
    }

    /// The first byte for the cache: a generation begins.
    fn settle_in(&mut self, context: &mut Context<'_>) {
        if self.resource.cached.home().is_some() {
            return;
        }
        let old = context.cache.download(&self.key).map(|download| download.place());
        let facts = self.resource.stored_facts();
        let label = redacted(self.endpoint.original());
        let limit = context.config.cache_limit_bytes;
        let place = context.cache.begin(self.key, &label, facts, limit);
        self.resource.cached.settle_in(place);
        let resource = self.resource.id();
        context.out.push(Action::Place { resource, place: Box::new(place) });
        // One that a retired version of this track has is removed when the store is done with it.
        if let Some(old) =
            old.filter(|old| !self.retired.iter().any(|gone| gone.cached.home() == Some(*old)))
        {
            context.cache.remove(old, context.out);
        }
    }

    /// The journal learns what became known of the current version.
    pub(super) fn record_facts(&mut self, context: &mut Context<'_>) {
        if let Some(home) = self.resource.cached.home() {
            let facts = self.resource.stored_facts();
            let known = context.cache.generation(home.generation);
            if known.is_some_and(|known| known.facts() != facts) {
                context.cache.record(Record::Facts { generation: home.generation, facts });
            }
        }
    }

    /// Bytes are in the cache's file.
    pub(super) fn note_kept(&mut self, done: Writing, sum: Option<Sum>, now: Instant) {
        let cached = &mut self.resource.cached;
        cached.syncing.wrote(now, done.range);
        let Some(sum) = sum.filter(|sum| sum.start <= done.range.start) else {
            return;
        };
        let len = u32::try_from(done.range.end - sum.start).unwrap_or(0);
        let extent = Extent { start: sum.start, digest: sum.digest, len };
        // Part of the run may have been given back meanwhile.
        if extent.is_valid() && cached.within().contains_range(extent.range()) {
            cached.sealing.add(now, extent);
        } else {
            cached.sealing.loosen(now, done.range);
        }
        if !self.flights.iter().any(|flight| flight.id == done.fetch) {
            // Nothing more lengthens it.
            cached.sealing.hurry();
        }
    }

    /// Seals what is due, and asks the disk when it is time.
    pub(super) fn keep_records(&mut self, context: &mut Context<'_>) {
        let Some(home) = self.resource.cached.home() else {
            return;
        };
        let (now, config) = (context.now, context.config);
        let cached = &mut self.resource.cached;
        if self.closing {
            cached.sealing.hurry();
        }
        let sealed = cached.sealing.take_due(now, config.seal_after);
        let flush = config.durability == Durability::Flush;
        if !sealed.is_empty() {
            if flush {
                cached.syncing.hold(sealed);
            } else {
                record_extents(home.generation, sealed, context);
            }
        }
        self.digest_loose(context);
        let syncing = &self.resource.cached.syncing;
        let holds = flush && syncing.is_holding();
        let due = syncing.deadline(config.sync_every).is_some_and(|at| at <= now);
        if (holds || due || self.sync_now) && !syncing.is_running() && (syncing.is_dirty() || holds)
        {
            self.sync_now = false;
            let op = context.out.op();
            self.resource.cached.syncing.begin(op);
            context.out.push(Action::Sync { resource: self.resource.id(), op });
        }
    }

    /// Asks for the digests of bytes that lost theirs, a few at once.
    fn digest_loose(&mut self, context: &mut Context<'_>) {
        let to_record = |question| question == Question::Record;
        while self.resource.asked(to_record) < DIGESTS_AT_ONCE {
            let sealing = &mut self.resource.cached.sealing;
            let Some(range) = sealing.take_loose(context.now, context.config.seal_after) else {
                return;
            };
            let cached = self.resource.cached.within().contains_range(range);
            if cached && self.resource.present().contains_range(range) {
                self.ask_digest(Question::Record, range, context);
            }
        }
    }

    /// The store has digested bytes that are to be recorded.
    pub(super) fn digested(
        &mut self,
        range: ByteRange,
        found: Verification,
        context: &mut Context<'_>,
    ) {
        let cached = self.resource.cached.within().contains_range(range);
        if !cached || !self.resource.present().contains_range(range) {
            return;
        }
        match found {
            Verification::Digest(digest) => {
                // It fits: it is of one block.
                let extent = Extent { start: range.start, digest, len: range.len() as u32 };
                self.resource.cached.sealing.add(context.now, extent);
                self.resource.cached.sealing.hurry();
            }
            Verification::Failed(failure) => {
                self.read_failed(self.resource.id(), range, failure, context);
            }
        }
    }

    /// When a record or a question to the disk is due.
    pub(super) fn keeping_deadline(&self, config: &Config) -> Option<Instant> {
        let cached = &self.resource.cached;
        cached.home()?;
        let sealing = cached.sealing.deadline(config.seal_after);
        sealing.into_iter().chain(cached.syncing.deadline(config.sync_every)).min()
    }

    /// The disk has said whether it kept what was written.
    pub(crate) fn synced(
        &mut self,
        id: ResourceId,
        op: OpId,
        result: Result<(), StoreFailure>,
        context: &mut Context<'_>,
    ) {
        let current = id == self.resource.id();
        let resource = if current {
            &mut self.resource
        } else {
            let Some(old) = self.retired.iter_mut().find(|old| old.id() == id) else {
                return;
            };
            old
        };
        let home = resource.cached.home();
        match (resource.cached.syncing.done(op, result.is_ok()), home) {
            (Some(Synced::Kept(extents)), Some(home)) if !extents.is_empty() => {
                record_extents(home.generation, extents, context);
                context.cache.hurry();
            }
            (Some(Synced::Lost(lost)), Some(_)) if current => {
                for range in lost.iter() {
                    self.retract_run(range, context);
                }
                if let Err(failure) = result {
                    self.refuse_disk(failure, 0, context);
                }
            }
            _ => {}
        }
        self.release_retired(context);
    }

    /// Published bytes of `range` become holes, with whatever waited to be compared with them.
    pub(super) fn retract_run(&mut self, range: ByteRange, context: &mut Context<'_>) {
        let lost: Vec<ByteRange> = self.resource.present().parts_of(range).collect();
        for range in lost {
            self.retract(range, context);
        }
        self.stop_comparing(range, context);
    }

    /// Held bytes are holes again: their room goes back.
    pub(super) fn unhold(&mut self, range: ByteRange, context: &mut Context<'_>) {
        if range.is_empty() {
            return;
        }
        for tier in [Tier::Scratch, Tier::Cache] {
            context.spaces.of(tier).discard(self.resource.held_in(tier, range));
        }
        self.resource.retract(range);
        context.out.push(Action::Discard { resource: self.resource.id(), range });
        self.dirty = true;
    }

    /// Every byte is there, verified: a record says so, and the disk is asked at once.
    pub(super) fn record_commit(&mut self, final_len: u64, context: &mut Context<'_>) {
        self.sync_now = true;
        let Some(home) = self.resource.cached.home() else {
            return;
        };
        self.record_facts(context);
        let whole = self.resource.holds(Tier::Cache) == final_len;
        let news = whole && !self.resource.cached.is_complete();
        if news {
            self.resource.cached.set_complete(true);
            self.resource.cached.sealing.hurry();
        }
        // The records of its bytes come first.
        self.keep_records(context);
        if news {
            context.cache.record(Record::Commit { generation: home.generation, final_len });
        }
    }

    /// What of the cache this track leaves behind.
    pub(super) fn leave_cache(&mut self, context: &mut Context<'_>) {
        let empty = |home: Place, context: &Context<'_>| {
            context.cache.generation(home.generation).is_some_and(|known| known.bytes() == 0)
        };
        context.cache.close(self.key.asset);
        if let Some(home) = self.resource.cached.home()
            && (self.no_store || empty(home, context))
            && !context.cache.is_open(self.key.asset)
        {
            context.cache.remove(home, context.out);
        }
    }

    pub(super) fn publish_claims(&mut self, context: &mut Context<'_>) {
        let runs: Vec<ByteRange> = self.resource.cached.claimed().iter().collect();
        for run in runs {
            self.publish(Change::Claimed(run), context);
        }
    }
}

fn record_extents(generation: Generation, extents: Vec<Extent>, context: &mut Context<'_>) {
    let mut extents = extents;
    while !extents.is_empty() {
        let rest = extents.split_off(extents.len().min(Record::MAX_EXTENTS));
        context.cache.record(Record::Extents { generation, extents });
        extents = rest;
    }
}
