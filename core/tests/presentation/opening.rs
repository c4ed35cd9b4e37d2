//! From a URL to a timeline.

use std::time::Duration;

use infill_core::{Config, Entry, ErrorKind, Event, HlsOptions, VariantChoice};

use crate::world::{TRACK, World, master, media, two_variants};

#[test]
fn the_first_audio_needs_two_playlists_a_map_and_a_segment() {
    let mut world = two_variants(Config::default());
    world.open("/m.m3u8", HlsOptions::default());
    assert_eq!(world.pending(), ["/m.m3u8"]);
    world.serve("/m.m3u8");
    assert_eq!(world.pending(), ["/a.m3u8"], "one variant's, the one to begin with");
    assert!(world.opened.is_none(), "without a timeline it is not open");
    world.serve("/a.m3u8");
    assert!(matches!(world.opened, Some(Ok(()))));
    let mut pending = world.pending();
    pending.sort_unstable();
    assert_eq!(pending, ["/a-init.mp4", "/a0.m4s"], "at once, and side by side");
    let segment = world.entered(Entry::Start);
    assert_eq!((segment.variant, segment.index, segment.continues), (0, 0, false));
    assert!(segment.init.is_some(), "its bytes are read as they come");
    let presentation = world.presentation.clone().unwrap();
    assert_eq!(presentation.duration, Duration::from_secs(60));
    assert_eq!(presentation.variants.len(), 2);
    assert!(presentation.variants[0].segments.is_some());
    assert!(presentation.variants[1].segments.is_none(), "loaded when it is needed");
}

#[test]
fn a_media_playlist_alone_is_a_presentation() {
    let mut world = World::new(Config::default());
    world.put("/a.m3u8", media("a", 2, 6.0));
    world.put("/a-init.mp4", vec![1; 700]);
    for index in 0..2 {
        world.put(&format!("/a{index}.m4s"), vec![2; 1000]);
    }
    world.open("/a.m3u8", HlsOptions::default());
    world.serve_all();
    assert!(matches!(world.opened, Some(Ok(()))));
    let first = world.entered(Entry::Start);
    let second = world.next(&first);
    assert!(second.continues);
    let end = second.entry.timestamp_end();
    let request = world.enter(Entry::After { variant: 0, index: 1, end });
    assert_eq!(world.answer_to(request), Some(&infill_core::Answer::End));
    world.serve_all();
    assert!(world.machine.is_quiescent(), "seed 7: at the end all stops");
    assert_eq!(world.machine.poll_timeout(), None, "and nothing is polled");
}

#[test]
fn a_live_playlist_is_refused_by_name() {
    let mut world = World::new(Config::default());
    world.put("/a.m3u8", media("a", 2, 6.0).replace("#EXT-X-ENDLIST\n", ""));
    world.open("/a.m3u8", HlsOptions::default());
    world.serve_all();
    let error = world.opened.clone().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("live"), "{error}");
    world.tell(Event::Close { track: TRACK });
    assert!(world.machine.is_quiescent());
    assert!(world.closed.contains(&TRACK));
}

#[test]
fn a_variant_whose_playlist_is_gone_is_not_begun_with() {
    let mut world = two_variants(Config::default());
    world.open("/m.m3u8", HlsOptions::default());
    world.serve("/m.m3u8");
    world.refuse("/a.m3u8", 404);
    assert!(world.opened.is_none());
    world.serve("/b.m3u8");
    assert!(matches!(world.opened, Some(Ok(()))));
    assert_eq!(world.entered(Entry::Start).variant, 1);
}

#[test]
fn without_any_playlist_the_last_cause_is_told() {
    let mut world = two_variants(Config::default());
    world.open("/m.m3u8", HlsOptions::default());
    world.serve("/m.m3u8");
    world.refuse("/a.m3u8", 404);
    world.refuse("/b.m3u8", 410);
    let error = world.opened.clone().unwrap().unwrap_err();
    assert_eq!(error.http_status(), Some(410));
}

#[test]
fn a_manual_choice_is_begun_with() {
    let mut world = two_variants(Config::default());
    let choice = VariantChoice::Fixed(1);
    world.open("/m.m3u8", HlsOptions { choice, ..HlsOptions::default() });
    world.serve("/m.m3u8");
    assert_eq!(world.pending(), ["/b.m3u8"]);
}

#[test]
fn a_choice_of_what_is_not_there_is_an_error() {
    let mut world = two_variants(Config::default());
    let choice = VariantChoice::Fixed(7);
    world.open("/m.m3u8", HlsOptions { choice, ..HlsOptions::default() });
    world.serve("/m.m3u8");
    let error = world.opened.clone().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Caller);
}

#[test]
fn a_playlist_beyond_the_limit_is_given_up_while_it_comes() {
    let mut config = Config::default();
    config.hls.max_playlist_bytes = 100;
    let mut world = World::new(config);
    world.put("/m.m3u8", master(&[(64_000, "a.m3u8"); 50]));
    world.open("/m.m3u8", HlsOptions::default());
    world.serve_all();
    let error = world.opened.clone().unwrap().unwrap_err();
    assert!(error.to_string().contains("max_playlist_bytes"), "{error}");
}

#[test]
fn text_that_is_no_playlist_is_an_error_of_the_origin() {
    let mut world = World::new(Config::default());
    world.put("/m.m3u8", "not a playlist");
    world.open("/m.m3u8", HlsOptions::default());
    world.serve_all();
    let error = world.opened.clone().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Origin);
}

#[test]
fn closing_in_the_middle_of_everything_leaves_nothing() {
    for served in 0..6 {
        let mut world = two_variants(Config::default());
        world.open("/m.m3u8", HlsOptions::default());
        for _ in 0..served {
            if let Some(path) = world.pending().first().map(|path| (*path).to_owned()) {
                world.serve(&path);
            }
        }
        let request = world.enter(Entry::Start);
        world.tell(Event::Close { track: TRACK });
        assert!(world.answer_to(request).is_some(), "every wait ends");
        assert!(world.asked.is_empty(), "seed 8: no request is left");
        assert!(world.closed.contains(&TRACK));
        assert!(world.machine.is_quiescent());
        assert_eq!(world.machine.poll_timeout(), None);
    }
}
