//! The honest answer: 200, 206, 404, 405 and 416 as RFC 9110 wants them. Knows nothing of faults: they change the
//! [`View`] before, or the reply after.

use std::time::SystemTime;

use super::{
    reply::{Reply, Slice},
    request::{Method, RangeSpec, Request},
    resource::Resource,
};

/// What one request sees of the origin.
#[derive(Clone, Debug)]
pub(super) struct View<'a> {
    pub(super) request: &'a Request,
    pub(super) resource: Option<Resource>,
    /// The range to serve; what was asked, unless a fault moved it.
    pub(super) range: Option<RangeSpec>,
    pub(super) honours_if_range: bool,
    /// Whether a weak ETag in `If-Range` counts, which RFC 9110 forbids.
    pub(super) honours_weak: bool,
    /// The server's clock.
    pub(super) date: SystemTime,
    /// Which request of its path this is, from 0.
    pub(super) nth: usize,
    /// Which connection brought it, from 0.
    pub(super) connection: usize,
}

impl View<'_> {
    /// The honest answer.
    pub(super) fn answer(&self) -> Reply {
        let mut reply = match (&self.request.method, &self.resource) {
            (Method::Other(_), _) => Reply::new(405, &b""[..]),
            (_, None) => Reply::new(404, &b"no such resource\n"[..]),
            (_, Some(resource)) => self.represent(resource),
        };
        reply.headers.push("Date", httpdate::fmt_http_date(self.date));
        if !self.request.keeps_alive() {
            reply.headers.push("Connection", "close");
        }
        reply
    }

    /// 200 with all of it, whatever was asked.
    fn whole(&self, resource: &Resource) -> Reply {
        let mut reply = Reply::new(200, resource.bytes.clone());
        if let Some(last) = resource.total().checked_sub(1) {
            reply.slice = Some(Slice { first: 0, last, total: resource.total() });
        }
        describe(&mut reply, resource);
        reply
    }

    fn represent(&self, resource: &Resource) -> Reply {
        let Some(range) = self.range.filter(|_| self.range_applies(resource)) else {
            return self.whole(resource);
        };
        let total = resource.total();
        let Some((first, last)) = range.resolve(total) else {
            let mut reply = Reply::new(416, &b""[..]);
            reply.headers.push("Content-Range", format!("bytes */{total}"));
            return reply;
        };
        let slice = Slice { first, last, total };
        let mut reply = Reply::new(206, resource.bytes.slice(first as usize..=last as usize));
        reply.slice = Some(slice);
        reply.headers.push("Content-Range", slice.content_range());
        describe(&mut reply, resource);
        reply
    }

    /// `Range` is for GET, and only if `If-Range`, where present, names this version.
    fn range_applies(&self, resource: &Resource) -> bool {
        let same_version = match self.request.headers.value("If-Range") {
            Some(validator) if self.honours_if_range => {
                let weakly = self.honours_weak && resource.etag.as_deref() == Some(validator);
                weakly || resource.is_version(validator)
            }
            _ => true,
        };
        self.request.method == Method::Get && same_version
    }
}

fn describe(reply: &mut Reply, resource: &Resource) {
    reply.headers.push("Accept-Ranges", "bytes");
    if let Some(value) = &resource.content_type {
        reply.headers.push("Content-Type", value.as_str());
    }
    if let Some(value) = &resource.etag {
        reply.headers.push("ETag", value.as_str());
    }
    if let Some(time) = resource.last_modified {
        reply.headers.push("Last-Modified", httpdate::fmt_http_date(time));
    }
    for (name, value) in resource.headers.iter() {
        reply.headers.push(name, value);
    }
}
