//! [`ByteRanges`] against the plainest set there is: one boolean for each position.
//!
//! The window of positions lies at 0, in the middle, or at the very end of what a `u64` can say.

use arbitrary::{Result, Unstructured};
use infill_core::{ByteRange, ByteRanges};

const WIDTH: u64 = 96;

/// Runs one input.
pub fn run(data: &[u8]) {
    // An input that is used up ends the run: nothing else can fail.
    let _ = drive(&mut Unstructured::new(data));
}

fn drive(input: &mut Unstructured<'_>) -> Result<()> {
    let base = [0, 1 << 40, u64::MAX - WIDTH][usize::from(input.arbitrary::<u8>()? % 3)];
    let (mut set, mut bits) = (ByteRanges::new(), [false; WIDTH as usize]);
    while !input.is_empty() {
        let op: u8 = input.arbitrary()?;
        let (one, two) = (position(input)?, position(input)?);
        let range = ByteRange::new(base + one, base + two);
        let touched = &mut bits[one as usize..two.max(one) as usize];
        match op % 8 {
            0..5 => {
                set.insert(range);
                touched.fill(true);
            }
            5..7 => {
                set.remove(range);
                touched.fill(false);
            }
            _ => {
                let before = bits.iter().filter(|bit| **bit).count() as u64;
                assert_eq!(set.len(), before, "{set:?}");
            }
        }
        compare(&set, &bits, base, one, range);
    }
    let rebuilt: ByteRanges = set.iter().collect();
    assert!(rebuilt.iter().eq(set.iter()), "{rebuilt:?} is not {set:?}");
    Ok(())
}

fn position(input: &mut Unstructured<'_>) -> Result<u64> {
    Ok(u64::from(input.arbitrary::<u8>()?) % WIDTH)
}

fn compare(set: &ByteRanges, bits: &[bool], base: u64, at: u64, range: ByteRange) {
    let has = |position: u64| bits[(position - base) as usize];
    let (start, end) = (base + at, base + WIDTH);
    let count =
        |mut within: core::ops::Range<u64>| within.by_ref().filter(|p| has(*p)).count() as u64;
    assert_eq!(set.len(), count(base..end));
    assert_eq!(set.is_empty(), bits.iter().all(|bit| !bit));
    assert_eq!(set.contains(start), has(start));
    assert_eq!(set.contains_range(range), (range.start..range.end).all(has));
    assert_eq!(set.len_within(range), count(range.start..range.end));
    let missing = (start..end).find(|p| !has(*p)).unwrap_or(end);
    assert_eq!(set.first_missing(start), missing);
    assert_eq!(set.first_present(start), (start..end).find(|p| has(*p)));
    let before = (base..start).rev().find(|p| has(*p)).map(|p| p + 1);
    assert_eq!(set.last_before(start).map(|run| run.end), before);
    let run = has(start).then(|| {
        let first = (base..start).rev().find(|p| !has(*p)).map_or(base, |p| p + 1);
        ByteRange::new(first, missing)
    });
    assert_eq!(set.run_at(start), run);
    for gap in set.gaps(range) {
        assert!(!gap.is_empty() && gap.intersect(range) == gap, "{gap} is no gap of {range}");
        assert_eq!(count(gap.start..gap.end), 0, "{gap} is no gap");
    }
    let holes: u64 = set.gaps(range).map(ByteRange::len).sum();
    assert_eq!(holes, range.len() - set.len_within(range));
    let (mut last, mut runs) = (None, 0);
    for run in set.iter() {
        assert!(last.is_none_or(|last| last < run.start), "runs touch: {set:?}");
        (last, runs) = (Some(run.end), runs + 1);
    }
    assert_eq!(set.overlapping(ByteRange::new(base, end)).count(), runs);
}
