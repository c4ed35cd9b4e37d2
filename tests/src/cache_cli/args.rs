//! The command line: what is to be done, with which directory and which entries.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::cli::UsageError;

/// What a command line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// The usage text.
    Help,
    /// To do something.
    Do {
        /// What.
        command: Command,
        /// With which directory.
        dir: PathBuf,
        /// With which entries: beginnings of keys.
        keys: Vec<String>,
    },
}

/// What can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// To show what is there.
    Ls,
    /// To compare what is stored with what was.
    Verify,
    /// To keep entries.
    Pin,
    /// To keep them no longer.
    Unpin,
    /// To delete entries.
    Rm,
    /// To delete all that is not pinned.
    Clear,
}

/// How many keys a command takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keys {
    None,
    Any,
    Some,
}

impl Command {
    const ALL: [Self; 6] = [Self::Ls, Self::Verify, Self::Pin, Self::Unpin, Self::Rm, Self::Clear];

    fn name(self) -> &'static str {
        match self {
            Self::Ls => "ls",
            Self::Verify => "verify",
            Self::Pin => "pin",
            Self::Unpin => "unpin",
            Self::Rm => "rm",
            Self::Clear => "clear",
        }
    }

    fn keys(self) -> Keys {
        match self {
            Self::Ls | Self::Clear => Keys::None,
            Self::Verify => Keys::Any,
            Self::Pin | Self::Unpin | Self::Rm => Keys::Some,
        }
    }
}

/// Reads a command line, without the program's name.
pub(super) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Request, UsageError> {
    let args: Vec<OsString> = args.into_iter().collect();
    if args.iter().any(|arg| arg == "--help" || arg == "-h") {
        return Ok(Request::Help);
    }
    let mut args = args.into_iter();
    let names = Command::ALL.map(Command::name).join(", ");
    let Some(name) = args.next() else {
        return usage(format!("what shall be done? One of {names}"));
    };
    let command = Command::ALL.into_iter().find(|command| name == command.name());
    let Some(command) = command else {
        return usage(format!("there is no command {name:?}, only {names}"));
    };
    let name = command.name();
    let Some(dir) = args.next().filter(|dir| !dir.is_empty()) else {
        return usage(format!("{name} needs a directory"));
    };
    let keys: Vec<String> = args.map(|key| key.to_string_lossy().into_owned()).collect();
    // The empty one begins all keys.
    if keys.iter().any(String::is_empty) {
        return usage(format!("{name} was given an empty key"));
    }
    match (command.keys(), keys.first()) {
        (Keys::None, Some(key)) => usage(format!("{name} takes no key, not even {key:?}")),
        (Keys::Some, None) => usage(format!("{name} needs a key, or its first digits")),
        _ => Ok(Request::Do { command, dir: dir.into(), keys }),
    }
}

fn usage<T>(what: String) -> Result<T, UsageError> {
    Err(UsageError(what))
}

/// The usage text of the program.
pub(super) fn usage_text(program: &str) -> String {
    format!(
        "\
Looks after a cache directory. Makes no request.

usage: cargo run --release --example {program} -- <command> <directory> [key ...]

  ls DIR               what is there, the last used first: sizes, percentages, states
  verify DIR [KEY ..]  compares what is stored with its digests; all, or these
  pin DIR KEY ..       these are never evicted, nor cleared
  unpin DIR KEY ..     they are again
  rm DIR KEY ..        deletes these, pinned or not
  clear DIR            deletes all that is not pinned
  --help               this text

A key may be cut short, as long as it is the only one that begins so.

exit status: 0 done, 1 failed (and why, in one line) or damage found, 2 not understood
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Request, UsageError> {
        parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn a_command_a_directory_and_keys_are_read() {
        for (line, command, keys) in [
            ("ls d", Command::Ls, vec![]),
            ("verify d", Command::Verify, vec![]),
            ("verify d ab", Command::Verify, vec!["ab"]),
            ("pin d ab 12", Command::Pin, vec!["ab", "12"]),
            ("unpin d ab", Command::Unpin, vec!["ab"]),
            ("rm d ab", Command::Rm, vec!["ab"]),
            ("clear d", Command::Clear, vec![]),
        ] {
            let keys = keys.into_iter().map(str::to_owned).collect();
            assert_eq!(parsed(line), Ok(Request::Do { command, dir: "d".into(), keys }), "{line}");
        }
    }

    #[test]
    fn what_can_not_be_understood_is_named() {
        for (line, what) in [
            ("", "what shall be done? One of ls, verify, pin, unpin, rm, clear"),
            ("list d", "there is no command \"list\", only ls, verify, pin, unpin, rm, clear"),
            ("ls", "ls needs a directory"),
            ("ls d ab", "ls takes no key, not even \"ab\""),
            ("clear d ab", "clear takes no key, not even \"ab\""),
            ("rm d", "rm needs a key, or its first digits"),
        ] {
            assert_eq!(parsed(line), usage(what.into()), "{line}");
        }
        let empty = ["rm", "d", ""].map(OsString::from);
        assert_eq!(parse(empty), usage("rm was given an empty key".into()));
    }

    #[test]
    fn help_names_all_commands() {
        assert_eq!(parsed("rm --help"), Ok(Request::Help));
        for command in Command::ALL {
            let text = usage_text("cache");
            assert!(text.contains(&format!("\n  {} DIR", command.name())), "{}", command.name());
        }
    }
}
