//! Draws a plan from a seed: a random few faults in each session, not all of them in all, so that each combination
//! gets its chance ("swarm testing").

mod fixed;
mod lives;

use std::time::Duration;

use fastrand::Rng;
use infill_core::Config;

use super::content::MAX_TOTAL;
use super::fault::Fault;
use super::plan::{
    BodyFraming, Expires, Incident, Move, NetworkPlan, Plan, ReaderPlan, TrackPlan, Validators,
};

pub use fixed::fixed_plans;
pub use lives::{CACHED_ANSWERS, cached_plan};

/// The plan of a seed.
pub fn plan(seed: u64) -> Plan {
    let mut rng = Rng::with_seed(seed);
    let rng = &mut rng;
    let clean = rng.u32(0..8) == 0;
    let heal_at = millis(rng, 500, 60_000);
    let tracks: Vec<_> = (0..rng.usize(1..=3)).map(|_| track(rng, clean)).collect();
    let mut readers = Vec::new();
    for (index, track) in tracks.iter().enumerate() {
        for _ in 0..rng.usize(0..=2) {
            readers.push(reader(rng, index, track, heal_at));
        }
    }
    let incidents = incidents(rng, clean, &tracks, readers.len(), heal_at);
    let config = config(rng, seed, &tracks);
    let largest = tracks.iter().map(|track| track.total).max().unwrap_or(1);
    Plan {
        seed,
        network: network(rng, clean, largest),
        store_latency: millis(rng, 0, 20),
        config,
        tracks,
        readers,
        incidents,
        heal_at,
        cache: None,
    }
}

fn millis(rng: &mut Rng, low: u64, high: u64) -> Duration {
    Duration::from_millis(rng.u64(low..=high))
}

/// Sizes over all orders of magnitude: small ones find the edges, large ones the windows.
fn size(rng: &mut Rng, max: u64) -> u64 {
    let bits = 64 - max.leading_zeros();
    let high = 1u64 << rng.u32(1..=bits);
    rng.u64(1..=high.min(max))
}

fn one_of<T: Copy>(rng: &mut Rng, choices: &[T]) -> T {
    choices[rng.usize(0..choices.len())]
}

fn config(rng: &mut Rng, seed: u64, tracks: &[TrackPlan]) -> Config {
    let mut config = Config::default();
    config.seed = seed;
    config.connections_per_file = one_of(rng, &[1, 2, 2, 2, 3]);
    config.connections_per_host = one_of(rng, &[1, 2, 6, 6]);
    config.connections = one_of(rng, &[1, 2, 3, 64, 64]);
    if tracks.iter().any(|track| !track.ranges) {
        // To give a connection up costs such a track all bytes from 0: with fewer, patience may rightly end.
        config.connections = config.connections.max(tracks.len());
        config.connections_per_host = config.connections_per_host.max(tracks.len());
    }
    config.max_stopping = one_of(rng, &[1, 2, 4]);
    config.fetch_credit_bytes = one_of(rng, &[4096, 16 * 1024, 64 * 1024, 256 * 1024]);
    config.read_ahead_bytes = one_of(rng, &[None, None, None, Some(4096), Some(100_000)]);
    config.max_request_bytes = one_of(rng, &[None, None, None, Some(10_000), Some(200_000)]);
    config.store_block_bytes = one_of(rng, &[4096, 16 * 1024, 64 * 1024]);
    if rng.u32(0..4) == 0 {
        let sum: u64 = tracks.iter().map(|track| track.total).sum();
        // Room for what a few demands and the credit of their transfers need at least.
        let least = config.store_block_bytes * 16 + u64::from(config.fetch_credit_bytes) * 4;
        config.store_limit_bytes = Some(least + rng.u64(0..=sum));
    }
    config.give_up_after = millis(rng, 5_000, 60_000);
    // Who gives up before a dead connection is known to be dead has no use of being patient.
    let half = config.give_up_after.as_millis() as u64 / 2;
    config.connect_timeout = millis(rng, 1_000, half.min(10_000));
    config.head_timeout = millis(rng, 2_000, half.min(20_000));
    config.stall_timeout = millis(rng, 1_000, half.min(10_000));
    config.min_progress_window = millis(rng, 2_000, half.min(20_000));
    config.backoff_min = millis(rng, 50, 500);
    config.backoff_max = millis(rng, 1_000, 60_000);
    config.overlap_bytes = one_of(rng, &[4096, 4096, 1000, 64]);
    config.prior_bandwidth = size(rng, 8 << 20).max(1024);
    config.prior_reconnect = millis(rng, 1, 500);
    config
}

