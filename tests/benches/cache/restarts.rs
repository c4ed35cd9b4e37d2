//! Clean restarts at random moments, until a file is complete: what all sessions together have fetched, by their own
//! count and by the origin's.

use std::io::Read;
use std::path::Path;
use std::thread;
use std::time::Duration;

use fastrand::Rng;
use infill_blocking::StreamHandle;
use infill_tests::bench::Failure;
use infill_tests::origin::{Origin, Resource, content};
use tokio::io::AsyncReadExt;

use super::wait_closed;

const LEN: u64 = 16 << 20;

/// So fast that a session gets on by a part of the file.
const RATE: u64 = 16 << 20;

/// How many files for each runtime.
const FILES: u64 = 8;

/// How a session of a file goes.
#[derive(Clone, Copy)]
struct Session {
    /// How long it reads; then it closes whatever it was doing.
    time: Duration,
}

#[allow(clippy::print_stdout, reason = "a benchmark's output")]
pub(super) fn run() -> Result<(), Failure> {
    println!("\nClean restarts at random moments of 16 MiB at 16 MiB/s: bytes beyond the size");
    println!("{:<16} {:>9} {:>16} {:>16}", "", "restarts", "client's count", "origin's count");
    for name in ["infill-blocking", "infill-tokio"] {
        for seed in 0..FILES {
            let (restarts, fetched, sent) = restart(name == "infill-blocking", seed)?;
            let beyond = |bytes: u64| bytes as i64 - LEN as i64;
            println!("{name:<16} {restarts:>9} {:>16} {:>16}", beyond(fetched), beyond(sent));
        }
    }
    Ok(())
}

/// How many sessions were not the last, what they and the last fetched, and what the origin sent.
fn restart(blocking: bool, seed: u64) -> Result<(u32, u64, u64), Failure> {
    let mut rng = Rng::with_seed(seed);
    let origin = Origin::builder().send_buffer(16 * 1024).rate(RATE).start();
    origin.put("/a.bin", Resource::new(content(1, LEN)));
    let url = origin.url("/a.bin");
    let dir = tempfile::tempdir()?;
    let (mut restarts, mut fetched) = (0, 0);
    loop {
        let session = Session { time: Duration::from_micros(rng.u64(1_000..150_000)) };
        let handle = if blocking {
            session.blocking(&url, dir.path())?
        } else {
            infill_tests::bench::cases::runtime()?.block_on(session.tokio(&url, dir.path()))?
        };
        wait_closed(dir.path())?;
        fetched += handle.stats().bytes_fetched;
        if handle.stats().requests == 0 {
            return Ok((restarts, fetched, origin.bytes_sent("/a.bin")));
        }
        restarts += 1;
    }
}

impl Session {
    fn blocking(self, url: &str, dir: &Path) -> Result<StreamHandle, Failure> {
        let client = infill_blocking::Client::builder().cache_dir(dir).build()?;
        let mut stream = client.open(url)?;
        let handle = stream.handle();
        let timer = thread::spawn({
            let handle = handle.clone();
            move || {
                thread::sleep(self.time);
                handle.close();
            }
        });
        let mut buffer = vec![0; 64 * 1024];
        while matches!(stream.read(&mut buffer), Ok(1..)) {}
        drop(stream);
        timer.join().map_err(|_| "the timer panicked")?;
        Ok(handle)
    }

    async fn tokio(self, url: &str, dir: &Path) -> Result<StreamHandle, Failure> {
        let client = infill_tokio::Client::builder().cache_dir(dir).build()?;
        let mut stream = client.open(url).await?;
        let handle = stream.handle();
        let reading = async {
            let mut buffer = vec![0; 64 * 1024];
            while matches!(stream.read(&mut buffer).await, Ok(1..)) {}
        };
        // Dropped in the middle of a read, or after the last one.
        let _ = tokio::time::timeout(self.time, reading).await;
        drop((stream, client));
        wait_closed(dir)?;
        Ok(handle)
    }
}
