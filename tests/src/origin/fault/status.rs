//! Which answer comes instead of the honest one: rows B18-B25.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;

use crate::origin::{reply::Reply, respond::View, rule::Injection};

/// An answer in place of the honest one.
#[derive(Clone, Debug)]
pub enum StatusFault {
    /// This status with a line of text.
    Status(u16),
    /// This status with no body.
    Empty(u16),
    /// 200 with a page of this type: a captive portal, an error page.
    Page {
        /// `Content-Type`.
        content_type: String,
        /// The body.
        body: Bytes,
    },
    /// A redirect to the next of these at each request.
    Redirects {
        /// The status.
        status: u16,
        /// The values of `Location`, absolute or relative; taken in turns.
        locations: Vec<String>,
    },
    /// `Retry-After` as a date so long after the answer's `Date`.
    RetryAfterDate(Duration),
    /// A parameter of the query is a token that expires: 403 without it and after.
    Signed(SignedUrls),
}

/// The tokens of signed URLs, and how long each is good from its first use.
#[derive(Clone, Debug)]
pub struct SignedUrls {
    /// The parameter of the query that is the token.
    pub parameter: String,
    /// Good for so many requests.
    pub requests: usize,
    /// Good for so long.
    pub time: Duration,
    /// The status when it is not good.
    pub status: u16,
    seen: Arc<Mutex<HashMap<String, (usize, Instant)>>>,
}

impl StatusFault {
    pub(super) fn apply(&self, view: &View<'_>, reply: &mut Reply) {
        match self {
            Self::Status(status) => {
                reply.replace(*status, format!("injected {status}\n"));
                reply.headers.set("Content-Type", "text/plain");
            }
            Self::Empty(status) => reply.replace(*status, Bytes::new()),
            Self::Page { content_type, body } => {
                reply.replace(200, body.clone());
                reply.headers.set("Content-Type", content_type.as_str());
            }
            Self::Redirects { status, locations } => {
                reply.replace(*status, Bytes::new());
                if let Some(location) = locations.get(view.nth % locations.len().max(1)) {
                    reply.headers.set("Location", location.as_str());
                }
            }
            Self::RetryAfterDate(later) => {
                reply.headers.set("Retry-After", httpdate::fmt_http_date(view.date + *later));
            }
            Self::Signed(signed) => {
                if !signed.admits(view.request.query.as_deref()) {
                    reply.replace(signed.status, "expired\n");
                    reply.headers.set("Content-Type", "text/plain");
                }
            }
        }
    }
}

impl SignedUrls {
    /// Tokens in this parameter that are good without limit; narrow it by the fields.
    pub fn new(parameter: &str) -> Self {
        Self {
            parameter: parameter.to_owned(),
            requests: usize::MAX,
            time: Duration::from_secs(u64::from(u32::MAX)),
            status: 403,
            seen: Arc::default(),
        }
    }

    fn admits(&self, query: Option<&str>) -> bool {
        let mut parameters = query.unwrap_or_default().split('&').filter_map(|p| p.split_once('='));
        let Some((_, token)) = parameters.find(|(name, _)| *name == self.parameter) else {
            return false;
        };
        let now = Instant::now();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let (uses, since) = seen.entry(token.to_owned()).or_insert((0, now));
        *uses += 1;
        *uses <= self.requests && now.duration_since(*since) <= self.time
    }
}

/// Answers in place of the honest one.
impl Injection<'_> {
    /// B22-B25: this status. A18: with [`on_head`](Self::on_head).
    pub fn status(self, status: u16) -> Self {
        self.fault(StatusFault::Status(status))
    }

    /// B18: this status with an empty body.
    pub fn empty(self, status: u16) -> Self {
        self.fault(StatusFault::Empty(status))
    }

    /// B18: 204.
    pub fn no_content(self) -> Self {
        self.empty(204)
    }

    /// B19: 200 with an HTML page.
    pub fn html_page(self) -> Self {
        let body = Bytes::from_static(
            b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Welcome</body></html>\n",
        );
        self.fault(StatusFault::Page { content_type: "text/html; charset=utf-8".to_owned(), body })
    }

    /// B19: 200 with a JSON error.
    pub fn json_page(self) -> Self {
        let body = Bytes::from_static(b"{\"error\":\"File Assembly error\"}\n");
        self.fault(StatusFault::Page { content_type: "application/json".to_owned(), body })
    }

    /// B21: a redirect to `location`, absolute or relative.
    pub fn redirect(self, status: u16, location: impl Into<String>) -> Self {
        self.fault(StatusFault::Redirects { status, locations: vec![location.into()] })
    }

    /// B21: a redirect to these in turns, by request.
    pub fn redirects<S: Into<String>>(
        self,
        status: u16,
        locations: impl IntoIterator<Item = S>,
    ) -> Self {
        let locations = locations.into_iter().map(Into::into).collect();
        self.fault(StatusFault::Redirects { status, locations })
    }

    /// B22: the query's `parameter` is a token that is good for `requests` requests, then 403.
    pub fn signed_for_requests(self, parameter: &str, requests: usize) -> Self {
        self.fault(StatusFault::Signed(SignedUrls { requests, ..SignedUrls::new(parameter) }))
    }

    /// B22: the query's `parameter` is a token that is good for `time` from its first use, then 403.
    pub fn signed_for(self, parameter: &str, time: Duration) -> Self {
        self.fault(StatusFault::Signed(SignedUrls { time, ..SignedUrls::new(parameter) }))
    }

    /// B24: `Retry-After` with this value: seconds, a date, or nonsense. Goes after [`status`](Self::status).
    pub fn retry_after(self, value: &str) -> Self {
        self.header("Retry-After", value)
    }

    /// B24: `Retry-After` as a date, `later` than `Date`. Goes after [`status`](Self::status).
    pub fn retry_after_date(self, later: Duration) -> Self {
        self.fault(StatusFault::RetryAfterDate(later))
    }
}
