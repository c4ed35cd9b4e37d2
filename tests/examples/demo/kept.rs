//! What a cache keeps: a file that was closed at half goes on from there, and then plays without the origin.

use std::io::{self, Read, Write};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use infill_tests::origin::Origin;
use tokio::io::AsyncReadExt;
use tokio::runtime::Runtime;

use super::listener::{self, Heard};
use super::scenario::{OFFLINE, RESUMED, Scenario};
use super::{Wire, local, show};

/// How long a closed client may take to let go of its directory.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs both for each runtime; gives the number of differences.
pub(super) fn run(out: &mut dyn Write, origin: &Origin, runtime: &Runtime) -> io::Result<usize> {
    let expected = local::decoded(RESUMED.fixture().bytes)?;
    let half = RESUMED.fixture().bytes.len() as u64 / 2;
    let mut differences = 0;
    for name in ["blocking", "tokio"] {
        let on_tokio = name == "tokio";
        let dir = tempfile::tempdir()?;
        let path = RESUMED.set(origin, name);
        let url = origin.url(&path);
        let begun = if on_tokio {
            runtime.block_on(begin_on_tokio(&url, dir.path(), half))
        } else {
            begin(&url, dir.path(), half)
        };
        begun?;
        let listen = |scenario: &Scenario| {
            wait_for_lock(dir.path())?;
            if on_tokio {
                runtime.block_on(listener::on_tokio(scenario, &url, Some(dir.path())))
            } else {
                listener::blocking(scenario, &url, Some(dir.path()))
            }
        };
        let heard: io::Result<Heard> = listen(&RESUMED);
        let before = Wire::of(origin, &path);
        differences += show(out, &RESUMED, name, &before, &expected, heard)?;
        let heard = listen(&OFFLINE);
        let wire = Wire::of(origin, &path).since(&before);
        differences += show(out, &OFFLINE, name, &wire, &expected, heard)?;
        wait_for_lock(dir.path())?;
    }
    Ok(differences)
}

/// The first life: reads half, and closes.
fn begin(url: &str, dir: &Path, half: u64) -> io::Result<()> {
    let client = infill_blocking::Client::builder().cache_dir(dir).build()?;
    let mut stream = client.open(url)?.take(half);
    io::copy(&mut stream, &mut io::sink())?;
    Ok(())
}

async fn begin_on_tokio(url: &str, dir: &Path, half: u64) -> io::Result<()> {
    let client = infill_tokio::Client::builder().cache_dir(dir).build()?;
    let mut stream = client.open(url).await?.take(half);
    tokio::io::copy(&mut stream, &mut tokio::io::sink()).await?;
    Ok(())
}

/// A closed client writes what it owes, and then lets go.
fn wait_for_lock(dir: &Path) -> io::Result<()> {
    let until = Instant::now() + PATIENCE;
    let lock = std::fs::File::open(dir.join("lock"))?;
    while let Err(error) = lock.try_lock() {
        if Instant::now() > until {
            return Err(error.into());
        }
        thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}
