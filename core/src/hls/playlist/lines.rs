//! The bytes of a playlist as lines: encoding, line ends and space, before anything is read into them.

use std::borrow::Cow;

use super::report::{PlaylistError, Report};

/// RFC 8216 on encoding.
const ENCODING: &str = "RFC 8216, section 4.1: UTF-8 without a byte order mark";
/// RFC 8216 on the first line.
const FIRST: &str = "RFC 8216, section 4.3.1.1: EXTM3U is the first line";

/// One line that says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// Its number, from 1.
    pub(super) number: u32,
    /// Its text, without space around it.
    pub(super) text: &'a str,
}

impl<'a> Line<'a> {
    /// Its tag and what follows the colon; `None` for a URI or a comment.
    pub(super) fn tag(self) -> Option<(&'a str, &'a str)> {
        let text = self.text.strip_prefix('#').filter(|text| text.starts_with("EXT"))?;
        Some(match text.split_once(':') {
            Some((name, value)) => (name.trim_end(), value.trim()),
            None => (text, ""),
        })
    }

    /// Whether it is the URI of a segment or of a playlist.
    pub(super) fn is_uri(self) -> bool {
        !self.text.starts_with('#')
    }
}

/// The text. Where it is no UTF-8 its foreign bytes are percent-encoded, as a URI would carry them: so one bad line
/// costs nothing but itself.
pub(super) fn decode<'a>(
    bytes: &'a [u8],
    report: &mut Report,
) -> Result<Cow<'a, str>, PlaylistError> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(PlaylistError::new(1, "the playlist is UTF-16", ENCODING));
    }
    let bytes = match bytes.strip_prefix(b"\xef\xbb\xbf") {
        Some(rest) => {
            report.broken(1, "a byte order mark before the first line", ENCODING)?;
            rest
        }
        None => bytes,
    };
    if let Ok(text) = core::str::from_utf8(bytes) {
        return Ok(Cow::Borrowed(text));
    }
    let mut text = String::with_capacity(bytes.len());
    let mut line = 1;
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        line += count_lines(chunk.valid());
        if !chunk.invalid().is_empty() {
            report.broken(line, "bytes that are no UTF-8", ENCODING)?;
        }
        for byte in chunk.invalid() {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    Ok(Cow::Owned(text))
}

/// The lines that say something, in order, without `#EXTM3U`. A hostile playlist can have millions: they are never
/// collected.
#[derive(Clone, Debug)]
pub(super) struct Lines<'a> {
    whole: core::str::Split<'a, char>,
    /// What is left of a line that has carriage returns in it: they end a line nowhere in the RFC, and are meant so.
    pieces: &'a str,
    number: u32,
}

impl<'a> Lines<'a> {
    /// Checks that this is a playlist, and takes its first line.
    pub(super) fn new(text: &'a str, report: &mut Report) -> Result<Self, PlaylistError> {
        let mut lines = Self { whole: text.split('\n'), pieces: "", number: 0 };
        let marker = lines.next().and_then(|first| {
            let rest = first.text.strip_prefix("#EXTM3U")?;
            let ends = rest.is_empty() || rest.starts_with([' ', '\t']);
            ends.then_some((first.number, rest))
        });
        let Some((number, rest)) = marker else {
            let what = "this is no playlist: it doesn't begin with #EXTM3U";
            return Err(PlaylistError::new(1, what, FIRST));
        };
        if number > 1 {
            report.broken(number, "empty lines before #EXTM3U", FIRST)?;
        }
        if !rest.is_empty() {
            report.broken(number, "something follows #EXTM3U", FIRST)?;
        }
        Ok(lines)
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        loop {
            if self.pieces.is_empty() {
                self.pieces = self.whole.next()?;
                self.number = self.number.saturating_add(1);
            }
            let (piece, rest) = self.pieces.split_once('\r').unwrap_or((self.pieces, ""));
            self.pieces = rest;
            let text = piece.trim();
            if !text.is_empty() {
                return Some(Line { number: self.number, text });
            }
        }
    }
}

fn count_lines(text: &str) -> u32 {
    let count = text.bytes().filter(|byte| *byte == b'\n').count();
    u32::try_from(count).unwrap_or(u32::MAX / 2)
}
