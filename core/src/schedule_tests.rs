//! The scheduler's decisions, one by one.

use super::*;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

fn ranges(list: &[(u64, u64)]) -> ByteRanges {
    list.iter().map(|(start, end)| ByteRange::new(*start, *end)).collect()
}

fn situation<'a>(held: &'a ByteRanges, lanes: &'a [Lane], demands: &'a [Demand]) -> Situation<'a> {
    Situation {
        held,
        total: Some(10 * MIB),
        lanes,
        demands,
        worth: 100 * KIB,
        ranges_ignored: false,
        max_lanes: 2,
        may_stop: 2,
        may_start: true,
        max_request: u64::MAX,
    }
}

fn demand(class: Class, start: u64, end: u64) -> Demand {
    Demand { class, range: ByteRange::new(start, end), start_below: u64::MAX, ask_to: u64::MAX }
}

fn waiting(at: u64) -> Demand {
    demand(Class::Waiting, at, at + 1)
}

fn drain() -> Demand {
    demand(Class::Drain, 0, u64::MAX)
}

fn lane(id: u64, at: u64) -> Lane {
    Lane { id: FetchId(id), at, end: u64::MAX, plods: false, yields: true, settles: false }
}

#[test]
fn the_first_request_asks_for_everything() {
    let held = ByteRanges::new();
    let demands = [waiting(0), drain()];
    let plan = plan(&Situation { total: None, ..situation(&held, &[], &demands) });
    assert_eq!(plan.starts, [Start { class: Class::Waiting, first: 0, end: None }]);
}

#[test]
fn a_byte_that_comes_soon_is_waited_for() {
    let held = ranges(&[(0, MIB)]);
    let lanes = [lane(1, MIB)];
    let demands = [waiting(MIB + 50 * KIB), drain()];
    let plan = plan(&situation(&held, &lanes, &demands));
    assert_eq!(plan, Plan { serves: vec![Some(Class::Waiting)], ..Plan::default() });
}

#[test]
fn a_seek_beyond_starts_one_request_at_that_byte_and_the_drain_goes_on() {
    let held = ranges(&[(0, MIB)]);
    let lanes = [lane(1, MIB)];
    let demands = [waiting(7 * MIB), drain()];
    let plan = plan(&situation(&held, &lanes, &demands));
    assert_eq!(plan.starts, [Start { class: Class::Waiting, first: 7 * MIB, end: None }]);
    assert_eq!(plan.stops, []);
}

#[test]
fn a_request_ends_where_its_hole_ends() {
    let held = ranges(&[(0, MIB), (3 * MIB, 4 * MIB)]);
    let demands = [waiting(2 * MIB)];
    let plan = plan(&situation(&held, &[], &demands));
    assert_eq!(plan.starts[0].end, Some(3 * MIB));
}

#[test]
fn a_transfer_that_runs_into_present_bytes_is_stopped_unless_skipping_is_cheaper() {
    let held = ranges(&[(0, MIB), (MIB + 1, 3 * MIB)]);
    let lanes = [lane(1, MIB), lane(2, 3 * MIB)];
    let demands = [drain()];
    assert_eq!(plan(&situation(&held, &lanes, &demands)).stops, [], "one byte is missing there");
    let held = ranges(&[(0, 3 * MIB)]);
    let stops = plan(&situation(&held, &lanes, &demands)).stops;
    assert_eq!(stops, [(FetchId(1), CancelReason::NotNeeded)]);
    let held = ranges(&[(0, MIB), (MIB, MIB + 50 * KIB)]);
    let stops = plan(&situation(&held, &lanes[..1], &demands)).stops;
    assert_eq!(stops, [], "50 KiB are skipped sooner than a request is answered");
}

#[test]
fn a_waiting_reader_takes_the_connection_of_a_drain_at_once() {
    let held = ranges(&[(0, MIB)]);
    let lanes = [lane(1, MIB), Lane { yields: false, ..lane(2, 4 * MIB) }];
    let demands = [waiting(7 * MIB), drain()];
    let plan = plan(&situation(&held, &lanes, &demands));
    assert_eq!(plan.stops, [(FetchId(2), CancelReason::Preempted)], "the newest drain");
    assert_eq!(plan.starts.len(), 1);
}

