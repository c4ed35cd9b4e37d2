//! Thousands of seeded sessions with a cache, of several lives each: see `infill_tests::sim`.
//!
//! `INFILL_SEEDS=n` plays n sessions instead of 10,000, `INFILL_SEEDS=a..b` these; `INFILL_SEED=n` plays one and prints
//! all of it.

#![allow(clippy::print_stdout)] // A replay is for people.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use infill_tests::sim::{self, Boundary, Coverage, End, Fault, Lived, Plan, Tally};

const SESSIONS: u64 = 10_000;
const THREADS: usize = 2;

/// After so many failures the rest tells nothing new.
const MAX_FAILURES: usize = 5;

#[test]
fn every_life_keeps_every_promise() {
    if let Some(seed) = number("INFILL_SEED") {
        return replay(seed);
    }
    let began = Instant::now();
    let (first, end) = seeds();
    let next = AtomicU64::new(first);
    let sums = Mutex::new(Sums::default());
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| play(&next, end, &sums));
        }
    });
    let sums = sums.into_inner().unwrap_or_else(PoisonError::into_inner);
    println!("{}{}", sums.coverage, sums.lived);
    let Tally { requests, delivered, late, published, overlap } = sums.tally;
    println!(
        "{} sessions in {:?}: {} events, {requests} requests, {delivered} bytes delivered ({late} after a cancel), \
         {published} published, {overlap} compared",
        end - first,
        began.elapsed(),
        sums.events
    );
    assert!(sums.failures.is_empty(), "{}", sums.failures.join("\n\n"));
    if end - first >= SESSIONS {
        assert_eq!(sums.lived.rarer_than(LEAST), [], "met too rarely");
        let rare = INJECTED.into_iter().find(|fault| sums.coverage.of(*fault) < LEAST);
        assert_eq!(rare, None, "injected too rarely");
    }
}

/// So often everything is met at least.
const LEAST: u64 = 50;

/// What goes wrong besides the disk.
const INJECTED: [Fault; 14] = [
    Fault::Cut,
    Fault::Reset,
    Fault::Stall,
    Fault::RangeIgnored,
    Fault::ShortRange,
    Fault::ServerError,
    Fault::OtherEtag,
    Fault::UnknownTotal,
    Fault::ConnectFailed,
    Fault::Replaced,
    Fault::Outage,
    Fault::NetworkChanged,
    Fault::IfRangeIgnored,
    Fault::Stale,
];

/// What a power cut leaves is drawn so often at each boundary.
const CUTS: u64 = 3;

#[test]
fn every_boundary_of_a_session_is_a_place_to_end() {
    let began = Instant::now();
    let mut crashes = Vec::new();
    for (what, plan) in sim::fixed_plans() {
        let whole = sim::run(&plan).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert!(whole.operations > 20, "{what}: a session of {} operations", whole.operations);
        println!("{what}: {} boundaries", whole.operations + 1);
        for operations in 0..=whole.operations {
            let kill = Boundary { operations, end: End::Killed, chance: 0 };
            let cut = |chance| Boundary { operations, end: End::Cut, chance };
            let ends = std::iter::once(kill).chain((0..CUTS).map(cut));
            crashes.extend(ends.map(|boundary| (what, plan.clone(), boundary)));
        }
    }
    let next = AtomicU64::new(0);
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(crash) = crashes.get(next.fetch_add(1, Ordering::Relaxed) as usize) {
                    let outcome = end_at(crash);
                    let mut failures = failures.lock().unwrap_or_else(PoisonError::into_inner);
                    failures.extend(outcome.err());
                    if failures.len() >= MAX_FAILURES {
                        return;
                    }
                }
            });
        }
    });
    println!("{} ends in {:?}", crashes.len(), began.elapsed());
    let failures = failures.into_inner().unwrap_or_else(PoisonError::into_inner);
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

fn end_at((what, plan, boundary): &(&str, Plan, Boundary)) -> Result<(), String> {
    let mut plan = plan.clone();
    let cache = plan.cache.as_mut().ok_or("a session without a cache")?;
    cache.boundary = Some(*boundary);
    sim::run(&plan).map(drop).map_err(|error| format!("{what}, {boundary:?}: {error}"))
}

#[test]
fn a_seed_plays_the_same_session_again() {
    for seed in 0..20 {
        let (first, second) =
            (sim::run_traced(&sim::cached_plan(seed)), sim::run_traced(&sim::cached_plan(seed)));
        assert!(!first.1.text().is_empty());
        assert!(first.1.text() == second.1.text(), "seed {seed} differs from itself");
    }
}

#[derive(Default)]
struct Sums {
    coverage: Coverage,
    lived: Lived,
    tally: Tally,
    events: u64,
    failures: Vec<String>,
}

fn play(next: &AtomicU64, end: u64, sums: &Mutex<Sums>) {
    loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= end {
            return;
        }
        let outcome = sim::run_cached_seed(seed);
        let mut sums = sums.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            Ok(report) => {
                sums.coverage.add(&report.coverage);
                sums.lived.add(&report.lived);
                sums.tally.add(&report.tally);
                sums.events += report.events;
            }
            Err(failure) => sums.failures.push(failure),
        }
        if sums.failures.len() >= MAX_FAILURES {
            return;
        }
    }
}

fn replay(seed: u64) {
    let plan = sim::cached_plan(seed);
    println!("{plan:#?}");
    match sim::run_live(&plan) {
        Ok(report) => {
            println!("seed {seed} keeps every promise: {:?} {:?}", report.time, report.tally);
        }
        Err(error) => panic!("seed {seed}: {error}"),
    }
}

fn seeds() -> (u64, u64) {
    let Ok(text) = std::env::var("INFILL_SEEDS") else {
        return (0, SESSIONS);
    };
    let parse = |text: &str| text.parse().expect("INFILL_SEEDS is a number or a range a..b");
    match text.split_once("..") {
        Some((first, end)) => (parse(first), parse(end)),
        None => (0, parse(&text)),
    }
}

fn number(name: &str) -> Option<u64> {
    Some(std::env::var(name).ok()?.parse().expect("INFILL_SEED is a number"))
}
