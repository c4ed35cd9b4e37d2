//! In which order a failure is told: whoever wakes up with it must find it in the view.

use infill_core::{Config, FailureKind};
use infill_tests::sim::Scene;

/// Both orders of one transcript: where the failure is published, and where a reader wakes up with it.
fn published_and_told(transcript: &str) -> (Option<usize>, Option<usize>) {
    let line = |what: &str, how: &str| {
        let mut lines = transcript.lines();
        lines.position(|line| line.contains(what) && line.contains(how))
    };
    (line("Publish", "failed"), line("WakeReader", "failed"))
}

fn assert_published_first(scene: &Scene) {
    let transcript = scene.transcript();
    let (published, told) = published_and_told(&transcript);
    assert!(published.is_some() && told.is_some(), "{transcript}");
    assert!(published < told, "{transcript}");
}

#[test]
fn giving_up_is_published_before_the_reader_is_told() {
    let mut scene = Scene::open(Config::default(), 1 << 20);
    let first = scene.last_fetch();
    scene.part(first, 0, 1 << 20, "\"a\"");
    scene.bytes(first, 65_536);
    scene.fails(first, FailureKind::Reset);
    scene.read(1, 65_536, 4_096);
    while scene.answers() == 0 {
        let before = scene.fetches();
        assert!(scene.tick(), "{}", scene.transcript());
        if scene.fetches() > before {
            scene.fails(scene.last_fetch(), FailureKind::Connect);
        }
    }
    assert_published_first(&scene);
}

#[test]
fn what_asking_again_can_not_mend_is_published_before_the_reader_is_told() {
    let mut scene = Scene::open(Config::default(), 1 << 20);
    let first = scene.last_fetch();
    scene.read(1, 0, 4_096);
    scene.head(first, 404, &[]);
    assert_published_first(&scene);
}
