//! The command line: what was asked for, or why it can't be understood.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

use infill_blocking::Source;

/// What a command line asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// The usage text.
    Help,
    /// To play something.
    Play(Box<Options>),
}

/// Everything that `play` can be told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// A URL or a path, as it was given.
    pub source: OsString,
    /// Where the file's bytes go.
    pub raw: Option<PathBuf>,
    /// Where the decoded audio goes.
    pub wav: Option<PathBuf>,
    /// Byte positions to seek to.
    pub seek_bytes: Vec<u64>,
    /// Times to seek to, in seconds.
    pub seeks: Vec<f64>,
    /// How far ahead to fetch, in bytes.
    pub read_ahead: Option<u64>,
    /// How long to wait without progress.
    pub give_up: Option<Duration>,
    /// Where the cache is.
    pub cache: Option<PathBuf>,
    /// How much of the disk the cache may take.
    pub cache_limit: Option<u64>,
    /// Whether no progress is shown.
    pub no_progress: bool,
    /// Where the report goes.
    pub stats: Option<Stats>,
}

/// Where the report goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stats {
    /// Standard output.
    Stdout,
    /// A file.
    File(PathBuf),
}

/// Why a command line can't be understood: one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageError(pub String);

impl Options {
    /// What to open.
    pub fn source(&self) -> Source {
        match self.source.to_str() {
            Some(text) => Source::from(text),
            None => Source::path(&self.source),
        }
    }

    /// Whether the file's bytes are read from 0 to the end: for `--raw`, or because nothing else is asked for.
    pub fn reads_all(&self) -> bool {
        self.raw.is_some() || self.plays_to_nowhere()
    }

    /// Whether it is decoded.
    pub fn decodes(&self) -> bool {
        self.wav.is_some() || !self.seeks.is_empty() || self.plays_to_nowhere()
    }

    /// Whether everything is read, and decoded if it can be, for its own sake.
    pub fn plays_to_nowhere(&self) -> bool {
        self.raw.is_none() && self.wav.is_none() && self.seeks.is_empty()
    }

    fn set(&mut self, name: &str, value: Value) -> Result<(), UsageError> {
        match name {
            "--cache" => once(name, &mut self.cache, value.text(name, "a directory")?.into()),
            "--cache-limit" => once(name, &mut self.cache_limit, value.whole(name)?),
            "--raw" => once(name, &mut self.raw, value.path(name)?),
            "--wav" => once(name, &mut self.wav, value.path(name)?),
            "--seek-byte" => {
                self.seek_bytes.push(value.whole(name)?);
                Ok(())
            }
            "--seek" => {
                self.seeks.push(value.seconds(name)?.as_secs_f64());
                Ok(())
            }
            "--read-ahead" => once(name, &mut self.read_ahead, value.whole(name)?),
            "--give-up" => once(name, &mut self.give_up, value.seconds(name)?),
            "--stats" => {
                let path = value.path(name)?;
                let to = if path == OsStr::new("-") { Stats::Stdout } else { Stats::File(path) };
                once(name, &mut self.stats, to)
            }
            _ => usage(format!("there is no option {name}")),
        }
    }
}

/// Reads a command line, without the program's name.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Request, UsageError> {
    let mut args = args.into_iter();
    let mut options = Options::default();
    let mut source = None;
    let mut only_source = false;
    while let Some(arg) = args.next() {
        let flag =
            arg.to_str().filter(|text| !only_source && text.starts_with('-') && text.len() > 1);
        let Some(flag) = flag else {
            once("what to play", &mut source, arg)?;
            continue;
        };
        match flag {
            "--" => only_source = true,
            "--help" | "-h" => return Ok(Request::Help),
            "--no-progress" => options.no_progress = true,
            _ => {
                let value = match flag.split_once('=') {
                    Some((_, value)) => Some(value.into()),
                    None if TAKE_VALUES.contains(&flag) => args.next(),
                    None => None,
                };
                let name = flag.split_once('=').map_or(flag, |(name, _)| name);
                if name == "--no-progress" {
                    return usage(format!("{name} takes no value"));
                }
                options.set(name, Value(value))?;
            }
        }
    }
    match source {
        Some(source) if !source.is_empty() => options.source = source,
        _ => return usage("what shall be played? Give a URL or a path".into()),
    }
    if options.cache_limit.is_some() && options.cache.is_none() {
        return usage("--cache-limit needs a cache: give --cache, too".into());
    }
    Ok(Request::Play(Box::new(options)))
}

const TAKE_VALUES: [&str; 9] = [
    "--cache",
    "--cache-limit",
    "--raw",
    "--wav",
    "--seek-byte",
    "--seek",
    "--read-ahead",
    "--give-up",
    "--stats",
];

/// What an option was given, if anything.
struct Value(Option<OsString>);

impl Value {
    fn path(self, name: &str) -> Result<PathBuf, UsageError> {
        self.text(name, "a file").map(PathBuf::from)
    }

    fn whole(self, name: &str) -> Result<u64, UsageError> {
        let what = "a number of bytes";
        let text = self.text(name, what)?;
        let number = text.to_str().and_then(|text| text.parse().ok());
        number.ok_or_else(|| wrong(name, what, &text))
    }

    fn seconds(self, name: &str) -> Result<Duration, UsageError> {
        let what = "a number of seconds";
        let text = self.text(name, what)?;
        let number = text.to_str().and_then(|text| text.parse().ok());
        number
            .and_then(|number| Duration::try_from_secs_f64(number).ok())
            .ok_or_else(|| wrong(name, what, &text))
    }