fn network(rng: &mut Rng, clean: bool, largest: u64) -> NetworkPlan {
    let low = millis(rng, 1, 50);
    // Slow enough to be overtaken, fast enough to be through within minutes.
    let bandwidth = size(rng, 8 << 20).max(largest / 60).max(16 * 1024);
    NetworkPlan {
        latency: (low, low + millis(rng, 0, 150)),
        bandwidth,
        // A large file in tiny pieces would take the session's whole time and tell no more than a small one; a piece
        // that takes seconds on the wire would look like a stall.
        chunk_max: size(rng, 64 * 1024).max(largest / 192).min(bandwidth / 16),
        stop_latency: millis(rng, 0, 200),
        late_bytes: one_of(rng, &[0, 64, 256]),
        idle_close: (!clean && rng.u32(0..4) == 0).then(|| millis(rng, 100, 5_000)),
    }
}

fn track(rng: &mut Rng, clean: bool) -> TrackPlan {
    let validators = one_of(
        rng,
        &[
            Validators::Strong,
            Validators::Strong,
            Validators::EtagOnly,
            Validators::Weak,
            Validators::Modified,
            Validators::YoungModified,
            Validators::Nodes,
            Validators::None,
        ],
    );
    let redirected = rng.u32(0..4) == 0;
    let expires = match rng.u32(0..8) {
        0 if !clean && redirected => Expires::Final(millis(rng, 100, 30_000)),
        1 if !clean => Expires::Original(millis(rng, 500, 30_000)),
        _ => Expires::Never,
    };
    let mut track = TrackPlan {
        total: size(rng, MAX_TOTAL),
        host: rng.u8(0..2),
        validators,
        ranges: rng.u32(0..8) != 0,
        late_ranges: !clean && rng.u32(0..8) == 0,
        if_range: rng.u32(0..4) != 0,
        framing: one_of(
            rng,
            &[
                BodyFraming::Length,
                BodyFraming::Length,
                BodyFraming::Length,
                BodyFraming::Chunked,
                BodyFraming::Close,
            ],
        ),
        content_type: one_of(
            rng,
            &[Some("audio/mpeg"), Some("audio/mpeg"), None, Some("application/octet-stream")],
        ),
        no_store: false,
        redirected,
        expires,
        open_at: millis(rng, 0, 2_000),
        faults: Vec::new(),
    };
    if !clean {
        for _ in 0..rng.usize(0..=3) {
            let fault = one_of(rng, ANSWERS);
            track.faults.push((fault, one_of(rng, &[16, 64, 128, 256])));
        }
    }
    track
}

/// What can be wrong with a single answer.
pub const ANSWERS: &[Fault] = &[
    Fault::RangeIgnored,
    Fault::ShiftedBack,
    Fault::ShiftedAhead,
    Fault::ShiftedToStart,
    Fault::ShortRange,
    Fault::NoContentRange,
    Fault::LongBody,
    Fault::RangeAs200,
    Fault::UnaskedRange,
    Fault::WrongTotal,
    Fault::OtherEtag,
    Fault::Refused416,
    Fault::Refused416Bare,
    Fault::UnknownTotal,
    Fault::Multipart,
    Fault::InvalidContentRange,
    Fault::LengthMismatch,
    Fault::Throttled,
    Fault::Cut,
    Fault::Cut,
    Fault::Reset,
    Fault::Reset,
    Fault::Stall,
    Fault::Stall,
    Fault::HeadStall,
    Fault::Trickle,
    Fault::InvalidLength,
    Fault::Encoded,
    Fault::NotProcessed,
    Fault::NoContent,
    Fault::EmptyBody,
    Fault::Page,
    Fault::SniffedPage,
    Fault::Denied,
    Fault::Busy,
    Fault::ServerError,
    Fault::NotHttp,
    Fault::IcyMetadata,
    Fault::ConnectFailed,
];

