//! Thousands of seeded sessions of write, crash and reopen: see `infill_tests::fuzz::cache`.
//!
//! `INFILL_SEEDS=n` plays n sessions, `INFILL_SEEDS=a..b` these.

use std::panic::catch_unwind;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use infill_tests::fuzz::cache;

const SESSIONS: u64 = 4_000;
const THREADS: usize = 2;

/// After so many failures the rest tells nothing new.
const MAX_FAILURES: usize = 5;

#[test]
fn a_cache_owes_what_it_acknowledged_and_never_lies() {
    let (first, end) = seeds();
    let next = AtomicU64::new(first);
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        return;
                    }
                    let failed = catch_unwind(|| cache::run_seed(seed)).is_err();
                    let mut failures = failures.lock().unwrap_or_else(PoisonError::into_inner);
                    failures.extend(failed.then_some(seed));
                    if failures.len() >= MAX_FAILURES {
                        return;
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap_or_else(PoisonError::into_inner);
    assert!(failures.is_empty(), "these seeds fail, as is said above: {failures:?}");
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
