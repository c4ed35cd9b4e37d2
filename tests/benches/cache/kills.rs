//! What SIGKILL costs: `play --raw --cache` and `play-tokio` as processes of their own, killed at half of the file and
//! started again; counted at the origin.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;
use std::time::Duration;

use infill_tests::bench::Failure;
use infill_tests::cli::{self, Options, Session};
use infill_tests::origin::{Origin, content, first_difference};

// Their `main` is not called here.
#[allow(dead_code)]
#[path = "../../examples/play.rs"]
mod blocking;
#[allow(dead_code)]
#[path = "../../examples/play-tokio.rs"]
mod on_tokio;

const LEN: u64 = 64 << 20;
const RATE: u64 = 32 << 20;
const KILLS: usize = 20;

/// Before the name of a program and its arguments.
const LIFE: &str = "--life";

/// What a killed process has cost, in bytes.
struct Cost {
    /// Sent by the origin, beyond the length of the file.
    again: u64,
    /// Of those, what never came to a data file: it was on the wire, or in the program.
    flying: u64,
    /// Of those, what was in a data file, and no record named it.
    unnamed: u64,
}

/// The program that this process is to be, if it is to be one.
pub(super) fn live() -> Option<ExitCode> {
    let mut args = std::env::args_os().skip_while(|arg| arg != LIFE).skip(1);
    let program = args.next()?;
    let play: fn(&Options, &Session) -> Result<(), cli::Failure> = match program.to_str() {
        Some("play") => blocking::play,
        _ => on_tokio::run,
    };
    let (mut out, mut err) = (std::io::stdout(), std::io::stderr());
    Some(cli::run("play", args, false, &mut out, &mut err, play).into())
}

#[allow(clippy::print_stdout, reason = "a benchmark's output")]
pub(super) fn run() -> Result<(), Failure> {
    println!("\nSIGKILL at half of 64 MiB at 32 MiB/s, {KILLS} times: KiB, median and most");
    println!("{:<12} {:>17} {:>17} {:>17}", "", "fetched again", "in flight", "not recorded");
    for program in ["play", "play-tokio"] {
        let costs =
            (0..KILLS as u64).map(|seed| kill(program, seed)).collect::<Result<Vec<Cost>, _>>()?;
        let column = |of: fn(&Cost) -> u64| {
            let mut all: Vec<u64> = costs.iter().map(of).collect();
            all.sort_unstable();
            let kib = |bytes: u64| bytes as f64 / 1024.0;
            let most = all.last().copied().unwrap_or(0);
            format!("{:>8.1} {:>8.1}", kib(all[all.len() / 2]), kib(most))
        };
        let (again, flying, unnamed) =
            (column(|cost| cost.again), column(|cost| cost.flying), column(|cost| cost.unnamed));
        println!("{program:<12} {again} {flying} {unnamed}");
    }
    Ok(())
}

/// One life that is killed, and one that gets to the end.
fn kill(program: &str, seed: u64) -> Result<Cost, Failure> {
    // Anywhere in a block.
    let at = LEN / 2 + fastrand::Rng::with_seed(seed).u64(..1 << 20);
    // What is handed to the socket shall be little more than what was received; with much less it waits for
    // acknowledgements that are delayed, and never gets near the rate.
    let origin = Origin::builder().send_buffer(128 * 1024).rate(RATE).start();
    origin.put("/a.bin", content(1, LEN));
    let url = origin.url("/a.bin");
    let dir = tempfile::tempdir()?;
    let mut killed = start(program, &url, dir.path())?;
    while origin.bytes_sent("/a.bin") < at {
        thread::sleep(Duration::from_micros(500));
    }
    killed.0.kill()?;
    killed.0.wait()?;
    let written = data_bytes(&dir.path().join("cache"))?;
    let sent = settled(&origin);
    if !start(program, &url, dir.path())?.0.wait()?.success() {
        return Err(format!("{program} failed after a kill").into());
    }
    let raw = fs::read(dir.path().join("raw"))?;
    if raw.len() as u64 != LEN || first_difference(1, 0, &raw).is_some() {
        return Err(format!("{program} delivered wrong bytes").into());
    }
    let (again, flying) = (settled(&origin) - LEN, sent - written);
    Ok(Cost { again, flying, unnamed: again.saturating_sub(flying) })
}

/// What the origin has sent, once it sends no more.
fn settled(origin: &Origin) -> u64 {
    let mut sent = origin.bytes_sent("/a.bin");
    loop {
        thread::sleep(Duration::from_millis(50));
        let now = origin.bytes_sent("/a.bin");
        if now == sent {
            return sent;
        }
        sent = now;
    }
}

/// A process that doesn't outlive this value.
struct Life(Child);

impl Drop for Life {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(program: &str, url: &str, dir: &Path) -> Result<Life, Failure> {
    let mut args: Vec<OsString> = vec![LIFE.into(), program.into(), url.into()];
    for (option, name) in [("--raw", "raw"), ("--cache", "cache")] {
        args.extend([option.into(), dir.join(name).into_os_string()]);
    }
    let this = std::env::current_exe()?;
    Ok(Life(Command::new(this).args(args).stdout(Stdio::null()).spawn()?))
}

/// How long the data files are. They were written from the beginning on, without a hole.
fn data_bytes(cache: &Path) -> Result<u64, Failure> {
    let mut bytes = 0;
    for asset in fs::read_dir(cache)? {
        let asset = asset?;
        if !asset.file_type()?.is_dir() || asset.file_name() == "_index" {
            continue;
        }
        for file in fs::read_dir(asset.path())? {
            bytes += file?.metadata()?.len();
        }
    }
    Ok(bytes)
}
