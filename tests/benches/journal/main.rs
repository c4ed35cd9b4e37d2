//! What it takes to open a journal (read it from a file and replay it), what one more record costs, and how often a
//! journal is compacted.

mod hour;

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use fastrand::Rng;
use infill_core::catalog::{
    Catalog, Extent, Generation, Key, Place, Record, Replay, ResourceKey, StoredFacts,
};
use infill_core::journal::{BLOCK_BYTES, Encoder, Header, Reader};
use infill_tests::alloc::{Counting, peak_of};
use infill_tests::bench::median;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const HEADER: Header = Header { epoch: 0x1f11_1f11 };
const ROUNDS: usize = 9;
/// Before the number of a case.
const CASE: &str = "--case";
const UPDATES: u32 = 200_000;

/// A name, and who writes what is opened.
type Case = (&'static str, fn(&mut Journal));

const CASES: [Case; 5] = [
    ("100,000 files of one extent", |journal| one_extent(journal, 100_000)),
    ("100,000 segments of 1,000 assets", |journal| one_extent(journal, 1_000)),
    ("1,000,000 extents, 100 files", |journal| extents(journal, 100, Record::MAX_EXTENTS)),
    ("1,000,000 extents, one file", |journal| extents(journal, 1, Record::MAX_EXTENTS)),
    ("1,000,000 extents, a record each", |journal| extents(journal, 100, 1)),
];

/// Each case runs in a process of its own, so that none finds the heap of another.
#[allow(clippy::print_stdout, reason = "a benchmark's output")]
fn main() {
    if let Some(case) = std::env::args().skip_while(|argument| argument != CASE).nth(1) {
        let (name, write) = CASES[case.parse::<usize>().expect("the number of a case")];
        return run(name, write);
    }
    println!(
        "{:<34} {:>8} {:>8} {:>8} {:>9} {:>12}",
        "opening", "MiB", "ms", "cpu ms", "heap MiB", "process MiB"
    );
    for case in 0..CASES.len() {
        let program = std::env::current_exe().expect("this program");
        let status = Command::new(program).args([CASE, &case.to_string()]).status();
        assert!(status.expect("it runs again").success());
    }
    println!("\n{:<34} {:>14} {:>14}", "one update, ns", "extent", "use");
    for count in [1_000, 10_000, 100_000] {
        let (extent, used) = update(count);
        let nanos = |whole: Duration| whole.as_nanos() / u128::from(UPDATES);
        println!("{count:>26} files   {:>14} {:>14}", nanos(extent), nanos(used));
    }
    hour::run();
}

fn run(name: &str, write: fn(&mut Journal)) {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = folder.path().join("journal.bin");
    let mut journal = Journal::new(&path);
    write(&mut journal);
    let bytes = journal.finish();
    report(name, bytes, &path);
}

#[allow(clippy::print_stdout, reason = "a benchmark's output")]
fn report(name: &str, bytes: u64, path: &Path) {
    let mib = |bytes: f64| bytes / f64::from(1 << 20);
    let (mut times, mut cpu_times) = (Vec::new(), Vec::new());
    let (mut heap, mut process) = (0, None);
    for _ in 0..ROUNDS {
        forget_peak();
        let (start, cpu) = (Instant::now(), cpu_nanos());
        let (catalog, peak) = peak_of(|| open(path));
        times.push(start.elapsed().as_secs_f64() * 1e3);
        cpu_times.push((cpu_nanos() - cpu) as f64 / 1e6);
        heap = heap.max(peak);
        process = process.max(peak_kib());
        assert!(!catalog.downloads().is_empty());
    }
    let (time, cpu) = (median(times), median(cpu_times));
    let process = process.map_or("-".to_owned(), |kib| format!("{:.1}", f64::from(kib) / 1024.0));
    let (size, heap) = (mib(bytes as f64), mib(heap as f64));
    println!("{name:<34} {size:>8.1} {time:>8.1} {cpu:>8.1} {heap:>9.1} {process:>12}");
}

fn open(path: &Path) -> Catalog {
    let mut file = File::open(path).expect("the journal");
    let mut block = vec![0; BLOCK_BYTES];
    let (mut replay, mut reader) = (Replay::new(), Reader::new(HEADER));
    loop {
        let mut len = 0;
        while len < block.len() {
            match file.read(&mut block[len..]).expect("a readable file") {
                0 => break,
                read => len += read,
            }
        }
        if len == 0 {
            assert_eq!(reader.finish().damaged, 0);
            return replay.finish();
        }
        reader.block(&block[..len], |record| replay.apply(&record));
    }
}

/// A journal that is written without being held.
struct Journal {
    file: File,
    encoder: Encoder,
    buffer: Vec<u8>,
    rng: Rng,
    generation: Generation,
}

impl Journal {
    fn new(path: &Path) -> Self {
        let file = File::create(path).expect("a new file");
        let buffer = HEADER.encode().to_vec();
        let (rng, generation) = (Rng::with_seed(7), Generation(0));
        Self { file, encoder: Encoder::new(HEADER), buffer, rng, generation }
    }

    fn append(&mut self, record: &Record) {
        self.encoder.append(record, &mut self.buffer).expect("none is too long");
        if self.buffer.len() > BLOCK_BYTES {
            self.file.write_all(&self.buffer).expect("room");
            self.buffer.clear();
        }
    }

    /// A new resource, as the web has them.
    fn open(&mut self, asset: Option<Key>) -> (Key, Generation) {
        self.generation = self.generation.next(7);
        let record = opened(&mut self.rng, self.generation, asset);
        self.append(&record);
        let Record::Open { place, .. } = record else { unreachable!("it was just made") };
        (place.key.asset, place.generation)
    }

    fn finish(mut self) -> u64 {
        self.file.write_all(&self.buffer).expect("room");
        self.encoder.offset()
    }
}

fn key(rng: &mut Rng) -> Key {
    Key(core::array::from_fn(|_| rng.u8(..)))
}

fn opened(rng: &mut Rng, generation: Generation, asset: Option<Key>) -> Record {
    let name = key(rng);
    let key = ResourceKey { asset: asset.unwrap_or(name), name };
    let etag = format!("\"{:016x}-{:06x}\"", rng.u64(..), rng.u32(..1 << 24));
    let facts = StoredFacts {
        total: Some(200_000),
        content_type: Some("audio/flac".into()),
        etag: Some(etag.into()),
        last_modified: Some("Wed, 25 Nov 2026 01:42:26 GMT".into()),
        date: Some("Wed, 25 Nov 2026 02:22:26 GMT".into()),
        ..StoredFacts::default()
    };
    let label = format!("https://media.example.com/albums/{:08x}/track.flac", rng.u32(..));
    Record::Open { place: Place { key, generation, file_bits: 24 }, label: label.into(), facts }
}

/// 100,000 complete resources of so many assets, each used.
fn one_extent(journal: &mut Journal, assets: usize) {
    const COUNT: usize = 100_000;
    for at in 1..=assets as u64 {
        let mut asset = None;
        for _ in 0..COUNT / assets {
            let (of, generation) = journal.open(asset);
            asset = Some(of);
            let extent = Extent { start: 0, digest: 1, len: 200_000 };
            journal.append(&Record::Extents { generation, extents: vec![extent] });
            journal.append(&Record::Commit { generation, final_len: 200_000 });
        }
        journal.append(&Record::Use { asset: asset.expect("it has one"), at });
    }
}

/// A million extents of so many files, in records of so many.
fn extents(journal: &mut Journal, files: u64, together: usize) {
    const COUNT: u64 = 1_000_000;
    let generations: Vec<_> = (0..files).map(|_| journal.open(None).1).collect();
    let blocks: Vec<u64> = (0..COUNT / files).collect();
    // In turn, as several streams at once would.
    for blocks in blocks.chunks(together) {
        for generation in &generations {
            let extent = |block: &u64| {
                let len = Extent::BLOCK_BYTES as u32;
                Extent { start: block * Extent::BLOCK_BYTES, digest: *block, len }
            };
            let extents = blocks.iter().map(extent).collect();
            journal.append(&Record::Extents { generation: *generation, extents });
        }
    }
}

/// The time of [`UPDATES`] extents and of as many uses, with so many files there.
fn update(files: u32) -> (Duration, Duration) {
    let (mut catalog, mut rng) = (Catalog::new(), Rng::with_seed(3));
    let mut opened_of = Vec::new();
    for number in 0..files {
        let generation = Generation(u64::from(number + 1) << 32);
        let record = opened(&mut rng, generation, None);
        catalog.apply(&record);
        let Record::Open { place, .. } = record else { unreachable!("it was just made") };
        opened_of.push((place.key.asset, generation));
    }
    let mut encoder = Encoder::new(HEADER);
    let mut out = Vec::with_capacity(2 * BLOCK_BYTES);
    let mut write = |catalog: &mut Catalog, record: &Record| {
        catalog.apply(record);
        out.clear();
        encoder.append(record, &mut out).expect("none is too long");
    };
    let extents = (0..UPDATES).map(|number| {
        let (_, generation) = opened_of[rng.usize(..opened_of.len())];
        // Each block of a file in turn, as far as chance has it.
        let start = u64::from(number / files) * Extent::BLOCK_BYTES;
        let extent = Extent { start, digest: 1, len: Extent::BLOCK_BYTES as u32 };
        Record::Extents { generation, extents: vec![extent] }
    });
    let extents: Vec<Record> = extents.collect();
    let start = Instant::now();
    extents.iter().for_each(|record| write(&mut catalog, record));
    let of_extents = start.elapsed();
    let uses: Vec<Record> = (0..UPDATES)
        .map(|at| Record::Use { asset: rng.choice(&opened_of).expect("some").0, at: u64::from(at) })
        .collect();
    let start = Instant::now();
    uses.iter().for_each(|record| write(&mut catalog, record));
    (of_extents, start.elapsed())
}

/// What this thread has had of the processor, where that is told: on a machine that others use, too, it says more than
/// the time.
fn cpu_nanos() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    stat.split_whitespace().next().and_then(|nanos| nanos.parse().ok()).unwrap_or(0)
}

/// Linux alone can: the peak of this process begins anew.
fn forget_peak() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

fn peak_kib() -> Option<u32> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}
