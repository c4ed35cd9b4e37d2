//! How a playlist is judged: the mode and its bounds, what is forgiven with a diagnostic, what is refused.

use core::fmt;
use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::{Cause, HlsConfig};

/// The most diagnostics that are kept of one playlist. More of them say nothing new, and a hostile playlist would fill
/// the memory with them.
const MAX_DIAGNOSTICS: usize = 64;

/// How to read a playlist.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParseOptions {
    /// Whether what breaks RFC 8216 is refused. Otherwise it is read as it was most likely meant, with a diagnostic.
    pub strict: bool,
    /// The largest playlist, the most segments and variants, the longest URL.
    pub limits: HlsConfig,
    /// What `EXT-X-DEFINE:IMPORT` of a media playlist finds: the variables of its master playlist.
    pub imports: BTreeMap<String, String>,
}

/// Something in a playlist that breaks a rule and was forgiven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The line, from 1; 0 where it is about the whole playlist.
    pub line: u32,
    /// What is wrong.
    pub what: Cow<'static, str>,
    /// Which rule it breaks.
    pub rule: &'static str,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "line {}: ", self.line)?;
        }
        write!(f, "{} ({})", self.what, self.rule)
    }
}

/// Why a playlist can't be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaylistError(Diagnostic);

impl PlaylistError {
    pub(super) fn new(line: u32, what: impl Into<Cow<'static, str>>, rule: &'static str) -> Self {
        Self(Diagnostic { line, what: what.into(), rule })
    }

    /// The pre-pass writes only what m3u8-rs reads; this would be a fault of ours, not of the playlist's.
    pub(super) fn unread() -> Self {
        let what = "the playlist was prepared in a way that m3u8-rs doesn't read";
        Self::new(0, what, "a fault of infill: please report it")
    }

    /// Where, what, and by which rule.
    pub fn diagnostic(&self) -> &Diagnostic {
        &self.0
    }
}

impl fmt::Display for PlaylistError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl core::error::Error for PlaylistError {}

impl From<PlaylistError> for Cause {
    fn from(error: PlaylistError) -> Self {
        Self::Playlist(error.to_string())
    }
}

/// What was found so far.
#[derive(Debug)]
pub(super) struct Report {
    strict: bool,
    diagnostics: Vec<Diagnostic>,
}

impl Report {
    pub(super) fn new(strict: bool) -> Self {
        Self { strict, diagnostics: Vec::new() }
    }

    /// A rule is broken: refused where the mode is strict, else noted.
    pub(super) fn broken(
        &mut self,
        line: u32,
        what: impl Into<Cow<'static, str>>,
        rule: &'static str,
    ) -> Result<(), PlaylistError> {
        if self.strict {
            return Err(PlaylistError::new(line, what, rule));
        }
        self.note(line, what, rule);
        Ok(())
    }

    /// Something that is worth knowing and breaks no rule that a client enforces.
    pub(super) fn note(
        &mut self,
        line: u32,
        what: impl Into<Cow<'static, str>>,
        rule: &'static str,
    ) {
        if self.diagnostics.len() < MAX_DIAGNOSTICS {
            self.diagnostics.push(Diagnostic { line, what: what.into(), rule });
        }
    }

    pub(super) fn into_diagnostics(self) -> Vec<Diagnostic> {
        self.diagnostics
    }
}
