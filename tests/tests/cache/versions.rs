//! The file changes at the origin between two lives: that is noticed before an old byte and a new one are mixed.

use std::{
    io::Read as _,
    time::{Duration, SystemTime},
};

use infill_tests::{
    origin::{Resource, content, first_difference},
    runtime::{ErrorKind, Runtime},
};

use crate::case::{BLOCK, Case, LEN, OTHER_SEED, SEED, cache_of, eventually, only};

both! {
    d15_another_length_is_another_version,
    d15_another_etag_is_another_version,
    d15_another_date_is_another_version,
    d15_with_a_weak_etag_the_bytes_tell,
    d15_without_any_validator_the_bytes_tell,
    d15_an_etag_of_another_node_is_the_same_version,
    d15_a_file_that_changes_in_each_life_is_the_last_one_in_the_end,
    d15_a_complete_file_is_replaced_when_it_is_asked_for,
}

const KEPT: u64 = BLOCK + 100_000;

fn changes(case: &Case, old: Resource, new: Resource) {
    let len = new.total();
    case.put(old);
    case.begins_with(KEPT);
    case.put(new);
    old_then_changed_or_new(case, SEED, OTHER_SEED, len);
    // And from now on it is the new one.
    let mut stream = case.open();
    let reading = stream.read_on(OTHER_SEED);
    assert_eq!((reading.count, reading.end), (len, Ok(())), "{}", case.story());
    drop(stream);
    let asked = case.requests().len();
    let client = case.client();
    assert_eq!(only(&cache_of(&client)).total, Some(len));
    let mut stream = client.open(case.url()).unwrap();
    assert_eq!(stream.read_on(OTHER_SEED).count, len);
    assert_eq!(case.requests().len(), asked, "complete: {}", case.story());
}

/// What is read is of one version: old bytes that are kept, and then `Changed`; or the new one from its first byte.
fn old_then_changed_or_new(case: &Case, old: u64, new: u64, len: u64) {
    let mut stream = case.open();
    let mut first = [0; 16];
    let read = stream.read(&mut first).unwrap();
    let is_new = first[..read] == content(new, 16)[..read];
    let seed = if is_new { new } else { old };
    let reading = stream.read_on(seed);
    match reading.end {
        Ok(()) => assert!(is_new && reading.count + read as u64 == len, "{}", case.story()),
        Err(error) => {
            assert!(!is_new, "{error}: {}", case.story());
            assert_eq!(error.kind(), ErrorKind::Changed, "{error}");
            assert!(reading.count + read as u64 <= KEPT, "{}", case.story());
        }
    }
}

fn old() -> Resource {
    Resource::new(content(SEED, LEN))
}

fn new(len: u64) -> Resource {
    Resource::new(content(OTHER_SEED, len))
}

fn d15_another_length_is_another_version(runtime: Runtime) {
    for len in [LEN + 1, LEN - 1, KEPT - 10, 3 * LEN] {
        changes(&Case::new(runtime), old(), new(len));
    }
}

fn d15_another_etag_is_another_version(runtime: Runtime) {
    changes(&Case::new(runtime), old(), new(LEN));
    // Of an origin that ignores If-Range.
    let case = Case::new(runtime);
    case.on().ignore_if_range();
    changes(&case, old(), new(LEN));
}

fn d15_another_date_is_another_version(runtime: Runtime) {
    let case = Case::new(runtime);
    case.on().no_etag();
    let hour = SystemTime::now() - Duration::from_secs(3600);
    changes(&case, old(), new(LEN).last_modified(hour));
}

fn d15_with_a_weak_etag_the_bytes_tell(runtime: Runtime) {
    let case = Case::new(runtime);
    case.on().honour_weak_if_range();
    changes(&case, old().weak_etag("same"), new(LEN).weak_etag("same"));
}

fn d15_without_any_validator_the_bytes_tell(runtime: Runtime) {
    let case = Case::new(runtime);
    changes(&case, old().without_validators(), new(LEN).without_validators());
}

fn d15_an_etag_of_another_node_is_the_same_version(runtime: Runtime) {
    let case = Case::new(runtime);
    case.put(old().etag("node-1"));
    case.begins_with(KEPT);
    case.put(old().etag("node-2"));
    case.plays();
    // Nodes that take If-Range for their own begin to send all of it; then what is kept is compared.
    assert!(case.requests().len() <= 4, "{}", case.story());
    let case = Case::new(runtime);
    case.on().ignore_if_range();
    case.put(old().etag("node-1"));
    case.begins_with(KEPT);
    case.put(old().etag("node-2"));
    case.plays();
    assert!(case.requests().len() <= 4, "{}", case.story());
    let client = case.client();
    assert_eq!(only(&cache_of(&client)).stored, LEN);
}

fn d15_a_file_that_changes_in_each_life_is_the_last_one_in_the_end(runtime: Runtime) {
    let case = Case::new(runtime);
    for seed in 100..106 {
        case.put(content(seed, LEN));
        // So slow that only what is read comes, and something of the beginning.
        case.on().rate(LEN / 2);
        let stream = case.open();
        // Before all of the tail that earlier lives may have kept, so that the origin's word is waited for. One who has
        // read nothing reads the new version.
        let at = LEN - 1000 * (seed - 99);
        let mut byte = [0];
        let read = stream.read_at(at, &mut byte).unwrap();
        assert_eq!(first_difference(seed, at, &byte[..read]), None, "{}", case.story());
        case.origin.heal_all();
    }
    case.put(old());
    old_then_changed_or_new(&case, 105, SEED, LEN);
    case.plays();
    assert_eq!(only(&cache_of(&case.client())).total, Some(LEN));
    eventually("the others are gone", || case.data_files().len() == 1);
}

fn d15_a_complete_file_is_replaced_when_it_is_asked_for(runtime: Runtime) {
    let case = Case::new(runtime);
    case.plays();
    case.put(new(LEN));
    // Nobody asks.
    case.plays();
    let case = case.with(|config| config.revalidate = infill_core::Revalidate::Always);
    let mut stream = case.open();
    let reading = stream.read_on(OTHER_SEED);
    assert_eq!((reading.count, reading.end), (LEN, Ok(())), "{}", case.story());
}
