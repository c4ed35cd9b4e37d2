//! Parses request heads, strictly: what a client of ours may not send is refused with a reason, so that a test fails
//! at the sloppy request and not at its consequence. Bodies are refused: nobody sends one to a media origin.

use super::headers::Headers;

/// The largest request head that is accepted.
pub(super) const HEAD_LIMIT_BYTES: usize = 64 * 1024;

/// A request method, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Method {
    /// `GET`.
    Get,
    /// `HEAD`.
    Head,
    /// Any other token.
    Other(String),
}

/// A single byte range as RFC 9110 section 14.1.2 writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RangeSpec {
    /// `bytes=first-last`, both inclusive.
    FromTo {
        /// The first byte position.
        first: u64,
        /// The last byte position, inclusive.
        last: u64,
    },
    /// `bytes=first-`.
    From {
        /// The first byte position.
        first: u64,
    },
    /// `bytes=-length`.
    Suffix {
        /// How many of the last bytes.
        length: u64,
    },
}

/// A parsed request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The path of the request target, as sent (percent-encoding is kept).
    pub path: String,
    /// What follows `?` in the request target.
    pub query: Option<String>,
    /// The fields, in the order they were sent.
    pub headers: Headers,
    /// Whether it is HTTP/1.1 rather than HTTP/1.0.
    pub http11: bool,
    /// Whether an earlier request was answered on the same connection.
    pub reused: bool,
}

impl Request {
    /// The single range it asks for. `None` also for several ranges and for an unknown unit, which an origin may
    /// ignore (RFC 9110 section 14.2).
    pub fn range(&self) -> Option<RangeSpec> {
        RangeSpec::parse(self.headers.value("Range")?)
    }

    /// Whether the connection may serve another request after this one.
    pub(super) fn keeps_alive(&self) -> bool {
        self.http11 && !self.headers.lists("Connection", "close")
    }

    /// Parses a head without its final empty line. The error is a reason for people.
    pub(super) fn parse(head: &[u8], reused: bool) -> Result<Self, String> {
        let head = std::str::from_utf8(head).map_err(|_| "head is not UTF-8".to_owned())?;
        let mut lines = head.split("\r\n");
        let (method, target, http11) = parse_request_line(lines.next().unwrap_or_default())?;
        let headers = parse_fields(lines)?;
        if http11 && headers.values("Host").count() != 1 {
            return Err("HTTP/1.1 needs exactly one Host".to_owned());
        }
        let has_body = headers.values("Content-Length").any(|v| v != "0");
        if has_body || headers.value("Transfer-Encoding").is_some() {
            return Err("a request with a body".to_owned());
        }
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (target, None),
        };
        Ok(Self { method, path: path.to_owned(), query, headers, http11, reused })
    }
}

impl RangeSpec {
    /// Parses the value of a `Range` field that holds one byte range.
    pub fn parse(value: &str) -> Option<Self> {
        let (unit, set) = value.split_once('=')?;
        if !unit.trim().eq_ignore_ascii_case("bytes") {
            return None;
        }
        let (first, last) = set.trim().split_once('-')?;
        match (first.is_empty(), last.is_empty()) {
            (true, _) => Some(Self::Suffix { length: number(last)? }),
            (false, true) => Some(Self::From { first: number(first)? }),
            (false, false) => {
                let (first, last) = (number(first)?, number(last)?);
                (first <= last).then_some(Self::FromTo { first, last })
            }
        }
    }

    /// The first byte position, unless it depends on the length of the resource.
    pub fn first(self) -> Option<u64> {
        match self {
            Self::FromTo { first, .. } | Self::From { first } => Some(first),
            Self::Suffix { .. } => None,
        }
    }

    /// The inclusive first and last position within a representation of `total` bytes; `None` if unsatisfiable.
    pub fn resolve(self, total: u64) -> Option<(u64, u64)> {
        let end = total.checked_sub(1)?;
        match self {
            Self::FromTo { first, last } => (first <= end).then_some((first, last.min(end))),
            Self::From { first } => (first <= end).then_some((first, end)),
            Self::Suffix { length: 0 } => None,
            Self::Suffix { length } => Some((total.saturating_sub(length), end)),
        }
    }
}

