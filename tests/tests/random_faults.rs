//! Random reads and seeks over loopback, with random faults that pass: whatever happens, the bytes are the origin's and
//! the end is the true end. (The simulator does the same with the machine alone, far more often.)

#![allow(clippy::unwrap_used)] // Scripts of tests: what is unexpected fails them.

use std::{
    io::{Seek as _, SeekFrom},
    time::Duration,
};

use infill_tests::{
    origin::{Origin, content},
    runtime::{Runtime, Settings, StoreKind},
};
use proptest::{collection::vec, prelude::*};

const SEED: u64 = 77;

/// One request's fault.
#[derive(Clone, Copy, Debug)]
enum Hitch {
    None,
    Cut(u64),
    Reset(u64),
    CutInHead,
    Status(u16),
    Shift(i64),
    Short(u64),
    IgnoreRange,
    NoContentRange,
    Chunked(u64),
    Slow(u64),
    Stall(u64),
}

/// What a reader does.
#[derive(Clone, Copy, Debug)]
enum Step {
    Seek(u64),
    Read(u64),
    ReadAt(u64, usize),
}

#[derive(Clone, Debug)]
struct Plan {
    len: u64,
    hitches: Vec<Hitch>,
    steps: Vec<Step>,
    max_request: Option<u64>,
    read_ahead: Option<u64>,
    small_store: bool,
    weak: bool,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, max_shrink_iters: 60, ..ProptestConfig::default() })]

    #[test]
    fn random_reads_over_a_bad_network_get_the_origins_bytes(plan in plans()) {
        play(&plan);
    }
}

fn play(plan: &Plan) {
    let origin = Origin::start();
    origin.put("/a", content(SEED, plan.len));
    if plan.weak {
        origin.on("/a").weak_etag();
    }
    for (nth, hitch) in plan.hitches.iter().enumerate() {
        inject(&origin, nth, *hitch);
    }
    let store = StoreKind::memory(if plan.small_store { 1 << 20 } else { 8 << 20 });
    let settings = Settings::quick().store(store).with(|config| {
        config.backoff_min = Duration::from_millis(2);
        config.stall_timeout = Duration::from_millis(200);
        config.max_request_bytes = plan.max_request;
        config.read_ahead_bytes = plan.read_ahead;
    });
    let client = Runtime::Blocking.client(&settings);
    let story = || origin.stats().describe();
    let mut stream =
        client.open(origin.url("/a")).unwrap_or_else(|error| panic!("{error}\n{}", story()));
    for step in &plan.steps {
        match *step {
            Step::Seek(at) => drop(stream.seek(SeekFrom::Start(at)).unwrap()),
            Step::Read(most) => {
                let at = stream.stream_position().unwrap();
                let reading = stream.read_most(SEED, most);
                assert_eq!(reading.end, Ok(()), "at {at}: {}", story());
                let due = plan.len.saturating_sub(at).min(most);
                assert_eq!(reading.count, due, "at {at}: {}", story());
            }
            Step::ReadAt(at, len) => {
                let mut some = vec![0; len];
                let count = stream.read_at(at, &mut some).unwrap();
                assert_eq!(count == 0, at >= plan.len, "at {at}: {}", story());
                let wrong = infill_tests::origin::first_difference(SEED, at, &some[..count]);
                assert_eq!(wrong, None, "{}", story());
            }
        }
    }
    stream.seek(SeekFrom::Start(0)).unwrap();
    let reading = stream.read_on(SEED);
    assert_eq!((reading.count, reading.end), (plan.len, Ok(())), "{}", story());
    let few = 60 + plan.len / plan.max_request.unwrap_or(u64::MAX).min(65_536) * 4;
    let requests = origin.requests("/a").len() as u64;
    assert!(requests <= few, "more than {few}: {}", story());
}

fn inject(origin: &Origin, nth: usize, hitch: Hitch) {
    let rule = origin.on("/a").nth(nth);
    drop(match hitch {
        Hitch::None => rule,
        Hitch::Cut(at) => rule.cut_at(at),
        Hitch::Reset(at) => rule.reset_at(at),
        Hitch::CutInHead => rule.cut_in_head(20),
        Hitch::Status(status) => rule.status(status),
        Hitch::Shift(by) => rule.shift_start(by),
        Hitch::Short(bytes) => rule.short(bytes),
        Hitch::IgnoreRange => rule.ignore_range(),
        Hitch::NoContentRange => rule.no_content_range(),
        Hitch::Chunked(size) => rule.chunked(size),
        Hitch::Slow(rate) => rule.rate(rate),
        Hitch::Stall(at) => rule.stall_at(at),
    });
}

fn plans() -> impl Strategy<Value = Plan> {
    (1u64..3_000_000).prop_flat_map(|len| {
        (
            vec(hitches(len), 0..8),
            vec(steps(len), 1..12),
            prop::option::weighted(0.3, 50_000u64..500_000),
            prop::option::weighted(0.3, 50_000u64..500_000),
            any::<bool>(),
            prop::bool::weighted(0.2),
        )
            .prop_map(
                move |(hitches, steps, max_request, read_ahead, small_store, weak)| Plan {
                    len,
                    hitches,
                    steps,
                    max_request,
                    read_ahead,
                    small_store,
                    weak,
                },
            )
    })
}

fn hitches(len: u64) -> impl Strategy<Value = Hitch> {
    prop_oneof![
        2 => Just(Hitch::None),
        3 => (0..len).prop_map(Hitch::Cut),
        2 => (0..len).prop_map(Hitch::Reset),
        1 => Just(Hitch::CutInHead),
        2 => prop::sample::select(vec![500, 503, 429, 408]).prop_map(Hitch::Status),
        2 => (-50_000i64..50_000).prop_map(Hitch::Shift),
        2 => (1u64..200_000).prop_map(Hitch::Short),
        1 => Just(Hitch::IgnoreRange),
        1 => Just(Hitch::NoContentRange),
        1 => (100u64..50_000).prop_map(Hitch::Chunked),
        1 => (20_000_000u64..100_000_000).prop_map(Hitch::Slow),
        1 => (0..len).prop_map(Hitch::Stall),
    ]
}

fn steps(len: u64) -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (0..len + 10).prop_map(Step::Seek),
        3 => (1u64..200_000).prop_map(Step::Read),
        1 => (0..len + 10, 1usize..20_000).prop_map(|(at, len)| Step::ReadAt(at, len)),
    ]
}
