//! D12: the journal is torn, garbage, of an old disk or of a newer version.

use std::fs;

use fastrand::Rng;
use infill_tests::{
    origin::content,
    runtime::{ErrorKind, Notice, Runtime},
};
use xxhash_rust::xxh3::xxh3_64;

use crate::case::{Case, LEN, PATH, SEED, cache_of, files, notices};

both! {
    d12_a_torn_end_costs_the_last_records,
    d12_flipped_bits_cost_what_they_hit_and_no_more,
    d12_a_journal_of_garbage_is_set_aside,
    d12_an_empty_journal_is_a_new_one,
    d12_a_newer_version_is_left_alone,
    d12_a_journal_of_another_life_is_not_believed,
}

/// Two files, complete, and nobody that has them open.
fn complete(runtime: Runtime) -> Case {
    let case = Case::new(runtime);
    case.origin.put("/b", content(SEED, LEN));
    {
        let client = case.client();
        for path in [PATH, "/b"] {
            case.reads_on(&mut client.open(case.origin.url(path)).unwrap());
        }
    }
    case.is_let_go();
    case
}

fn play_both(case: &Case) {
    let client = case.client();
    for path in [PATH, "/b"] {
        case.reads_on(&mut client.open(case.origin.url(path)).unwrap());
    }
}

/// What both files have cost.
fn sent(case: &Case) -> u64 {
    case.sent() + case.origin.bytes_sent("/b")
}

fn d12_a_torn_end_costs_the_last_records(runtime: Runtime) {
    let case = complete(runtime);
    let whole = fs::read(case.journal()).unwrap();
    let mut rng = Rng::with_seed(3);
    for _ in 0..8 {
        let left = rng.usize(64..whole.len());
        fs::write(case.journal(), &whole[..left]).unwrap();
        play_both(&case);
    }
    assert!(sent(&case) > 2 * LEN, "something was lost: {}", case.story());
    let settled = sent(&case);
    play_both(&case);
    assert_eq!(sent(&case), settled, "and is back: {}", case.story());
}

fn d12_flipped_bits_cost_what_they_hit_and_no_more(runtime: Runtime) {
    let case = complete(runtime);
    let mut rng = Rng::with_seed(4);
    for _ in 0..12 {
        let mut bytes = fs::read(case.journal()).unwrap();
        let at = rng.usize(..bytes.len());
        bytes[at] ^= 1 << rng.u32(..8);
        fs::write(case.journal(), bytes).unwrap();
        play_both(&case);
    }
    // Never worse than to begin again each time.
    assert!(sent(&case) <= 13 * 2 * LEN, "{}", case.story());
}

fn d12_a_journal_of_garbage_is_set_aside(runtime: Runtime) {
    let case = complete(runtime);
    let garbage = vec![0x5a; 100_000];
    fs::write(case.journal(), &garbage).unwrap();
    let client = case.client();
    assert_eq!(cache_of(&client).list().unwrap(), []);
    let mut stream = client.open(case.url()).unwrap();
    case.reads_on(&mut stream);
    assert_eq!(case.sent(), 2 * LEN, "{}", case.story());
    let found = notices(&stream);
    assert!(found.iter().any(|notice| matches!(notice, Notice::CacheDamaged(_))), "{found:?}");
    drop((stream, client));
    let aside = files(&case.root().join("_index"));
    let kept = aside.iter().any(|file| fs::read(file).unwrap() == garbage);
    assert!(kept, "for who wants to look at it: {aside:?}");
    play_both(&case);
    assert_eq!(case.sent(), 2 * LEN, "{}", case.story());
}

fn d12_an_empty_journal_is_a_new_one(runtime: Runtime) {
    let case = complete(runtime);
    // As XFS gives back a file that was renamed before it was written.
    fs::write(case.journal(), b"").unwrap();
    play_both(&case);
    let settled = sent(&case);
    assert_eq!(settled, 4 * LEN, "{}", case.story());
    play_both(&case);
    assert_eq!(sent(&case), settled, "{}", case.story());
}

fn d12_a_newer_version_is_left_alone(runtime: Runtime) {
    let case = complete(runtime);
    let mut newer = fs::read(case.journal()).unwrap();
    // Its version is at 8, and the digest of all before it at 24, in every version.
    newer[8..12].copy_from_slice(&2u32.to_le_bytes());
    let digest = xxh3_64(&newer[..24]);
    newer[24..32].copy_from_slice(&digest.to_le_bytes());
    fs::write(case.journal(), &newer).unwrap();
    let before = case.data_files();
    let error = runtime.try_client(&case.settings).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Store, "{error}");
    let text = error.to_string();
    assert!(text.contains("newer") && text.contains(case.root().to_str().unwrap()), "{text}");
    assert_eq!(fs::read(case.journal()).unwrap(), newer);
    assert_eq!(case.data_files(), before);
}

fn d12_a_journal_of_another_life_is_not_believed(runtime: Runtime) {
    let case = complete(runtime);
    let old = fs::read(case.journal()).unwrap();
    let client = case.client();
    for entry in cache_of(&client).list().unwrap() {
        cache_of(&client).remove(&entry.key).unwrap();
    }
    drop(client);
    case.is_let_go();
    // As a backup brings it back: what it names is not there.
    fs::write(case.journal(), old).unwrap();
    play_both(&case);
    assert_eq!(sent(&case), 4 * LEN, "{}", case.story());
}
