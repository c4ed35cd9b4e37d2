//! Which bytes a range request gets: rows A1-A3, A5-A7, A14, A16-A19, A21 and A24-A26.

use bytes::Bytes;

use crate::origin::{
    reply::{Body, Reply, Stop, StopHow},
    request::{Method, RangeSpec},
    respond::View,
    rule::Injection,
};

/// A fault in the answer to a range request.
#[derive(Clone, Debug)]
pub enum RangeFault {
    /// `Range` is ignored: 200 with all of it.
    Ignore,
    /// A suffix range is ignored, other ranges are not.
    IgnoreSuffix,
    /// The range served, and honestly described, starts so much later (earlier if negative).
    ShiftStart(i64),
    /// The range served starts here.
    StartAt(u64),
    /// The range served starts at a multiple of this.
    AlignStart(u64),
    /// At most so many bytes of the range are served.
    Short(u64),
    /// 206 with this range, inclusive, to a request that asked for none.
    Unasked(u64, u64),
    /// The range is taken from this parameter of the query, and the answer is a 200.
    InQuery(String),
    /// So many more bytes follow the range.
    AppendJunk(u64),
    /// `Content-Range` as asked, and all of the resource as the body.
    WholeBehindSlice,
    /// A 206 says 200.
    SliceAs200,
    /// `Accept-Ranges` is this, or left out.
    AcceptRanges(Option<String>),
    /// 416 whatever was asked; `Content-Range` with this total, or none.
    Refuse(Option<u64>),
    /// What comes where 416 is due.
    InsteadOf416(Instead),
    /// `multipart/byteranges` with the range as its only part.
    Multipart {
        /// An empty line where the part's fields should begin.
        malformed: bool,
    },
    /// The body ends, by a FIN, at the next multiple of this position in the resource.
    CutSlices(u64),
    /// Bodies of more than `over` bytes come at `rate` bytes per second.
    Throttle {
        /// Bodies up to this length are not slowed.
        over: u64,
        /// Bytes per second.
        rate: u64,
    },
}

/// What comes where 416 is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instead {
    /// 200 with all of it.
    Whole,
    /// 200 with an empty body.
    Empty,
    /// The connection is closed without an answer.
    Hangup,
}

impl RangeFault {
    pub(super) fn prepare(&self, view: &mut View<'_>) {
        let total = view.resource.as_ref().map_or(0, |resource| resource.total());
        match self {
            Self::Ignore => view.range = None,
            Self::IgnoreSuffix => {
                view.range = view.range.filter(|range| !matches!(range, RangeSpec::Suffix { .. }));
            }
            Self::ShiftStart(by) => {
                move_range(view, total, |first, last| {
                    (first.saturating_add_signed(*by).min(last), last)
                });
            }
            Self::StartAt(start) => move_range(view, total, |_, last| ((*start).min(last), last)),
            Self::AlignStart(block) => {
                move_range(view, total, |first, last| {
                    (first / block.max(&1) * block.max(&1), last)
                });
            }
            Self::Short(bytes) => {
                let most = bytes.saturating_sub(1);
                move_range(view, total, |first, last| {
                    (first, last.min(first.saturating_add(most)))
                });
            }
            Self::Unasked(first, last) if view.request.headers.value("Range").is_none() => {
                view.range = Some(RangeSpec::FromTo { first: *first, last: *last });
            }
            Self::InsteadOf416(_)
                if view.range.is_some_and(|range| range.resolve(total).is_none()) =>
            {
                view.range = None;
            }
            _ => {}
        }
    }

    pub(super) fn apply(&self, view: &View<'_>, reply: &mut Reply) {
        match self {
            Self::InQuery(name) => serve_query(view, reply, name),
            Self::AppendJunk(bytes) if reply.status == 206 => {
                let mut body = reply.body.bytes().to_vec();
                body.resize(body.len() + *bytes as usize, 0xEE);
                reply.set_body(Body::Plain(body.into()));
            }
            Self::WholeBehindSlice if reply.status == 206 => {
                if let Some(resource) = &view.resource {
                    reply.set_body(Body::Plain(resource.bytes.clone()));
                }
            }
            Self::SliceAs200 if reply.status == 206 => reply.status = 200,
            Self::AcceptRanges(Some(value)) => reply.headers.set("Accept-Ranges", value.as_str()),
            Self::AcceptRanges(None) => reply.headers.remove("Accept-Ranges"),
            Self::Refuse(total) => {
                reply.replace(416, Bytes::new());
                if let Some(total) = total {
                    reply.headers.set("Content-Range", format!("bytes */{total}"));
                }
            }
            Self::InsteadOf416(instead) => instead.apply(view, reply),
            Self::Multipart { malformed } => multipart(reply, *malformed),
            Self::CutSlices(block) => cut_slices(reply, *block),
            Self::Throttle { over, rate } if reply.body.len() > *over => {
                reply.script.rate = Some(*rate);
            }
            _ => {}
        }
    }
}

impl Instead {
    fn apply(self, view: &View<'_>, reply: &mut Reply) {
        let total = view.resource.as_ref().map_or(0, |resource| resource.total());
        let due = view.request.method == Method::Get
            && view.request.range().is_some_and(|range| range.resolve(total).is_none());
        match self {
            _ if !due => {}
            Self::Whole => {}
            Self::Empty => reply.set_body(Body::Plain(Bytes::new())),
            Self::Hangup => {
                reply.script.head_stop = Some(Stop { at: 0, how: StopHow::Fin });
            }
        }
    }
}

