//! The command line that `play` and `play-tokio` share: options, report, progress display, decoding, exit status.
//!
//! The two examples hold what an embedder would write: open, seek, read. They are given [`Options`] and a [`Session`],
//! which measures what they do. Everything else is here, so that both do the same and say the same.

mod args;
mod decode;
mod display;
mod failure;
mod report;
mod session;
mod summary;
mod watched;
mod wav;

pub use args::{Options, Request, Stats, UsageError, parse, usage_text};
pub use failure::Failure;
pub use report::{Kind, Position, Report, Sought, Status, shown};
pub use session::{Seeking, Session};
pub use watched::{Opened, Watched};

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

/// How much the programs read at once, and after each `--seek-byte`.
pub const BLOCK_BYTES: usize = 64 * 1024;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// As it should.
    Done,
    /// With a failure, which was named.
    Failed,
    /// Before it began: the command line was not understood.
    Usage,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
        })
    }
}

/// The `main` of a program: [`run`] with this process's arguments and standard streams.
pub fn main(
    program: &str,
    play: impl FnOnce(&Options, &Session) -> Result<(), Failure>,
) -> ExitCode {
    let args = std::env::args_os().skip(1);
    let terminal = io::stderr().is_terminal();
    // Not locked: the display writes to it meanwhile.
    let (mut out, mut err) = (io::stdout(), io::stderr());
    run(program, args, terminal, &mut out, &mut err, play).into()
}

/// Runs a program: reads its arguments, plays, reports. `play` does what an embedder would. Progress is shown on
/// standard error if that is a `terminal`.
pub fn run(
    program: &str,
    args: impl IntoIterator<Item = OsString>,
    terminal: bool,
    out: &mut dyn Write,
    err: &mut dyn Write,
    play: impl FnOnce(&Options, &Session) -> Result<(), Failure>,
) -> Exit {
    let options = match parse(args) {
        Ok(Request::Play(options)) => options,
        Ok(Request::Help) => {
            return match out.write_all(usage_text(program).as_bytes()) {
                Ok(()) => Exit::Done,
                Err(_) => Exit::Failed,
            };
        }
        Err(UsageError(what)) => {
            say(err, &format!("{program}: {what} (--help tells more)"));
            return Exit::Usage;
        }
    };
    let session = Session::new(&options);
    let display = (terminal && !options.no_progress).then(|| session.display());
    let played = play(&options, &session);
    if let Some(display) = display {
        display.end(played.is_ok());
    }
    let report = session.report(played.as_ref().err());
    let told = played.and_then(|()| tell(&options, &report, out));
    let wrote = write_stats(&options, &report, out);
    match told.and(wrote) {
        Ok(()) => Exit::Done,
        Err(failure) => {
            say(err, &format!("{program}: {failure}"));
            Exit::Failed
        }
    }
}

/// Says on standard output what was played, unless the report goes there.
fn tell(options: &Options, report: &Report, out: &mut dyn Write) -> Result<(), Failure> {
    if options.stats == Some(Stats::Stdout) {
        return Ok(());
    }
    writeln!(out, "{}", summary::of(report)).map_err(Failure::output("standard output"))
}

fn write_stats(options: &Options, report: &Report, out: &mut dyn Write) -> Result<(), Failure> {
    let line = report.to_json() + "\n";
    match &options.stats {
        None => Ok(()),
        Some(Stats::Stdout) => out
            .write_all(line.as_bytes())
            .and_then(|()| out.flush())
            .map_err(Failure::output("standard output")),
        Some(Stats::File(path)) => std::fs::write(path, line).map_err(Failure::output(path)),
    }
}

fn say(err: &mut dyn Write, line: &str) {
    // Without a standard error there is nobody to tell; the exit status is left.
    let _ = writeln!(err, "{line}");
}
