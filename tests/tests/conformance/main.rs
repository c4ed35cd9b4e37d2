//! One script through both runtimes, over loopback: the public face for files, each promise once. What single rows of
//! the fault catalogue do is in `faults`; what closing leaves behind is in `leaks`.

/// Makes a test of each script, in a module of the script's name: it runs through both runtimes at once.
macro_rules! both {
    ($($script:ident,)*) => {$(
        mod $script {
            #[test]
            fn through_both_runtimes() {
                crate::through_both(super::$script);
            }
        }
    )*};
}

mod clients;
mod handles;
mod opening;
mod reading;
mod types;

use std::{
    thread,
    time::{Duration, Instant},
};

use infill_tests::{
    origin::{Origin, content},
    runtime::{Client, Runtime, Settings, Stream},
};

const SEED: u64 = 19;
const LEN: u64 = 1 << 20;

fn through_both(script: fn(Runtime)) {
    thread::scope(|scope| {
        for runtime in Runtime::ALL {
            let thread = thread::Builder::new().name(runtime.to_string());
            let started = thread.spawn_scoped(scope, move || script(runtime));
            started.expect("a test needs its threads");
        }
    });
}

/// An origin that serves the content of [`SEED`] at `/a`.
fn origin() -> Origin {
    let origin = Origin::start();
    origin.put("/a", content(SEED, LEN));
    origin
}

fn client(runtime: Runtime) -> Client {
    runtime.client(&Settings::quick())
}

fn open(runtime: Runtime, origin: &Origin) -> Stream {
    let opened = client(runtime).open(origin.url("/a"));
    opened.unwrap_or_else(|error| panic!("{error}"))
}

/// Waits until it holds; no longer than a test may take.
fn eventually(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(10), "never: {what}");
        thread::sleep(Duration::from_millis(1));
    }
}
