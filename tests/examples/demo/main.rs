//! Streams real audio from an origin that misbehaves, with both runtimes, and proves that what came out is what the
//! origin holds.
//!
//! ```text
//! cargo run --release --example demo
//! ```

mod kept;
mod listener;
mod local;
mod scenario;

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use infill_tests::origin::Origin;
use tokio::runtime::Runtime;

use listener::Heard;
use scenario::Scenario;

fn main() -> ExitCode {
    match run(&mut io::stdout()) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(io::stderr(), "demo: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs everything; gives the number of differences.
pub(crate) fn run(out: &mut dyn Write) -> io::Result<usize> {
    writeln!(out, "{INTRODUCTION}")?;
    let origin = Origin::builder().latency(Duration::from_millis(20)).try_start()?;
    let runtime = Runtime::new()?;
    let mut differences = 0;
    for scenario in &scenario::ALL {
        let expected = local::decoded(scenario.fixture().bytes)?;
        let path = scenario.set(&origin, "blocking");
        let heard = listener::blocking(scenario, &origin.url(&path), None);
        let wire = Wire::of(&origin, &path);
        differences += show(out, scenario, "blocking", &wire, &expected, heard)?;

        let path = scenario.set(&origin, "tokio");
        let heard = runtime.block_on(listener::on_tokio(scenario, &origin.url(&path), None));
        let wire = Wire::of(&origin, &path);
        differences += show(out, scenario, "tokio", &wire, &expected, heard)?;
    }
    differences += kept::run(out, &origin, &runtime)?;
    match differences {
        0 => writeln!(out, "{CONCLUSION}")?,
        count => writeln!(out, "\n{count} of these are not as they should be.")?,
    }
    Ok(differences)
}

const INTRODUCTION: &str = "\
An origin on this machine misbehaves, 20 ms away. Each row reads it while it downloads, decodes all of it, and compares
the samples with a local decode, and the bytes with the file. wire / size: bytes sent by the origin, per byte of the file.

scenario                      runtime   requests  wire / size  first byte ms  total ms  PCM";

const CONCLUSION: &str = "
Now yours:
  cargo run --release --example play -- <URL or path> --wav out.wav
  cargo run --release --example play-tokio -- <URL or path> --seek 30 --stats -";

/// What the origin saw.
struct Wire {
    requests: usize,
    sent: u64,
}

impl Wire {
    fn of(origin: &Origin, path: &str) -> Self {
        Self { requests: origin.requests(path).len(), sent: origin.bytes_sent(path) }
    }

    /// What it saw since then.
    fn since(&self, before: &Self) -> Self {
        Self { requests: self.requests - before.requests, sent: self.sent - before.sent }
    }
}

/// Writes a row; gives 1 if it shows a difference.
fn show(
    out: &mut dyn Write,
    scenario: &Scenario,
    runtime: &str,
    wire: &Wire,
    expected: &[f32],
    heard: io::Result<Heard>,
) -> io::Result<usize> {
    let requests = wire.requests;
    let ratio = wire.sent as f64 / scenario.fixture().bytes.len() as f64;
    write!(out, "{:<30}{runtime:<10}{requests:>8}{ratio:>13.3}", scenario.name)?;
    let difference = match heard {
        Ok(heard) => {
            write!(out, "{:>15}{:>10}  ", heard.first_byte_ms, heard.total_ms)?;
            difference(scenario, &heard, expected)
        }
        Err(error) => Some(format!("{:>27}{error}", "")),
    };
    writeln!(out, "{}", difference.as_deref().unwrap_or("identical"))?;
    Ok(usize::from(difference.is_some()))
}

/// What is not as the origin holds it, if anything.
fn difference(scenario: &Scenario, heard: &Heard, expected: &[f32]) -> Option<String> {
    let file = scenario.fixture().bytes;
    for (at, bytes) in &heard.visited {
        let rest = &file[usize::try_from(*at).ok()?..];
        let there = &rest[..rest.len().min(scenario::VISIT_BYTES)];
        if let Some(byte) = first_difference(bytes, there) {
            return Some(format!("WRONG BYTE {byte} after the seek to {at}"));
        }
    }
    if let Some(byte) = first_difference(&heard.raw, file) {
        return Some(format!("WRONG BYTE at {byte}"));
    }
    // Bit for bit: an error in the last place would be one.
    let same = |(heard, expected): (&f32, &f32)| heard.to_bits() == expected.to_bits();
    if !heard.pcm.iter().zip(expected).all(same) {
        return Some("WRONG SAMPLES".into());
    }
    if heard.pcm.len() != expected.len() {
        let (heard, expected) = (heard.pcm.len(), expected.len());
        return Some(format!("{heard} SAMPLES INSTEAD OF {expected}"));
    }
    None
}

fn first_difference(one: &[u8], other: &[u8]) -> Option<usize> {
    let same = one.iter().zip(other).take_while(|(a, b)| a == b).count();
    (same < one.len().max(other.len())).then_some(same)
}
