//! Golden transcripts: what goes into the machine (`>`) and what comes out (`<`) in the scenes that the project began
//! with. A change of behaviour shows here as a diff to be judged; `UPDATE_EXPECT=1` takes it over.

use std::time::Duration;

use expect_test::{Expect, expect};
use infill_core::{Config, FailureKind};
use infill_tests::sim::Scene;

const KIB: u64 = 1024;

/// A track of 1 MiB whose first `present` bytes have come over a transfer that is still running.
fn begun(present: u64) -> Scene {
    let mut scene = Scene::open(Config::default(), 1024 * KIB);
    let first = scene.last_fetch();
    scene.pause(Duration::from_millis(30));
    scene.part(first, 0, 1024 * KIB, "\"a\"");
    for _ in 0..present / (64 * KIB) {
        scene.pause(Duration::from_millis(16));
        scene.bytes(first, 64 * KIB);
    }
    scene
}

/// As [`begun`], but the transfer is reset; a reader waits for the next byte, which has been asked for again.
fn resumed(present: u64, latched: bool) -> Scene {
    let mut scene = begun(present);
    if latched {
        scene.latch();
    }
    scene.fails(scene.last_fetch(), FailureKind::Reset);
    scene.read(1, present, 64 * KIB);
    if scene.fetches() < 2 {
        scene.tick_until_fetch();
    }
    scene.pause(Duration::from_millis(30));
    scene
}

fn golden(scene: &Scene, expected: &Expect) {
    expected.assert_eq(&scene.transcript());
}

#[test]
fn early_close() {
    let mut scene = begun(512 * KIB);
    scene.read(1, 512 * KIB, 64 * KIB);
    scene.fails(scene.last_fetch(), FailureKind::Truncated);
    if scene.fetches() < 2 {
        scene.tick_until_fetch();
    }
    let second = scene.last_fetch();
    scene.pause(Duration::from_millis(30));
    scene.part(second, 512 * KIB, 1024 * KIB, "\"a\"");
    scene.bytes(second, 512 * KIB);
    scene.ends(second);
    scene.close();
    golden(&scene, &expect![[]]);
}

#[test]
fn seek_beyond_what_is_there() {
    let mut scene = begun(128 * KIB);
    scene.latch();
    scene.seek(700_000);
    scene.read(1, 700_000, 64 * KIB);
    let second = scene.last_fetch();
    scene.pause(Duration::from_millis(30));
    scene.part(second, 700_000, 1024 * KIB, "\"a\"");
    scene.bytes(second, 64 * KIB);
    scene.close();
    golden(&scene, &expect![[]]);
}

#[test]
fn tail_probe_beside_the_main_transfer() {
    let mut scene = begun(64 * KIB);
    let main = scene.last_fetch();
    scene.latch();
    let tail = 1024 * KIB - 8 * KIB;
    scene.seek(tail);
    scene.read(1, tail, 8 * KIB);
    let probe = scene.last_fetch();
    scene.pause(Duration::from_millis(30));
    scene.part(probe, tail, 1024 * KIB, "\"a\"");
    scene.bytes(main, 64 * KIB);
    scene.bytes(probe, 8 * KIB);
    scene.ends(probe);
    scene.seek(128 * KIB);
    scene.bytes(main, 64 * KIB);
    scene.close();
    golden(&scene, &expect![[]]);
}

#[test]
fn everything_for_a_range() {
    let mut scene = resumed(64 * KIB, true);
    let second = scene.last_fetch();
    scene.whole(second, "\"a\"");
    scene.bytes(second, 256 * KIB);
    scene.close();
    golden(&scene, &expect![[]]);
}

#[test]
fn etag_changes_before_the_first_read() {
    let mut scene = resumed(64 * KIB, false);
    let second = scene.last_fetch();
    scene.replace(900 * KIB);
    scene.whole(second, "\"b\"");
    scene.bytes(second, 128 * KIB);
    scene.close();
    golden(&scene, &expect![[]]);
}

#[test]
fn etag_changes_after_the_first_read() {
    let mut scene = resumed(64 * KIB, true);
    let second = scene.last_fetch();
    scene.replace(900 * KIB);
    scene.whole(second, "\"b\"");
    scene.bytes(second, 64 * KIB);
    scene.reopen();
    scene.read(2, 64 * KIB, 64 * KIB);
    scene.bytes(second, 64 * KIB);
    scene.close();
    golden(&scene, &expect![[]]);
}

#[test]
fn a14_416_at_the_end() {
    let mut scene = Scene::open(Config::default(), 128 * KIB);
    let first = scene.last_fetch();
    let fields = [
        ("Content-Range", format!("bytes 0-{}/*", 128 * KIB - 1)),
        ("Content-Length", (128 * KIB).to_string()),
        ("ETag", "\"a\"".to_owned()),
    ];
    scene.head(first, 206, &fields);
    scene.starts_at(first, 0);
    scene.bytes(first, 128 * KIB);
    scene.read(1, 128 * KIB, 64 * KIB);
    scene.ends(first);
    if scene.fetches() < 2 {
        scene.tick_until_fetch();
    }
    let second = scene.last_fetch();
    let fields = [
        ("Content-Range", format!("bytes */{}", 128 * KIB)),
        ("Content-Length", "0".to_owned()),
    ];
    scene.head(second, 416, &fields);
    scene.close();
    golden(&scene, &expect![[]]);
}

#[test]
fn b8_stall() {
    let mut scene = begun(64 * KIB);
    scene.latch();
    scene.read(1, 64 * KIB, 64 * KIB);
    scene.tick_until_fetch();
    let second = scene.last_fetch();
    scene.pause(Duration::from_millis(30));
    scene.part(second, 64 * KIB, 1024 * KIB, "\"a\"");
    scene.bytes(second, 64 * KIB);
    scene.close();
    golden(&scene, &expect![[]]);
}

#[test]
fn give_up_and_try_again() {
    let mut scene = begun(64 * KIB);
    scene.latch();
    scene.fails(scene.last_fetch(), FailureKind::Reset);
    scene.read(1, 64 * KIB, 64 * KIB);
    while scene.answers() == 0 {
        let before = scene.fetches();
        assert!(
            scene.tick(),
            "a wait without a deadline:\n{}",
            scene.transcript()
        );
        if scene.fetches() > before {
            scene.fails(scene.last_fetch(), FailureKind::Connect);
        }
    }
    let before = scene.fetches();
    scene.read(2, 64 * KIB, 64 * KIB);
    if scene.fetches() == before {
        scene.tick_until_fetch();
    }
    let last = scene.last_fetch();
    scene.part(last, 64 * KIB, 1024 * KIB, "\"a\"");
    scene.bytes(last, 64 * KIB);
    scene.close();
    golden(&scene, &expect![[]]);
}
