//! What an answer means: a pure function of what was asked, what is known, and what the head says.
//!
//! Knows nothing of retries, connections or readers; it only says what the body is, or why there is none to be used.

use super::Expect;
use super::{ContentRange, Field, Framing, ResponseHead, Validator};
use crate::{ByteRange, Cause};

/// What was asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    /// The first byte.
    pub(crate) first: u64,
    /// Without `Range`.
    pub(crate) plain: bool,
    /// Only to learn the total: `bytes=0-0`.
    pub(crate) probe: bool,
    /// What the body should be.
    pub(crate) expect: Expect,
}

/// What earlier answers proved of the resource.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known<'a> {
    /// Whether there was an earlier answer at all.
    pub(crate) answered: bool,
    /// The length of all that is at the URL.
    pub(crate) total: Option<u64>,
    /// Its version.
    pub(crate) validator: &'a Validator,
    /// Whether the ETags of this origin were seen to differ while the bytes were equal (FAULTS A10).
    pub(crate) etags_per_node: bool,
}

/// Whether an answer is of the version that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    /// It is, or nothing was known.
    Same,
    /// Nothing says that it isn't: compare where bytes overlap (FAULTS A10, A11).
    Unproven,
    /// The ETag says that it isn't, and ETags were seen to lie: compare, and don't trust without (FAULTS A10).
    Doubtful,
    /// It is another.
    Other,
}

/// Whether the origin honours ranges, as far as this answer tells. Advice, learned anew each time (FAULTS A17, A28).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ranges {
    /// It answered a part.
    Honoured,
    /// It answered everything to the question for a part.
    Ignored,
    /// Everything was asked and everything came.
    Unknown,
}

/// What to ask next when an answer can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// The same again, after a while.
    Retry,
    /// Without `Range`: the answer to a range can't be placed (FAULTS A4, A21).
    Plain,
    /// For the length alone (FAULTS A15).
    Probe,
    /// Another URL: this one may have expired (FAULTS B22).
    Renew,
    /// Nothing: asking again can't help.
    GiveUp,
}

/// What an answer means.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Judgement {
    /// Its body is bytes of the resource.
    Body(BodyPlace),
    /// There is nothing at the first byte asked for: the resource ends before it.
    End {
        /// Its length.
        total: u64,
        /// Whether that is the length that was known, if one was.
        version: Version,
    },
    /// Its body is of no use.
    Refuse {
        /// Why.
        cause: Cause,
        /// What to ask next.
        remedy: Remedy,
    },
}

/// Where a body belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BodyPlace {
    /// The position of its first byte that is one of the resource.
    pub(crate) at: u64,
    /// How many bytes come before that one, of what is not the resource.
    pub(crate) skip: u64,
    /// The position after its last byte; `None` if its own end will tell.
    pub(crate) end: Option<u64>,
    /// Whether the body goes on behind that, with what is not the resource.
    pub(crate) goes_on: bool,
    /// The length of the whole resource, if the head proves it.
    pub(crate) total: Option<u64>,
    /// The length of all that is at the URL, if the head says it: the same, where that is the resource.
    pub(crate) behind: Option<u64>,
    /// Whether its first bytes show what it is: they are the first of the resource, or of all.
    pub(crate) begins: bool,
    /// Whether the end of the body is the end of the resource.
    pub(crate) whole: bool,
    /// Whether a cut would look like the end (FAULTS B4).
    pub(crate) unverified: bool,
    /// What the answer tells of ranges.
    pub(crate) ranges: Ranges,
    /// Whether the bytes may stand beside those that are there.
    pub(crate) version: Version,
}

/// Judges a response by its head: FAULTS A and B, row by row.
pub(crate) fn judge(head: &ResponseHead, asked: Asked, known: Known<'_>) -> Judgement {
    match head.status {
        200 | 203 | 206 => {}
        204 | 205 => return refuse(Cause::NoContent(head.status), Remedy::Retry),
        416 => return unsatisfied(head, asked, known),
        status => return refuse(Cause::Status(status), remedy_for(status)),
    }
    if head.icy_metadata {
        return refuse(Cause::Icy, Remedy::GiveUp);
    }
    if head.encoded {
        return refuse(Cause::Encoded, Remedy::GiveUp);
    }
    if head.content_length == Field::Invalid && !head.chunked {
        let why = "its Content-Length is not one number".to_owned();
        return refuse(Cause::Protocol(why), Remedy::Retry);
    }
    if asked.expect == Expect::Media && head.content_type.as_deref().is_some_and(is_playlist) {
        return refuse(Cause::hls(), Remedy::GiveUp);
    }
    if let Some(document) = document(head) {
        let remedy = if known.answered { Remedy::Retry } else { Remedy::GiveUp };
        return refuse(Cause::NotMedia(document), remedy);
    }
    if head.status == 206 || is_mislabelled_part(head, asked) {
        part(head, asked, known)
    } else {
        whole(head, asked, known)
    }
}

fn refuse(cause: Cause, remedy: Remedy) -> Judgement {
    Judgement::Refuse { cause, remedy }
}

fn remedy_for(status: u16) -> Remedy {
    match status {
        401 | 403 | 404 | 410 => Remedy::Renew,
        _ if Cause::Status(status).is_retryable() => Remedy::Retry,
        _ => Remedy::GiveUp,
    }
}

/// A page or a document where audio was expected (FAULTS B19). Odd and absent types pass (FAULTS B20).
fn document(head: &ResponseHead) -> Option<String> {
    let media_type = head.content_type.as_deref()?;
    let is_document =
        matches!(media_type, "text/html" | "application/xhtml+xml" | "application/json");
    is_document.then(|| media_type.to_owned())
}

