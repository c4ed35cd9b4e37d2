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
    /// Somebody was told that these are kept.
    sure: ByteRanges,
}

impl Promise {
    /// What was found is still there later, unless it turns out to be none.
    pub(super) fn new(found: &Catalog) -> Self {
        let mut promise = Self::default();
        for download in found.downloads().iter() {
            let extents = download.extents().map(|extent| (extent.range(), Instant::ZERO));
            let (key, runs) = (download.place().key, extents.collect());
            let written = Written { key, runs, sure: ByteRanges::new() };
            promise.generations.insert(download.place().generation, written);
        }
        promise
    }

    pub(super) fn wrote(&mut self, place: &Place, range: ByteRange, now: Instant) {
        let generation = place.generation;
        // A newer version takes the place of an older one.
        self.generations.retain(|of, written| *of >= generation || written.key != place.key);
        let new = || Written { key: place.key, runs: Vec::new(), sure: ByteRanges::new() };
        let written = self.generations.entry(generation).or_insert_with(new);
        written.runs.push((range, now));
    }

    /// Somebody was told that these are kept.
    pub(super) fn assured(&mut self, generation: Generation, range: ByteRange) {
        if let Some(written) = self.generations.get_mut(&generation) {
            written.sure.insert(range);
        }
    }

    /// Bytes were taken back. What else is in their blocks needs a record of its own from now on.
    pub(super) fn dropped(&mut self, generation: Generation, range: ByteRange, now: Instant) {
        let block = Extent::BLOCK_BYTES;
        let (start, end) = (range.start / block * block, range.end.div_ceil(block) * block);
        let Some(written) = self.generations.get_mut(&generation) else {
            return;
        };
        written.sure.remove(range);
        for (run, at) in core::mem::take(&mut written.runs) {
            if run.end <= start || run.start >= end {
                written.runs.push((run, at));
                continue;
            }
            let before = ByteRange::new(run.start, run.end.min(range.start));
            let after = ByteRange::new(run.start.max(range.end), run.end);
            let parts = [before, after].into_iter().filter(|part| !part.is_empty());
            written.runs.extend(parts.map(|part| (part, now)));
        }
        written.runs.sort_by_key(|(_, at)| *at);
    }

    pub(super) fn removed(&mut self, generation: Generation) {
        self.generations.remove(&generation);
    }

    pub(super) fn spoil(&mut self) {
        self.spoiled = true;
    }

    /// How much of what was kept for longer than `slack` the next process has not found; `None` promises nothing.
    pub(super) fn lost(&self, found: &Catalog, now: Instant, slack: Duration) -> Option<u64> {
        let lost = |(generation, written): (&Generation, &Written)| {
            let old = written.runs.iter().filter(|(_, at)| *at + slack < now);
            let mut missing: ByteRanges = old.map(|(run, _)| *run).collect();
            let download = found.downloads().generation(*generation);
            for extent in download.into_iter().flat_map(|download| download.extents()) {
                missing.remove(extent.range());
            }
            missing.len()
        };
        (!self.spoiled).then(|| self.generations.iter().map(lost).sum())
    }

    /// The next process must have found what somebody was told is kept.
    pub(super) fn check_sure(&self, found: &Catalog) {
        for (generation, written) in self.generations.iter().filter(|_| !self.spoiled) {
            let download = found.downloads().generation(*generation);
            let extents = download.into_iter().flat_map(|download| download.extents());
            let claims: ByteRanges = extents.map(|extent| extent.range()).collect();
            if let Some(run) = written.sure.iter().find(|run| !claims.contains_range(*run)) {
                violated!("{run} of {generation:?} was said to be kept; there is {claims:?}");
            }
        }
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
