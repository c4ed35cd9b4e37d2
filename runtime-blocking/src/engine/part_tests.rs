//! The engine and the tracks that the machine opens for a presentation: what actions come to, whatever the machine
//! thinks of them.

use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use infill_core::hls::{Presentation, VariantInfo};
use infill_core::{
    Action, ByteRange, Cause, Change, ErrorKind, Event, FetchId, Notice, OpId, ResourceId, Tier,
    TrackId,
};
use url::Url;

use super::Reader;
use super::cache_tests::{RESOURCE, World, read, text};
use crate::{Noticed, StreamHandle};

/// As the machine names its own.
const PART: TrackId = TrackId(1 << 63 | 5);

fn open_part(world: &mut World, of: TrackId) {
    let url = Arc::new(Url::parse("http://a.example/1.m4s?token=x").unwrap());
    world.engine.act_on_store(Action::OpenPart { of, track: PART, url });
    world.engine.act_on_store(Action::OpenResource { track: PART, resource: RESOURCE });
}

fn part_reader(whole: &Reader) -> Reader {
    let part = whole.track().shown.part(PART).expect("it is open");
    whole.part(part)
}

#[test]
fn a_part_is_read_as_any_track_and_told_of_its_presentation() {
    let mut world = World::new();
    let whole = world.open("a.m3u8");
    let (of, handle) = (whole.track().id(), StreamHandle::of(&whole));
    open_part(&mut world, of);
    let mut part = part_reader(&whole);
    assert_eq!(part.track().url(), "http://a.example/1.m4s");
    world.write(0, "segment", Tier::Scratch);
    assert_eq!(read(&mut part, 0), text("segment"));

    world.publish(Change::Verified(ByteRange::new(0, 7)));
    assert_eq!(handle.stats().bytes_from_cache, 7);
    let cause = infill_core::Error::from(Cause::Truncated);
    let notice = Box::new(Notice::Retrying { cause, wait: Duration::ZERO });
    world.engine.act_on_store(Action::Notify { track: PART, notice });
    assert_eq!(handle.stats().retries, 1);
    assert!(matches!(handle.notices().try_next(), Some(Noticed::Notice(Notice::Retrying { .. }))));
    assert!(handle.error().is_some());
    world.engine.act_on_store(Action::Closed { track: PART });
    assert!(handle.error().is_none(), "what is closed waits for nothing");
    assert!(whole.track().shown.part(PART).is_none());
    assert_eq!(read(&mut part, 0), Poll::Ready(Err(ErrorKind::Closed)));
}

#[test]
fn a_parts_reader_keeps_its_presentation_open_and_never_closes_the_part() {
    let mut world = World::new();
    let whole = world.open("a.m3u8");
    let of = whole.track().id();
    open_part(&mut world, of);
    let (one, mut two) = (part_reader(&whole), part_reader(&whole));
    drop(one);
    world.write(0, "segment", Tier::Scratch);
    assert_eq!(read(&mut two, 0), text("segment"));
    let shown = Arc::clone(whole.track());
    drop(whole);
    world.turn();
    assert!(!shown.is_closed(), "somebody reads it");
    drop(two);
    world.turn();
    assert!(shown.is_closed());
}

#[test]
fn closing_a_presentation_closes_its_parts_at_once() {
    let mut world = World::new();
    let whole = world.open("a.m3u8");
    let of = whole.track().id();
    open_part(&mut world, of);
    let mut part = part_reader(&whole);
    world.write(0, "segment", Tier::Scratch);
    StreamHandle::of(&whole).close();
    world.turn();
    assert_eq!(read(&mut part, 0), Poll::Ready(Err(ErrorKind::Closed)));
    drop((whole, part));
    world.hub = None;
    world.turn();
    world.settle();
    assert!(world.engine.is_done(), "a part that was closed holds nothing up");
    // One that comes late is nobody's.
    open_part(&mut world, of);
    assert!(world.engine.is_done());
}

#[test]
fn stored_bytes_come_back_from_both_tiers_in_order() {
    let mut world = World::new();
    let whole = world.open("a.m3u8");
    let of = whole.track().id();
    open_part(&mut world, of);
    let resource = RESOURCE;
    let load = |op, range| Action::Load { resource, op: OpId(op), range };
    world.engine.act_on_store(Action::Write {
        resource,
        op: OpId(1),
        offset: 0,
        bytes: "#EXTM3U\n".into(),
        tier: Tier::Scratch,
    });
    world.engine.act_on_store(load(2, ByteRange::new(0, 8)));
    let loaded = |world: &mut World| {
        let events: Vec<_> = world.engine.own.drain(..).collect();
        let loaded = events.into_iter().filter_map(|event| match event {
            Event::Loaded { op, result, .. } => Some((op.0, result)),
            _ => None,
        });
        loaded.collect::<Vec<_>>()
    };
    // Nothing of it can block: done on the spot.
    assert_eq!(loaded(&mut world), [(2, Ok("#EXTM3U\n".into()))]);

    // With a place in the cache, behind the writes that are under way.
    world.place();
    world.engine.act_on_store(Action::Write {
        resource,
        op: OpId(3),
        offset: 8,
        bytes: "#EXT-X-ENDLIST".into(),
        tier: Tier::Cache,
    });
    world.engine.act_on_store(load(4, ByteRange::new(0, 22)));
    world.engine.act_on_store(load(5, ByteRange::new(0, 23)));
    world.engine.act_on_store(load(6, ByteRange::new(0, u64::MAX)));
    let other = ResourceId(7);
    world.engine.act_on_store(Action::Load {
        resource: other,
        op: OpId(7),
        range: ByteRange::new(0, 1),
    });
    let mut results = loaded(&mut world);
    results.extend(world.loaded(3));
    results.sort_by_key(|(op, _)| *op);
    assert_eq!(results[0], (4, Ok("#EXTM3U\n#EXT-X-ENDLIST".into())));
    assert!(results[1..].iter().all(|(_, result)| result.is_err()), "{results:?}");
    assert_eq!(results.len(), 4);
}

#[test]
fn a_presentation_and_what_is_buffered_of_it_are_shown() {
    let mut world = World::new();
    let whole = world.open("a.m3u8");
    let track = whole.track().id();
    assert!(whole.track().shown.what().is_none());
    let what = Arc::new(Presentation {
        variants: vec![VariantInfo { bandwidth: 64_000, ..VariantInfo::default() }],
        ..Presentation::default()
    });
    world.engine.act_on_store(Action::Presented { track, what: Arc::clone(&what) });
    let time = Duration::from_secs(7);
    world.engine.act_on_store(Action::Buffered { track, time });
    assert_eq!(whole.track().shown.what(), Some(what));
    assert_eq!(whole.track().shown.buffered(), time);
}

#[test]
fn bytes_of_a_part_count_also_when_it_is_gone_before_them() {
    let mut world = World::new();
    let whole = world.open("a.m3u8");
    let handle = StreamHandle::of(&whole);
    open_part(&mut world, whole.track().id());
    let fetch = FetchId(1 << 40);
    world.engine.note_fetch(fetch, PART, tracing::Span::none());
    world.engine.act_on_store(Action::Closed { track: PART });
    world.engine.port().post(Event::BytesReceived { fetch, bytes: "late".into() });
    world.turn();
    assert_eq!(handle.stats().bytes_fetched, 4);
}
