//! The injections, by family: each changes what a request sees of the origin before the honest answer is made
//! (`prepare`), or the answer after (`apply`). Each family's file has its catalogue and the methods of [`Injection`]
//! that name its faults.
//!
//! Rows of the fault catalogue and what injects them:
//!
//! | row | injection |
//! |---|---|
//! | A1 A28 | `ignore_range`, `nth(0).ignore_range` |
//! | A2 | `shift_start(-k)`, `shift_start(k)`, `start_at(0)`, `align_start(block)` |
//! | A3 | `short(bytes)` |
//! | A4 A15 | `no_content_range` (of a 206; of a 416) |
//! | A5 | `append_junk(bytes)`, `whole_behind_slice` |
//! | A6 | `slice_as_200` |
//! | A7 | `unasked_206(first, last)` |
//! | A8 | `total(n)`, `serve(resource)`, [`Origin::put`](super::Origin::put) |
//! | A9 A10 | `etags([..])`, `etags_by_connection([..])` |
//! | A11 A12 | `weak_etag`, `honour_weak_if_range`; `last_modified_age(Duration::ZERO)` |
//! | A13 | `ignore_if_range` |
//! | A14 | honest at the end; `refuse_range(total)` anywhere |
//! | A16 | `instead_of_416(..)` |
//! | A17 | `accept_ranges(..)` |
//! | A18 | `on_head().status(403)` |
//! | A19 A20 | `range_in_query(name)`; `unknown_total` |
//! | A21 | `multipart`, `malformed_multipart` |
//! | A22 | `invalid_content_range(..)`, `content_range(text)` |
//! | A23 B12 | `content_lengths([..])` |
//! | A24 A27 | `ignore_suffix`; `last_off_by(k)` |
//! | A25 A26 | `throttle_over(bytes, rate)`; `cut_slices(bytes)` |
//! | B1 B6 B29 | `cut_at(k)`, `cut_in_head(k)`, `cut_before_head` |
//! | B2 B3 | `without_last_chunk`, `chunked(n).cut_at(k)`; `chunked(n).end_chunks_at(k)` |
//! | B4 B5 | `close_delimited`; `without_close_notify` |
//! | B7 | `reset_at(k)`, `reset_before_head`, `on_reused().reset_before_head()` |
//! | B8 | `stall_at(k)`, `stall_before_head`, `stall_in_head(k)` |
//! | B9 B10 | `pause_at(k, d)`, `trickle(bytes, every)`, `trickle_from(k, bytes, every)`, `trickle_head`, `rate(n)` |
//! | B11 | `send_timeout(d)`, `OriginBuilder::idle_close(d)`, `close_unannounced` |
//! | B13 B14 B15 | `gzip`, `content_encoding(label)` (the ETag stays; ranges are of the coded bytes) |
//! | B18 | `no_content`, `empty(status)` |
//! | B19 B20 | `html_page`, `json_page`; `content_type(..)` |
//! | B21 | `redirect(status, url)`, `redirects(status, [..])` |
//! | B22 B23 | `signed_for_requests(name, n)`, `signed_for(name, d)`; `status(403)` |
//! | B24 B25 | `status(n)`, `retry_after(text)`, `retry_after_date(d)`, `times(n)` |
//! | B26 B27 B28 | `icy_status_line`; `icy_metadata(every, title)`; `endless`, `fake_range(length)`, `serve(vec![0xFF; n])` |
//! | B16 B17 B30 | not here: HTTP/2 (B17's `not processed` is a reset before the head), and what a client library does |

use super::{reply::Reply, respond::View};

mod content_range;
mod framing;
mod identity;
mod live;
mod message;
mod pace;
mod ranges;
mod status;
mod stop;

pub use content_range::{ContentRangeFault, ContentRangeFlaw};
pub use framing::FramingFault;
pub use identity::IdentityFault;
pub use live::LiveFault;
pub use message::MessageFault;
pub use pace::PaceFault;
pub use ranges::{Instead, RangeFault};
pub use status::{SignedUrls, StatusFault};
pub use stop::{Ending, StopFault};

/// One injection.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Which bytes a range request gets (A1-A3, A5-A7, A14-A26).
    Range(RangeFault),
    /// What `Content-Range` says of them (A4, A15, A20, A22, A27).
    ContentRange(ContentRangeFault),
    /// Which version the answer says it is (A8-A13).
    Identity(IdentityFault),
    /// Which answer comes instead (B18-B25).
    Status(StatusFault),
    /// What fields and coding the answer has (B13-B15, B20).
    Message(MessageFault),
    /// How the end of the body is told (B2-B5, B12).
    Framing(FramingFault),
    /// Where the answer ends too early, and how (B1-B8).
    Stop(StopFault),
    /// When its bytes come (B8-B11).
    Pace(PaceFault),
    /// What live streams do (B26-B28).
    Live(LiveFault),
}

impl Fault {
    /// Changes what the request sees.
    pub(super) fn prepare(&self, view: &mut View<'_>) {
        match self {
            Self::Range(fault) => fault.prepare(view),
            Self::Identity(fault) => fault.prepare(view),
            Self::Message(fault) => fault.prepare(view),
            Self::ContentRange(_)
            | Self::Status(_)
            | Self::Framing(_)
            | Self::Stop(_)
            | Self::Pace(_)
            | Self::Live(_) => {}
        }
    }

    /// Changes the answer.
    pub(super) fn apply(&self, view: &View<'_>, reply: &mut Reply) {
        match self {
            Self::Range(fault) => fault.apply(view, reply),
            Self::ContentRange(fault) => fault.apply(reply),
            Self::Identity(fault) => fault.apply(reply),
            Self::Status(fault) => fault.apply(view, reply),
            Self::Message(fault) => fault.apply(reply),
            Self::Framing(fault) => fault.apply(reply),
            Self::Stop(fault) => fault.apply(reply),
            Self::Pace(fault) => fault.apply(reply),
            Self::Live(fault) => fault.apply(view, reply),
        }
    }
}

macro_rules! families {
    ($($family:ident($fault:ident)),* $(,)?) => {$(
        impl From<$fault> for Fault {
            fn from(fault: $fault) -> Self {
                Self::$family(fault)
            }
        }
    )*};
}

families! {
    Range(RangeFault), ContentRange(ContentRangeFault), Identity(IdentityFault), Status(StatusFault),
    Message(MessageFault), Framing(FramingFault), Stop(StopFault), Pace(PaceFault), Live(LiveFault),
}
