//! Validators: what proves that two responses are of one version (RFC 9110, section 8.8).

use core::time::Duration;

/// How much later than `Last-Modified` the origin's `Date` must be for the former to be a strong validator. RFC 9110,
/// section 8.8.2.2, asks for one second and its predecessor for sixty; the cautious one is ours (FAULTS A12).
const STRONG_DATE_MARGIN: Duration = Duration::from_secs(60);

/// An entity tag, quotes included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ETag {
    tag: String,
    weak: bool,
}

impl ETag {
    /// Parses `"..."` or `W/"..."`; `None` for anything else.
    pub fn parse(value: &str) -> Option<Self> {
        let value = value.trim();
        let (tag, weak) = match value.strip_prefix("W/") {
            Some(tag) => (tag, true),
            None => (value, false),
        };
        let inner = tag.strip_prefix('"')?.strip_suffix('"')?;
        let valid =
            inner.bytes().all(|byte| byte == 0x21 || (0x23..=0x7e).contains(&byte) || byte >= 0x80);
        valid.then(|| Self { tag: tag.to_owned(), weak })
    }

    /// Whether it only says 'equivalent', not 'equal byte for byte'.
    pub fn is_weak(&self) -> bool {
        self.weak
    }

    /// The tag as it stands in a field, without `W/`.
    pub fn as_str(&self) -> &str {
        &self.tag
    }
}

/// What a response said of its version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validator {
    /// `ETag`.
    pub etag: Option<ETag>,
    /// `Last-Modified`, verbatim: it is compared and sent back, never computed with, but for [`Validator::if_range`].
    pub last_modified: Option<String>,
    /// `Date`, verbatim.
    pub date: Option<String>,
}

impl Validator {
    /// The value for `If-Range`, when a strong validator is known: a strong ETag (FAULTS A11: a weak one never), or,
    /// without any ETag, a `Last-Modified` that is at least a minute older than the response (FAULTS A12).
    pub fn if_range(&self) -> Option<&str> {
        match &self.etag {
            Some(etag) => (!etag.weak).then(|| etag.as_str()),
            None => {
                let modified = self.last_modified.as_deref()?;
                let then = httpdate::parse_http_date(modified).ok()?;
                let now = httpdate::parse_http_date(self.date.as_deref()?).ok()?;
                (now.duration_since(then).ok()? >= STRONG_DATE_MARGIN).then_some(modified)
            }
        }
    }

    /// Whether it says nothing of a version: a date alone does not.
    pub(crate) fn is_silent(&self) -> bool {
        self.etag.is_none() && self.last_modified.is_none()
    }

    /// Whether the two prove that their representations differ, by `Last-Modified`.
    pub fn last_modified_differs(&self, other: &Self) -> bool {
        matches!((&self.last_modified, &other.last_modified), (Some(one), Some(two)) if one != two)
    }

    /// Whether both have an ETag and the tags differ. Not yet a proof: some origins have one per node (FAULTS A10).
    pub fn etag_differs(&self, other: &Self) -> bool {
        matches!((&self.etag, &other.etag), (Some(one), Some(two)) if one.tag != two.tag)
    }

    /// Whether the two prove that their representations are equal byte for byte: one strong ETag.
    pub fn same_strong_etag(&self, other: &Self) -> bool {
        matches!((&self.etag, &other.etag), (Some(one), Some(two)) if one == two && !one.weak)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dated(last_modified: &str, date: &str) -> Validator {
        Validator { etag: None, last_modified: Some(last_modified.into()), date: Some(date.into()) }
    }

    #[test]
    fn a11_a_weak_etag_never_goes_into_if_range() {
        let etag = ETag::parse("W/\"a\"");
        let validator = Validator {
            etag,
            ..dated("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 2004 08:49:37 GMT")
        };
        assert_eq!(validator.if_range(), None, "nor is Last-Modified used where there is an ETag");
        let strong = Validator { etag: ETag::parse("\"a\""), ..Validator::default() };
        assert_eq!(strong.if_range(), Some("\"a\""));
    }

    #[test]
    fn a12_last_modified_is_strong_a_minute_later() {
        let modified = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(dated(modified, "Sun, 06 Nov 1994 08:49:37 GMT").if_range(), None);
        assert_eq!(dated(modified, "Sun, 06 Nov 1994 08:50:36 GMT").if_range(), None);
        assert_eq!(dated(modified, "Sun, 06 Nov 1994 08:50:37 GMT").if_range(), Some(modified));
        assert_eq!(dated(modified, "yesterday").if_range(), None);
        assert_eq!(dated("yesterday", modified).if_range(), None);
        assert_eq!(Validator { date: None, ..dated(modified, "") }.if_range(), None);
    }

    #[test]
    fn an_etag_needs_its_quotes() {
        for bad in ["", "a", "\"", "\"a", "w/\"a\"", "\"a\"b\"", "W/a", "\"a b\""] {
            assert_eq!(ETag::parse(bad), None, "{bad}");
        }
    }
}
