//! Which requests a rule is for.

use super::*;
use crate::origin::RangeSpec;

fn statuses<const N: usize>(origin: &Origin, path: &str) -> [u16; N] {
    std::array::from_fn(|_| get(origin, path, "Range: bytes=0-9\r\n").status)
}

#[test]
fn by_number_and_times() {
    let origin = origin();
    origin.on("/n").nth(1).status(500);
    origin.on("/n").from(4).status(502);
    origin.on("/n").requests(4..=4).status(503);
    assert_eq!(statuses(&origin, "/n"), [404, 500, 404, 404, 503, 502]);
    origin.on("/t").from(1).times(2).status(500);
    assert_eq!(statuses(&origin, "/t"), [404, 500, 500, 404]);
    origin.on("/f").first(2).status(500);
    assert_eq!(statuses(&origin, "/f"), [500, 500, 404]);
    origin.on("/dir/*").status(403);
    assert_eq!([statuses(&origin, "/dir/x"), statuses(&origin, "/dir")], [[403], [404]]);
}

#[test]
fn by_range_and_predicate() {
    let origin = origin();
    origin.on("/a").at_or_past(5000).cut_at(10);
    origin.on("/a").when_range(|range| matches!(range, RangeSpec::Suffix { .. })).status(500);
    origin.on("/a").when(|request| request.headers.value("X").is_some()).status(401);
    get_range(&origin, "4999-").assert_is(4999..LEN);
    get_range(&origin, "5000-").assert_is(5000..5010);
    assert_eq!(get_range(&origin, "-5").status, 500);
    assert_eq!(get(&origin, "/a", "X: y\r\n").status, 401);
    assert_eq!(get(&origin, "/a", "").status, 200);
}

#[test]
fn rules_add_up_and_heal() {
    let origin = origin();
    origin.on("/a").no_validators();
    origin.on("*").short(100);
    origin.on("/a").shift_start(-10);
    let answer = get_range(&origin, "5000-");
    assert_eq!(answer.value("ETag"), "-");
    answer.assert_is(4990..5100);
    origin.heal("*");
    get_range(&origin, "5000-").assert_is(4990..LEN);
    origin.heal_all();
    let healed = get_range(&origin, "5000-");
    assert_ne!(healed.value("ETag"), "-");
    healed.assert_is(5000..LEN);
}

#[test]
fn a_rule_counts_from_the_end_of_its_statement() {
    let origin = origin();
    let rule = origin.on("/a").status(500);
    assert_eq!(get(&origin, "/a", "").status, 200);
    drop(rule);
    assert_eq!(get(&origin, "/a", "").status, 500);
}
