//! Which segments readers are given.

use std::time::Duration;

use infill_core::{Answer, Cause, Config, Entry, Event, HlsOptions, VariantChoice};

use crate::world::{TRACK, World, media, two_variants};

fn opened(config: Config, options: HlsOptions) -> World {
    let mut world = two_variants(config);
    world.open("/m.m3u8", options);
    world.serve_all();
    world
}

fn fixed(variant: usize) -> HlsOptions {
    HlsOptions { choice: VariantChoice::Fixed(variant), ..HlsOptions::default() }
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn seed_3_a_switch_goes_by_time_and_ends_the_run() {
    let mut world = opened(Config::default(), fixed(0));
    let first = world.entered(Entry::Start);
    let second = world.next(&first);
    assert!(second.continues, "the next segment of one variant goes on in the run");
    world.tell(Event::SetVariant { track: TRACK, choice: VariantChoice::Fixed(1) });
    world.serve_all();
    let third = world.next(&second);
    assert_eq!((third.variant, third.index), (1, 2), "the segment that holds the old run's end");
    assert!(!third.continues, "another variant is another run");
}

#[test]
fn seed_3_segments_of_other_lengths_meet_at_the_right_time() {
    let mut world = opened(Config::default(), fixed(0));
    // Variant b in segments of 4 s.
    let mut world_b = two_variants(Config::default());
    core::mem::swap(&mut world, &mut world_b);
    world.put("/b.m3u8", media("b", 15, 4.0));
    world.open("/m.m3u8", fixed(0));
    world.serve_all();
    let first = world.entered(Entry::Start);
    world.tell(Event::SetVariant { track: TRACK, choice: VariantChoice::Fixed(1) });
    let request = world.enter(Entry::After { variant: 0, index: first.index, end: seconds(6) });
    assert_eq!(world.answer_to(request), None, "its playlist is loaded first");
    world.serve("/b.m3u8");
    let Some(Answer::Entered(next)) = world.answer_to(request).cloned() else {
        panic!("{:?}", world.answer_to(request));
    };
    assert_eq!((next.variant, next.index), (1, 1), "from 4 s on: it holds second 6");
    assert_eq!(next.entry.timestamp_start, seconds(4));
}

#[test]
fn seed_4_a_time_finds_its_segment() {
    let mut world = opened(Config::default(), HlsOptions::default());
    let segment = world.entered(Entry::At(seconds(36)));
    assert_eq!(segment.index, 6, "36 s in segments of 6 s");
    assert_eq!(segment.entry.timestamp_start, seconds(36));
    let request = world.enter(Entry::At(seconds(60)));
    assert_eq!(world.answer_to(request), Some(&Answer::End));
}

#[test]
fn seed_5_a_seek_to_an_unloaded_segment_is_one_request_at_once() {
    let mut config = Config::default();
    config.hls.read_ahead = Some(seconds(6));
    let mut world = opened(config, fixed(0));
    world.entered(Entry::Start);
    world.serve_all();
    let before = world.log.len();
    world.entered(Entry::At(seconds(50)));
    assert_eq!(world.log[before..], ["/a8.m4s bytes=0-"]);
}

#[test]
fn seed_6_back_and_forth_fetches_nothing_twice() {
    let mut world = opened(Config::default(), fixed(0));
    for at in [40, 12, 0, 58, 24, 6, 54] {
        let segment = world.entered(Entry::At(seconds(at)));
        world.serve_all();
        let end = segment.entry.timestamp_end();
        let request = world.enter(Entry::After { variant: 0, index: segment.index, end });
        assert!(world.answer_to(request).is_some());
        world.serve_all();
    }
    let mut log = world.log.clone();
    log.sort();
    let all = log.len();
    log.dedup();
    assert_eq!(log.len(), all, "each was asked for once: {:?}", world.log);
}

#[test]
fn a_seek_takes_what_is_there_in_any_variant() {
    let mut world = opened(Config::default(), fixed(1));
    world.entered(Entry::At(seconds(30)));
    world.serve_all();
    world.tell(Event::SetVariant { track: TRACK, choice: VariantChoice::Auto });
    world.entered(Entry::At(Duration::ZERO));
    world.serve_all();
    let segment = world.entered(Entry::At(seconds(31)));
    assert_eq!((segment.variant, segment.index), (1, 5));
}

#[test]
fn a_segment_that_is_gone_is_played_in_another_variant() {
    let mut world = opened(Config::default(), fixed(0));
    let first = world.entered(Entry::Start);
    world.serve_all();
    let at = first.entry.timestamp_end();
    let request = world.enter(Entry::Instead { variant: 0, index: 1, at });
    world.serve_all();
    let Some(Answer::Entered(other)) = world.answer_to(request).cloned() else {
        panic!("{:?}", world.answer_to(request));
    };
    assert_eq!((other.variant, other.index, other.continues), (1, 1, false));
    let request = world.enter(Entry::Instead { variant: 1, index: 1, at });
    let Some(Answer::Failed(error)) = world.answer_to(request) else {
        panic!("{:?}", world.answer_to(request));
    };
    assert_eq!(*error.cause(), Cause::PartialSegment { variant: 1, index: 1 });
}

#[test]
fn c15_a_gap_is_not_asked_for_and_another_variant_fills_it() {
    let mut world = two_variants(Config::default());
    let gap =
        media("a", 10, 6.0).replace("#EXTINF:6.000,\na1.m4s", "#EXT-X-GAP\n#EXTINF:6.000,\na1.m4s");
    world.put("/a.m3u8", gap);
    world.open("/m.m3u8", fixed(0));
    world.serve_all();
    let first = world.entered(Entry::Start);
    let at = first.entry.timestamp_end();
    let request = world.enter(Entry::After { variant: 0, index: 0, end: at });
    world.serve_all();
    let Some(Answer::Entered(other)) = world.answer_to(request).cloned() else {
        panic!("{:?}", world.answer_to(request));
    };
    assert_eq!((other.variant, other.index), (1, 1));
    assert!(!world.log.iter().any(|asked| asked.starts_with("/a1.m4s")));
}

#[test]
fn c15_a_gap_in_all_variants_is_silence() {
    let mut world = World::new(Config::default());
    let gap =
        media("a", 3, 6.0).replace("#EXTINF:6.000,\na1.m4s", "#EXT-X-GAP\n#EXTINF:6.000,\na1.m4s");
    world.put("/a.m3u8", gap);
    world.put("/a-init.mp4", vec![1; 700]);
    for index in [0, 2] {
        world.put(&format!("/a{index}.m4s"), vec![1; 1000]);
    }
    world.open("/a.m3u8", HlsOptions::default());
    world.serve_all();
    let first = world.entered(Entry::Start);
    let silence = world.next(&first);
    assert_eq!((silence.index, silence.media.is_none()), (1, true));
    let third = world.next(&silence);
    assert_eq!((third.index, third.continues), (2, false));
}

#[test]
fn who_asks_again_is_given_the_same() {
    let mut world = opened(Config::default(), fixed(0));
    let first = world.entered(Entry::Start);
    world.serve_all();
    let second = world.next(&first);
    let again = world.next(&first);
    assert_eq!(second, again, "an interrupt before the answer was seen makes no seam");
    assert!(again.continues);
    let third = world.next(&again);
    assert_eq!((third.index, third.continues), (2, true));
}

#[test]
fn every_request_is_answered_once() {
    let mut world = opened(Config::default(), HlsOptions::default());
    let one = world.enter(Entry::Start);
    world.tell(Event::SetVariant { track: TRACK, choice: VariantChoice::Fixed(1) });
    let two = world.enter(Entry::At(seconds(20)));
    let three = world.enter(Entry::At(seconds(30)));
    world.serve_all();
    for request in [one, two, three] {
        let answers = world.answers.iter().filter(|(of, _)| *of == request).count();
        assert_eq!(answers, 1, "{request}");
    }
}