/// Faults in the answers to range requests.
impl Injection<'_> {
    /// A1: 200 with all of it, whatever range is asked. A28: only for the first request.
    pub fn ignore_range(self) -> Self {
        self.fault(RangeFault::Ignore)
    }

    /// A24: `bytes=-n` is ignored.
    pub fn ignore_suffix(self) -> Self {
        self.fault(RangeFault::IgnoreSuffix)
    }

    /// A2: the range served, and described by `Content-Range`, starts `by` bytes later, or earlier.
    pub fn shift_start(self, by: i64) -> Self {
        self.fault(RangeFault::ShiftStart(by))
    }

    /// A2: the range served starts at `position`.
    pub fn start_at(self, position: u64) -> Self {
        self.fault(RangeFault::StartAt(position))
    }

    /// A2: the range served starts at the multiple of `block` at or before what was asked.
    pub fn align_start(self, block: u64) -> Self {
        self.fault(RangeFault::AlignStart(block))
    }

    /// A3: an honest 206 with at most `bytes` bytes.
    pub fn short(self, bytes: u64) -> Self {
        self.fault(RangeFault::Short(bytes))
    }

    /// A5: `bytes` bytes more than `Content-Range` says; `Content-Length` counts them.
    pub fn append_junk(self, bytes: u64) -> Self {
        self.fault(RangeFault::AppendJunk(bytes))
    }

    /// A5: the whole resource behind the head of a slice.
    pub fn whole_behind_slice(self) -> Self {
        self.fault(RangeFault::WholeBehindSlice)
    }

    /// A6: 200 with the slice and its `Content-Range`.
    pub fn slice_as_200(self) -> Self {
        self.fault(RangeFault::SliceAs200)
    }

    /// A7: 206 with bytes `first` to `last`, inclusive, to a request without a range.
    pub fn unasked_206(self, first: u64, last: u64) -> Self {
        self.fault(RangeFault::Unasked(first, last))
    }

    /// A14: 416 to anything, with `bytes */total`, or without `Content-Range`.
    pub fn refuse_range(self, total: Option<u64>) -> Self {
        self.fault(RangeFault::Refuse(total))
    }

    /// A16: something else where 416 is due.
    pub fn instead_of_416(self, instead: Instead) -> Self {
        self.fault(RangeFault::InsteadOf416(instead))
    }

    /// A17: `Accept-Ranges` is `value`, or left out.
    pub fn accept_ranges(self, value: Option<&str>) -> Self {
        self.fault(RangeFault::AcceptRanges(value.map(str::to_owned)))
    }

    /// A19: `?name=first-last` selects the range, and a 200 with its length answers.
    pub fn range_in_query(self, name: &str) -> Self {
        self.fault(RangeFault::InQuery(name.to_owned()))
    }

    /// A21: a multipart answer with one part.
    pub fn multipart(self) -> Self {
        self.fault(RangeFault::Multipart { malformed: false })
    }

    /// A21: a multipart answer whose part begins with an empty line.
    pub fn malformed_multipart(self) -> Self {
        self.fault(RangeFault::Multipart { malformed: true })
    }

    /// A25: bodies over `bytes` come at `rate` bytes per second.
    pub fn throttle_over(self, bytes: u64, rate: u64) -> Self {
        self.fault(RangeFault::Throttle { over: bytes, rate })
    }

    /// A26: a cache of slices sends the first slice only, and drops the connection at its end.
    pub fn cut_slices(self, bytes: u64) -> Self {
        self.fault(RangeFault::CutSlices(bytes))
    }
}

/// Replaces a satisfiable range by what `edit` makes of its first and last position.
fn move_range(view: &mut View<'_>, total: u64, edit: impl FnOnce(u64, u64) -> (u64, u64)) {
    if let Some((first, last)) = view.range.and_then(|range| range.resolve(total)) {
        let (first, last) = edit(first, last);
        view.range = Some(RangeSpec::FromTo { first, last });
    }
}

fn serve_query(view: &View<'_>, reply: &mut Reply, name: &str) {
    let parameters = view.request.query.iter().flat_map(|query| query.split('&'));
    let value = parameters.filter_map(|pair| pair.split_once('=')).find(|(n, _)| *n == name);
    let range = value.and_then(|(_, range)| RangeSpec::parse(&format!("bytes={range}")));
    let Some((resource, range)) = view.resource.as_ref().zip(range) else {
        return;
    };
    if let Some((first, last)) = range.resolve(resource.total()) {
        reply.status = 200;
        reply.slice = None;
        reply.headers.remove("Content-Range");
        reply.set_body(Body::Plain(resource.bytes.slice(first as usize..=last as usize)));
    }
}

fn multipart(reply: &mut Reply, malformed: bool) {
    let Some(slice) = reply.slice.filter(|_| reply.status == 206) else {
        return;
    };
    const BOUNDARY: &str = "infill-0123456789";
    let kind = reply.headers.value("Content-Type").unwrap_or("application/octet-stream");
    let blank = if malformed { "\r\n" } else { "" };
    let range = slice.content_range();
    let mut body =
        format!("--{BOUNDARY}\r\n{blank}Content-Type: {kind}\r\nContent-Range: {range}\r\n\r\n")
            .into_bytes();
    body.extend_from_slice(&reply.body.bytes());
    body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    reply.headers.remove("Content-Range");
    reply.headers.set("Content-Type", format!("multipart/byteranges; boundary={BOUNDARY}"));
    reply.slice = None;
    reply.set_body(Body::Plain(body.into()));
}

fn cut_slices(reply: &mut Reply, block: u64) {
    let Some(slice) = reply.slice else { return };
    let block = block.max(1);
    let boundary = (slice.first / block + 1) * block;
    if boundary <= slice.last {
        reply.script.stop = Some(Stop { at: boundary - slice.first, how: StopHow::Fin });
    }
}
