//! After a clean restart nothing is fetched again: a prefix, a set of ranges, any number of times.

use std::{
    fs,
    io::{Seek as _, SeekFrom},
    thread,
    time::{Duration, Instant},
};

use fastrand::Rng;
use infill_tests::{
    origin::{Exchange, Resource, content},
    runtime::{ResourceStatus, Runtime},
};

use crate::case::{BLOCK, Case, LEN, SEED, cache_of, eventually, only};

both! {
    a_prefix_is_gone_on_with,
    holes_are_filled_and_nothing_else,
    the_length_is_known_before_the_network_answers,
    a_strong_etag_goes_with_the_first_request,
    without_a_strong_validator_the_overlap_comes_first,
    any_number_of_restarts_costs_the_size_of_the_file,
    d9_d10_a_far_seek_makes_no_large_file_and_is_kept,
    a_life_without_a_read_keeps_what_came,
}

fn a_prefix_is_gone_on_with(runtime: Runtime) {
    let case = Case::new(runtime);
    let kept = 400_000;
    case.begins_with(kept);
    let mut stream = case.open();
    case.reads_on(&mut stream);
    assert_eq!(case.sent(), LEN, "{}", case.story());
    assert_eq!(case.firsts(), [Some(0), Some(kept)], "{}", case.story());
    let stats = stream.handle().stats();
    assert_eq!((stats.bytes_fetched, stats.bytes_from_cache), (LEN - kept, kept));
    assert_eq!(stream.handle().status(), ResourceStatus::Committed { final_len: LEN });
}

fn holes_are_filled_and_nothing_else(runtime: Runtime) {
    let case = Case::new(runtime);
    case.on().nth(0).stall_at(100_000);
    case.on().nth(1).stall_at(150_000);
    let mut stream = case.open();
    stream.check_at(SEED, 0, 100_000);
    stream.check_at(SEED, 500_000, 150_000);
    drop(stream);
    let client = case.client();
    let entry = only(&cache_of(&client));
    assert_eq!((entry.stored, entry.total), (250_000, Some(LEN)));
    let mut stream = client.open(case.url()).unwrap();
    case.reads_on(&mut stream);
    assert_eq!(case.sent(), LEN, "{}", case.story());
    let mut firsts = case.firsts()[2..].to_vec();
    firsts.sort_unstable();
    assert_eq!(firsts, [Some(100_000), Some(650_000)], "{}", case.story());
}

fn the_length_is_known_before_the_network_answers(runtime: Runtime) {
    let case = Case::new(runtime);
    let kept = 2 * BLOCK;
    case.begins_with(kept);
    case.on().from(1).stall_before_head();
    let begun = Instant::now();
    let mut stream = case.open();
    assert_eq!(stream.byte_len(), Some(LEN));
    assert_eq!(stream.content_type().as_deref(), Some("audio/mpeg"));
    assert!(stream.is_seekable());
    // As a decoder looks at a file: its head, somewhere, its head again.
    stream.check_at(SEED, 0, 4096);
    stream.check_at(SEED, kept - 1000, 1000);
    assert_eq!(stream.seek(SeekFrom::End(-10)).unwrap(), LEN - 10);
    stream.check_at(SEED, 10, BLOCK);
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}

fn a_strong_etag_goes_with_the_first_request(runtime: Runtime) {
    let case = Case::new(runtime);
    case.begins_with(300_000);
    case.plays();
    let etag = Resource::new(content(SEED, LEN)).etag;
    assert_eq!(case.requests()[1].if_range(), etag.as_deref(), "{}", case.story());
}

fn without_a_strong_validator_the_overlap_comes_first(runtime: Runtime) {
    let kept = 300_000;
    for flaw in ["weak", "none"] {
        let case = Case::new(runtime);
        let bare = Resource::new(content(SEED, LEN)).without_validators();
        case.put(if flaw == "weak" { bare.weak_etag("same") } else { bare });
        case.begins_with(kept);
        case.plays();
        let first = case.firsts()[1].unwrap();
        assert!((kept - 4096..kept).contains(&first), "{flaw}: {}", case.story());
        assert!(case.sent() <= LEN + 4096, "{flaw}: {}", case.story());
        assert_eq!(case.requests().len(), 2, "{flaw}: {}", case.story());
    }
}

