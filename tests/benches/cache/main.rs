//! What the cache costs, and what it saves: beside the temporary directory, at the first read of what an earlier
//! session left, over kills, and over restarts.
//!
//! `cargo bench -p infill-tests --bench cache -- reads kills` runs these parts alone.

mod kills;
mod reads;
mod restarts;
mod throughput;

use std::fs::{File, TryLockError};
use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use infill_tests::bench::{Failure, is_parent};

/// A part that runs in this process.
type Part = fn() -> Result<(), Failure>;

/// Each comes after its name.
const PARTS: [(&str, Part); 3] =
    [("reads", reads::run), ("kills", kills::run), ("restarts", restarts::run)];

fn main() -> ExitCode {
    if let Some(exit) = kills::live() {
        return exit;
    }
    let wanted: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let is_wanted = |part: &str| wanted.is_empty() || wanted.iter().any(|each| each == part);
    if !is_parent() || is_wanted("throughput") {
        let exit = throughput::run();
        if !is_parent() || exit != ExitCode::SUCCESS {
            return exit;
        }
    }
    for (name, part) in PARTS.iter().filter(|(name, _)| is_wanted(name)) {
        if let Err(error) = part() {
            eprintln!("{name}: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// Waits until nobody has the cache: all that was received is stored, and recorded.
pub(crate) fn wait_closed(dir: &Path) -> Result<(), Failure> {
    let lock = File::open(dir.join("lock"))?;
    while let Err(error) = lock.try_lock() {
        if let TryLockError::Error(error) = error {
            return Err(error.into());
        }
        thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}