/// HLS (RFC 8216, section 4, and what servers said before it). Its bytes are no audio.
fn is_playlist(media_type: &str) -> bool {
    matches!(
        media_type,
        "application/vnd.apple.mpegurl"
            | "application/x-mpegurl"
            | "audio/mpegurl"
            | "audio/x-mpegurl"
    )
}

/// A 200 whose body is the slice that was asked for, labelled as one (FAULTS A6). `Content-Range` means nothing on a
/// 200 (RFC 9110, section 14.4), so all three numbers must agree.
fn is_mislabelled_part(head: &ResponseHead, asked: Asked) -> bool {
    match (head.content_range, head.content_length) {
        (Field::Valid(ContentRange::Bytes { range, total }), Field::Valid(length)) => {
            !asked.plain
                && range.start == asked.first
                && range.len() == length
                && total.is_some_and(|total| total != length)
        }
        _ => false,
    }
}

/// 206: the bytes belong where `Content-Range` says, not where they were asked for (RFC 9110, section 15.3.7).
fn part(head: &ResponseHead, asked: Asked, known: Known<'_>) -> Judgement {
    let next = if asked.plain { Remedy::Retry } else { Remedy::Plain };
    let multipart =
        head.content_type.as_deref().is_some_and(|media_type| media_type.starts_with("multipart/"));
    let Field::Valid(ContentRange::Bytes { range, total }) = head.content_range else {
        return refuse(Cause::NoPosition, next);
    };
    if multipart || is_whole_behind_slice(head, range, total) {
        return refuse(Cause::NoPosition, next);
    }
    // Bytes before the wanted one and none from it on: of no use (FAULTS A2). A later start leaves a hole, no more.
    if range.end <= asked.first {
        let (wanted, first) = (asked.first, range.start);
        return refuse(Cause::Misplaced { wanted, first }, next);
    }
    let total = total.filter(|_| !head.icy);
    Judgement::Body(BodyPlace {
        at: range.start,
        skip: 0,
        end: Some(range.end),
        goes_on: false,
        total,
        behind: total,
        begins: range.start == 0,
        whole: false,
        unverified: false,
        // A live stream goes on from now, whatever its head says (FAULTS B28).
        ranges: if head.icy { Ranges::Ignored } else { Ranges::Honoured },
        version: version(head, total, known),
    })
}

/// The length of everything behind the head of a later slice: such a body begins at 0, whatever the head says (FAULTS
/// A5). Behind the head of the first slice it is right up to its end.
fn is_whole_behind_slice(head: &ResponseHead, range: ByteRange, total: Option<u64>) -> bool {
    let length = match head.content_length {
        Field::Valid(length) => Some(length),
        _ => None,
    };
    range.start > 0 && length.is_some() && length == total
}

/// 200: the body starts at 0, whatever was asked (FAULTS A1).
fn whole(head: &ResponseHead, asked: Asked, known: Known<'_>) -> Judgement {
    let length = match head.framing() {
        Framing::Length(0) => return refuse(Cause::NoContent(head.status), Remedy::Retry),
        Framing::Length(length) => Some(length),
        Framing::Chunked | Framing::Close => None,
    };
    // A live stream's length is invented (FAULTS B28).
    let total = length.filter(|_| !head.icy);
    Judgement::Body(BodyPlace {
        at: 0,
        skip: 0,
        end: length.or(known.total),
        goes_on: false,
        total,
        behind: total,
        begins: true,
        whole: true,
        unverified: head.framing() == Framing::Close,
        ranges: if (asked.plain || asked.first == 0) && !head.icy {
            Ranges::Unknown
        } else {
            Ranges::Ignored
        },
        version: version(head, total, known),
    })
}

/// Whether the answer is of the version that is known (FAULTS A8-A13). `If-Range` is no proof: it may be ignored.
fn version(head: &ResponseHead, total: Option<u64>, known: Known<'_>) -> Version {
    if !known.answered {
        return Version::Same;
    }
    let (old, new) = (known.validator, &head.validator);
    if matches!((known.total, total), (Some(one), Some(two)) if one != two) {
        return Version::Other;
    }
    if known.etags_per_node {
        return if old.last_modified_differs(new) { Version::Other } else { Version::Unproven };
    }
    if old.same_strong_etag(new) {
        return Version::Same;
    }
    if old.last_modified_differs(new) {
        return Version::Other;
    }
    if old.etag_differs(new) {
        return Version::Doubtful;
    }
    let dated = old.etag.is_none() && new.etag.is_none() && old.if_range().is_some();
    if dated && new.last_modified.is_some() { Version::Same } else { Version::Unproven }
}

/// 416 (RFC 9110, section 15.5.17; FAULTS A14, A15).
fn unsatisfied(head: &ResponseHead, asked: Asked, known: Known<'_>) -> Judgement {
    let Field::Valid(ContentRange::Unsatisfied { total }) = head.content_range else {
        let remedy = match asked {
            Asked { plain: true, .. } => Remedy::Retry,
            Asked { probe: true, .. } => Remedy::Plain,
            _ => Remedy::Probe,
        };
        return refuse(Cause::Unsatisfiable, remedy);
    };
    let version = match known.total {
        Some(before) if before != total => Version::Other,
        _ => Version::Same,
    };
    if asked.first < total && version == Version::Same {
        // Refused inside the resource: the origin's fault.
        let remedy = if asked.plain { Remedy::Retry } else { Remedy::Plain };
        return refuse(Cause::Unsatisfiable, remedy);
    }
    Judgement::End { total, version }
}

#[cfg(test)]
#[path = "judgement_tests.rs"]
mod tests;
