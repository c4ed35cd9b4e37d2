//! Sessions by the thousand, on all threads, and one again for people.

use std::io::{self, Write};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::{Coverage, Lived, Plan, Report, Tally, run_live};

const THREADS: usize = 2;

/// After so many failures the rest tells nothing new.
const MAX_FAILURES: usize = 5;

/// A kind of sessions that seeds are drawn for.
#[derive(Clone, Copy, Debug)]
pub struct Sessions {
    /// How many are played unless `INFILL_SEEDS` says otherwise.
    pub count: u64,
    /// Draws one.
    pub plan: fn(u64) -> Plan,
    /// Plays one.
    pub run: fn(u64) -> Result<Report, String>,
}

/// What came of many sessions.
#[derive(Debug, Default)]
pub struct Sums {
    /// What was injected.
    pub coverage: Coverage,
    /// What was met over the ends of processes.
    pub lived: Lived,
    tally: Tally,
    events: u64,
}

impl Sessions {
    /// Plays the sessions that the environment asks for: `INFILL_SEED=n` one, which is printed as it happens;
    /// `INFILL_SEEDS=n` so many, `INFILL_SEEDS=a..b` these; else [`Sessions::count`]. Panics when one breaks a promise.
    /// Gives the sums where at least [`Sessions::count`] were played: fewer say nothing of how often a thing is met.
    pub fn play(self) -> Option<Sums> {
        if let Some(seed) = number("INFILL_SEED") {
            self.replay(seed);
            return None;
        }
        let began = Instant::now();
        let Range { start: first, end } = seeds(self.count);
        let sums = Mutex::new(Sums::default());
        let failures = each(first..end, |seed| {
            let report = (self.run)(seed)?;
            let mut sums = sums.lock().unwrap_or_else(PoisonError::into_inner);
            sums.coverage.add(&report.coverage);
            sums.lived.add(&report.lived);
            sums.tally.add(&report.tally);
            sums.events += report.events;
            Ok(())
        });
        let sums = sums.into_inner().unwrap_or_else(PoisonError::into_inner);
        let Tally { requests, delivered, late, published, overlap } = sums.tally;
        say(&format!(
            "{}{}{} sessions in {:?}: {} events, {requests} requests, {delivered} bytes delivered ({late} after a \
             cancel), {published} published, {overlap} compared",
            sums.coverage,
            sums.lived,
            end - first,
            began.elapsed(),
            sums.events
        ));
        assert!(failures.is_empty(), "{}", failures.join("\n\n"));
        (end - first >= self.count).then_some(sums)
    }

    fn replay(self, seed: u64) {
        let plan = (self.plan)(seed);
        say(&format!("{plan:#?}"));
        match run_live(&plan) {
            Ok(Report { time, tally, .. }) => {
                say(&format!("seed {seed} keeps every promise: {time:?} {tally:?}"));
            }
            Err(error) => panic!("seed {seed}: {error}"),
        }
    }
}

/// Does `work` for each number, on all threads; gives what failed, and stops when that is enough.
pub fn each(numbers: Range<u64>, work: impl Fn(u64) -> Result<(), String> + Sync) -> Vec<String> {
    let next = AtomicU64::new(numbers.start);
    let failures = Mutex::new(Vec::new());
    let until_done = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= numbers.end {
                return;
            }
            let outcome = work(number);
            let mut failures = failures.lock().unwrap_or_else(PoisonError::into_inner);
            failures.extend(outcome.err());
            if failures.len() >= MAX_FAILURES {
                return;
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(until_done);
        }
    });
    failures.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// The seeds that `INFILL_SEEDS` asks for, or else the first `count`.
pub fn seeds(count: u64) -> Range<u64> {
    let Ok(text) = std::env::var("INFILL_SEEDS") else {
        return 0..count;
    };
    let parse = |text: &str| text.parse().expect("INFILL_SEEDS is a number or a range a..b");
    match text.split_once("..") {
        Some((first, end)) => parse(first)..parse(end),
        None => 0..parse(&text),
    }
}

fn number(name: &str) -> Option<u64> {
    Some(std::env::var(name).ok()?.parse().expect("INFILL_SEED is a number"))
}

fn say(text: &str) {
    // Nobody listens where standard output is closed.
    let _ = writeln!(io::stdout(), "{text}");
}
