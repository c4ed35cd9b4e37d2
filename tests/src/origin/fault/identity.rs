//! Which version the answer says it is: rows A8-A13.

use std::time::Duration;

use crate::origin::{reply::Reply, resource::Resource, respond::View, rule::Injection};

/// A fault in validators and totals.
#[derive(Clone, Debug)]
pub enum IdentityFault {
    /// Another version is served.
    Serve(Resource),
    /// The total in `Content-Range` is this.
    Total(u64),
    /// The ETag is the next of these (with quotes) at each request, or each connection.
    ETags {
        /// The fields' values, with quotes; taken in turns.
        values: Vec<String>,
        /// In turns by connection: nodes behind one name.
        by_connection: bool,
    },
    /// The ETag is marked weak.
    WeakETag,
    /// An `If-Range` with the weak ETag counts as a match.
    HonourWeakIfRange,
    /// No ETag.
    NoETag,
    /// `Last-Modified` is so long before `Date`, and there is no ETag.
    LastModifiedAge(Duration),
    /// Neither ETag nor `Last-Modified`.
    NoValidators,
    /// `If-Range` is ignored: a 206 whatever it says.
    IgnoreIfRange,
}

impl IdentityFault {
    pub(super) fn prepare(&self, view: &mut View<'_>) {
        match self {
            Self::Serve(resource) => view.resource = Some(resource.clone()),
            Self::IgnoreIfRange => view.honours_if_range = false,
            Self::HonourWeakIfRange => view.honours_weak = true,
            _ => {}
        }
        let (nth, connection, date) = (view.nth, view.connection, view.date);
        let Some(resource) = &mut view.resource else {
            return;
        };
        match self {
            Self::ETags { values, by_connection } if !values.is_empty() => {
                let turn = if *by_connection { connection } else { nth };
                resource.etag = Some(values[turn % values.len()].clone());
            }
            Self::WeakETag => {
                resource.etag = resource.etag.take().map(|etag| match etag.strip_prefix("W/") {
                    Some(_) => etag,
                    None => format!("W/{etag}"),
                });
            }
            Self::NoETag => resource.etag = None,
            Self::LastModifiedAge(age) => {
                resource.etag = None;
                resource.last_modified = date.checked_sub(*age);
            }
            Self::NoValidators => {
                resource.etag = None;
                resource.last_modified = None;
            }
            _ => {}
        }
    }

    pub(super) fn apply(&self, reply: &mut Reply) {
        let Self::Total(total) = self else { return };
        let range = reply.headers.value("Content-Range").and_then(|text| text.rsplit_once('/'));
        if let Some((range, _)) = range {
            let text = format!("{range}/{total}");
            reply.headers.set("Content-Range", text);
        }
    }
}

/// Faults in validators and totals.
impl Injection<'_> {
    /// A8, A9: another version is served: other bytes, other validators.
    pub fn serve(self, resource: impl Into<Resource>) -> Self {
        self.fault(IdentityFault::Serve(resource.into()))
    }

    /// A8: `Content-Range` says this total.
    pub fn total(self, total: u64) -> Self {
        self.fault(IdentityFault::Total(total))
    }

    /// A9, A10: these ETags, given with their quotes, in turns by request.
    pub fn etags<'a>(self, values: impl IntoIterator<Item = &'a str>) -> Self {
        let values = values.into_iter().map(str::to_owned).collect();
        self.fault(IdentityFault::ETags { values, by_connection: false })
    }

    /// A10: these ETags, given with their quotes, in turns by connection, as nodes behind one name have.
    pub fn etags_by_connection<'a>(self, values: impl IntoIterator<Item = &'a str>) -> Self {
        let values = values.into_iter().map(str::to_owned).collect();
        self.fault(IdentityFault::ETags { values, by_connection: true })
    }

    /// A11: the ETag is marked weak.
    pub fn weak_etag(self) -> Self {
        self.fault(IdentityFault::WeakETag)
    }

    /// A11: a weak ETag in `If-Range` counts as a match, which it must not.
    pub fn honour_weak_if_range(self) -> Self {
        self.fault(IdentityFault::HonourWeakIfRange)
    }

    /// A12: no ETag; `Last-Modified` is all there is.
    pub fn no_etag(self) -> Self {
        self.fault(IdentityFault::NoETag)
    }

    /// A12: no ETag, and `Last-Modified` is `age` before `Date`.
    pub fn last_modified_age(self, age: Duration) -> Self {
        self.fault(IdentityFault::LastModifiedAge(age))
    }

    /// A10: neither ETag nor `Last-Modified`.
    pub fn no_validators(self) -> Self {
        self.fault(IdentityFault::NoValidators)
    }

    /// A13: a 206 whatever `If-Range` says.
    pub fn ignore_if_range(self) -> Self {
        self.fault(IdentityFault::IgnoreIfRange)
    }
}
