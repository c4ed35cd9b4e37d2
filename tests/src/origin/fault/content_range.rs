//! What `Content-Range` says of the bytes: rows A4, A15, A20, A22 and A27. The body stays as it is.

use crate::origin::{reply::Reply, rule::Injection};

/// A fault in `Content-Range`.
#[derive(Clone, Debug)]
pub enum ContentRangeFault {
    /// It is left out.
    None,
    /// It is this text.
    Text(String),
    /// It is invalid.
    Flawed(ContentRangeFlaw),
    /// It says `/*`.
    UnknownTotal,
    /// Its last position is off by so much.
    LastOffBy(i64),
}

/// How a `Content-Range` is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentRangeFlaw {
    /// The last position is before the first.
    LastBeforeFirst,
    /// The total is not after the last position.
    TotalTooSmall,
    /// Another unit than bytes.
    OtherUnit,
    /// Positions that do not fit 64 bits.
    Overflow,
    /// No range at all.
    Garbage,
}

impl ContentRangeFault {
    pub(super) fn apply(&self, reply: &mut Reply) {
        match self {
            Self::None => reply.headers.remove("Content-Range"),
            Self::Text(text) => reply.headers.set("Content-Range", text.as_str()),
            Self::Flawed(flaw) => flaw.apply(reply),
            // `*/*` is not in the grammar: a 416 says the length or nothing.
            Self::UnknownTotal if reply.status == 416 => {}
            Self::UnknownTotal => {
                if let Some((range, _)) =
                    reply.headers.value("Content-Range").and_then(|text| text.rsplit_once('/'))
                {
                    let text = format!("{range}/*");
                    reply.headers.set("Content-Range", text);
                }
            }
            Self::LastOffBy(by) => {
                if let Some(mut slice) = reply.slice.filter(|_| reply.status == 206) {
                    slice.last = slice.last.saturating_add_signed(*by);
                    reply.headers.set("Content-Range", slice.content_range());
                }
            }
        }
    }
}

impl ContentRangeFlaw {
    fn apply(self, reply: &mut Reply) {
        let Some(slice) = reply.slice.filter(|_| reply.status == 206) else {
            return;
        };
        let (first, last, total) = (slice.first, slice.last, slice.total);
        let text = match self {
            Self::LastBeforeFirst => format!("bytes {}-{first}/{total}", last + 1),
            Self::TotalTooSmall => format!("bytes {first}-{last}/{last}"),
            Self::OtherUnit => format!("items {first}-{last}/{total}"),
            Self::Overflow => format!("bytes {first}-99999999999999999999/99999999999999999999999"),
            Self::Garbage => "bytes everything".to_owned(),
        };
        reply.headers.set("Content-Range", text);
    }
}

/// Faults in `Content-Range`.
impl Injection<'_> {
    /// A4 and A15: a 206, or a 416, without `Content-Range`.
    pub fn no_content_range(self) -> Self {
        self.fault(ContentRangeFault::None)
    }

    /// A20: `Content-Range` says `/*`.
    pub fn unknown_total(self) -> Self {
        self.fault(ContentRangeFault::UnknownTotal)
    }

    /// A22: an invalid `Content-Range`.
    pub fn invalid_content_range(self, flaw: ContentRangeFlaw) -> Self {
        self.fault(ContentRangeFault::Flawed(flaw))
    }

    /// A22: this `Content-Range`, on any answer.
    pub fn content_range(self, text: &str) -> Self {
        self.fault(ContentRangeFault::Text(text.to_owned()))
    }

    /// A27: the last position in `Content-Range` is off by so much.
    pub fn last_off_by(self, by: i64) -> Self {
        self.fault(ContentRangeFault::LastOffBy(by))
    }
}