fn reader(rng: &mut Rng, index: usize, track: &TrackPlan, heal_at: Duration) -> ReaderPlan {
    let attach_at = match rng.u32(0..3) {
        0 => heal_at.mul_f64(rng.f64()),
        _ => track.open_at + millis(rng, 0, 500),
    };
    let mut moves = Vec::new();
    if rng.bool() {
        moves.push(Move::read(0, u64::MAX));
    }
    for _ in 0..rng.usize(0..=4) {
        moves.push(Move {
            // Sometimes behind the end: that is the end, and no request.
            from: rng.u64(0..=track.total + track.total / 16 + 1),
            len: size(rng, 256 * 1024),
            patience: (rng.u32(0..3) == 0).then(|| millis(rng, 1, 2_000)),
            says_so: rng.bool(),
            rest: if rng.bool() { Duration::ZERO } else { millis(rng, 0, 3_000) },
        });
    }
    let chunk = size(rng, 64 * 1024).max(track.total / 64);
    let pace = match rng.u32(0..3) {
        0 => 0,
        // A whole reading takes a minute at most.
        _ => size(rng, 4 << 20).max(track.total / 60).max(1024),
    };
    ReaderPlan {
        track: index,
        attach_at,
        after_opened: rng.u32(0..4) != 0,
        moves,
        chunk,
        pace,
        copy_time: if rng.bool() { Duration::ZERO } else { millis(rng, 0, 20) },
        detach: rng.bool(),
        stubborn: rng.bool(),
    }
}

fn incidents(
    rng: &mut Rng,
    clean: bool,
    tracks: &[TrackPlan],
    readers: usize,
    heal_at: Duration,
) -> Vec<(Duration, Incident)> {
    let mut incidents = Vec::new();
    let count = if clean { rng.usize(0..=1) } else { rng.usize(0..=4) };
    for _ in 0..count {
        let track = rng.usize(0..tracks.len());
        let incident = match if clean { 0 } else { rng.u32(0..16) } {
            0 | 1 => Incident::Close { track },
            2..=5 => Incident::Replace { track },
            6 | 7 => Incident::Outage(millis(rng, 100, 30_000)),
            8 | 9 => Incident::NetworkChanged,
            10 => Incident::StoreFull(millis(rng, 100, 10_000)),
            11 => Incident::StoreBroken(millis(rng, 100, 10_000)),
            12 | 13 if readers > 0 => Incident::ReadFailure { reader: rng.usize(0..readers) },
            _ => Incident::Stale,
        };
        // Early ones hit transfers; late ones hit what rests.
        let spread = if rng.bool() { heal_at.as_secs_f64() } else { 3.0 };
        let at = Duration::from_secs_f64(spread * rng.f64());
        incidents.push((at.min(heal_at), incident));
    }
    incidents
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_draws_the_same_plan_again() {
        for seed in 0..50 {
            assert_eq!(format!("{:?}", plan(seed)), format!("{:?}", plan(seed)));
        }
        assert_ne!(format!("{:?}", plan(1)), format!("{:?}", plan(2)));
    }

    #[test]
    fn some_plans_are_clean_and_most_are_not() {
        let clean = (0..400).filter(|seed| plan(*seed).is_clean()).count();
        assert!((20..200).contains(&clean), "{clean} of 400");
    }
}
