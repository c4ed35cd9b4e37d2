//! The processes of a benchmark: an origin that serves until its input ends, and a case that runs once.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use super::{Case, Failure, Job, PATH, Setting, Usage};

/// Serves until the parent closes our input.
pub(super) fn serve(setting: &Setting) -> Result<(), Failure> {
    let origin = setting.origin();
    say(&origin.url(PATH));
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// Runs one case and says what it took.
pub(super) fn work(
    setting: &Setting,
    cases: &[Case],
    name: &str,
    url: &str,
) -> Result<(), Failure> {
    let case = cases.iter().find(|case| case.name == name).ok_or("no such case")?;
    let dir = tempfile::tempdir()?;
    let job = Job { url: url.to_owned(), len: setting.len, dir: dir.path().to_owned() };
    let usage = Usage::of(|| (case.work)(&job))?;
    say(&usage.to_line());
    Ok(())
}

/// An origin in a process of its own; it ends with this.
pub(super) struct OriginProcess {
    child: Child,
    title: &'static str,
    url: String,
}

impl OriginProcess {
    pub(super) fn start(setting: &Setting) -> Result<Self, Failure> {
        let title = setting.title;
        let mut child = Command::new(std::env::current_exe()?)
            .args(["--origin", title])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = child.stdout.take().ok_or("no output")?;
        let mut url = String::new();
        BufReader::new(stdout).read_line(&mut url)?;
        let url = url.trim().to_owned();
        Ok(Self { child, title, url })
    }

    /// Runs a case against it, in yet another process.
    pub(super) fn run(&self, case: &Case) -> Result<Usage, Failure> {
        let output = Command::new(std::env::current_exe()?)
            .args(["--case", self.title, case.name, &self.url])
            .stderr(Stdio::inherit())
            .output()?;
        if !output.status.success() {
            return Err(format!("the case '{}' failed", case.name).into());
        }
        Usage::from_line(&String::from_utf8(output.stdout)?).ok_or_else(|| "no figures".into())
    }
}

impl Drop for OriginProcess {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // It ends by itself; when it can't be waited for there is nothing left to do.
        let _ = self.child.wait();
    }
}

#[allow(clippy::print_stdout, reason = "the output is how the processes talk")]
fn say(line: &str) {
    println!("{line}");
}
