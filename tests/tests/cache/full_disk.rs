//! D5: a disk that is full. A tiny file system is mounted for a child alone, in a namespace of its own, so that nothing
//! of it is left whatever happens; where that is not allowed, the simulator's full disks stand for it.

use std::{ffi::OsString, process::Command, time::Duration};

use infill_tests::{
    child::{self, Child},
    cli::Exit,
    origin::{Origin, content},
    runtime::{ErrorKind, Notice, Noticed, Runtime, Settings, Source, Stream},
};

use crate::case::SEED;

/// More than there is room for.
const LEN: u64 = 3 << 20;
const ROOM: &str = "size=2m";

both! {
    d5_a_full_disk_stops_no_playback,
    d5_what_was_used_least_recently_makes_room_on_a_full_disk,
}

fn d5_a_full_disk_stops_no_playback(runtime: Runtime) {
    plays(runtime, "one", &[LEN]);
}

fn d5_what_was_used_least_recently_makes_room_on_a_full_disk(runtime: Runtime) {
    plays(runtime, "several", &[LEN / 3, LEN / 3, LEN / 3]);
}

/// Plays files of these lengths on the tiny disk, in a child.
fn plays(runtime: Runtime, how: &str, lengths: &[u64]) {
    let may_mount = ["--mount", "true"];
    if !succeeds(Command::new("unshare").args(may_mount)) {
        skipped();
        return;
    }
    let origin = Origin::start();
    let mount = tempfile::tempdir().unwrap();
    let mut args: Vec<OsString> = vec![runtime.to_string().into(), how.into(), mount.path().into()];
    for (nth, &len) in lengths.iter().enumerate() {
        let path = format!("/{nth}");
        origin.put(&path, content(SEED, len));
        args.push(origin.url(&path).into());
    }
    let mut apart = Command::new("unshare");
    apart.arg("--mount");
    let ended = Child::start_under(apart, "full_disk::player", args).wait(Duration::from_secs(20));
    assert!(ended.status.success(), "{runtime}, {how}: {ended:?}");
    for nth in 0..lengths.len() {
        assert!(!origin.requests(&format!("/{nth}")).is_empty(), "it was played");
    }
    let left = std::fs::read_dir(mount.path()).unwrap().count();
    assert_eq!(left, 0, "nothing of it is to be seen here");
}

/// The process that has the tiny disk.
#[test]
#[ignore = "the process that the others start"]
fn player() {
    child::run(|args| {
        let [runtime, how, mount, urls @ ..] = &args[..] else {
            return Exit::Usage;
        };
        let runtime = if runtime == "tokio" { Runtime::Tokio } else { Runtime::Blocking };
        let mut mounting = Command::new("mount");
        if !succeeds(mounting.args(["-t", "tmpfs", "-o", ROOM, "none"]).arg(mount)) {
            return Exit::Usage;
        }
        let client = runtime.client(&Settings::quick().cache(mount));
        let mut full = false;
        for url in urls {
            let mut stream = client.open(Source::url(url.to_str().unwrap())).unwrap();
            let len = stream.byte_len().unwrap();
            for _ in 0..2 {
                stream.check_at(SEED, 0, len);
            }
            full |= was_full(&stream);
        }
        // One that is open can't make room for itself; among several, the oldest goes.
        assert_eq!(full, how == "one");
        let entries = client.cache().unwrap().list().unwrap();
        assert!(how == "one" || entries.iter().any(|entry| entry.percent() == Some(100.0)));
        drop(client);
        Exit::Done
    });
}

fn was_full(stream: &Stream) -> bool {
    let mut told = stream.handle().notices();
    let mut told = std::iter::from_fn(|| told.try_next());
    told.any(|noticed| match noticed {
        Noticed::Notice(Notice::NotCached(error)) => error.kind() == ErrorKind::Store,
        _ => false,
    })
}

fn succeeds(command: &mut Command) -> bool {
    command.status().is_ok_and(|status| status.success())
}

#[allow(clippy::print_stderr, reason = "whoever reads the log shall know")]
fn skipped() {
    eprintln!("skipped: nothing can be mounted here; the simulator's disks get full, too");
}
