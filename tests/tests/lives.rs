//! Thousands of seeded sessions with a cache, of several lives each: see `infill_tests::sim`.
//!
//! `INFILL_SEEDS=n` plays n sessions instead of 10,000, `INFILL_SEEDS=a..b` these; `INFILL_SEED=n` plays one and prints
//! all of it.

#![allow(clippy::print_stdout)] // What was met is for people.

use std::time::Instant;

use infill_tests::sim::{self, Boundary, End, Fault, Plan, Sessions};

#[test]
fn every_life_keeps_every_promise() {
    let sessions = Sessions { count: 10_000, plan: sim::cached_plan, run: sim::run_cached_seed };
    if let Some(sums) = sessions.play() {
        assert_eq!(sums.lived.rarer_than(LEAST), [], "met too rarely");
        let mut injected = sim::CACHED_ANSWERS.into_iter().chain(AROUND);
        let rare = injected.find(|fault| sums.coverage.of(*fault) < LEAST);
        assert_eq!(rare, None, "injected too rarely");
    }
}

/// So often everything is met at least.
const LEAST: u64 = 50;

/// What goes wrong besides the disk and single answers.
const AROUND: [Fault; 5] =
    [Fault::Replaced, Fault::Outage, Fault::NetworkChanged, Fault::IfRangeIgnored, Fault::Stale];

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
    let failures = sim::each(0..crashes.len() as u64, |number| end_at(&crashes[number as usize]));
    println!("{} ends in {:?}", crashes.len(), began.elapsed());
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
