//! What things are called on the disk: 160 bits of SHA-256, so that no two names can be made to collide, and nothing
//! that a URL or a header may hold ends up in a directory listing.

use core::fmt;
use core::str::FromStr;

use sha2::{Digest, Sha256};
use url::Url;

use crate::http::Header;

/// Bytes of a key.
const LEN: usize = 20;

/// Request headers that the machine owns, or that select no content: two opens that differ in them alone are of one
/// identity. Any other header tells them apart: `Authorization`, `Cookie`, `Accept-Language`, whatever it is
/// (RFC 9111, section 4.1).
const NOT_SELECTING: &[&str] =
    &["accept-encoding", "if-range", "range", "referer", "traceparent", "tracestate", "user-agent"];

/// A name: the first 160 bits of SHA-256, written as 40 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "cache", derive(serde::Serialize, serde::Deserialize))]
pub struct Key(pub [u8; LEN]);

impl Key {
    /// No key comes before this.
    pub(super) const FIRST: Self = Self([0; LEN]);

    /// No key comes after this.
    pub(super) const LAST: Self = Self([u8::MAX; LEN]);

    /// The identity of what is opened: the embedder's key, or else the URL without its fragment; with every header
    /// that may select content.
    pub fn of(url: &Url, cache_key: Option<&str>, headers: &[Header]) -> Self {
        let mut hasher = Sha256::new();
        match cache_key {
            Some(key) => field(&mut hasher, "key", key),
            None => field(&mut hasher, "url", &url[..url::Position::AfterQuery]),
        }
        let selecting =
            |name: &str| !NOT_SELECTING.iter().any(|not| name.eq_ignore_ascii_case(not));
        let mut headers: Vec<(String, &str)> = headers
            .iter()
            .filter(|(name, _)| selecting(name))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.as_str()))
            .collect();
        // Stable: the order of one name's values says something.
        headers.sort_by(|(one, _), (two, _)| one.cmp(two));
        for (name, value) in headers {
            field(&mut hasher, &name, value);
        }
        let digest = hasher.finalize();
        let mut key = [0; LEN];
        key.copy_from_slice(&digest[..LEN]);
        Self(key)
    }
}

/// Lengths first, so that no two lists of fields give the same bytes.
fn field(hasher: &mut Sha256, name: &str, value: &str) {
    for part in [name, value] {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// That text is no key: a key is 40 lower-case hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoKey;

impl fmt::Display for NoKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key is 40 lower-case hexadecimal digits")
    }
}

impl core::error::Error for NoKey {}

impl FromStr for Key {
    type Err = NoKey;

    fn from_str(text: &str) -> Result<Self, NoKey> {
        let digits = text.as_bytes();
        let lower = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
        if digits.len() != 2 * LEN || !digits.iter().all(lower) {
            return Err(NoKey);
        }
        let mut key = [0; LEN];
        for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
            let digit = |at: u8| if at <= b'9' { at - b'0' } else { at - b'a' + 10 };
            *byte = digit(pair[0]) << 4 | digit(pair[1]);
        }
        Ok(Self(key))
    }
}

/// A resource of an asset: a file is an asset of one resource, an HLS presentation one of many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "cache", derive(serde::Serialize, serde::Deserialize))]
pub struct ResourceKey {
    /// What is listed, pinned, evicted and removed as a whole.
    pub asset: Key,
    /// Which resource of it.
    pub name: Key,
}

impl ResourceKey {
    /// A file: the one resource of its asset.
    pub fn file(asset: Key) -> Self {
        Self { asset, name: asset }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(url: &str, cache_key: Option<&str>, headers: &[(&str, &str)]) -> Key {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let headers: Vec<Header> = headers.iter().map(own).collect();
        Key::of(&Url::parse(url).unwrap(), cache_key, &headers)
    }

    #[test]
    fn d13_a_key_is_of_the_url_or_of_what_the_embedder_says() {
        let url = "https://a.example/x?sig=1";
        assert_eq!(key(url, None, &[]), key("https://a.example/x?sig=1#t=3", None, &[]));
        assert_ne!(key(url, None, &[]), key("https://a.example/x?sig=2", None, &[]));
        assert_eq!(key(url, Some("e"), &[]), key("https://b.example/y", Some("e"), &[]));
        assert_ne!(key(url, Some("e"), &[]), key(url, Some("f"), &[]));
        assert_ne!(key(url, Some(url), &[]), key(url, None, &[]), "a key is no URL");
    }

    #[test]
    fn what_selects_content_tells_apart_and_nothing_else_does() {
        let url = "https://a.example/x";
        let plain = key(url, None, &[]);
        assert_ne!(key(url, None, &[("Authorization", "a")]), plain);
        assert_ne!(
            key(url, None, &[("Authorization", "a")]),
            key(url, None, &[("Authorization", "b")])
        );
        assert_eq!(key(url, None, &[("User-Agent", "a"), ("RANGE", "bytes=0-")]), plain);
        let (one, two) = (("X-A", "1"), ("x-b", "2"));
        assert_eq!(key(url, None, &[one, two]), key(url, None, &[two, ("x-a", "1")]));
        assert_ne!(
            key(url, None, &[("x", "12"), ("y", "")]),
            key(url, None, &[("x", "1"), ("y", "2")])
        );
    }

    #[test]
    fn a_key_is_forty_digits() {
        let one = key("https://a.example/x", None, &[]);
        let text = one.to_string();
        assert_eq!((text.len(), text.parse()), (40, Ok(one)));
        for bad in [
            "",
            "ab",
            &text.to_uppercase(),
            &text[1..],
            &format!("{text}0"),
            &text.replace('a', "g"),
        ] {
            assert!(bad.parse::<Key>().is_err() || bad == text, "{bad}");
        }
    }
}
