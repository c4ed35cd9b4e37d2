//! The values of tags: durations, byte ranges, dates, initialization vectors.

use core::time::Duration;

/// Nanoseconds in a second, in decimal digits.
const NANO_DIGITS: usize = 9;

/// A decimal number of seconds, exactly. m3u8-rs reads `f32`, whose error adds up to a millisecond in an hour.
///
/// `None` where it doesn't begin with a number that is not negative. What follows the number is given back.
pub(super) fn seconds(text: &str) -> Option<(Duration, &str)> {
    let (whole, rest) = digits(text);
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => digits(rest),
        None => ("", rest),
    };
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let seconds = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let nanos = fraction.bytes().take(NANO_DIGITS);
    let nanos = nanos.fold(0_u32, |sum, digit| sum * 10 + u32::from(digit - b'0'));
    let missing = NANO_DIGITS.saturating_sub(fraction.len());
    let nanos = nanos * 10_u32.pow(u32::try_from(missing).unwrap_or(0));
    Some((Duration::new(seconds, nanos), rest))
}

fn digits(text: &str) -> (&str, &str) {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit());
    text.split_at(end.unwrap_or(text.len()))
}

/// `<n>[@<o>]` (RFC 8216, section 4.3.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RangeText {
    pub(super) len: u64,
    pub(super) offset: Option<u64>,
}

impl RangeText {
    /// `None` where it is something else, or ends past the last position that there is.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (len, offset) = match text.split_once('@') {
            Some((len, offset)) => (len, Some(offset.trim().parse::<u64>().ok()?)),
            None => (text, None),
        };
        let len: u64 = len.trim().parse().ok()?;
        offset.unwrap_or(0).checked_add(len)?;
        Some(Self { len, offset })
    }
}

/// An `EXT-X-PROGRAM-DATE-TIME` as RFC 3339 writes dates: with a zone, and a colon in it. The flag says whether
/// something was added.
pub(super) fn date(text: &str) -> (String, bool) {
    let mut date = text.replacen(' ', "T", 1);
    let zone = date.char_indices().skip("0000-00-00T".len()).find(|(_, c)| "Zz+-".contains(*c));
    match zone {
        None => date.push('Z'),
        Some((_, 'Z' | 'z')) => {}
        Some((at, _)) => match date.len() - at {
            // `+hh` and `+hhmm`.
            3 => date.push_str(":00"),
            5 if date.is_char_boundary(at + 3) => date.insert(at + 3, ':'),
            _ => {}
        },
    }
    let changed = date != text;
    (date, changed)
}

/// An `IV`, filled up from the left (FAULTS C8). `None` where it is no number of at most 128 bits.
pub(super) fn iv(text: &str) -> Option<[u8; 16]> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))?;
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    u128::from_str_radix(digits, 16).ok().map(u128::to_be_bytes)
}
