//! What a download says in words, in one piece of memory: a hundred thousand resources have five texts each.

use super::StoredFacts;
use super::record::{FIELD_BYTES, cut_label};

/// Label, `Content-Type`, `ETag`, `Last-Modified` and `Date`, one behind the other.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Texts {
    all: Box<str>,
    /// Of each, in that order.
    lens: [u16; COUNT],
}

const COUNT: usize = 5;

/// The length of a text that is not there, unlike an empty one.
const ABSENT: u16 = u16::MAX;

impl Texts {
    /// Packs them. A field that is too long is left out and a label that is too long is cut: so they fit into a record
    /// again, wherever they come from.
    pub(super) fn new<Text: AsRef<str>>(label: &str, facts: &StoredFacts<Text>) -> Self {
        let fields = [&facts.content_type, &facts.etag, &facts.last_modified, &facts.date];
        let field = |at: usize| {
            fields[at].as_ref().map(AsRef::as_ref).filter(|text: &&str| text.len() <= FIELD_BYTES)
        };
        let texts = [Some(cut_label(label)), field(0), field(1), field(2), field(3)];
        // Its own capacity at once: what is boxed later must not be moved for that.
        let mut all = String::with_capacity(texts.iter().flatten().map(|text| text.len()).sum());
        let mut lens = [ABSENT; COUNT];
        for (len, text) in lens.iter_mut().zip(texts) {
            if let Some(text) = text {
                // Bounded above, far below 2^16.
                *len = text.len() as u16;
                all.push_str(text);
            }
        }
        Self { all: all.into_boxed_str(), lens }
    }

    /// The same label with other fields.
    pub(super) fn with_facts<Text: AsRef<str>>(&self, facts: &StoredFacts<Text>) -> Self {
        Self::new(self.label(), facts)
    }

    pub(super) fn label(&self) -> &str {
        self.get(0).unwrap_or_default()
    }

    pub(super) fn content_type(&self) -> Option<&str> {
        self.get(1)
    }

    pub(super) fn etag(&self) -> Option<&str> {
        self.get(2)
    }

    pub(super) fn last_modified(&self) -> Option<&str> {
        self.get(3)
    }

    pub(super) fn date(&self) -> Option<&str> {
        self.get(4)
    }

    /// How many fields there are, and how long they and the label are together.
    pub(super) fn extent(&self) -> (u64, u64) {
        let fields = self.lens[1..].iter().filter(|len| **len != ABSENT).count();
        (fields as u64, self.all.len() as u64)
    }

    fn get(&self, at: usize) -> Option<&str> {
        let len = |len: &u16| if *len == ABSENT { 0 } else { usize::from(*len) };
        let start: usize = self.lens[..at].iter().map(len).sum();
        (self.lens[at] != ABSENT).then(|| &self.all[start..start + len(&self.lens[at])])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::record::LABEL_BYTES;

    fn facts(content_type: Option<&str>, etag: Option<&str>, date: Option<&str>) -> StoredFacts {
        let own = |text: Option<&str>| text.map(Box::from);
        StoredFacts {
            content_type: own(content_type),
            etag: own(etag),
            date: own(date),
            ..StoredFacts::default()
        }
    }

    #[test]
    fn each_comes_out_as_it_went_in() {
        let texts = Texts::new("l", &facts(Some("audio/flac"), Some(""), Some("today")));
        assert_eq!((texts.label(), texts.content_type()), ("l", Some("audio/flac")));
        assert_eq!((texts.etag(), texts.last_modified()), (Some(""), None));
        assert_eq!((texts.date(), texts.extent()), (Some("today"), (3, 16)));
        let other = texts.with_facts(&facts(None, Some("\"e\""), None));
        assert_eq!((other.label(), other.content_type(), other.etag()), ("l", None, Some("\"e\"")));
    }

    #[test]
    fn what_is_too_long_still_fits_into_a_record() {
        let long = "ü".repeat(LABEL_BYTES);
        let texts = Texts::new(&format!("a{long}"), &facts(None, Some(&long), None));
        assert_eq!(texts.label().len(), LABEL_BYTES - 1, "cut between letters");
        assert_eq!(texts.etag(), None);
    }
}
