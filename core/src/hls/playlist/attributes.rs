//! Attribute lists (RFC 8216, section 4.2), as they are found in the wild.

use std::borrow::Cow;

use super::report::{PlaylistError, Report};
use super::variables::Variables;

/// RFC 8216 on attribute lists.
const LIST: &str = "RFC 8216, section 4.2";

/// The attributes of one tag.
#[derive(Debug, Default)]
pub(super) struct Attributes<'a> {
    line: u32,
    list: Vec<Attribute<'a>>,
}

/// One of them, its variables substituted.
#[derive(Debug)]
struct Attribute<'a> {
    name: &'a str,
    value: Cow<'a, str>,
    quoted: bool,
}

impl<'a> Attributes<'a> {
    /// Reads a list: space around names and values, text after a closing quote, a missing one and doubled names are
    /// forgiven. Of a doubled name the last counts, as browsers' players have it.
    pub(super) fn read(
        line: u32,
        text: &'a str,
        variables: &Variables,
        report: &mut Report,
    ) -> Result<Self, PlaylistError> {
        let mut attributes = Self { line, list: Vec::new() };
        let mut rest = text;
        while let Some((item, after)) = item(rest, line, report)? {
            rest = after;
            let Some(mut attribute) = item else { continue };
            if attribute.quoted
                || attribute.value.starts_with("0x")
                || attribute.value.contains("{$")
            {
                attribute.value = variables.expand(line, attribute.value, report)?;
            }
            match attributes.list.iter_mut().find(|other| other.name == attribute.name) {
                Some(other) => {
                    report.broken(line, format!("{} is there twice", attribute.name), LIST)?;
                    *other = attribute;
                }
                None => attributes.list.push(attribute),
            }
        }
        Ok(attributes)
    }

    /// The line that they stand in.
    pub(super) fn line(&self) -> u32 {
        self.line
    }

    /// A value, quoted or not.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.find(name).map(|attribute| attribute.value.as_ref())
    }

    /// A value that must be quoted and say something.
    pub(super) fn text(
        &self,
        name: &str,
        report: &mut Report,
    ) -> Result<Option<&str>, PlaylistError> {
        let Some(found) = self.find(name) else { return Ok(None) };
        if !found.quoted {
            report.broken(self.line, format!("{name} without quotes"), LIST)?;
        }
        Ok(Some(found.value.as_ref()).filter(|value| !value.is_empty()))
    }

    /// A value that must not be quoted.
    pub(super) fn word(
        &self,
        name: &str,
        report: &mut Report,
    ) -> Result<Option<&str>, PlaylistError> {
        let Some(found) = self.find(name) else { return Ok(None) };
        if found.quoted {
            report.broken(self.line, format!("{name} in quotes"), LIST)?;
        }
        Ok(Some(found.value.trim()).filter(|value| !value.is_empty()))
    }

    /// A whole number; a fraction is forgiven and cut off.
    pub(super) fn number(
        &self,
        name: &str,
        report: &mut Report,
    ) -> Result<Option<u64>, PlaylistError> {
        let Some(text) = self.word(name, report)? else { return Ok(None) };
        if let Ok(number) = text.parse() {
            return Ok(Some(number));
        }
        report.broken(self.line, format!("{name} is no decimal integer"), LIST)?;
        let whole = text.split('.').next().unwrap_or_default();
        Ok(whole.parse().ok())
    }

    /// A number with or without a fraction.
    pub(super) fn decimal(
        &self,
        name: &str,
        report: &mut Report,
    ) -> Result<Option<f64>, PlaylistError> {
        let Some(text) = self.word(name, report)? else { return Ok(None) };
        let number = text.parse().ok().filter(|number: &f64| number.is_finite());
        if number.is_none() {
            report.broken(self.line, format!("{name} is no decimal number"), LIST)?;
        }
        Ok(number)
    }

    /// `YES` or `NO`; the latter where there is none.
    pub(super) fn yes(&self, name: &str, report: &mut Report) -> Result<bool, PlaylistError> {
        let Some(text) = self.word(name, report)? else { return Ok(false) };
        if text != "YES" && text != "NO" {
            report.broken(self.line, format!("{name} is neither YES nor NO"), LIST)?;
        }
        Ok(text.eq_ignore_ascii_case("YES"))
    }

    fn find(&self, name: &str) -> Option<&Attribute<'a>> {
        self.list.iter().find(|attribute| attribute.name == name)
    }
}

/// One attribute, if what stands there is one, and the rest of the list; `None` at its end.
type Item<'a> = Option<(Option<Attribute<'a>>, &'a str)>;

fn item<'a>(list: &'a str, line: u32, report: &mut Report) -> Result<Item<'a>, PlaylistError> {
    let list = list.trim_start_matches([',', ' ', '\t']);
    if list.is_empty() {
        return Ok(None);
    }
    let end = list.find(['=', ',']).unwrap_or(list.len());
    let (name, rest) = list.split_at(end);
    let Some(value) = rest.strip_prefix('=') else {
        report.broken(line, "an attribute without a value", LIST)?;
        return Ok(Some((None, rest)));
    };
    let (name, value) = (name.trim(), value.trim_start());
    let Some(inside) = value.strip_prefix('"') else {
        let end = value.find(',').unwrap_or(value.len());
        let (value, rest) = value.split_at(end);
        let value = Cow::Borrowed(value.trim_end());
        return Ok(Some((Some(Attribute { name, value, quoted: false }), rest)));
    };
    let Some((value, after)) = inside.split_once('"') else {
        report.broken(line, format!("the quote of {name} is not closed"), LIST)?;
        let value = Cow::Borrowed(inside);
        return Ok(Some((Some(Attribute { name, value, quoted: true }), "")));
    };
    let end = after.find(',').unwrap_or(after.len());
    let (stray, rest) = after.split_at(end);
    if !stray.trim().is_empty() {
        report.broken(line, format!("something follows the value of {name}"), LIST)?;
    }
    let value = Cow::Borrowed(value);
    Ok(Some((Some(Attribute { name, value, quoted: true }), rest)))
}
