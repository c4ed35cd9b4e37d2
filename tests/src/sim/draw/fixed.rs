//! Sessions that no seed draws: short ones, to end a process of theirs after each single operation of its disk.

use std::time::Duration;

use infill_core::Durability;

use super::super::plan::{
    CachePlan, Deed, End, Incident, Move, Plan, ReaderPlan, TrackPlan, Validators,
};

const KIB: u64 = 1024;

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Them, and what each is about.
pub fn fixed_plans() -> Vec<(&'static str, Plan)> {
    vec![
        ("a download and a seek", download(Durability::Fast)),
        ("the same, flushed", download(Durability::Flush)),
        ("a second version", second_version()),
        ("a window", window()),
        ("a disk that fails and recovers", failing(Durability::Fast)),
        ("the same, flushed", failing(Durability::Flush)),
        ("pins and removals", commands()),
        ("several lives", lives(Durability::Fast, Validators::Strong)),
        ("the same, flushed, without validators", lives(Durability::Flush, Validators::None)),
    ]
}

fn session(seed: u64, total: u64, durability: Durability) -> Plan {
    let mut plan = Plan::honest(seed, total);
    plan.config.durability = durability;
    plan.config.fetch_credit_bytes = 128 * 1024;
    plan.config.seal_after = ms(100);
    plan.config.sync_every = ms(150);
    plan.config.disk_retry = ms(200);
    plan.config.backoff_max = Duration::from_secs(2);
    plan.network.bandwidth = 2 << 20;
    plan.network.chunk_max = 32 * 1024;
    plan.heal_at = ms(1_000);
    plan.cache = Some(CachePlan {
        latency: ms(8),
        ends: Vec::new(),
        deeds: Vec::new(),
        killed_when_filled: false,
        boundary: None,
    });
    plan
}

fn cache(plan: &mut Plan) -> &mut CachePlan {
    plan.cache.as_mut().expect("all of these have one")
}

/// Reads the beginning, then near the end.
fn seeks(total: u64) -> ReaderPlan {
    ReaderPlan {
        moves: vec![Move::read(0, total / 4), Move::read(total * 3 / 4, u64::MAX)],
        pace: 1 << 20,
        ..ReaderPlan::linear(0)
    }
}

fn download(durability: Durability) -> Plan {
    let mut plan = session(1, 560 * KIB, durability);
    plan.readers.push(seeks(560 * KIB));
    plan
}

fn second_version() -> Plan {
    let mut plan = session(2, 400 * KIB, Durability::Fast);
    plan.readers.push(seeks(400 * KIB));
    plan.incidents.push((ms(120), Incident::Replace { track: 0 }));
    cache(&mut plan).ends.push((ms(400), End::Closed));
    plan
}

/// More than the cache may hold: what was read is given back.
fn window() -> Plan {
    let mut plan = session(3, 900 * KIB, Durability::Fast);
    plan.config.cache_limit_bytes = Some(640 * KIB);
    plan.config.store_block_bytes = 16 * KIB;
    plan.readers.push(ReaderPlan { pace: 1 << 20, ..ReaderPlan::linear(0) });
    plan
}

/// A sync fails, so bytes are taken back, and then the journal, so it is written anew.
fn failing(durability: Durability) -> Plan {
    let mut plan = session(4, 400 * KIB, durability);
    plan.readers.push(seeks(400 * KIB));
    cache(&mut plan).deeds = vec![
        (ms(130), Deed::Fails { write: 0, sync: 256, read: 0, time: ms(120) }),
        (ms(330), Deed::Fails { write: 256, sync: 0, read: 0, time: ms(60) }),
        (ms(340), Deed::Pin { track: 0, pinned: true }),
    ];
    plan
}

fn commands() -> Plan {
    let mut plan = session(5, 300 * KIB, Durability::Fast);
    plan.tracks.push(TrackPlan::honest(200 * KIB));
    plan.readers.push(seeks(300 * KIB));
    let cache = cache(&mut plan);
    cache.ends = vec![(ms(350), End::Closed), (ms(300), End::Closed)];
    cache.deeds = vec![
        (ms(60), Deed::Fill { track: 1, upto: u64::MAX, pin: true }),
        (ms(330), Deed::Pin { track: 1, pinned: false }),
        (ms(420), Deed::Remove { track: 0 }),
        (ms(500), Deed::Verify { track: 1 }),
        (ms(580), Deed::Clear),
    ];
    plan
}

fn lives(durability: Durability, validators: Validators) -> Plan {
    let mut plan = session(6, 500 * KIB, durability);
    plan.tracks[0].validators = validators;
    plan.readers.push(seeks(500 * KIB));
    cache(&mut plan).ends =
        vec![(ms(180), End::Killed), (ms(120), End::Cut), (ms(150), End::Killed)];
    plan
}