    fn text(self, name: &str, what: &str) -> Result<OsString, UsageError> {
        let given = self.0.filter(|text| !text.is_empty());
        given.ok_or_else(|| UsageError(format!("{name} needs {what}")))
    }
}

fn once<T>(name: &str, place: &mut Option<T>, value: T) -> Result<(), UsageError> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => usage(format!("{name} is given twice")),
    }
}

fn wrong(name: &str, what: &str, given: &OsStr) -> UsageError {
    UsageError(format!("{name} needs {what}, not {given:?}"))
}

fn usage<T>(what: String) -> Result<T, UsageError> {
    Err(UsageError(what))
}

/// The usage text of a program.
pub fn usage_text(program: &str) -> String {
    format!(
        "\
Plays a remote or local audio file while it downloads; by default to nowhere.

usage: cargo run --release --example {program} -- <URL or path> [options]

  --seek-byte N        first, repeatable, in order: seek there, read 64 KiB
  --raw OUT            then: the file's bytes as the reader delivers them, 0 to end
  --seek SECONDS       then, repeatable, in order: seek there, decode 1 s
  --wav OUT            then: the decoded audio as 16-bit WAV

  --read-ahead BYTES   fetch no further ahead of the reader (default: all of it)
  --give-up SECONDS    wait no longer without progress (default: 60)
  --cache DIR          keep what is fetched there, and go on from what is kept
  --cache-limit BYTES  let the cache take no more (default: as much as there is)
  --no-progress        show no progress (nor is any shown if standard error is no terminal)
  --stats FILE         what happened, as one JSON object ('-' = standard output)
  --help               this text

exit status: 0 done, 1 failed (and why, in one line), 2 not understood
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Request, UsageError> {
        parse(line.split_whitespace().map(OsString::from))
    }

    fn options(line: &str) -> Options {
        match parsed(line) {
            Ok(Request::Play(options)) => *options,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn all_options_are_read_in_any_order() {
        let all = "--seek-byte 700000 --seek 1.5 http://a.example/b --seek-byte=0 --raw r --wav=w \
                   --seek 0 --read-ahead 65536 --give-up 2.5 --cache=d --cache-limit 1000000 --no-progress \
                   --stats -";
        let expected = Options {
            source: "http://a.example/b".into(),
            raw: Some("r".into()),
            wav: Some("w".into()),
            seek_bytes: vec![700_000, 0],
            seeks: vec![1.5, 0.0],
            read_ahead: Some(65_536),
            give_up: Some(Duration::from_millis(2_500)),
            cache: Some("d".into()),
            cache_limit: Some(1_000_000),
            no_progress: true,
            stats: Some(Stats::Stdout),
        };
        assert_eq!(options(all), expected);
    }

    #[test]
    fn what_is_asked_for_decides_what_is_read_and_decoded() {
        for (line, reads_all, decodes) in [
            ("a", true, true),
            ("a --seek-byte 1", true, true),
            ("a --raw r", true, false),
            ("a --wav w", false, true),
            ("a --seek 1", false, true),
            ("a --raw r --seek 1", true, true),
        ] {
            let options = options(line);
            let found = (options.reads_all(), options.decodes());
            assert_eq!(found, (reads_all, decodes), "{line}");
        }
    }

    #[test]
    fn a_path_may_look_like_an_option() {
        assert_eq!(options("--no-progress -- --raw").source, "--raw");
        assert_eq!(options("a --stats s.json").stats, Some(Stats::File("s.json".into())));
        assert_eq!(options("-").source, "-");
    }

    #[test]
    fn help_wins_over_what_comes_after_it() {
        assert_eq!(parsed("--help --nonsense"), Ok(Request::Help));
        assert_eq!(parsed("a -h"), Ok(Request::Help));
        for option in TAKE_VALUES {
            assert!(usage_text("play").contains(&format!("\n  {option} ")), "{option}");
        }
    }

    #[test]
    fn what_can_not_be_understood_is_named() {
        for (line, what) in [
            ("", "what shall be played? Give a URL or a path"),
            ("--no-progress", "what shall be played? Give a URL or a path"),
            ("a b", "what to play is given twice"),
            ("a --loud", "there is no option --loud"),
            ("a --loud=1", "there is no option --loud"),
            ("a -x", "there is no option -x"),
            ("a --raw", "--raw needs a file"),
            ("a --raw=", "--raw needs a file"),
            ("a --raw b --raw c", "--raw is given twice"),
            ("a --seek-byte", "--seek-byte needs a number of bytes"),
            ("a --seek-byte -1", "--seek-byte needs a number of bytes, not \"-1\""),
            ("a --seek-byte 64k", "--seek-byte needs a number of bytes, not \"64k\""),
            ("a --read-ahead 1.5", "--read-ahead needs a number of bytes, not \"1.5\""),
            ("a --seek -1", "--seek needs a number of seconds, not \"-1\""),
            ("a --seek NaN", "--seek needs a number of seconds, not \"NaN\""),
            ("a --give-up inf", "--give-up needs a number of seconds, not \"inf\""),
            ("a --no-progress=1", "--no-progress takes no value"),
            ("a --cache", "--cache needs a directory"),
            ("a --cache=", "--cache needs a directory"),
            ("a --cache d --cache e", "--cache is given twice"),
            ("a --cache d --cache-limit 1G", "--cache-limit needs a number of bytes, not \"1G\""),
            ("a --cache-limit 1", "--cache-limit needs a cache: give --cache, too"),
        ] {
            assert_eq!(parsed(line), usage(what.into()), "{line}");
        }
    }
}
