//! What things are called on the disk: 160 bits of SHA-256, so that no two names can be made to collide, and nothing
//! that a URL or a header may hold ends up in a directory listing.

use core::cmp::Ordering;
use core::fmt;
use core::str::FromStr;

use sha2::{Digest, Sha256};
use url::Url;

use crate::ByteRange;
use crate::http::Header;

/// Bytes of a key.
const LEN: usize = 20;

/// Request headers that the machine owns, or that select no content: two opens that differ in them alone are of one
/// identity. Any other header tells them apart: `Authorization`, `Cookie`, `Accept-Language`, whatever it is
/// (RFC 9111, section 4.1).
const NOT_SELECTING: &[&str] =
    &["accept-encoding", "if-range", "range", "referer", "traceparent", "tracestate", "user-agent"];

/// A name: the first 160 bits of SHA-256, written as 40 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "cache", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "cache", serde(from = "Words", into = "Words"))]
pub struct Key(pub [u8; LEN]);

/// A key as three numbers, little-endian, which in the journal are its bytes: one by one they take longer to read, and an opened resource has two.
#[cfg(feature = "cache")]
#[derive(serde::Serialize, serde::Deserialize)]
struct Words(u64, u64, u32);

#[cfg(feature = "cache")]
impl From<Words> for Key {
    fn from(words: Words) -> Self {
        let mut key = [0; LEN];
        key[..8].copy_from_slice(&words.0.to_le_bytes());
        key[8..16].copy_from_slice(&words.1.to_le_bytes());
        key[16..].copy_from_slice(&words.2.to_le_bytes());
        Self(key)
    }
}

#[cfg(feature = "cache")]
impl From<Key> for Words {
    fn from(Key(key): Key) -> Self {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, rest @ ..] = key;
        Self(
            u64::from_le_bytes([a, b, c, d, e, f, g, h]),
            u64::from_le_bytes([i, j, k, l, m, n, o, p]),
            u32::from_le_bytes(rest),
        )
    }
}

impl Key {
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
        Self::first_of(hasher)
    }

    fn first_of(hasher: Sha256) -> Self {
        let digest = hasher.finalize();
        let mut key = [0; LEN];
        key.copy_from_slice(&digest[..LEN]);
        Self(key)
    }

    /// A resource of a presentation: what is at that URL, or a range of it (FAULTS C31); the embedder's key where it
    /// gives one.
    pub fn part(url: &Url, key: Option<&str>, slice: Option<ByteRange>) -> Self {
        let mut hasher = Sha256::new();
        match key {
            Some(key) => field(&mut hasher, "key", key),
            None => field(&mut hasher, "url", &url[..url::Position::AfterQuery]),
        }
        if let Some(slice) = slice {
            field(&mut hasher, "range", &slice.to_string());
        }
        Self::first_of(hasher)
    }

    /// Its first eight bytes, in its order.
    pub(super) fn prefix(&self) -> u64 {
        self.split().0
    }

    fn split(&self) -> (u64, &[u8]) {
        let [a, b, c, d, e, f, g, h, rest @ ..] = &self.0;
        (u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]), rest)
    }
}

/// The order of the digits. Opening a journal puts a hundred thousand keys in order: as a rule the first eight bytes, which
/// are one number, tell them apart.
impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        let (one, rest) = self.split();
        let (two, others) = other.split();
        one.cmp(&two).then_with(|| rest.cmp(others))
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
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
    fn the_order_is_that_of_the_digits() {
        let mut keys: Vec<Key> =
            (0..200).map(|at| key("https://a.example/", Some(&at.to_string()), &[])).collect();
        let mut near = keys[0];
        near.0[LEN - 1] ^= 1;
        keys.push(near);
        keys.sort();
        assert!(keys.is_sorted_by_key(|key| key.to_string()));
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
