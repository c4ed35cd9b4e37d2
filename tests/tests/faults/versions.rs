//! A8-A13: bytes of two versions are never mixed, and one version is not taken for two.

use std::{
    io::Read as _,
    time::{Duration, SystemTime},
};

use infill_tests::{
    origin::{Resource, content},
    runtime::{ErrorKind, Notice, Noticed, Runtime, of_infill},
};

use crate::case::{Case, LEN, OTHER_SEED, SEED, notices};

both! {
    a8_another_total_is_another_version,
    a8_a_total_that_changes_alone_is_another_version,
    a9_another_etag_and_other_bytes_are_another_version,
    a10_etags_that_differ_per_node_are_one_version,
    a10_without_any_validator_the_overlap_is_compared,
    a11_a_weak_etag_never_goes_into_if_range,
    a11_a_weak_etag_does_not_hide_a_change,
    a12_a_fresh_last_modified_never_goes_into_if_range,
    a12_an_old_last_modified_is_a_validator,
    a13_a_change_is_seen_though_if_range_is_ignored,
}

/// Resumes at this byte, where the fault is.
const CUT: u64 = 100_000;

/// The resource has changed at the resume: what was read is of the first version and nothing follows it but `Changed`;
/// who opens again reads the second, which is `len` bytes of [`OTHER_SEED`].
fn changes(case: &Case, len: u64) {
    // Late enough for the reader to have read of the first version: else it may go over to the second.
    case.on().from(1).latency(Duration::from_millis(150));
    let client = case.client();
    let mut stream = client.open(case.url()).unwrap();
    let reading = stream.read_on(SEED);
    assert!(reading.count <= CUT, "{}", case.story());
    let error = reading.end.expect_err("not an end");
    assert_eq!(error.kind(), ErrorKind::Changed, "{error}");
    let again = of_infill(&stream.read(&mut [0; 10]).unwrap_err());
    assert_eq!(again.kind(), ErrorKind::Changed, "for good: {again}");
    let noticed = notices(&stream);
    assert!(noticed.contains(&Noticed::Notice(Notice::Changed)), "{noticed:?}");
    let mut fresh = client.open(case.url()).unwrap();
    let reading = fresh.read_on(OTHER_SEED);
    assert_eq!((reading.count, reading.end), (len, Ok(())));
    assert!(case.requests().len() <= 5, "{}", case.story());
}

fn other(len: u64) -> Resource {
    Resource::new(content(OTHER_SEED, len))
}

fn a8_another_total_is_another_version(runtime: Runtime) {
    let case = Case::new(runtime);
    case.on().nth(0).cut_at(CUT);
    case.on().from(1).serve(other(400_000));
    changes(&case, 400_000);
    // Shorter than what was read already, too.
    let case = Case::new(runtime);
    case.on().nth(0).cut_at(CUT);
    case.on().from(1).serve(other(50_000)).ignore_if_range();
    changes(&case, 50_000);
}

fn a8_a_total_that_changes_alone_is_another_version(runtime: Runtime) {
    let case = Case::new(runtime);
    case.on().nth(0).cut_at(CUT);
    case.on().nth(1).total(400_000);
    case.on().from(1).latency(Duration::from_millis(150));
    let mut stream = case.open();
    let reading = stream.read_on(SEED);
    assert_eq!(reading.count, CUT, "{}", case.story());
    assert_eq!(reading.end.unwrap_err().kind(), ErrorKind::Changed);
    assert!(case.requests().len() <= 4, "{}", case.story());
}

fn a9_another_etag_and_other_bytes_are_another_version(runtime: Runtime) {
    // With the same date and length: only the overlap can tell.
    let case = Case::new(runtime);
    case.on().nth(0).cut_at(CUT);
    case.on().from(1).serve(other(LEN));
    changes(&case, LEN);
    let case = Case::new(runtime);
    case.on().nth(0).cut_at(CUT);
    case.on().from(1).serve(other(LEN).last_modified(SystemTime::now()));
    changes(&case, LEN);
}

