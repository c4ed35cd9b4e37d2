//! One resource in many small files against an array, over restarts: whatever is asked in whatever order.

use std::collections::BTreeSet;
use std::sync::Arc;

use infill_core::{ByteRange, ByteRanges};
use xxhash_rust::xxh3::xxh3_64;

use super::*;
use crate::cache::CacheFile;

const BYTES: u64 = 80_000;

/// Fewer files may be open than there are.
const MAX_OPEN: usize = 3;

/// Numbers from a seed (splitmix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (x ^ (x >> 31)) % end
    }

    fn range(&mut self, most: u64) -> ByteRange {
        let start = self.below(BYTES);
        ByteRange::new(start, (start + 1 + self.below(most)).min(BYTES))
    }
}

struct Case {
    dir: TempDir,
    disk: Arc<Faulty>,
    store: Option<Arc<CacheStore>>,
    file: Option<Arc<CacheFile>>,
    place: Place,
    stored: ByteRanges,
    content: Vec<u8>,
    session: u64,
}

impl Case {
    fn new() -> Self {
        let (dir, disk) = scene();
        let (stored, content) = (ByteRanges::new(), vec![0; BYTES as usize]);
        let place = Place { file_bits: 12, ..place(1, 0) };
        let mut case =
            Self { dir, disk, store: None, file: None, place, stored, content, session: 0 };
        case.restart();
        case
    }

    fn restart(&mut self) {
        (self.file, self.store) = (None, None);
        self.session += 1;
        let disk = Arc::clone(&self.disk) as Arc<dyn Disk>;
        let (store, restored) = CacheStore::open_with(disk, self.session, MAX_OPEN).unwrap();
        if self.stored.is_empty() {
            // A new generation now and then, which nobody has to be told about.
            store.remove(self.place).unwrap();
            self.place.generation = self.place.generation.next(restored.salt);
        }
        let file = store.file(self.place);
        if self.place.generation.salt() != restored.salt {
            file.restore(self.stored.iter());
        }
        (self.file, self.store) = (Some(file), Some(store));
    }

    fn file(&self) -> &CacheFile {
        self.file.as_ref().unwrap()
    }

    fn write(&mut self, range: ByteRange, salt: u64) {
        let new = bytes(range.start ^ salt, range.len() as usize);
        let sum = self.file().write_at(range.start, &new).unwrap();
        self.content[range.start as usize..range.end as usize].copy_from_slice(&new);
        self.stored.insert(range);
        let run = &self.content[sum.start as usize..range.end as usize];
        assert_eq!(sum.digest, xxh3_64(run), "{sum:?} of {range:?}");
        assert!(self.stored.contains_range(ByteRange::new(sum.start, range.end)), "{sum:?}");
    }

    fn discard(&mut self, range: ByteRange) {
        self.file().discard(range);
        self.stored.remove(range);
    }

    fn check(&self) {
        for run in self.stored.iter() {
            let mut buf = vec![0; run.len() as usize];
            assert_eq!(self.file().read_at(run.start, &mut buf).unwrap(), buf.len());
            assert!(buf == self.content[run.start as usize..run.end as usize], "{run:?}");
        }
        let chunk = |index: u64| ByteRange::at(index << 12, 1 << 12);
        let used = |index: &u64| self.stored.overlapping(chunk(*index)).next().is_some();
        let expected: BTreeSet<u64> = (0..=BYTES >> 12).filter(used).collect();
        let files = tree(&self.dir.path().join("cache"));
        let chunks = files.iter().filter_map(|path| path.rsplit_once('.')?.1.parse().ok());
        assert_eq!(chunks.collect::<BTreeSet<u64>>(), expected);
        assert!(self.store.as_ref().unwrap().open_files() <= MAX_OPEN);
    }
}

#[test]
fn whatever_is_asked_in_whatever_order() {
    for seed in 0..60 {
        let (mut case, mut chance) = (Case::new(), Chance(seed));
        let mut next = 0;
        for _ in 0..80 {
            match chance.below(16) {
                0..6 => {
                    // Goes on where the last one ended.
                    let range = ByteRange::new(next, (next + 1 + chance.below(3000)).min(BYTES));
                    let range = if range.is_empty() { chance.range(3000) } else { range };
                    case.write(range, seed);
                    next = range.end;
                }
                6..9 => {
                    let range = chance.range(6000);
                    case.write(range, chance.below(7));
                    next = range.end;
                }
                9..13 => case.discard(chance.range(12_000)),
                13 => case.discard(ByteRange::new(chance.below(BYTES), u64::MAX)),
                14 => case.file().sync().unwrap(),
                _ => case.restart(),
            }
            case.check();
        }
    }
}
