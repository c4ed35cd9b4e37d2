//! The first read of what an earlier session left, which has to be verified, beside the same read again, and beside the
//! temporary directory's: all of it in the system's page cache.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use infill_blocking::{Client, FileStream, StoreKind};
use infill_tests::bench::{Failure, median};
use infill_tests::origin::{Origin, Resource, content};

const LEN: u64 = 64 << 20;

/// From one place to the next: farther than the machine verifies ahead of a reader.
const STEP: u64 = 4 << 20;

/// How often the cache is opened anew.
const ROUNDS: usize = 25;

/// So long nothing happens before a read is measured: what was verified ahead of the one before is over.
const REST: Duration = Duration::from_millis(4);

/// Microseconds.
#[derive(Default)]
struct Times {
    first: Vec<f64>,
    again: Vec<f64>,
    scratch: Vec<f64>,
}

/// A name, how much is read, and where within each step.
const SORTS: [(&str, usize, u64); 4] = [
    ("256 KiB, one block", 256 << 10, 0),
    ("256 KiB, over two blocks", 256 << 10, 100 << 10),
    ("64 KiB", 64 << 10, 64 << 10),
    ("4 KiB", 4 << 10, 100 << 10),
];

#[allow(clippy::print_stdout, reason = "a benchmark's output")]
pub(super) fn run() -> Result<(), Failure> {
    let origin = Origin::start();
    origin.put("/a.bin", Resource::new(content(1, LEN)));
    let url = origin.url("/a.bin");
    let dir = tempfile::tempdir()?;
    read_all(&mut open(dir.path(), &url)?)?;
    let client = Client::builder().store(StoreKind::temp_dir()).build()?;
    let mut scratch = client.open(url.as_str())?;
    read_all(&mut scratch)?;
    println!(
        "\nFirst read of an earlier session's bytes, us: medians; 'more' is of the pairs, with its best tenth"
    );
    println!("{:<26} {:>8} {:>8} {:>15} {:>9}", "", "first", "again", "more", "temp dir");
    for (name, len, within) in SORTS {
        let mut times = Times::default();
        for _ in 0..ROUNDS {
            let stream = open(dir.path(), &url)?;
            thread::sleep(Duration::from_millis(20));
            times.take(&stream, &scratch, len, within)?;
        }
        let more = times.first.iter().zip(&times.again).map(|(first, again)| first - again);
        let mut more: Vec<f64> = more.collect();
        more.sort_by(f64::total_cmp);
        let (best, more) = (more[more.len() / 10], more[more.len() / 2]);
        let [first, again, scratch] = [times.first, times.again, times.scratch].map(median);
        println!("{name:<26} {first:>8.1} {again:>8.1} {more:>8.1} {best:>6.1} {scratch:>9.1}");
    }
    assert_eq!(origin.requests("/a.bin").len(), 2, "what is complete is not asked for again");
    Ok(())
}

impl Times {
    fn take(
        &mut self,
        cached: &FileStream,
        scratch: &FileStream,
        len: usize,
        within: u64,
    ) -> Result<(), Failure> {
        let mut buffer = vec![0; len];
        for step in 1..LEN / STEP {
            let at = step * STEP + within;
            thread::sleep(REST);
            self.scratch.push(read(scratch, at, &mut buffer)?);
            thread::sleep(REST);
            self.first.push(read(cached, at, &mut buffer)?);
            thread::sleep(REST);
            self.again.push(read(cached, at, &mut buffer)?);
        }
        Ok(())
    }
}

fn open(dir: &Path, url: &str) -> Result<FileStream, Failure> {
    Ok(Client::builder().cache_dir(dir).build()?.open(url)?)
}

fn read_all(stream: &mut FileStream) -> Result<(), Failure> {
    match std::io::copy(stream, &mut std::io::sink())? {
        LEN => Ok(()),
        count => Err(format!("{count} bytes instead of {LEN}").into()),
    }
}

/// How many microseconds it takes to fill the buffer.
fn read(stream: &FileStream, at: u64, buffer: &mut [u8]) -> Result<f64, Failure> {
    let start = Instant::now();
    let mut done = 0;
    while done < buffer.len() {
        match stream.read_at(at + done as u64, &mut buffer[done..])? {
            0 => return Err("the file is shorter than it is".into()),
            count => done += count,
        }
    }
    Ok(start.elapsed().as_secs_f64() * 1e6)
}
