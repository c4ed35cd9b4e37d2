//! The disk refuses: what came back is written again where another asset makes room, or kept elsewhere (FAULTS D5).

use bytes::Bytes;

use super::FileTrack;
use crate::context::Context;
use crate::event::StoreFailure;
use crate::resource::Writing;
use crate::{Cause, Notice, Tier};

/// Bytes that wait for the room that a removal makes.
#[derive(Debug)]
pub(super) struct Parked {
    write: Writing,
    bytes: Bytes,
}

impl FileTrack {
    /// The disk has refused bytes for the cache, which came back: another asset makes room for them, or they are kept
    /// elsewhere (FAULTS D5).
    pub(super) fn write_refused(
        &mut self,
        write: Writing,
        failure: StoreFailure,
        bytes: Bytes,
        context: &mut Context<'_>,
    ) {
        let full = failure.full && !self.closing;
        if full
            && (context.cache.is_removing() || context.cache.evict_oldest(context.out).is_some())
        {
            self.parked.push(Parked { write, bytes });
            return;
        }
        if !failure.full {
            self.doubt_file(write.range, context);
        }
        self.refuse_disk(failure, write.range.start, context);
        self.rewrite(write, bytes, Tier::Scratch, context);
    }

    /// The cache is full of what others have open: what comes is kept elsewhere.
    pub(crate) fn do_without_cache(&mut self, context: &mut Context<'_>) {
        self.crowded_out = true;
        self.choose_tier(context);
        let limit = context.config.cache_limit_bytes.unwrap_or(u64::MAX);
        let why = format!(
            "the cache's limit of {limit} bytes is used by what is open or pinned; raise it"
        );
        let error = self.error(Cause::StoreFull(why), None);
        self.notify(&Notice::NotCached(error), context);
    }

    /// A removal is done: what waited for it is written now.
    pub(crate) fn unpark(&mut self, context: &mut Context<'_>) {
        for Parked { write, bytes } in core::mem::take(&mut self.parked) {
            self.rewrite(write, bytes, self.tier, context);
        }
    }

    /// What waits belongs to a version that is no more.
    pub(super) fn drop_parked(&mut self, context: &mut Context<'_>) {
        for Parked { write, .. } in core::mem::take(&mut self.parked) {
            self.settle_write(write, context);
            context.spaces.of(Tier::Cache).discard(write.range.len());
            self.resource.retract(write.range);
        }
    }

    fn rewrite(&mut self, write: Writing, bytes: Bytes, tier: Tier, context: &mut Context<'_>) {
        if let Some(flight) = self.flights.iter_mut().find(|flight| flight.id == write.fetch) {
            flight.writes = flight.writes.saturating_sub(1);
        }
        let len = write.range.len();
        if tier == Tier::Scratch {
            self.resource.uncache(write.range);
        }
        context.spaces.of(Tier::Cache).discard(len);
        context.spaces.of(tier).take(len);
        self.write(write.fetch, write.range.start, bytes, tier, context);
    }

    pub(super) fn refuse_disk(
        &mut self,
        failure: StoreFailure,
        offset: u64,
        context: &mut Context<'_>,
    ) {
        let news = context.cache.refuse(context.now, context.config);
        self.choose_tier(context);
        if news {
            let error = self.store_error(failure, offset);
            self.notify(&Notice::NotCached(error), context);
        }
    }
}
