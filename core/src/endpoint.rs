//! Where to ask, and for which part: the original URL, where its redirects ended, and the fresh ones that the embedder gave.
//!
//! The original is the identity (FAULTS B21); a resume asks the final URL first, for it was the one that worked, and
//! falls back to the original once. An expired URL is renewed if the source can, a bounded number of times per failure
//! (FAULTS B22, B23). Credentials go to the origin that they were given for and to no other.

use std::sync::Arc;

use url::Url;

use crate::event::SourceSpec;
use crate::http::{Header, Slice, public};

/// The addresses of one source.
#[derive(Debug)]
pub(crate) struct Endpoint {
    original: Url,
    last: Option<Url>,
    headers: Arc<[Header]>,
    public_headers: Arc<[Header]>,
    slice: Slice,
    renewable: bool,
    renewals: u32,
    renewing: bool,
}

/// What to do about a URL that doesn't work (any more).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fallback {
    /// Ask the original URL.
    Original,
    /// Ask the embedder for a fresh one.
    Renew,
    /// There is nothing left to ask.
    None,
}

impl Endpoint {
    /// The source as it was opened.
    pub(crate) fn new(source: SourceSpec) -> Self {
        Self {
            public_headers: public(&source.headers),
            headers: source.headers,
            original: source.url,
            last: None,
            slice: Slice::new(source.slice),
            renewable: source.renewable,
            renewals: 0,
            renewing: false,
        }
    }

    /// The URL to ask next.
    pub(crate) fn url(&self) -> &Url {
        self.last.as_ref().unwrap_or(&self.original)
    }

    /// The URL that names the resource, for errors.
    pub(crate) fn original(&self) -> &Url {
        &self.original
    }

    /// Which part of what is there is the resource.
    pub(crate) fn slice(&self) -> Slice {
        self.slice
    }

    /// The headers for [`Endpoint::url`].
    pub(crate) fn headers(&self) -> Arc<[Header]> {
        let same_origin = self.url().origin() == self.original.origin();
        Arc::clone(if same_origin { &self.headers } else { &self.public_headers })
    }

    /// The host whose connections [`Endpoint::url`] counts among.
    pub(crate) fn host(&self) -> Arc<str> {
        let url = self.url();
        let host = url.host_str().unwrap_or_default();
        format!("{host}:{}", url.port_or_known_default().unwrap_or_default()).into()
    }

    /// Redirects ended there.
    pub(crate) fn redirected(&mut self, last: Url) {
        self.last = (last != self.original).then_some(last);
    }

    /// Whether [`Endpoint::url`] is where redirects ended.
    pub(crate) fn is_redirected(&self) -> bool {
        self.last.is_some()
    }

    /// Bytes came: the URL works, and a later failure is a new one.
    pub(crate) fn worked(&mut self) {
        self.renewals = 0;
    }

    /// The final URL failed to answer at all: ask the original.
    pub(crate) fn forget_redirect(&mut self) -> bool {
        self.last.take().is_some()
    }

    /// The URL was refused as expired or unknown.
    pub(crate) fn refused(&mut self, max_renewals: u32) -> Fallback {
        if self.forget_redirect() {
            return Fallback::Original;
        }
        if !self.renewable || self.renewals >= max_renewals {
            return Fallback::None;
        }
        self.renewals += 1;
        self.renewing = true;
        Fallback::Renew
    }

    /// The embedder gave a URL. Whether one was asked for.
    pub(crate) fn renew(&mut self, url: Url) -> bool {
        if !self.give_up_renewal() {
            return false;
        }
        self.original = url;
        self.last = None;
        true
    }

    /// The embedder gave none. Whether one was asked for.
    pub(crate) fn give_up_renewal(&mut self) -> bool {
        core::mem::take(&mut self.renewing)
    }

    /// Whether the embedder owes an answer: nothing is asked meanwhile.
    pub(crate) fn is_renewing(&self) -> bool {
        self.renewing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(renewable: bool) -> Endpoint {
        Endpoint::new(SourceSpec {
            url: Url::parse("https://a.example/x.mp3?sig=1").unwrap(),
            cache_key: None,
            headers: [
                ("Authorization".to_owned(), "Bearer x".to_owned()),
                ("X-Client".to_owned(), "1".to_owned()),
            ]
            .into(),
            renewable,
            slice: None,
        })
    }

    #[test]
    fn b21_the_final_url_first_then_the_original() {
        let mut endpoint = endpoint(false);
        endpoint.redirected(Url::parse("https://b.example/y").unwrap());
        assert_eq!(endpoint.url().host_str(), Some("b.example"));
        assert_eq!(endpoint.headers().len(), 1, "no credentials for b.example");
        assert_eq!(endpoint.refused(2), Fallback::Original);
        assert_eq!(endpoint.url().host_str(), Some("a.example"));
        assert_eq!(endpoint.headers().len(), 2);
        assert_eq!(endpoint.refused(2), Fallback::None);
    }

    #[test]
    fn b23_renewals_are_bounded_per_failure() {
        let mut endpoint = endpoint(true);
        let fresh = || Url::parse("https://a.example/x.mp3?sig=2").unwrap();
        for _ in 0..2 {
            assert_eq!(endpoint.refused(2), Fallback::Renew);
            assert!(endpoint.is_renewing());
            assert!(endpoint.renew(fresh()));
        }
        assert_eq!(endpoint.refused(2), Fallback::None);
        assert!(!endpoint.renew(fresh()), "nobody asked");
        endpoint.worked();
        assert_eq!(endpoint.refused(2), Fallback::Renew);
    }
}
