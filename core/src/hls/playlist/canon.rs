//! The text that m3u8-rs is given: each line in the one form that it reads right.

use core::fmt::Write;

/// What stands for the URI of a line that carries a tag and no segment.
pub(super) const CARRIER: &str = "-";

/// A playlist in the making.
#[derive(Debug)]
pub(super) struct Canon {
    text: String,
    /// Whether the line that is written has an attribute yet.
    started: bool,
}

impl Canon {
    pub(super) fn new() -> Self {
        Self { text: "#EXTM3U\n".to_owned(), started: false }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// A tag without a value.
    pub(super) fn bare(&mut self, tag: &str) {
        let _ = writeln!(self.text, "#{tag}");
    }

    /// A tag with a value.
    pub(super) fn valued(&mut self, tag: &str, value: impl core::fmt::Display) {
        let _ = writeln!(self.text, "#{tag}:{value}");
    }

    /// Begins a tag with attributes.
    pub(super) fn list(&mut self, tag: &str) {
        let _ = write!(self.text, "#{tag}:");
        self.started = false;
    }

    /// A quoted attribute. An empty one is left out: m3u8-rs loses the whole tag over it.
    pub(super) fn quoted(&mut self, name: &str, value: Option<&str>) {
        let Some(value) = value.filter(|value| !value.is_empty()) else { return };
        self.name(name);
        self.text.push('"');
        self.clean(value);
        self.text.push('"');
    }

    /// An attribute without quotes.
    pub(super) fn word(&mut self, name: &str, value: Option<impl core::fmt::Display>) {
        let Some(value) = value else { return };
        self.name(name);
        let _ = write!(self.text, "{value}");
    }

    /// Ends a tag with attributes.
    pub(super) fn end(&mut self) {
        self.text.push('\n');
    }

    /// A URI line. It is neither empty nor a comment.
    pub(super) fn uri(&mut self, uri: &str) {
        self.clean(uri);
        self.text.push('\n');
    }

    fn name(&mut self, name: &str) {
        if self.started {
            self.text.push(',');
        }
        self.started = true;
        self.text.push_str(name);
        self.text.push('=');
    }

    /// A variable's value comes from outside, and may have in it what would end the line or the quotes.
    fn clean(&mut self, value: &str) {
        if !value.contains(['"', '\r', '\n']) {
            self.text.push_str(value);
            return;
        }
        for letter in value.chars() {
            match letter {
                '"' => self.text.push_str("%22"),
                '\r' => self.text.push_str("%0D"),
                '\n' => self.text.push_str("%0A"),
                other => self.text.push(other),
            }
        }
    }
}
