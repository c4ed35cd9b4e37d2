//! Real kills: `play --raw --cache` as a process of its own, killed at random moments and started again, until all is
//! there. What it has written is right each time, and the origin counts what a kill has cost.

#![allow(clippy::unwrap_used)] // Scripts of tests: what is unexpected fails them.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use fastrand::Rng;
use infill_tests::{
    child::{self, Child},
    cli::{self, Failure, Options, Session},
    origin::{Origin, content, first_difference},
};
use serde_json::Value;

// Their `main` is not called here.
#[allow(dead_code)]
#[path = "../examples/play.rs"]
mod blocking;
#[allow(dead_code)]
#[path = "../examples/play-tokio.rs"]
mod on_tokio;

/// For each program.
const KILLS: usize = 24;

const LEN: u64 = 8 << 20;

/// So fast that a life of a tenth of a second gets on by several blocks.
const RATE: u64 = 8 << 20;

/// What a kill may cost of each connection, by promise: the block that was not full.
const BLOCK: u64 = 256 * 1024;

/// What may have been on the wire, on average: the buffers of both sockets, and what the program had read but not
/// written yet.
const IN_FLIGHT: u64 = 128 * 1024;

const PATIENCE: Duration = Duration::from_secs(30);

#[test]
#[ignore = "the process that the others start and kill"]
fn program() {
    child::run(|mut args| {
        let name = args.remove(0);
        let play: fn(&Options, &Session) -> Result<(), Failure> = match name.to_str() {
            Some("play") => blocking::play,
            _ => on_tokio::run,
        };
        let (mut out, mut err) = (std::io::stdout(), std::io::stderr());
        cli::run("play", args, false, &mut out, &mut err, play)
    });
}

#[test]
fn a_kill_costs_play_a_block() {
    Lives::new("play", 1).are_lived();
}

#[test]
fn a_kill_costs_play_tokio_a_block() {
    Lives::new("play-tokio", 2).are_lived();
}

/// One directory, one origin, and processes that come and go.
struct Lives {
    program: &'static str,
    rng: Rng,
    origin: Origin,
    dir: tempfile::TempDir,
}

/// One file, from the first life to the last.
#[derive(Default)]
struct Tally {
    kills: usize,
    /// What the kills may have cost.
    allowed: u64,
}

impl Lives {
    fn new(program: &'static str, seed: u64) -> Self {
        // What is handed to the socket shall be little more than what was received.
        let origin = Origin::builder().send_buffer(16 * 1024).rate(RATE).start();
        Self { program, rng: Rng::with_seed(seed), origin, dir: tempfile::tempdir().unwrap() }
    }

    /// File after file, until there were enough kills.
    fn are_lived(&mut self) {
        let begun = Instant::now();
        let mut kills = 0;
        for seed in 0.. {
            kills += self.one_file(seed, KILLS - kills);
            if kills == KILLS {
                break;
            }
            assert!(begun.elapsed() < 2 * PATIENCE, "{kills} kills only");
        }
    }

    /// Until the file is complete. How many kills that took.
    fn one_file(&mut self, seed: u64, most: usize) -> usize {
        let path = format!("/{seed}");
        self.origin.put(&path, content(seed, LEN));
        let mut tally = Tally::default();
        while tally.kills < most {
            // At times into a hole first, so that what is kept is a set of ranges, and two connections are killed.
            let seek = self.rng.bool().then(|| self.rng.u64(..LEN));
            let child = self.start(&path, seek);
            thread::sleep(Duration::from_millis(self.rng.u64(20..300)));
            let killed = child.kill();
            self.assert_right_so_far(seed);
            if !killed {
                break;
            }
            tally.kills += 1;
            tally.allowed += (BLOCK + IN_FLIGHT) * if seek.is_some() { 2 } else { 1 };
        }
        let ended = self.start(&path, None).wait(PATIENCE);
        assert!(ended.status.success(), "{}", ended.err);
        assert!(fs::read(self.raw()).unwrap() == content(seed, LEN), "{}: {path}", self.program);
        let sent = self.origin.bytes_sent(&path);
        let story = || format!("{} after {} kills\n{ended:?}", self.program, tally.kills);
        assert!(sent >= LEN, "{}", story());
        assert!(sent <= LEN + tally.allowed, "{sent} of {LEN}, {}", story());
        let json: Value = serde_json::from_slice(&fs::read(self.stats()).unwrap()).unwrap();
        let (fetched, kept) = (&json["bytes_fetched"], &json["bytes_from_cache"]);
        assert_eq!(fetched.as_u64().unwrap() + kept.as_u64().unwrap(), LEN, "{json}");
        tally.kills
    }

    fn start(&self, path: &str, seek: Option<u64>) -> Child {
        let mut args: Vec<OsString> = vec![self.program.into(), self.origin.url(path).into()];
        let cache = self.dir.path().join("cache");
        for (option, value) in
            [("--raw", self.raw()), ("--stats", self.stats()), ("--cache", cache)]
        {
            args.extend([option.into(), value.into()]);
        }
        if let Some(at) = seek {
            args.push(format!("--seek-byte={at}").into());
        }
        // So that what is left of an earlier life is not taken for this one's.
        for file in [self.raw(), self.stats()] {
            let _ = fs::remove_file(file);
        }
        Child::start("program", args)
    }

    /// What a killed process has delivered, if it came to that, is the beginning of the file.
    fn assert_right_so_far(&self, seed: u64) {
        let written = fs::read(self.raw()).unwrap_or_default();
        assert_eq!(first_difference(seed, 0, &written), None, "{}", self.program);
    }

    fn raw(&self) -> PathBuf {
        self.within("raw")
    }

    fn stats(&self) -> PathBuf {
        self.within("stats")
    }

    fn within(&self, name: impl AsRef<Path>) -> PathBuf {
        self.dir.path().join(name)
    }
}
