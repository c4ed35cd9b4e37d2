//! `Content-Range`: where the bytes of a response belong (RFC 9110, section 14.4).

use crate::ByteRange;

/// A parsed `Content-Range: bytes ...` field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentRange {
    /// `bytes first-last/total`: of a 206. `total` is `None` for `*` (FAULTS A20).
    Bytes {
        /// The positions that the body fills.
        range: ByteRange,
        /// The length of the whole representation.
        total: Option<u64>,
    },
    /// `bytes */total`: of a 416.
    Unsatisfied {
        /// The length of the whole representation.
        total: u64,
    },
}

impl ContentRange {
    /// Parses a field value. `None` for another unit, an inverted range, a range that ends past its total, or anything
    /// else that the grammar doesn't allow: such a response must not be placed (FAULTS A22).
    pub fn parse(value: &str) -> Option<Self> {
        let value = value.trim();
        let (unit, rest) = value.split_once([' ', '\t'])?;
        if !unit.eq_ignore_ascii_case("bytes") {
            return None;
        }
        let (range, total) = rest.trim().split_once('/')?;
        let total = match total.trim() {
            "*" => None,
            digits => Some(parse_digits(digits)?),
        };
        if range.trim() == "*" {
            return total.map(|total| Self::Unsatisfied { total });
        }
        let (first, last) = range.trim().split_once('-')?;
        let (first, last) = (parse_digits(first)?, parse_digits(last)?);
        if last < first || total.is_some_and(|total| last >= total) {
            return None;
        }
        Some(Self::Bytes { range: ByteRange::new(first, last.checked_add(1)?), total })
    }
}

/// `1*DIGIT`: no sign, no space, no overflow.
pub(crate) fn parse_digits(digits: &str) -> Option<u64> {
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if plain { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_forms_of_rfc_9110() {
        let bytes = |start, end, total| {
            Some(ContentRange::Bytes { range: ByteRange::new(start, end), total })
        };
        assert_eq!(ContentRange::parse("bytes 42-1233/1234"), bytes(42, 1234, Some(1234)));
        assert_eq!(ContentRange::parse("bytes 42-1233/*"), bytes(42, 1234, None));
        assert_eq!(ContentRange::parse("Bytes  0-0/1 "), bytes(0, 1, Some(1)));
        assert_eq!(
            ContentRange::parse("bytes */1234"),
            Some(ContentRange::Unsatisfied { total: 1234 })
        );
    }

    #[test]
    fn a22_an_invalid_content_range_is_no_position() {
        for bad in [
            "",
            "bytes",
            "bytes 5-4/10",
            "bytes 0-9/9",
            "items 0-1/2",
            "bytes 0-1",
            "bytes -1/2",
            "bytes 1-/2",
            "bytes +1-2/3",
            "bytes */*",
            "bytes 0-1/x",
            "bytes 0-18446744073709551615/*",
            "bytes 0-99999999999999999999/*",
            "bytes=0-1/2",
            "bytes 0 - 1/2",
        ] {
            assert_eq!(ContentRange::parse(bad), None, "{bad}");
        }
    }
}
