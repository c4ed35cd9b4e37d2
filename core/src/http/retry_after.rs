//! `Retry-After` (RFC 9110, section 10.2.3; FAULTS B24).

use core::time::Duration;

use super::content_range::parse_digits;

/// When the origin asks to be asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryAfter(pub Duration);

impl RetryAfter {
    /// Parses delta-seconds, or a date relative to the response's own `date`: the local clock is not asked. `None`
    /// for anything else, a date without a `Date` to measure it from included.
    pub fn parse(value: &str, date: Option<&str>) -> Option<Self> {
        let value = value.trim();
        if let Some(seconds) = parse_digits(value) {
            return Some(Self(Duration::from_secs(seconds)));
        }
        if value.bytes().all(|byte| byte.is_ascii_digit()) && !value.is_empty() {
            return Some(Self(Duration::MAX));
        }
        let then = httpdate::parse_http_date(value).ok()?;
        let now = httpdate::parse_http_date(date?).ok()?;
        Some(Self(then.duration_since(now).unwrap_or(Duration::ZERO)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b24_retry_after_in_all_its_forms() {
        let now = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        let seconds = |n| Some(RetryAfter(Duration::from_secs(n)));
        assert_eq!(RetryAfter::parse("120", now), seconds(120));
        assert_eq!(RetryAfter::parse(" 0 ", None), seconds(0));
        assert_eq!(RetryAfter::parse("Sun, 06 Nov 1994 08:50:00 GMT", now), seconds(23));
        assert_eq!(RetryAfter::parse("Sun, 06 Nov 1994 08:49:00 GMT", now), seconds(0));
        assert_eq!(RetryAfter::parse("Sun, 06 Nov 1994 08:50:00 GMT", None), None);
        assert_eq!(
            RetryAfter::parse("99999999999999999999999", now),
            Some(RetryAfter(Duration::MAX))
        );
        for bad in ["", "-1", "+5", "1.5", "soon", "5 s"] {
            assert_eq!(RetryAfter::parse(bad, now), None, "{bad}");
        }
    }
}
