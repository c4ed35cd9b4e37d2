//! Random reads and seeks against what the origin holds, with random faults, shrunk to the smallest script that fails.
//! The same world as in `simulator`, but with a plan that proptest builds: `cargo test` stores failing ones beside this
//! file.

use std::time::Duration;

use infill_tests::sim::{
    self, ANSWERS, BodyFraming, Fault, Incident, Move, Plan, ReaderPlan, TrackPlan, Validators,
};
use proptest::prelude::*;

/// A file small enough for its script to be read.
const MAX_TOTAL: u64 = 200_000;

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, max_shrink_iters: 4000, ..ProptestConfig::default() })]

    #[test]
    fn random_reads_get_what_the_origin_holds(plan in plans()) {
        if let Err(error) = sim::run(&plan) {
            prop_assert!(false, "{error}");
        }
    }
}

fn plans() -> impl Strategy<Value = Plan> {
    (1..=MAX_TOTAL).prop_flat_map(|total| {
        (
            track(total),
            prop::collection::vec(reader(total), 1..3),
            prop::collection::vec(incident(), 0..3),
            limits(),
            0u64..1000,
        )
            .prop_map(|(track, readers, incidents, limits, seed)| {
                let mut plan = Plan::honest(seed, track.total);
                (plan.tracks, plan.readers, plan.incidents) = (vec![track], readers, incidents);
                plan.config.fetch_credit_bytes = limits.0;
                plan.config.read_ahead_bytes = limits.1;
                plan.config.max_request_bytes = limits.2;
                plan.config.connections_per_file = limits.3;
                plan.config.give_up_after = Duration::from_secs(15);
                plan
            })
    })
}

fn track(total: u64) -> impl Strategy<Value = TrackPlan> {
    let validators = prop_oneof![
        Just(Validators::Strong),
        Just(Validators::EtagOnly),
        Just(Validators::Weak),
        Just(Validators::Modified),
        Just(Validators::Nodes),
        Just(Validators::None),
    ];
    let framing = prop_oneof![
        Just(BodyFraming::Length),
        Just(BodyFraming::Chunked),
        Just(BodyFraming::Close)
    ];
    let fault = (prop::sample::select(ANSWERS), prop_oneof![Just(64u32), Just(256)]);
    let faults = prop::collection::vec(fault, 0..3);
    (validators, any::<bool>(), any::<bool>(), framing, faults).prop_map(
        move |(validators, no_ranges, if_range, framing, faults): (
            _,
            _,
            _,
            _,
            Vec<(Fault, u32)>,
        )| {
            TrackPlan {
                validators,
                ranges: !no_ranges,
                if_range,
                framing,
                faults,
                ..TrackPlan::honest(total)
            }
        },
    )
}

fn reader(total: u64) -> impl Strategy<Value = ReaderPlan> {
    let patience = prop::option::of((1u64..1000).prop_map(Duration::from_millis));
    let step = (0..=total + 10, 1u64..50_000, patience, any::<bool>(), 0u64..1000);
    let step = step.prop_map(|(from, len, patience, says_so, rest)| Move {
        from,
        len,
        patience,
        says_so,
        rest: Duration::from_millis(rest),
    });
    let moves = prop::collection::vec(step, 0..8);
    (moves, 1u64..65_536, 0u64..10, any::<bool>()).prop_map(|(moves, chunk, copy, detach)| {
        ReaderPlan {
            moves,
            chunk: chunk.max(512),
            copy_time: Duration::from_millis(copy),
            detach,
            ..ReaderPlan::linear(0)
        }
    })
}

fn incident() -> impl Strategy<Value = (Duration, Incident)> {
    let incident = prop_oneof![
        Just(Incident::Replace { track: 0 }),
        Just(Incident::NetworkChanged),
        Just(Incident::ReadFailure { reader: 0 }),
        (100u64..8000).prop_map(|ms| Incident::Outage(Duration::from_millis(ms))),
        (100u64..3000).prop_map(|ms| Incident::StoreBroken(Duration::from_millis(ms))),
        Just(Incident::Stale),
        Just(Incident::Close { track: 0 }),
    ];
    ((0u64..4000).prop_map(Duration::from_millis), incident)
}

fn limits() -> impl Strategy<Value = (u32, Option<u64>, Option<u64>, usize)> {
    (
        prop_oneof![Just(256 * 1024u32), Just(4096)],
        prop::option::of(1000u64..100_000),
        prop::option::of(5000u64..100_000),
        1usize..4,
    )
}