#[test]
fn nobody_is_preempted_for_a_later_comer_nor_before_delivering_its_worth() {
    let held = ByteRanges::new();
    let lanes = [lane(1, 0), lane(2, 4 * MIB)];
    let demands = [waiting(0), waiting(4 * MIB), waiting(7 * MIB)];
    let now = plan(&situation(&held, &lanes, &demands));
    assert_eq!((now.stops, now.starts, now.unserved), (vec![], vec![], true));
    let fresh = [lane(1, 0), Lane { yields: false, ..lane(2, 4 * MIB) }];
    let demands = [waiting(7 * MIB), waiting(0), waiting(4 * MIB)];
    let now = plan(&situation(&held, &fresh, &demands));
    assert_eq!(now.stops, [(FetchId(1), CancelReason::Preempted)]);
}

#[test]
fn scrubbing_does_not_pile_up_stops() {
    let held = ByteRanges::new();
    let lanes = [lane(1, 0), lane(2, 4 * MIB)];
    let demands = [waiting(7 * MIB), drain()];
    let now = plan(&Situation { may_stop: 0, ..situation(&held, &lanes, &demands) });
    assert_eq!((now.stops, now.starts, now.unserved), (vec![], vec![], true));
}

#[test]
fn a1_with_ranges_ignored_a_running_transfer_is_always_the_quicker_way() {
    let held = ranges(&[(0, MIB)]);
    let lanes = [lane(1, MIB)];
    let demands = [waiting(9 * MIB), drain()];
    let ignored = Situation { ranges_ignored: true, ..situation(&held, &lanes, &demands) };
    assert_eq!(plan(&ignored).starts, []);
}

#[test]
fn a25_requests_are_bounded_where_asked() {
    let held = ByteRanges::new();
    let demands = [waiting(0), drain()];
    let plan = plan(&Situation { max_request: MIB, ..situation(&held, &[], &demands) });
    assert_eq!(plan.starts, [Start { class: Class::Waiting, first: 0, end: Some(MIB) }]);
}

#[test]
fn a_window_is_filled_in_large_pieces() {
    let window = |position: u64| Demand {
        start_below: position + 500 * KIB,
        ask_to: position + 1000 * KIB,
        ..demand(Class::Window, position, position + 1000 * KIB)
    };
    let held = ranges(&[(0, 1000 * KIB)]);
    assert_eq!(plan(&situation(&held, &[], &[window(400 * KIB)])).starts, []);
    let later = plan(&situation(&held, &[], &[window(501 * KIB)]));
    assert_eq!(
        later.starts,
        [Start { class: Class::Window, first: 1000 * KIB, end: Some(1501 * KIB) }]
    );
    let lanes = [Lane { end: 1501 * KIB, ..lane(1, 1000 * KIB) }];
    assert_eq!(plan(&situation(&held, &lanes, &[window(400 * KIB)])).stops, [], "kept");
}

#[test]
fn the_end_asks_for_nothing() {
    let held = ranges(&[(0, 10 * MIB)]);
    let demands = [waiting(10 * MIB), drain()];
    assert_eq!(plan(&situation(&held, &[], &demands)), Plan::default());
}

#[test]
fn one_drain_at_a_time() {
    let held = ranges(&[(MIB, 2 * MIB)]);
    let demands = [drain()];
    let plan = plan(&situation(&held, &[], &demands));
    assert_eq!(plan.starts, [Start { class: Class::Drain, first: 0, end: Some(MIB) }]);
}

#[test]
fn bounded_requests_into_an_unknown_length_are_no_endless_plan() {
    let held = ByteRanges::new();
    let demands = [drain()];
    let lanes = [lane(1, 5 * MIB)];
    for (total, lanes) in [(None, &lanes[..0]), (None, &lanes), (Some(1 << 50), &lanes)] {
        let plan =
            plan(&Situation { total, max_request: KIB, ..situation(&held, lanes, &demands) });
        assert!(plan.starts.len() <= 1, "{plan:?}");
        assert_eq!(plan.stops, [], "what runs far ahead comes in useful in the end");
    }
}

#[test]
fn a10_a_comparison_that_brings_nothing_is_let_finish() {
    // All nine bytes are there, and only this answer's head says that they are all. It was cancelled and asked for
    // again for ever, and whoever waited for byte 9 never learned that it is the end.
    let held = ranges(&[(0, 9)]);
    let lanes = [Lane { end: 9, plods: true, settles: true, ..lane(1, 0) }];
    let demands = [waiting(9), drain()];
    let plan = plan(&Situation { total: None, max_lanes: 1, ..situation(&held, &lanes, &demands) });
    assert_eq!(plan.stops, []);
    assert_eq!(plan.starts, []);
}
