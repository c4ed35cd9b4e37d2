//! The URLs of a playlist: joined with its own, bounded, and kept once where segments share one.

use std::sync::Arc;

use url::Url;

use super::report::{ParseOptions, PlaylistError, Report};

/// Joins URIs with the playlist's URL.
#[derive(Debug)]
pub(super) struct Urls<'a> {
    base: &'a Url,
    max_bytes: usize,
    /// The last one: byte ranges of one resource follow each other.
    last: Option<(String, Arc<Url>)>,
}

impl<'a> Urls<'a> {
    pub(super) fn new(base: &'a Url, options: &ParseOptions) -> Self {
        Self { base, max_bytes: options.limits.max_url_bytes, last: None }
    }

    /// What stands for a URL that there is none of.
    pub(super) fn base(&self) -> Arc<Url> {
        Arc::new(self.base.clone())
    }

    /// A URI of the playlist as a URL; `None` where it is none. One that is too long is refused.
    pub(super) fn join(
        &mut self,
        line: u32,
        uri: &str,
        report: &mut Report,
    ) -> Result<Option<Arc<Url>>, PlaylistError> {
        if let Some((last, url)) = &self.last
            && last == uri
        {
            return Ok(Some(Arc::clone(url)));
        }
        let url = if uri.len() > self.max_bytes { None } else { Some(self.base.join(uri)) };
        let url =
            url.filter(|url| url.as_ref().map_or(true, |url| url.as_str().len() <= self.max_bytes));
        let Some(url) = url else {
            let what = format!("a URL of more than {} bytes", self.max_bytes);
            return Err(PlaylistError::new(line, what, "the limit `max_url_bytes`"));
        };
        match url {
            Ok(url) => {
                let url = Arc::new(url);
                self.last = Some((uri.to_owned(), Arc::clone(&url)));
                Ok(Some(url))
            }
            Err(error) => {
                report.broken(line, format!("no URL: {error}"), "RFC 8216, section 4.1")?;
                Ok(None)
            }
        }
    }
}