fn parse_request_line(line: &str) -> Result<(Method, &str, bool), String> {
    let mut parts = line.split(' ');
    let (Some(method), Some(target), Some(version), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(format!("request line {line:?}"));
    };
    let http11 = match version {
        "HTTP/1.1" => true,
        "HTTP/1.0" => false,
        _ => return Err(format!("version {version:?}")),
    };
    if !target.starts_with('/')
        || target.contains('#')
        || !target.bytes().all(|b| b.is_ascii_graphic())
    {
        return Err(format!("target {target:?}"));
    }
    let method = match method {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        _ if !method.is_empty() && method.bytes().all(is_token_byte) => {
            Method::Other(method.to_owned())
        }
        _ => return Err(format!("method {method:?}")),
    };
    Ok((method, target, http11))
}

fn parse_fields<'a>(lines: impl Iterator<Item = &'a str>) -> Result<Headers, String> {
    let mut headers = Headers::default();
    for line in lines {
        let (name, value) = line.split_once(':').ok_or_else(|| format!("field line {line:?}"))?;
        if name.is_empty() || !name.bytes().all(is_token_byte) {
            return Err(format!("field name {name:?}"));
        }
        let value = value.trim_matches([' ', '\t']);
        if value.bytes().any(|b| b < 0x20 && b != b'\t' || b == 0x7f) {
            return Err(format!("field value {value:?}"));
        }
        headers.push(name, value);
    }
    Ok(headers)
}

fn number(digits: &str) -> Option<u64> {
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten()
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_parse_or_are_ignored() {
        let cases = [
            ("bytes=0-", Some(RangeSpec::From { first: 0 })),
            ("bytes=5-9", Some(RangeSpec::FromTo { first: 5, last: 9 })),
            ("bytes=-4", Some(RangeSpec::Suffix { length: 4 })),
            ("Bytes=1-1", Some(RangeSpec::FromTo { first: 1, last: 1 })),
            ("bytes=9-5", None),
            ("bytes=0-1,3-4", None),
            ("items=0-1", None),
            ("bytes=+1-2", None),
            ("bytes=-", None),
        ];
        for (value, expected) in cases {
            assert_eq!(RangeSpec::parse(value), expected, "{value}");
        }
    }

    #[test]
    fn ranges_resolve_within_the_total() {
        assert_eq!(RangeSpec::From { first: 3 }.resolve(10), Some((3, 9)));
        assert_eq!(RangeSpec::From { first: 10 }.resolve(10), None);
        assert_eq!(RangeSpec::FromTo { first: 3, last: 99 }.resolve(10), Some((3, 9)));
        assert_eq!(RangeSpec::Suffix { length: 99 }.resolve(10), Some((0, 9)));
        assert_eq!(RangeSpec::Suffix { length: 0 }.resolve(10), None);
        assert_eq!(RangeSpec::From { first: 0 }.resolve(0), None);
    }

    #[test]
    fn sloppy_heads_are_refused() {
        for head in [
            "GET /a HTTP/1.1",
            "GET  /a HTTP/1.1\r\nHost: h",
            "GET a HTTP/1.1\r\nHost: h",
            "GET /a HTTP/2\r\nHost: h",
            "GET /a HTTP/1.1\r\nHost: h\r\n folded",
            "GET /a HTTP/1.1\r\nHost : h",
            "GET /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3",
        ] {
            assert!(Request::parse(head.as_bytes(), false).is_err(), "{head:?}");
        }
        let request =
            Request::parse(b"GET /a?b=c HTTP/1.1\r\nhost: h\r\nRange: bytes=1-", true).unwrap();
        assert_eq!((request.path.as_str(), request.query.as_deref()), ("/a", Some("b=c")));
        assert_eq!(request.range(), Some(RangeSpec::From { first: 1 }));
        assert!(request.keeps_alive());
    }
}
