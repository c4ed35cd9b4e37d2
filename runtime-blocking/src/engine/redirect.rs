//! Redirects, followed the same way by both runtimes (RFC 9110, section 15.4).

use infill_core::http::Header;
use infill_core::{FailureKind, FetchFailure};
use url::Url;

/// How many redirects one request follows.
pub const MAX_REDIRECTS: usize = 10;

/// Fields that prove who asks. They stay with the origin they were given for.
const CREDENTIALS: [&str; 3] = ["authorization", "cookie", "proxy-authorization"];

/// Where a response with this status and `Location` sends the request: `None` if it is no redirect. Takes the
/// credentials out of `fields` when the new place is of another origin.
pub fn redirect(
    from: &Url,
    status: u16,
    location: Option<&[u8]>,
    fields: &mut Vec<Header>,
) -> Option<Result<Url, FetchFailure>> {
    if !matches!(status, 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    // A redirect that names no place is an answer like any other: its status is reported.
    let location = core::str::from_utf8(location?).ok();
    let to = location.and_then(|location| from.join(location.trim()).ok());
    let Some(mut to) = to.filter(|to| matches!(to.scheme(), "http" | "https")) else {
        let detail = "a redirect to a place that is no HTTP URL";
        return Some(Err(FetchFailure::new(FailureKind::Protocol, detail)));
    };
    to.set_fragment(None);
    if to.origin() != from.origin() {
        fields.retain(|(name, _)| {
            !CREDENTIALS.iter().any(|credential| name.eq_ignore_ascii_case(credential))
        });
    }
    Some(Ok(to))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn follow(location: &str) -> (Option<Result<Url, FetchFailure>>, usize) {
        let from = Url::parse("https://a.example/x/y.mp3?q").unwrap();
        let mut fields =
            vec![("Authorization".into(), "Bearer x".into()), ("Range".into(), "bytes=0-".into())];
        let to = redirect(&from, 302, Some(location.as_bytes()), &mut fields);
        (to, fields.len())
    }

    #[test]
    fn credentials_stay_with_their_origin() {
        let (to, fields) = follow("../z two.mp3#part");
        assert_eq!(to.unwrap().unwrap().as_str(), "https://a.example/z%20two.mp3");
        assert_eq!(fields, 2);
        for other in ["//b.example/", "http://a.example/", "https://a.example:444/"] {
            let (to, fields) = follow(other);
            assert!(to.unwrap().is_ok());
            assert_eq!(fields, 1, "{other}");
        }
    }

    #[test]
    fn a_redirect_elsewhere_than_http_is_refused() {
        for bad in ["file:///etc/passwd", "data:,x", "http://[", "\u{fffd}://"] {
            assert!(!matches!(follow(bad).0, Some(Ok(to)) if to.scheme() != "https"), "{bad}");
        }
        assert!(follow("file:///etc/passwd").0.unwrap().is_err());
        let from = Url::parse("http://a.example/").unwrap();
        assert!(redirect(&from, 304, Some(b"/"), &mut Vec::new()).is_none());
        assert!(redirect(&from, 302, None, &mut Vec::new()).is_none());
    }
}
