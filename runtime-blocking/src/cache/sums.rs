//! Running digests of what is being written: a byte is hashed once, as it passes, and never read back for it.

use infill_core::catalog::Extent;
use infill_core::{ByteRange, Sum};
use xxhash_rust::xxh3::Xxh3;

/// How many runs of one resource are kept. One for each connection that writes, and some for those that were just
/// replaced by others.
const RUNS: usize = 4;

/// The runs that may go on.
#[derive(Default)]
pub(super) struct Sums {
    runs: [Option<Run>; RUNS],
    tick: u64,
    /// The state of a hasher is large, and most runs end at the end of a block, where the next begins.
    spare: Option<Box<Xxh3>>,
}

/// Bytes that were written one after the other.
struct Run {
    range: ByteRange,
    hasher: Box<Xxh3>,
    used: u64,
}

impl Sums {
    /// Takes over bytes that were written, and gives the run that ends with them. A run that reaches the end of its
    /// block ends there.
    pub(super) fn write(&mut self, mut offset: u64, mut bytes: &[u8]) -> Sum {
        let mut run = self.take(offset);
        loop {
            let room = Extent::room(offset);
            let now = usize::try_from(room).unwrap_or(usize::MAX).min(bytes.len());
            self.forget(ByteRange::at(offset, now as u64));
            run.hasher.update(&bytes[..now]);
            offset += now as u64;
            bytes = &bytes[now..];
            run.range.end = offset;
            let sum = Sum { start: run.range.start, digest: run.hasher.digest() };
            if offset.is_multiple_of(Extent::BLOCK_BYTES) {
                self.spare = Some(run.hasher);
                if bytes.is_empty() {
                    return sum;
                }
                run = self.begin(offset);
            } else if bytes.is_empty() {
                self.keep(run);
                return sum;
            }
        }
    }

    /// These bytes are no longer what was hashed.
    pub(super) fn forget(&mut self, range: ByteRange) {
        for run in &mut self.runs {
            if let Some(stale) = run.take_if(|run| !run.range.intersect(range).is_empty()) {
                self.spare = Some(stale.hasher);
            }
        }
    }

    /// The run that goes on at `offset`, or a new one.
    fn take(&mut self, offset: u64) -> Run {
        let goes_on = |run: &mut Run| run.range.end == offset;
        match self.runs.iter_mut().find_map(|run| run.take_if(goes_on)) {
            Some(run) => run,
            None => self.begin(offset),
        }
    }

    fn begin(&mut self, offset: u64) -> Run {
        let mut hasher = self.spare.take().unwrap_or_default();
        hasher.reset();
        Run { range: ByteRange::at(offset, 0), hasher, used: 0 }
    }

    /// Puts a run aside, in place of the one that was not used for longest.
    fn keep(&mut self, mut run: Run) {
        self.tick += 1;
        run.used = self.tick;
        let age = |run: &Option<Run>| run.as_ref().map_or(0, |run| run.used);
        if let Some(oldest) = self.runs.iter_mut().min_by_key(|run| age(run)) {
            *oldest = Some(run);
        }
    }
}

#[cfg(test)]
mod tests {
    use xxhash_rust::xxh3::xxh3_64;

    use super::*;

    const BLOCK: u64 = Extent::BLOCK_BYTES;

    fn bytes(len: u64) -> Vec<u8> {
        (0..len).map(|at| (at * 31 % 251) as u8).collect()
    }

    fn write(sums: &mut Sums, all: &[u8], range: core::ops::Range<u64>) -> Sum {
        sums.write(range.start, &all[range.start as usize..range.end as usize])
    }

    fn sum(all: &[u8], range: core::ops::Range<u64>) -> Sum {
        let digest = xxh3_64(&all[range.start as usize..range.end as usize]);
        Sum { start: range.start, digest }
    }

    #[test]
    fn a_run_is_hashed_as_it_grows_and_ends_with_its_block() {
        let (all, mut sums) = (bytes(2 * BLOCK), Sums::default());
        assert_eq!(write(&mut sums, &all, 10..1000), sum(&all, 10..1000));
        assert_eq!(write(&mut sums, &all, 1000..1001), sum(&all, 10..1001));
        assert_eq!(write(&mut sums, &all, 1001..BLOCK), sum(&all, 10..BLOCK));
        let next = BLOCK..BLOCK + 7;
        assert_eq!(write(&mut sums, &all, next.clone()), sum(&all, next));
    }

    #[test]
    fn runs_in_turn_do_not_disturb_each_other_and_the_oldest_gives_way() {
        let (all, mut sums) = (bytes(BLOCK), Sums::default());
        let starts: Vec<u64> = (0..RUNS as u64).map(|n| n * 1000).collect();
        for step in 0..10 {
            for start in &starts {
                let (from, to) = (start + step * 10, start + step * 10 + 10);
                assert_eq!(write(&mut sums, &all, from..to), sum(&all, *start..to));
            }
        }
        // One too many: the first one is the one that was not used for longest.
        write(&mut sums, &all, 50_000..50_010);
        assert_eq!(write(&mut sums, &all, 100..110), sum(&all, 100..110));
        assert_eq!(write(&mut sums, &all, 3100..3110), sum(&all, 3000..3110));
    }

    #[test]
    fn what_is_written_over_ends_a_run() {
        let (all, mut sums) = (bytes(BLOCK), Sums::default());
        write(&mut sums, &all, 0..100);
        write(&mut sums, &all, 50..60);
        assert_eq!(write(&mut sums, &all, 100..110), sum(&all, 100..110));
        // Its own end is no overlap.
        assert_eq!(write(&mut sums, &all, 110..120), sum(&all, 100..120));
        sums.forget(ByteRange::new(119, 200));
        assert_eq!(write(&mut sums, &all, 120..121), sum(&all, 120..121));
    }

    #[test]
    fn a_write_over_the_end_of_a_block_gives_the_run_that_it_ends_with() {
        let (all, mut sums) = (bytes(3 * BLOCK), Sums::default());
        assert_eq!(write(&mut sums, &all, 5..2 * BLOCK + 9), sum(&all, 2 * BLOCK..2 * BLOCK + 9));
        let end = 2 * BLOCK + 10;
        assert_eq!(write(&mut sums, &all, 2 * BLOCK + 9..end), sum(&all, 2 * BLOCK..end));
        assert_eq!(write(&mut sums, &all, 0..BLOCK), sum(&all, 0..BLOCK));
        assert_eq!(write(&mut sums, &all, 7..7), sum(&all, 7..7));
    }
}