fn a10_etags_that_differ_per_node_are_one_version(runtime: Runtime) {
    let case = Case::new(runtime);
    case.on().etags(["\"node-1\"", "\"node-2\"", "\"node-3\""]);
    case.on().nth(0).cut_at(CUT);
    case.on().nth(1).cut_at(2 * CUT);
    case.plays_within(5);
    // Nodes that ignore If-Range leave the bytes alone to tell.
    let case = Case::new(runtime);
    case.on().etags(["\"node-1\"", "\"node-2\""]).ignore_if_range();
    case.on().nth(0).cut_at(CUT);
    case.on().nth(1).cut_at(CUT);
    case.plays_within(5);
}

fn a10_without_any_validator_the_overlap_is_compared(runtime: Runtime) {
    let case = Case::new(runtime);
    case.on().no_validators();
    case.on().nth(0).cut_at(CUT);
    case.plays_with(2);
    let asked = case.firsts()[1].unwrap();
    assert!((CUT - 4096..CUT).contains(&asked), "{}", case.story());
    let case = Case::new(runtime);
    case.on().nth(0).cut_at(CUT);
    case.on().from(1).serve(other(LEN));
    case.on().no_validators();
    changes(&case, LEN);
}

fn a11_a_weak_etag_never_goes_into_if_range(runtime: Runtime) {
    let case = Case::new(runtime);
    case.on().weak_etag();
    case.on().nth(0).cut_at(CUT);
    case.plays_with(2);
    for request in case.requests() {
        let sent = request.if_range().unwrap_or_default();
        assert!(!sent.starts_with("W/"), "{}", case.story());
    }
}

fn a11_a_weak_etag_does_not_hide_a_change(runtime: Runtime) {
    // The origin even counts a weak ETag in If-Range as a match, and other bytes have the same one.
    let case = Case::new(runtime);
    case.put(Resource::new(content(SEED, LEN)).weak_etag("same"));
    case.on().nth(0).cut_at(CUT);
    let changed = other(LEN).weak_etag("same");
    case.on().from(1).serve(changed).honour_weak_if_range();
    changes(&case, LEN);
}

fn a12_a_fresh_last_modified_never_goes_into_if_range(runtime: Runtime) {
    let case = Case::new(runtime);
    let mut resource = Resource::new(content(SEED, LEN)).last_modified(SystemTime::now());
    resource.etag = None;
    case.put(resource);
    case.on().nth(0).cut_at(CUT);
    case.plays_with(2);
    assert_eq!(case.requests()[1].if_range(), None, "{}", case.story());
    // Changed within the same second: the bytes tell.
    let case = Case::new(runtime);
    let (now, mut old) = (SystemTime::now(), Resource::new(content(SEED, LEN)));
    (old.etag, old.last_modified) = (None, Some(now));
    case.put(old);
    let mut new = other(LEN).last_modified(now);
    new.etag = None;
    case.on().nth(0).cut_at(CUT);
    case.on().from(1).serve(new);
    changes(&case, LEN);
}

fn a12_an_old_last_modified_is_a_validator(runtime: Runtime) {
    let case = Case::new(runtime);
    case.on().no_etag();
    case.on().nth(0).cut_at(CUT);
    case.plays_with(2);
    assert_eq!(case.firsts()[1], Some(CUT), "{}", case.story());
    assert!(case.requests()[1].if_range().is_some(), "{}", case.story());
    let case = Case::new(runtime);
    let hour = Duration::from_secs(3600);
    let newer = other(LEN).last_modified(SystemTime::now() - hour);
    case.on().nth(0).cut_at(CUT);
    case.on().from(1).serve(newer);
    case.on().no_etag();
    changes(&case, LEN);
}

fn a13_a_change_is_seen_though_if_range_is_ignored(runtime: Runtime) {
    for changed in [other(LEN), other(LEN).last_modified(SystemTime::now())] {
        let case = Case::new(runtime);
        case.on().nth(0).cut_at(CUT);
        case.on().from(1).serve(changed).ignore_if_range();
        changes(&case, LEN);
    }
}
