//! The command line of the example `cache`: one command on a cache directory, and a table or a sentence for people.
//! Makes no request.

mod args;
mod pick;
mod table;
mod units;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use infill_blocking::{Cache, CacheEntry, Client, StoreKind};

use self::args::{Command, Request, parse, usage_text};
use self::pick::{all_or_some, some};
use self::units::{counted, size};
use crate::cli::{Exit, Failure, UsageError};

/// The `main` of the program: [`run`] with this process's arguments and standard streams.
pub fn main(program: &str) -> ExitCode {
    let args = std::env::args_os().skip(1);
    run(program, args, &mut io::stdout(), &mut io::stderr()).into()
}

/// Runs the program: reads its arguments, does what they say, tells what came of it.
pub fn run(
    program: &str,
    args: impl IntoIterator<Item = OsString>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Exit {
    let done = match parse(args) {
        Ok(Request::Help) => tell(out, &usage_text(program)).map(|()| Exit::Done),
        Ok(Request::Do { command, dir, keys }) => obey(command, &dir, &keys, out),
        Err(UsageError(what)) => {
            say(err, &format!("{program}: {what} (--help tells more)"));
            return Exit::Usage;
        }
    };
    done.unwrap_or_else(|failure| {
        say(err, &format!("{program}: {failure}"));
        Exit::Failed
    })
}

fn obey(
    command: Command,
    dir: &Path,
    keys: &[String],
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let cache = open(dir)?;
    let entries = by_use(cache.list()?);
    match command {
        Command::Ls => tell(out, &table::of(&entries))?,
        Command::Verify => return verify(&cache, &all_or_some(&entries, keys)?, out),
        Command::Pin => each(&some(&entries, keys)?, out, "pinned", |e| cache.pin(&e.key))?,
        Command::Unpin => each(&some(&entries, keys)?, out, "unpinned", |e| cache.unpin(&e.key))?,
        Command::Rm => each(&some(&entries, keys)?, out, "removed", |e| cache.remove(&e.key))?,
        Command::Clear => {
            cache.clear()?;
            clear(&entries, &cache.list()?, out)?;
        }
    }
    Ok(Exit::Done)
}

/// Opens a cache that is there: a directory that is none is not made one.
fn open(dir: &Path) -> Result<Cache, Failure> {
    if !dir.join("_index").is_dir() {
        let what = format!("{} holds no cache; `play --cache` makes one", dir.display());
        return Err(Failure::Output(what));
    }
    // What little is verified stays on the disk.
    let client = Client::builder().cache_dir(dir).store(StoreKind::memory(1 << 20)).build()?;
    let cache = client.cache();
    cache.ok_or_else(|| Failure::Output("a client with a directory has no cache".into()))
}

/// The one that was used last first.
fn by_use(mut entries: Vec<CacheEntry>) -> Vec<CacheEntry> {
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.used));
    entries
}

fn verify(cache: &Cache, entries: &[&CacheEntry], out: &mut dyn Write) -> Result<Exit, Failure> {
    let mut exit = Exit::Done;
    for entry in entries {
        let found = cache.verify(&entry.key)?;
        let line = if found.lost == 0 {
            format!("{}  good: {}  {}\n", short(entry), size(found.good), entry.url)
        } else {
            exit = Exit::Failed;
            let (good, lost) = (size(found.good), size(found.lost));
            format!("{}  DAMAGED: {lost} lost, {good} good  {}\n", short(entry), entry.url)
        };
        tell(out, &line)?;
    }
    if exit == Exit::Failed {
        tell(out, "what is lost is fetched again when it is played\n")?;
    }
    Ok(exit)
}

fn each<E>(
    entries: &[&CacheEntry],
    out: &mut dyn Write,
    done: &str,
    mut act: impl FnMut(&CacheEntry) -> Result<(), E>,
) -> Result<(), Failure>
where
    Failure: From<E>,
{
    for entry in entries {
        act(entry)?;
        tell(out, &format!("{}  {done}  {}\n", short(entry), entry.url))?;
    }
    Ok(())
}

fn clear(before: &[CacheEntry], after: &[CacheEntry], out: &mut dyn Write) -> Result<(), Failure> {
    let stored = |entries: &[CacheEntry]| entries.iter().map(|entry| entry.stored).sum::<u64>();
    let gone = before.len().saturating_sub(after.len());
    let freed = stored(before).saturating_sub(stored(after));
    let mut line = format!("removed {}, {}", counted(gone), size(freed));
    if !after.is_empty() {
        line += &format!("; {} pinned, {}, left", counted(after.len()), size(stored(after)));
    }
    tell(out, &(line + "\n"))
}

/// As much of a key as people need.
fn short(entry: &CacheEntry) -> String {
    let mut key = entry.key.to_string();
    key.truncate(table::KEY_DIGITS);
    key
}

fn tell(out: &mut dyn Write, text: &str) -> Result<(), Failure> {
    let wrote = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    wrote.map_err(Failure::output("standard output"))
}

fn say(err: &mut dyn Write, line: &str) {
    // Without a standard error there is nobody to tell; the exit status is left.
    let _ = writeln!(err, "{line}");
}
