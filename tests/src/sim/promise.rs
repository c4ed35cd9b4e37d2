//! What a cache promises to the next process: bytes that were written long enough ago are claims then.

use std::collections::BTreeMap;
use std::time::Duration;

use infill_core::catalog::{Catalog, Extent, Generation, Place, ResourceKey};
use infill_core::{ByteRange, ByteRanges, Instant};

use super::invariants::violated;

/// What was written, when.
#[derive(Debug, Default)]
pub(super) struct Promise {
    generations: BTreeMap<Generation, Written>,
    /// The disk has failed: nothing is promised for this life.
    spoiled: bool,
}

#[derive(Debug)]
struct Written {
    key: ResourceKey,
    /// In the order of time.
    runs: Vec<(ByteRange, Instant)>,
    /// Blocks of which something was taken back: runs that are cut so are not recorded again, so nothing is promised.
    cut: ByteRanges,
}

impl Promise {
    /// What was found is still there later, unless it turns out to be none.
    pub(super) fn new(found: &Catalog) -> Self {
        let mut promise = Self::default();
        for download in found.downloads().iter() {
            let extents = download.extents().map(|extent| (extent.range(), Instant::ZERO));
            let (key, runs) = (download.place().key, extents.collect());
            let written = Written { key, runs, cut: ByteRanges::new() };
            promise.generations.insert(download.place().generation, written);
        }
        promise
    }

    pub(super) fn wrote(&mut self, place: &Place, range: ByteRange, now: Instant) {
        let generation = place.generation;
        // A newer version takes the place of an older one.
        self.generations.retain(|of, written| *of >= generation || written.key != place.key);
        let new = || Written { key: place.key, runs: Vec::new(), cut: ByteRanges::new() };
        let written = self.generations.entry(generation).or_insert_with(new);
        if written.cut.len_within(range) == 0 {
            written.runs.push((range, now));
        }
    }

    /// Bytes were taken back. What is in their blocks goes with the extents that they were part of.
    pub(super) fn dropped(&mut self, generation: Generation, range: ByteRange) {
        let block = Extent::BLOCK_BYTES;
        let (start, end) = (range.start / block * block, range.end.div_ceil(block) * block);
        if let Some(written) = self.generations.get_mut(&generation) {
            written.cut.insert(ByteRange::new(start, end));
            written.runs.retain(|(run, _)| run.end <= start || run.start >= end);
        }
    }

    pub(super) fn removed(&mut self, generation: Generation) {
        self.generations.remove(&generation);
    }

    pub(super) fn spoil(&mut self) {
        self.spoiled = true;
    }

    /// The next process has found this; everything that was written since then and is older than `slack` must be in it.
    pub(super) fn check(&self, found: &Catalog, since: Instant, now: Instant, slack: Duration) {
        if self.spoiled {
            return;
        }
        for (generation, written) in &self.generations {
            let old = written.runs.iter().filter(|(_, at)| *at >= since && *at + slack < now);
            let Some(download) = found.downloads().generation(*generation) else {
                if let Some((run, at)) = old.clone().next() {
                    violated!("{run} of {generation:?} was written at {at:?}, and is forgotten");
                }
                continue;
            };
            let claims: ByteRanges = download.extents().map(|extent| extent.range()).collect();
            for (run, at) in old {
                if !claims.contains_range(*run) {
                    violated!(
                        "{run} of {generation:?} was written at {at:?}, and the journal claims \
                         {claims:?}"
                    );
                }
            }
        }
    }
}