fn any_number_of_restarts_costs_the_size_of_the_file(runtime: Runtime) {
    let len = 6_000_000;
    let case = Case::of(runtime, len);
    let mut rng = Rng::with_seed(7);
    for _ in 0..16 {
        case.origin.heal_all();
        let nth = case.requests().len();
        let most = rng.u64(1..150_000);
        case.on().from(nth).stall_at(most);
        let mut stream = case.open();
        // At times a second transfer, from a hole; so far ahead that nothing else will get there.
        if rng.bool() {
            stream.check_at(SEED, rng.u64(4_000_000..len), 1);
        }
        let handle = stream.handle();
        settled(&case, || {
            let requests = &case.requests()[nth..];
            let due = |exchange: &Exchange| {
                let range = exchange.range().and_then(|range| range.resolve(len));
                most.min(range.map_or(len, |(first, last)| last + 1 - first))
            };
            let stats = handle.stats();
            // There is a hole to the end, so there is a request at least; and none is on its way.
            !requests.is_empty()
                && stats.requests == requests.len() as u64
                && requests.iter().all(|exchange| exchange.body_bytes == due(exchange))
                && stats.bytes_fetched == requests.iter().map(due).sum::<u64>()
        });
    }
    case.origin.heal_all();
    case.plays();
    assert_eq!(case.sent(), len, "{}", case.story());
}

/// Waits until all that was sent has come, and nothing more comes.
fn settled(case: &Case, all_is_booked: impl Fn() -> bool) {
    let begun = Instant::now();
    let mut since = None;
    while since.is_none_or(|since: Instant| since.elapsed() < Duration::from_millis(30)) {
        assert!(begun.elapsed() < Duration::from_secs(10), "{}", case.story());
        since = all_is_booked().then(|| since.unwrap_or_else(Instant::now));
        thread::sleep(Duration::from_millis(1));
    }
}

fn d9_d10_a_far_seek_makes_no_large_file_and_is_kept(runtime: Runtime) {
    let len = 40 << 20;
    let case = Case::of(runtime, len);
    let (head, far, tail) = (100_000, 36 << 20, 120_000);
    case.on().nth(0).stall_at(head);
    case.on().nth(1).stall_at(tail);
    let mut stream = case.open();
    stream.check_at(SEED, 0, head);
    stream.check_at(SEED, far, tail);
    drop(stream);
    let lengths: Vec<u64> =
        case.data_files().iter().map(|file| fs::metadata(file).unwrap().len()).collect();
    // A file for each 16 MiB that something is of: no zeros are written for what lies between.
    assert_eq!(lengths.len(), 2, "{:?}", case.data_files());
    assert!(lengths.iter().all(|&length| length <= 5 << 20), "{lengths:?}");
    // What a file system calls a hole, or doesn't, says nothing: the files are made longer.
    for file in case.data_files() {
        let file = fs::File::options().write(true).open(file).unwrap();
        file.set_len(16 << 20).unwrap();
    }
    case.on().from(2).stall_before_head();
    let mut stream = case.open();
    stream.check_at(SEED, far, tail);
    stream.check_at(SEED, 0, head);
    assert_eq!(stream.handle().stats().bytes_from_cache, head + tail);
    drop(stream);
    case.origin.heal_all();
    let mut stream = case.open();
    case.reads_on(&mut stream);
    let stats = stream.handle().stats();
    assert_eq!(stats.bytes_fetched, len - head - tail, "{}", case.story());
    assert_eq!(stats.bytes_from_cache, head + tail);
}

fn a_life_without_a_read_keeps_what_came(runtime: Runtime) {
    let case = Case::new(runtime);
    case.on().nth(0).stall_at(500_000);
    let stream = case.open();
    let handle = stream.handle();
    eventually("all that came", || {
        handle.progress().buffered.iter().map(|run| run.end - run.start).sum::<u64>() == 500_000
    });
    drop(stream);
    case.plays();
    assert_eq!(case.sent(), LEN, "{}", case.story());
}
