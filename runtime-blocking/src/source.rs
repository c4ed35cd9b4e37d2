//! What to open.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use infill_core::http::Header;
use infill_core::{Cause, Error, SourceSpec};
use url::Url;

/// A URL or a local path, and what belongs to it.
///
/// ```
/// use infill_blocking::Source;
///
/// let remote = Source::url("https://radio.example/17.mp3").header("Authorization", "Bearer x");
/// let local = Source::from("music/17.mp3"); // no scheme: a path
/// # let _ = (remote, local);
/// ```
#[derive(Clone, Debug)]
pub struct Source {
    place: Place,
    headers: Vec<Header>,
    cache_key: Option<String>,
    renew: Option<Renew>,
}

#[derive(Clone, Debug)]
pub(crate) enum Place {
    Remote(Box<Url>),
    Local(PathBuf),
    /// Said when it is opened, where there is somebody to hear it.
    Nowhere(Error),
}

impl Source {
    /// A URL. What is wrong with it is said by `open`.
    pub fn url(url: impl AsRef<str>) -> Self {
        Self::new(remote(url.as_ref()))
    }

    /// A file on this machine.
    pub fn path(path: impl Into<PathBuf>) -> Self {
        Self::new(Place::Local(path.into()))
    }

    /// Adds a header to every request. `Authorization` and `Cookie` go to the origin of the URL only, not to where it
    /// redirects. `Range`, `If-Range` and `Accept-Encoding` are infill's own and are ignored here.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Names the content, for URLs that differ each time though they mean the same.
    #[must_use]
    pub fn cache_key(mut self, key: impl Into<String>) -> Self {
        self.cache_key = Some(key.into());
        self
    }

    /// Gives a fresh URL when this one has expired: it is asked, on a thread of its own, when a URL that worked is
    /// refused (401, 403, 404, 410), at most a few times for each failure. `None` gives up.
    #[must_use]
    pub fn renew<U: AsRef<str>>(
        mut self,
        renew: impl Fn(&Error) -> Option<U> + Send + Sync + 'static,
    ) -> Self {
        let parsed = move |error: &Error| Url::parse(renew(error)?.as_ref()).ok();
        self.renew = Some(Renew(Arc::new(parsed)));
        self
    }

    /// Whether opening it asks this machine's file system.
    #[doc(hidden)]
    pub fn is_local(&self) -> bool {
        matches!(self.place, Place::Local(_))
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    pub(crate) fn take_renew(&self) -> Option<Renew> {
        self.renew.clone()
    }

    pub(crate) fn spec(&self, url: &Url) -> Result<SourceSpec, Error> {
        for (name, value) in &self.headers {
            let good_name = !name.is_empty() && name.bytes().all(is_token);
            let good_value =
                value.bytes().all(|byte| byte >= 0x20 && byte != 0x7f || byte == b'\t');
            if !(good_name && good_value) {
                let what = format!("the header {name:?} can't be sent: check its name and value");
                return Err(Cause::Caller(what).into());
            }
        }
        Ok(SourceSpec {
            url: url.clone(),
            cache_key: self.cache_key.as_deref().map(Into::into),
            headers: self.headers.clone().into(),
            renewable: self.renew.is_some(),
            slice: None,
        })
    }

    fn new(place: Place) -> Self {
        Self { place, headers: Vec::new(), cache_key: None, renew: None }
    }
}

/// A byte of a header's name (RFC 9110, section 5.6.2).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn remote(text: &str) -> Place {
    let nowhere = |cause| Place::Nowhere(Error::new(cause));
    match Url::parse(text) {
        Ok(url) => from_url(url),
        Err(why) => nowhere(Cause::Caller(format!("this is no URL: {why}"))),
    }
}

fn from_url(url: Url) -> Place {
    match url.scheme() {
        "http" | "https" => Place::Remote(Box::new(url)),
        "file" => match url.to_file_path() {
            Ok(path) => Place::Local(path),
            Err(()) => {
                let what = "a file URL must name a path on this machine".into();
                Place::Nowhere(Cause::Caller(what).into())
            }
        },
        other => {
            let what = format!("URLs with the scheme {other:?}; use http, https or file");
            Place::Nowhere(Cause::Unsupported(what).into())
        }
    }
}

impl From<&str> for Source {
    /// A URL if it begins with a scheme, else a path.
    fn from(text: &str) -> Self {
        // One letter before the colon is a drive, not a scheme.
        let scheme = text.split_once("://").map(|(scheme, _)| scheme);
        match scheme {
            Some(scheme) if scheme.len() > 1 => Self::url(text),
            _ => Self::path(text),
        }
    }
}

impl From<&String> for Source {
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<String> for Source {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<Url> for Source {
    fn from(url: Url) -> Self {
        Self::new(from_url(url))
    }
}

impl From<PathBuf> for Source {
    fn from(path: PathBuf) -> Self {
        Self::path(path)
    }
}

impl From<&Path> for Source {
    fn from(path: &Path) -> Self {
        Self::path(path)
    }
}

/// The embedder's way to a fresh URL.
#[derive(Clone)]
pub(crate) struct Renew(Arc<RenewFn>);

type RenewFn = dyn Fn(&Error) -> Option<Url> + Send + Sync;

impl Renew {
    pub(crate) fn call(&self, error: &Error) -> Option<Url> {
        (self.0)(error)
    }
}

impl core::fmt::Debug for Renew {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Renew")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use infill_core::ErrorKind;

    #[test]
    fn a_string_is_a_url_or_a_path() {
        let place = |text: &str| Source::from(text).place;
        assert!(matches!(place("http://a.example/x y"), Place::Remote(_)));
        assert!(matches!(place("music/a.mp3"), Place::Local(_)));
        assert!(matches!(place("C:\\a.mp3"), Place::Local(_)));
        assert!(matches!(place("C://a.mp3"), Place::Local(_)));
        let local = place("file:///a/b%20c.mp3");
        assert!(matches!(local, Place::Local(path) if path.ends_with("b c.mp3")));
        let kind = |place| match place {
            Place::Nowhere(error) => error.kind(),
            other => panic!("{other:?}"),
        };
        assert_eq!(kind(place("ftp://a.example/")), ErrorKind::Unsupported);
        assert_eq!(kind(place("http://")), ErrorKind::Caller);
        assert_eq!(kind(Source::url("no url").place), ErrorKind::Caller);
    }

    #[test]
    fn a_header_that_would_split_the_request_is_refused() {
        let url = Url::parse("http://a.example/").unwrap();
        let spec = |name: &str, value: &str| {
            Source::url("http://a.example/").header(name, value).spec(&url)
        };
        assert!(spec("X-A", "b\tc").is_ok());
        for (name, value) in [("X A", "b"), ("", "b"), ("X", "b\r\nY: c"), ("X\n", "b")] {
            assert_eq!(spec(name, value).unwrap_err().kind(), ErrorKind::Caller);
        }
    }
}
