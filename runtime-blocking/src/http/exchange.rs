//! One request and its response, on the lane's thread.

use std::io::Read;
use std::sync::Arc;

use bytes::Bytes;
use infill_core::http::{FetchRequest, Header, ResponseHead};
use infill_core::{FailureKind, FetchFailure};
use ureq::http::{HeaderName, HeaderValue, Request, Response, header};
use url::{Origin, Url};

use super::buffer::{BUFFER_BYTES, Buffers};
use super::control::Control;
use super::failure::{Stage, body_failure, failure};
use crate::engine::{MAX_REDIRECTS, Port, redirect, request_uri};

/// What an exchange works with.
pub(super) struct Exchange<'a> {
    pub(super) agent: &'a ureq::Agent,
    pub(super) control: &'a Control,
    pub(super) port: &'a Port,
    pub(super) buffers: &'a Arc<Buffers>,
    /// The origins that the agent may have connections to.
    pub(super) origins: &'a mut Vec<Origin>,
}

impl Exchange<'_> {
    /// Makes the request, and reports all but its end and the last bytes before it, which it gives: by then the
    /// connection can be used again.
    pub(super) fn run(&mut self, request: &FetchRequest) -> Result<Bytes, FetchFailure> {
        let (url, response) = self.follow(request)?;
        let moved = (url != request.url).then_some(url);
        self.port.head(request.fetch, head(&response).with_final_url(moved));
        self.body(request, response)
    }

    /// Follows redirects to an answer.
    fn follow(
        &mut self,
        request: &FetchRequest,
    ) -> Result<(Url, Response<ureq::Body>), FetchFailure> {
        let mut url = request.url.clone();
        let mut fields = request.fields();
        for _ in 0..=MAX_REDIRECTS {
            let response = self.ask(request, &url, &fields)?;
            let location = response.headers().get(header::LOCATION);
            let location = location.map(HeaderValue::as_bytes);
            match redirect(&url, response.status().as_u16(), location, &mut fields) {
                None => return Ok((url, response)),
                Some(to) => url = to?,
            }
        }
        let detail = format!("more than {MAX_REDIRECTS} redirects");
        Err(FetchFailure::new(FailureKind::Protocol, detail))
    }

    fn ask(
        &mut self,
        request: &FetchRequest,
        url: &Url,
        fields: &[Header],
    ) -> Result<Response<ureq::Body>, FetchFailure> {
        let origin = url.origin();
        let reused = self.origins.contains(&origin);
        let plain = plain_request(url, fields)?;
        // Whatever the embedder's agent says: an answer is an answer, and deadlines and retries are core's.
        let configured = self
            .agent
            .configure_request(plain)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(None)
            .timeout_per_call(None)
            .timeout_send_request(None)
            .timeout_recv_response(None)
            .timeout_recv_body(None)
            .timeout_resolve(named(url).then_some(request.connect_timeout))
            .timeout_connect(Some(request.connect_timeout))
            .build();
        let response = self.agent.run(configured);
        let response = response.map_err(|error| failure(&error, Stage::Head { reused }))?;
        if !reused {
            self.origins.push(origin);
        }
        Ok(response)
    }

    fn body(
        &self,
        request: &FetchRequest,
        response: Response<ureq::Body>,
    ) -> Result<Bytes, FetchFailure> {
        let mut left = response.body().content_length();
        let mut reader = response.into_body().into_reader();
        let mut last = Bytes::new();
        // If the answer begins where it was asked to: else it is cut elsewhere, which is no harm.
        let mut at = request.first;
        loop {
            // The end of a body of known length costs no credit; it is read all the same, for only then does ureq keep
            // the connection.
            let allowed = match left {
                Some(0) => 1,
                _ => match self.control.wait_credit(BUFFER_BYTES) {
                    // Up to the end of a block of the cache: what crosses it is written in two pieces.
                    Some(allowed) => {
                        allowed.min(BUFFER_BYTES - (at % BUFFER_BYTES as u64) as usize)
                    }
                    None => return Err(stopped()),
                },
            };
            let mut buffer = self.buffers.take();
            let space = &mut buffer.space()[..allowed];
            let count = match reader.read(space) {
                // Being shut down looks like an end, or like an error.
                _ if self.control.is_cancelled() => return Err(stopped()),
                Ok(0) => return Ok(last),
                Ok(count) => count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                // The first error ends the fetch: after it, ureq says 'end'.
                Err(error) => return Err(body_failure(&error)),
            };
            self.control.spend(count);
            at = at.saturating_add(count as u64);
            left = left.map(|left| left.saturating_sub(count as u64));
            let bytes = buffer.into_bytes(count);
            if left == Some(0) {
                last = bytes;
            } else {
                self.port.bytes(request.fetch, bytes);
            }
        }
    }
}

/// What a stopped fetch reports.
pub(super) fn stopped() -> FetchFailure {
    FetchFailure::new(FailureKind::Stopped, "stopped")
}

fn head(response: &Response<ureq::Body>) -> ResponseHead {
    let head = ResponseHead::new(response.status().as_u16());
    let fields = response.headers().iter();
    fields.fold(head, |head, (name, value)| head.with_field(name.as_str(), value.as_bytes()))
}

/// Whether the host must be looked up.
fn named(url: &Url) -> bool {
    matches!(url.host(), Some(url::Host::Domain(_)))
}

fn plain_request(url: &Url, fields: &[Header]) -> Result<Request<()>, FetchFailure> {
    let wrong = |what: &str| FetchFailure::new(FailureKind::Protocol, what);
    let mut plain = Request::new(());
    *plain.uri_mut() =
        request_uri(url).parse().map_err(|_| wrong("the URL can't be put into a request"))?;
    for (name, value) in fields {
        let name = HeaderName::from_bytes(name.as_bytes());
        let value = HeaderValue::from_bytes(value.as_bytes());
        match (name, value) {
            (Ok(name), Ok(value)) => plain.headers_mut().append(name, value),
            _ => return Err(wrong("a header can't be put into a request")),
        };
    }
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ureq::http::Uri;

    #[test]
    fn every_http_url_can_be_asked() {
        for odd in [
            "http://a.example/x y|z`{q}?a=`b`|\"c\"^#part",
            "http://[::1]:8080/\u{e9}?\u{e9}",
            "https://xn--bcher-kva.example",
        ] {
            let url = Url::parse(odd).unwrap();
            let uri: Uri = request_uri(&url).parse().unwrap();
            assert!(!uri.to_string().contains('#'));
        }
    }
}
