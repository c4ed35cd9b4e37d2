//! Thousands of seeded sessions: see `infill_tests::sim`.
//!
//! `INFILL_SEEDS=n` plays n sessions instead of 10,000, `INFILL_SEEDS=a..b` these; `INFILL_SEED=n` plays one and prints
//! all of it.

use infill_tests::sim::{self, Sessions};

#[test]
fn every_session_keeps_every_promise() {
    let sessions = Sessions { count: 10_000, plan: sim::plan, run: sim::run_seed };
    if let Some(sums) = sessions.play() {
        assert_eq!(sums.coverage.missing(), [], "never injected");
    }
}

/// Seeds that broke a promise once, and what was wrong. A change of how sessions are drawn makes other sessions of them.
const ONCE_BROKEN: [(u64, &str); 10] = [
    (3_768, "a reader gave up while a transfer came nearer to its byte"),
    (12_486, "response heads without a byte prolonged patience for ever"),
    (14_759, "a comparison was asked with If-Range, and another node answered with everything"),
    (14_797, "a 416 told the end of another version"),
    (16_508, "the Date of a 416 was taken for a validator, and the next version was mixed in"),
    (23_834, "two drains over the store's bound took each other's bytes for ever"),
    (30_665, "the way to what is compared was no progress"),
    (34_263, "what was to be compared had grown past the answer's end"),
    (39_190, "a trickle that settled a doubt kept all others waiting"),
    (1_049, "a comparison was cancelled because it brought nothing new"),
];

#[test]
fn what_a_seed_found_stays_found() {
    for (seed, what) in ONCE_BROKEN {
        if let Err(error) = sim::run_seed(seed) {
            panic!("{what}: {error}");
        }
    }
}

#[test]
fn a_seed_plays_the_same_session_again() {
    for seed in 0..20 {
        let (first, second) =
            (sim::run_traced(&sim::plan(seed)), sim::run_traced(&sim::plan(seed)));
        assert!(!first.1.text().is_empty());
        assert!(first.1.text() == second.1.text(), "seed {seed} differs from itself");
    }
}
