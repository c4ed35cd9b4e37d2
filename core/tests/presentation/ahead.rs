//! What is fetched ahead of a reader, and what is not.

use std::time::Duration;

use infill_core::{Config, Entry, Event, HlsOptions, Intent, VariantChoice};

use crate::world::{READER, TRACK, two_variants};

fn config(seconds: u64) -> Config {
    let mut config = Config::default();
    config.hls.read_ahead = Some(Duration::from_secs(seconds));
    config
}

fn fixed(variant: usize) -> HlsOptions {
    HlsOptions { choice: VariantChoice::Fixed(variant), ..HlsOptions::default() }
}

fn segments(log: &[String]) -> Vec<&str> {
    log.iter()
        .filter_map(|line| line.split(' ').next())
        .filter(|path| path.ends_with(".m4s"))
        .collect()
}

#[test]
fn segments_come_one_at_a_time_up_to_the_read_ahead() {
    let mut world = two_variants(config(18));
    world.open("/m.m3u8", fixed(0));
    for path in ["/m.m3u8", "/a.m3u8", "/a-init.mp4"] {
        world.serve(path);
    }
    world.entered(Entry::Start);
    assert_eq!(world.pending(), ["/a0.m4s"], "one at a time");
    world.serve_all();
    assert_eq!(segments(&world.log), ["/a0.m4s", "/a1.m4s", "/a2.m4s"], "18 s and no more");
    assert_eq!(world.buffered, Duration::from_secs(18));
    world.pass(Duration::from_secs(3));
    assert_eq!(world.pending(), ["/a3.m4s"], "a reader that plays leaves room for another");
    world.serve_all();
    world.pass(Duration::from_secs(600));
    assert!(world.asked.is_empty(), "a reader that stands still wants nothing more");
    assert_eq!(segments(&world.log).len(), 4);
    assert_eq!(world.machine.poll_timeout(), None, "and nothing is polled");
}

#[test]
fn bytes_bound_the_read_ahead_too() {
    let mut config = config(600);
    config.hls.read_ahead_bytes = 100_000;
    let mut world = two_variants(config);
    world.open("/m.m3u8", fixed(0));
    world.serve_all();
    world.entered(Entry::Start);
    world.serve_all();
    assert_eq!(segments(&world.log).len(), 4, "the one that is read, and 3 of 48 kB ahead");
}

#[test]
fn what_was_fetched_ahead_is_what_is_read() {
    let mut world = two_variants(config(60));
    world.open("/m.m3u8", fixed(0));
    world.serve_all();
    let mut segment = world.entered(Entry::Start);
    world.serve_all();
    let asked = world.log.len();
    for index in 1..10 {
        segment = world.next(&segment);
        assert_eq!((segment.index, segment.continues), (index, true));
    }
    assert_eq!(world.log.len(), asked, "nothing is fetched twice");
}

#[test]
fn a_seek_stops_what_lay_ahead_and_keeps_its_bytes() {
    let mut world = two_variants(config(60));
    world.open("/m.m3u8", fixed(0));
    for path in ["/m.m3u8", "/a.m3u8", "/a-init.mp4", "/a0.m4s"] {
        world.serve(path);
    }
    world.entered(Entry::Start);
    assert_eq!(world.pending(), ["/a1.m4s"]);
    world.entered(Entry::At(Duration::from_secs(48)));
    assert_eq!(world.pending(), ["/a8.m4s"], "only what is wanted now");
    world.serve_all();
    assert_eq!(world.pending(), [""; 0]);
    world.entered(Entry::At(Duration::ZERO));
    world.serve_all();
    assert_eq!(segments(&world.log).iter().filter(|path| **path == "/a0.m4s").count(), 1);
}

#[test]
fn a_manual_choice_wins_at_once_over_what_lies_ahead() {
    let mut world = two_variants(config(60));
    world.open("/m.m3u8", fixed(0));
    world.serve_all();
    let first = world.entered(Entry::Start);
    world.serve_all();
    world.tell(Event::SetVariant { track: TRACK, choice: VariantChoice::Fixed(1) });
    world.serve_all();
    assert_eq!(world.next(&first).variant, 1);
}

#[test]
fn a_quick_link_climbs_without_fetching_twice() {
    let mut world = two_variants(config(60));
    world.open("/m.m3u8", HlsOptions::default());
    world.serve_all();
    let mut segment = world.entered(Entry::Start);
    let mut variants = vec![segment.variant];
    for _ in 1..10 {
        world.pass(Duration::from_secs(6));
        world.serve_all();
        segment = world.next(&segment);
        variants.push(segment.variant);
    }
    assert_eq!(variants[0], 0, "it starts safe");
    assert_eq!(variants[9], 1, "and climbs: {variants:?}");
    let switches = variants.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert_eq!(switches, 1, "without going back and forth: {variants:?}");
}

#[test]
fn a_reader_that_is_gone_wants_nothing() {
    let mut world = two_variants(config(60));
    world.open("/m.m3u8", fixed(0));
    for path in ["/m.m3u8", "/a.m3u8", "/a-init.mp4"] {
        world.serve(path);
    }
    world.entered(Entry::Start);
    world.tell(Event::Detach { reader: READER });
    world.serve_all();
    assert!(segments(&world.log).len() <= 2);
}

#[test]
fn a_whole_variant_is_filled_without_a_reader() {
    let mut world = two_variants(config(6));
    let options = HlsOptions { intent: Intent::Fill(u64::MAX), ..fixed(1) };
    world.open("/m.m3u8", options);
    world.tell(Event::Detach { reader: READER });
    world.serve_all();
    assert!(matches!(world.filled, Some(Ok(()))), "{:?}", world.filled);
    assert_eq!(segments(&world.log).len(), 10);
    assert!(world.machine.is_quiescent());
}

#[test]
fn what_cannot_be_filled_says_why() {
    let mut world = two_variants(config(6));
    let options = HlsOptions { intent: Intent::Fill(u64::MAX), ..fixed(1) };
    world.open("/m.m3u8", options);
    for path in ["/m.m3u8", "/b.m3u8", "/b-init.mp4", "/b0.m4s"] {
        world.serve(path);
    }
    world.refuse("/b1.m4s", 404);
    let error = world.filled.clone().expect("it is answered").unwrap_err();
    assert!(error.to_string().contains("segment 1 of variant 1"), "{error}");
}

#[test]
fn a_small_store_gives_back_what_was_played() {
    let mut config = config(60);
    config.store_limit_bytes = Some(1 << 20);
    let mut world = two_variants(config);
    world.open("/m.m3u8", fixed(1));
    world.serve_all();
    let mut segment = world.entered(Entry::Start);
    for index in 1..10 {
        world.serve_all();
        world.pass(Duration::from_secs(6));
        world.serve_all();
        segment = world.next(&segment);
        assert_eq!(segment.index, index, "1.9 MB are read through 1 MiB");
    }
    world.serve_all();
}
