//! Draws a session with a cache: short, with a few small files, and several lives of the process.

use std::time::Duration;

use fastrand::Rng;
use infill_core::{Config, Durability};

use super::super::fault::Fault;
use super::super::plan::{
    BodyFraming, CachePlan, Deed, End, Expires, Incident, Move, NetworkPlan, Plan, ReaderPlan,
    TrackPlan, Validators,
};
use super::{millis, one_of, size};

/// The largest file of these sessions: a few blocks of extents.
const LARGEST: u64 = 900 * 1024;

/// What can be wrong with a single answer, beside a cache.
pub const CACHED_ANSWERS: [Fault; 9] = [
    Fault::Cut,
    Fault::Reset,
    Fault::Stall,
    Fault::RangeIgnored,
    Fault::ShortRange,
    Fault::ServerError,
    Fault::OtherEtag,
    Fault::UnknownTotal,
    Fault::ConnectFailed,
];

/// The plan of a seed, with a cache.
pub fn cached_plan(seed: u64) -> Plan {
    let mut rng = Rng::with_seed(seed ^ 0x6361_6368_6500);
    let rng = &mut rng;
    let clean = rng.u32(0..3) == 0;
    let tracks: Vec<_> = (0..rng.usize(1..=2)).map(|_| track(rng, clean)).collect();
    let ends: Vec<_> = (0..rng.usize(1..=3)).map(|_| end(rng, clean)).collect();
    let lived: Duration = ends.iter().map(|(time, _)| *time).sum();
    let heal_at = lived + millis(rng, 200, 3_000);
    let mut readers = Vec::new();
    for (index, track) in tracks.iter().enumerate() {
        for _ in 0..rng.usize(0..=2) {
            readers.push(reader(rng, index, track));
        }
    }
    let largest = tracks.iter().map(|track| track.total).max().unwrap_or(1);
    Plan {
        seed,
        config: config(rng, seed, &tracks),
        network: network(rng, largest),
        store_latency: millis(rng, 0, 10),
        incidents: incidents(rng, clean, tracks.len(), heal_at),
        cache: Some(CachePlan {
            latency: millis(rng, 0, 50),
            ends,
            deeds: deeds(rng, clean, &tracks, heal_at),
            killed_when_filled: rng.u32(0..4) == 0,
            boundary: None,
        }),
        tracks,
        readers,
        heal_at,
    }
}

fn end(rng: &mut Rng, clean: bool) -> (Duration, End) {
    let time = match rng.u32(0..3) {
        0 => millis(rng, 1, 300),
        _ => millis(rng, 100, 4_000),
    };
    let damaged = if clean { End::Killed } else { End::Damaged };
    (time, one_of(rng, &[End::Killed, End::Killed, End::Cut, End::Cut, End::Closed, damaged]))
}

fn config(rng: &mut Rng, seed: u64, tracks: &[TrackPlan]) -> Config {
    let mut config = Config::default();
    config.seed = seed;
    config.fetch_credit_bytes = one_of(rng, &[32 * 1024, 128 * 1024, 512 * 1024]);
    config.read_ahead_bytes = one_of(rng, &[None, None, None, Some(100_000)]);
    config.max_request_bytes = one_of(rng, &[None, None, None, Some(200_000)]);
    config.store_block_bytes = one_of(rng, &[16 * 1024, 64 * 1024]);
    if rng.u32(0..4) == 0 {
        let sum: u64 = tracks.iter().map(|track| track.total).sum();
        let least = one_of(rng, &[2 << 20, 600 * 1024, 300 * 1024]);
        config.cache_limit_bytes = Some(least + rng.u64(0..=sum));
    }
    config.durability = one_of(rng, &[Durability::Fast, Durability::Fast, Durability::Flush]);
    config.revalidate =
        one_of(rng, &[infill_core::Revalidate::Never, infill_core::Revalidate::Always]);
    config.seal_after = one_of(rng, &[Duration::from_secs(1), Duration::from_millis(200)]);
    config.sync_every = one_of(rng, &[Duration::from_secs(5), Duration::from_millis(500)]);
    config.disk_retry = one_of(rng, &[Duration::from_secs(30), Duration::from_secs(1)]);
    config.overlap_bytes = one_of(rng, &[4096, 1000]);
    config.backoff_max = Duration::from_secs(5);
    config
}

