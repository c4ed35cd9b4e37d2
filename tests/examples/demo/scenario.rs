//! What goes wrong in the demo, and what its listener does meanwhile.

use std::time::Duration;

use infill_tests::fixtures::{Fixture, named};
use infill_tests::origin::{Origin, Resource};

/// How long an origin may be silent here: the default is no length for a demo.
pub(crate) const STALL_TIMEOUT: Duration = Duration::from_millis(300);

/// How much is read after each seek.
pub(crate) const VISIT_BYTES: usize = 16 * 1024;

/// One misbehaviour of an origin.
pub(crate) struct Scenario {
    /// What the table calls it.
    pub(crate) name: &'static str,
    fixture: &'static str,
    /// Makes the origin misbehave at a path, for a file of that length.
    misbehave: fn(&Origin, &str, u64),
    /// Where the listener looks before it decodes all of it, in percent of the file.
    visits: &'static [u64],
}

/// All of them, in the order of the table.
pub(crate) static ALL: [Scenario; 6] = [
    Scenario {
        name: "closes early, at half",
        fixture: "tone.flac",
        misbehave: |origin, path, len| origin.on(path).nth(0).cut_at(len / 2).end(),
        visits: &[],
    },
    Scenario {
        name: "closes at half, seek beyond",
        fixture: "tone.flac",
        misbehave: |origin, path, len| {
            let first = origin.on(path).nth(0);
            first.rate(512 * 1024).cut_at(len / 2).end();
        },
        visits: &[0, 75],
    },
    Scenario {
        name: "moov at the end",
        fixture: "tone-end.m4a",
        misbehave: |origin, path, _| origin.on(path).rate(512 * 1024).end(),
        visits: &[],
    },
    Scenario {
        name: "server without ranges, seeks",
        fixture: "tone.flac",
        misbehave: |origin, path, _| origin.on(path).ignore_range().accept_ranges(None).end(),
        visits: &[0, 75, 25],
    },
    Scenario {
        name: "stalls at a third",
        fixture: "tone-end.m4a",
        misbehave: |origin, path, len| origin.on(path).nth(0).stall_at(len / 3).end(),
        visits: &[],
    },
    Scenario {
        name: "503 twice, Retry-After: 1",
        fixture: "tone-vbr.mp3",
        misbehave: |origin, path, _| origin.on(path).first(2).status(503).retry_after("1").end(),
        visits: &[],
    },
];

/// A file that is closed at half, and opened again with the same cache.
pub(crate) static RESUMED: Scenario = Scenario {
    name: "closed at half, resumed",
    fixture: "tone.flac",
    misbehave: |origin, path, _| origin.on(path).rate(512 * 1024).end(),
    visits: &[],
};

/// The same once more: now it is all there.
pub(crate) static OFFLINE: Scenario =
    Scenario { name: "offline, from the cache", misbehave: |_, _, _| (), ..RESUMED };

impl Scenario {
    /// The audio.
    pub(crate) fn fixture(&self) -> &'static Fixture {
        named(self.fixture)
    }

    /// Puts it on stage for one listener; gives the path.
    pub(crate) fn set(&self, origin: &Origin, listener: &str) -> String {
        let fixture = self.fixture();
        let path =
            format!("/{listener}/{}/{}", self.name.replace([' ', ':', ','], "-"), fixture.name);
        let resource = Resource::new(fixture.bytes).content_type(fixture.content_type);
        let len = resource.total();
        origin.put(&path, resource);
        (self.misbehave)(origin, &path, len);
        path
    }

    /// Where the listener looks, in bytes.
    pub(crate) fn visits(&self) -> impl Iterator<Item = u64> {
        let len = self.fixture().bytes.len() as u64;
        self.visits.iter().map(move |percent| len * percent / 100)
    }
}

/// A rule counts once its expression ends; said aloud, where it is the last expression of a closure.
trait End {
    fn end(self);
}

impl End for infill_tests::origin::Injection<'_> {
    fn end(self) {
        drop(self);
    }
}
