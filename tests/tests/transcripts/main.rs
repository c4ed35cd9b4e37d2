//! Golden transcripts: what goes into the machine (`>`) and what comes out (`<`) in the scenes that the project began
//! with. A change of behaviour shows here as a diff to be judged; `UPDATE_EXPECT=1` takes it over.

#![allow(clippy::too_many_lines)] // Most of them are what is expected.

mod cache;
mod failures;
mod positions;
mod versions;

use std::time::Duration;

use expect_test::Expect;
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