fn network(rng: &mut Rng, largest: u64) -> NetworkPlan {
    let low = millis(rng, 1, 30);
    let bandwidth = size(rng, 4 << 20).max(largest / 8).max(64 * 1024);
    NetworkPlan {
        latency: (low, low + millis(rng, 0, 50)),
        bandwidth,
        chunk_max: size(rng, 64 * 1024).max(largest / 64).min(bandwidth / 4),
        ..NetworkPlan::default()
    }
}

fn track(rng: &mut Rng, clean: bool) -> TrackPlan {
    let validators = [
        Validators::Strong,
        Validators::Strong,
        Validators::EtagOnly,
        Validators::Modified,
        Validators::Weak,
        Validators::Nodes,
        Validators::None,
    ];
    let framings =
        [BodyFraming::Length, BodyFraming::Length, BodyFraming::Length, BodyFraming::Chunked];
    let mut track = TrackPlan {
        host: rng.u8(0..2),
        validators: one_of(rng, &validators),
        ranges: rng.u32(0..8) != 0,
        if_range: rng.u32(0..4) != 0,
        framing: one_of(rng, &framings),
        no_store: rng.u32(0..8) == 0,
        expires: Expires::Never,
        open_at: millis(rng, 0, 300),
        ..TrackPlan::honest(if rng.bool() { rng.u64(1..=LARGEST) } else { size(rng, LARGEST) })
    };
    if !clean {
        for _ in 0..rng.usize(0..=1) {
            track.faults.push((one_of(rng, &CACHED_ANSWERS), one_of(rng, &[16, 64, 128])));
        }
    }
    track
}

fn reader(rng: &mut Rng, index: usize, track: &TrackPlan) -> ReaderPlan {
    let mut moves = Vec::new();
    if rng.bool() {
        moves.push(Move::read(0, u64::MAX));
    }
    for _ in 0..rng.usize(0..=3) {
        let from = rng.u64(0..=track.total);
        moves.push(Move { says_so: rng.bool(), ..Move::read(from, size(rng, 256 * 1024)) });
    }
    ReaderPlan {
        attach_at: track.open_at + millis(rng, 0, 500),
        after_opened: rng.bool(),
        moves,
        chunk: size(rng, 64 * 1024).max(track.total / 32),
        pace: if rng.bool() { 0 } else { size(rng, 4 << 20).max(track.total / 10).max(4096) },
        copy_time: if rng.bool() { Duration::ZERO } else { millis(rng, 0, 10) },
        detach: rng.bool(),
        stubborn: rng.bool(),
        ..ReaderPlan::linear(index)
    }
}

fn incidents(
    rng: &mut Rng,
    clean: bool,
    tracks: usize,
    heal_at: Duration,
) -> Vec<(Duration, Incident)> {
    let mut incidents = Vec::new();
    for _ in 0..if clean { 0 } else { rng.usize(0..=2) } {
        let track = rng.usize(0..tracks);
        let incident = match rng.u32(0..8) {
            0..4 => Incident::Replace { track },
            4 => Incident::Outage(millis(rng, 100, 3_000)),
            5 => Incident::NetworkChanged,
            6 => Incident::Close { track },
            _ => Incident::Stale,
        };
        incidents.push((heal_at.mul_f64(rng.f64()), incident));
    }
    incidents
}

fn deeds(
    rng: &mut Rng,
    clean: bool,
    tracks: &[TrackPlan],
    heal_at: Duration,
) -> Vec<(Duration, Deed)> {
    let mut deeds = Vec::new();
    for _ in 0..rng.usize(0..=3) {
        let track = rng.usize(0..tracks.len());
        let total = tracks[track].total;
        let deed = match rng.u32(0..if clean { 9 } else { 13 }) {
            0..3 => {
                let upto = one_of(rng, &[u64::MAX, total / 2, total]);
                Deed::Fill { track, upto, pin: rng.u32(0..4) == 0 }
            }
            3 | 4 => Deed::Verify { track },
            5 => Deed::List,
            6 => Deed::Pin { track, pinned: rng.bool() },
            7 => Deed::Remove { track },
            8 => Deed::Clear,
            9 | 10 => Deed::Full(millis(rng, 100, 3_000)),
            _ => Deed::Fails {
                write: one_of(rng, &[0, 64, 256]),
                sync: one_of(rng, &[0, 128, 256]),
                read: one_of(rng, &[0, 0, 64]),
                time: millis(rng, 100, 3_000),
            },
        };
        deeds.push((heal_at.mul_f64(rng.f64()), deed));
    }
    deeds
}
