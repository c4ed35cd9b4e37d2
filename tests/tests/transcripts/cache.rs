//! What is kept over the end of a process.

use std::time::Duration;

use expect_test::expect;
use infill_core::{Config, FailureKind};
use infill_tests::sim::Scene;

use super::{KIB, golden};

/// Killed at 512 KiB of 1 MiB, opened again: what was fetched is verified and read, what is missing is asked for where
/// it is read.
#[test]
fn crash_at_half_then_a_seek_past_it() {
    let mut scene = Scene::open_cached(Config::default(), 1024 * KIB);
    let first = scene.last_fetch();
    scene.pause(Duration::from_millis(30));
    scene.part(first, 0, 1024 * KIB, "\"a\"");
    for _ in 0..8 {
        scene.pause(Duration::from_millis(16));
        scene.bytes(first, 64 * KIB);
    }
    scene.kill();
    scene.read(1, 0, 64 * KIB);
    scene.latch();
    scene.seek(700 * KIB);
    scene.read(2, 700 * KIB, 64 * KIB);
    let second = scene.last_fetch();
    scene.pause(Duration::from_millis(30));
    scene.part(second, 700 * KIB, 1024 * KIB, "\"a\"");
    scene.bytes(second, 324 * KIB);
    scene.ends(second);
    let third = scene.last_fetch();
    assert_ne!(third, second, "the hole before it is asked for, too:\n{}", scene.transcript());
    scene.part(third, 512 * KIB, 700 * KIB, "\"a\"");
    scene.bytes(third, 188 * KIB);
    scene.ends(third);
    scene.close();
    golden(&scene, &expect![[""]]);
}

/// The origin has another version by then: nothing of the old one is mixed with it.
#[test]
fn crash_at_half_and_another_version_at_the_origin() {
    let mut scene = Scene::open_cached(Config::default(), 1024 * KIB);
    let first = scene.last_fetch();
    scene.part(first, 0, 1024 * KIB, "\"a\"");
    scene.bytes(first, 512 * KIB);
    scene.replace(900 * KIB);
    scene.kill();
    let second = scene.last_fetch();
    scene.read(1, 0, 64 * KIB);
    scene.whole(second, "\"b\"");
    scene.bytes(second, 128 * KIB);
    scene.fails(second, FailureKind::Reset);
    scene.close();
    golden(&scene, &expect![[""]]);
}
