//! Processes of a test's own, to be killed or to hold a lock: a test binary runs one of its own ignored tests as a
//! child, so that what runs is built with the test and never stale.
//!
//! ```no_run
//! use infill_tests::child::{self, Child};
//!
//! // #[test] #[ignore = "a process that other tests start"]
//! fn program() {
//!     child::run(|args| infill_tests::cli::Exit::Done);
//! }
//! // elsewhere: let child = Child::start("program", ["--raw", "out"]);
//! ```

use std::ffi::OsString;
use std::io::Read as _;
use std::path::PathBuf;
use std::process::{self, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::cli::Exit;

/// How the arguments come to the child, for the test harness takes those of its command line.
const ARGS: &str = "INFILL_CHILD_ARGS";

/// Between two arguments; no argument of a test has one.
const SEPARATOR: &str = "\u{1f}";

/// What the test harness writes before anything else.
const HARNESS: &str = "running 1 test\n";

/// A running child. Dropping it kills it.
#[derive(Debug)]
pub struct Child(process::Child);

/// How a child ended, and what it wrote.
#[derive(Debug)]
pub struct Ended {
    /// Its exit status.
    pub status: ExitStatus,
    /// What it wrote to standard output.
    pub out: String,
    /// What it wrote to standard error.
    pub err: String,
}

impl Child {
    /// Starts the ignored test of this name, in this binary, with these arguments.
    ///
    /// # Panics
    /// If no process can be started, which leaves a test nothing to do.
    pub fn start<A: Into<OsString>>(test: &str, args: impl IntoIterator<Item = A>) -> Self {
        Self::start_by(Command::new(this()), test, args)
    }

    /// The same, started by another program, which is given this binary as its last argument.
    ///
    /// # Panics
    /// As [`Child::start`].
    pub fn start_under<A: Into<OsString>>(
        mut program: Command,
        test: &str,
        args: impl IntoIterator<Item = A>,
    ) -> Self {
        program.arg(this());
        Self::start_by(program, test, args)
    }

    fn start_by<A: Into<OsString>>(
        mut program: Command,
        test: &str,
        args: impl IntoIterator<Item = A>,
    ) -> Self {
        let args: Vec<OsString> = args.into_iter().map(Into::into).collect();
        let started = program
            .args(["--ignored", "--exact", test])
            .env(ARGS, args.join(SEPARATOR.as_ref()))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        Self(started.unwrap_or_else(|error| panic!("no child for {test}: {error}")))
    }

    /// Whether it runs.
    ///
    /// # Panics
    /// If the system can't say.
    pub fn runs(&mut self) -> bool {
        self.0.try_wait().expect("a child can be looked at").is_none()
    }

    /// Kills it at once (SIGKILL on Unix). Whether there was anything left to kill.
    ///
    /// # Panics
    /// If the system won't.
    pub fn kill(mut self) -> bool {
        let ran = self.runs();
        self.end();
        ran
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// If it takes longer than `limit`.
    pub fn wait(mut self, limit: Duration) -> Ended {
        let begun = Instant::now();
        while self.runs() {
            if begun.elapsed() > limit {
                self.end();
                panic!("a child takes longer than {limit:?}: {:?}", self.ended());
            }
            thread::sleep(Duration::from_millis(2));
        }
        self.ended()
    }

    /// It has ended: less than a pipe holds was written, or it would not have.
    fn ended(&mut self) -> Ended {
        let (mut out, mut err) = (String::new(), String::new());
        if let Some(mut pipe) = self.0.stdout.take() {
            pipe.read_to_string(&mut out).expect("a child writes UTF-8");
        }
        if let Some(mut pipe) = self.0.stderr.take() {
            pipe.read_to_string(&mut err).expect("a child writes UTF-8");
        }
        let status = self.0.wait().expect("a child can be waited for");
        let out = out.split_once(HARNESS).map_or_else(String::new, |(_, out)| out.to_owned());
        Ended { status, out, err }
    }

    fn end(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// This binary.
fn this() -> PathBuf {
    std::env::current_exe().expect("a process knows where it comes from")
}

impl Drop for Child {
    fn drop(&mut self) {
        self.end();
    }
}

/// The body of the ignored test: runs the program, and ends the process with its status.
///
/// # Panics
/// If no test has started it.
pub fn run(program: impl FnOnce(Vec<OsString>) -> Exit) {
    let args = std::env::var(ARGS).expect("this is for the tests that start it");
    let args = args.split(SEPARATOR).map(OsString::from).collect();
    process::exit(match program(args) {
        Exit::Done => 0,
        Exit::Failed => 1,
        Exit::Usage => 2,
    });
}
