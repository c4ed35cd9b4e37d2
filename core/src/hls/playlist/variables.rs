//! Variables: `EXT-X-DEFINE` and the places where their values go (draft-pantos-hls-rfc8216bis, section 4.3).

use std::borrow::Cow;
use std::collections::BTreeMap;

use url::Url;

use super::attributes::Attributes;
use super::report::{PlaylistError, Report};

/// The draft on definitions.
const DEFINE: &str = "draft-pantos-hls-rfc8216bis, section 4.4.2.3";
/// The draft on references.
const REFERENCE: &str = "draft-pantos-hls-rfc8216bis, section 4.3; FAULTS C25";
/// The most that variables may add to one value: they are not there to make much of little.
const MAX_EXPANDED_BYTES: usize = 64 << 10;
/// The most variables.
const MAX_VARIABLES: usize = 1_000;

/// What is defined so far.
#[derive(Debug, Default)]
pub(super) struct Variables {
    values: BTreeMap<String, String>,
}

impl Variables {
    /// Takes an `EXT-X-DEFINE`.
    pub(super) fn define(
        &mut self,
        attributes: &Attributes<'_>,
        base: &Url,
        imports: Option<&BTreeMap<String, String>>,
        report: &mut Report,
    ) -> Result<(), PlaylistError> {
        let line = attributes.line();
        let (name, value) = if let Some(name) = attributes.get("NAME") {
            (name, attributes.get("VALUE").map(str::to_owned))
        } else if let Some(name) = attributes.get("QUERYPARAM") {
            (name, query_parameter(base, name))
        } else if let Some(name) = attributes.get("IMPORT") {
            let Some(imports) = imports else {
                return report.broken(line, "IMPORT in a master playlist", DEFINE);
            };
            (name, imports.get(name).cloned())
        } else {
            return report.broken(line, "EXT-X-DEFINE without NAME, IMPORT or QUERYPARAM", DEFINE);
        };
        if !name.chars().all(in_name) || name.is_empty() {
            report.broken(line, format!("`{name}` can't name a variable"), DEFINE)?;
        }
        let Some(value) = value else {
            // A reference to it is refused, if there is one.
            return report.broken(line, format!("the variable `{name}` has no value"), DEFINE);
        };
        if self.values.len() >= MAX_VARIABLES {
            return Err(PlaylistError::new(line, "too many variables", DEFINE));
        }
        if self.values.insert(name.to_owned(), value).is_some() {
            report.broken(line, format!("the variable `{name}` is defined twice"), DEFINE)?;
        }
        Ok(())
    }

    /// `text` with the values of its variables. One that isn't defined is refused in both modes: a URL with a literal
    /// `{$name}` is never meant.
    pub(super) fn expand<'a>(
        &self,
        line: u32,
        text: Cow<'a, str>,
        report: &mut Report,
    ) -> Result<Cow<'a, str>, PlaylistError> {
        if !text.contains("{$") {
            return Ok(text);
        }
        let mut expanded = String::with_capacity(text.len());
        let mut rest = text.as_ref();
        while let Some((before, reference)) = rest.split_once("{$") {
            expanded.push_str(before);
            let named = reference.split_once('}').filter(|(name, _)| name.chars().all(in_name));
            let Some((name, after)) = named.filter(|(name, _)| !name.is_empty()) else {
                report.broken(line, "`{$` begins no reference to a variable", REFERENCE)?;
                expanded.push_str("{$");
                rest = reference;
                continue;
            };
            let Some(value) = self.values.get(name) else {
                let what = format!("the variable `{name}` is not defined before this line");
                return Err(PlaylistError::new(line, what, REFERENCE));
            };
            expanded.push_str(value);
            rest = after;
            if expanded.len() > MAX_EXPANDED_BYTES {
                return Err(PlaylistError::new(line, "variables make this too long", REFERENCE));
            }
        }
        expanded.push_str(rest);
        Ok(Cow::Owned(expanded))
    }

    pub(super) fn into_values(self) -> BTreeMap<String, String> {
        self.values
    }
}

fn in_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '-' || letter == '_'
}

/// The value of a parameter in the query of the playlist's own URL. An empty one is none.
fn query_parameter(base: &Url, name: &str) -> Option<String> {
    let pairs = base.query()?.split('&');
    let found = pairs.filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name)?;
    Some(found.1.to_owned()).filter(|value| !value.is_empty())
}
