//! One request and its response.

use std::time::Duration;

use infill_blocking::engine::{MAX_REDIRECTS, Port, redirect, request_uri};
use infill_core::http::{FetchRequest, Header, ResponseHead};
use infill_core::{FailureKind, FetchFailure};
use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Response, Version};
use url::Url;

use super::clients::Http;
use super::credit::Credit;
use super::failure::{body_failure, head_failure};

/// What an exchange works with.
pub(super) struct Exchange<'a> {
    pub(super) http: &'a Http,
    pub(super) credit: &'a Credit,
    pub(super) port: &'a Port,
}

impl Exchange<'_> {
    /// Makes the request, and reports all but its end.
    pub(super) async fn run(&self, request: &FetchRequest) -> Result<(), FetchFailure> {
        let (url, response) = self.follow(request).await?;
        let head = head(&response).with_final_url((url != request.url).then(|| url.clone()));
        self.port.head(request.fetch, head);
        self.body(request, response).await?;
        self.http.pooled.note(&url);
        Ok(())
    }

    /// Follows redirects to an answer. Infill's own client follows none by itself; an embedder's may.
    async fn follow(&self, request: &FetchRequest) -> Result<(Url, Response), FetchFailure> {
        let mut url = request.url.clone();
        let mut fields = request.fields();
        for _ in 0..=MAX_REDIRECTS {
            let asked = asked(&url)?;
            let response = self.ask(asked.clone(), &fields).await?;
            if *response.url() != asked {
                url = response.url().clone();
            }
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

    async fn ask(&self, url: Url, fields: &[Header]) -> Result<Response, FetchFailure> {
        if cfg!(not(any(feature = "rustls", feature = "native-tls")))
            && !self.http.given
            && url.scheme() == "https"
        {
            let detail = "https needs one of infill-tokio's features `rustls` and `native-tls`";
            return Err(FetchFailure::new(FailureKind::Connect, detail));
        }
        let pooled = self.http.pooled.contains(&url);
        let mut request = self.http.client.get(url).headers(header_map(fields)?);
        if self.http.given {
            // Deadlines are core's: a total time-out would cut every long body.
            request = request.timeout(Duration::MAX);
        }
        request.send().await.map_err(|error| head_failure(error, pooled))
    }

    /// Passes the body on. It is polled only while there is credit; what one frame holds beyond that is held back.
    async fn body(
        &self,
        request: &FetchRequest,
        mut response: Response,
    ) -> Result<(), FetchFailure> {
        let mut left = response.content_length();
        loop {
            // The end of a body of known length costs no credit.
            if left != Some(0) {
                self.credit.wait().await;
            }
            let Some(mut frame) = response.chunk().await.map_err(body_failure)? else {
                return Ok(());
            };
            left = left.map(|left| left.saturating_sub(frame.len() as u64));
            while !frame.is_empty() {
                let allowed = self.credit.wait().await;
                let part = frame.split_to(frame.len().min(allowed));
                self.credit.spend(part.len());
                self.port.bytes(request.fetch, part);
            }
        }
    }
}

/// The URL as it can be asked for.
fn asked(url: &Url) -> Result<Url, FetchFailure> {
    Url::parse(&request_uri(url)).map_err(|_| {
        let detail = "the URL can't be put into a request";
        FetchFailure::new(FailureKind::Protocol, detail)
    })
}

fn header_map(fields: &[Header]) -> Result<HeaderMap, FetchFailure> {
    let mut map = HeaderMap::with_capacity(fields.len());
    for (name, value) in fields {
        let name = HeaderName::from_bytes(name.as_bytes());
        let value = HeaderValue::from_bytes(value.as_bytes());
        let (Ok(name), Ok(value)) = (name, value) else {
            let detail = "a header can't be put into a request";
            return Err(FetchFailure::new(FailureKind::Protocol, detail));
        };
        map.append(name, value);
    }
    Ok(map)
}

fn head(response: &Response) -> ResponseHead {
    let head = ResponseHead::new(response.status().as_u16())
        .with_self_framing(response.version() >= Version::HTTP_2);
    let fields = response.headers().iter();
    fields.fold(head, |head, (name, value)| head.with_field(name.as_str(), value.as_bytes()))
}
