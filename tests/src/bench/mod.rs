//! Benchmarks that can be trusted on a noisy machine: each case runs in a process of its own, beside its baseline, in
//! turn, several rounds, against an origin in yet another process; what is reported is medians and their ratios.
//!
//! A benchmark is a list of [`Case`]s given to [`run`], or several such lists given to [`run_all`]; that is also what the
//! child processes enter.

pub mod cases;
mod child;
mod table;
mod usage;

use std::path::PathBuf;
use std::time::Duration;

pub use usage::Usage;

use crate::origin::{Origin, OriginBuilder, Resource, content};

/// The resource that cases read.
pub const PATH: &str = "/bench.bin";

/// What a case is given.
#[derive(Clone, Debug)]
pub struct Job {
    /// The URL of the resource.
    pub url: String,
    /// Its length in bytes.
    pub len: u64,
    /// An empty directory that is there for this run alone, and deleted when all is measured.
    pub dir: PathBuf,
}

/// Why a case could not be measured.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Something that is measured.
#[derive(Clone, Copy)]
pub struct Case {
    /// Its name in the table.
    pub name: &'static str,
    /// What it is compared with, by name; none for a baseline.
    pub against: &'static [&'static str],
    /// Does the work once. An error ends the benchmark.
    pub work: fn(&Job) -> Result<(), Failure>,
}

/// The origin that a benchmark reads from.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// What the benchmark shows.
    pub title: &'static str,
    /// Bytes of the resource.
    pub len: u64,
    /// Before each response head.
    pub latency: Duration,
    /// Bytes per second of each response.
    pub rate: Option<u64>,
    /// How often each case runs.
    pub rounds: usize,
}

impl Setting {
    fn origin(&self) -> Origin {
        let mut builder: OriginBuilder = Origin::builder().latency(self.latency);
        if let Some(rate) = self.rate {
            builder = builder.rate(rate);
        }
        let origin = builder.start();
        origin.put(PATH, Resource::new(content(1, self.len)));
        origin
    }
}

/// Runs a benchmark: as its parent, as its origin, or as one case, as the arguments say.
pub fn run(setting: &Setting, cases: &[Case]) -> std::process::ExitCode {
    run_all(&[(*setting, cases)])
}

/// Runs several benchmarks, one after the other. Their titles tell them apart.
pub fn run_all(benchmarks: &[(Setting, &[Case])]) -> std::process::ExitCode {
    match dispatch(benchmarks) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            std::process::ExitCode::FAILURE
        }
    }
}

/// Whether this process is the one that compares, and not an origin or a case.
pub fn is_parent() -> bool {
    !std::env::args().any(|arg| matches!(arg.as_str(), "--origin" | "--case"))
}

fn dispatch(benchmarks: &[(Setting, &[Case])]) -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().collect();
    let role: Vec<&str> = args.iter().skip(1).map(String::as_str).collect();
    let titled = |title: &str| {
        let found = benchmarks.iter().find(|(each, _)| each.title == title);
        found.ok_or("no such benchmark")
    };
    match role.as_slice() {
        ["--origin", title] => child::serve(&titled(title)?.0),
        ["--case", title, name, url] => {
            let (setting, cases) = titled(title)?;
            child::work(setting, cases, name, url)
        }
        _ => benchmarks.iter().try_for_each(|(setting, cases)| {
            table::compare(setting, cases)
                .map_err(|error| format!("{}: {error}", setting.title).into())
        }),
    }
}

/// The middle one; of none, 0.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
