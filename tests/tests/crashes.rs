//! Thousands of seeded sessions of write, crash and reopen: see `infill_tests::fuzz::cache`.
//!
//! `INFILL_SEEDS=n` plays n sessions, `INFILL_SEEDS=a..b` these.

use std::panic::catch_unwind;

use infill_tests::fuzz::cache;
use infill_tests::sim;

const SESSIONS: u64 = 4_000;

#[test]
fn a_cache_owes_what_it_acknowledged_and_never_lies() {
    let failures = sim::each(sim::seeds(SESSIONS), |seed| {
        catch_unwind(|| cache::run_seed(seed)).map_err(|_| seed.to_string())
    });
    assert!(failures.is_empty(), "these seeds fail, as is said above: {failures:?}");
}
