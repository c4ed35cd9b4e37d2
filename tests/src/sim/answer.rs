//! What goes wrong with an answer: at most one fault each, on top of what the site is like.

use bytes::Bytes;
use infill_core::FailureKind;
use infill_core::http::FetchRequest;

use super::fault::Fault;
use super::origin::{Answer, End, Part, Reply, Site, Slow};
use super::plan::{BodyFraming, Validators};
use super::stage::Stage;

/// The answer of a site to a request.
pub(super) fn answer(site: &Site, stage: &mut Stage, request: &FetchRequest) -> Answer {
    count_nature(site, stage, request);
    let fault = draw(site, stage);
    let etag = match fault {
        Some(Fault::OtherEtag) if !site.etag(stage).is_empty() => {
            stage.injected(Fault::OtherEtag);
            format!("\"other{}\"", site.requests())
        }
        _ => site.etag(stage),
    };
    let mut reply = site.honest(stage, request, &etag);
    let Some(fault) = fault else {
        return Answer::Reply(reply);
    };
    if let Some(answer) = instead(fault, stage, request, &reply) {
        stage.injected(fault);
        return answer;
    }
    let changed = change_range(fault, site, stage, request, &mut reply)
        || change_head(fault, site, stage, &mut reply)
        || change_body(fault, stage, &mut reply);
    if changed {
        stage.injected(fault);
    }
    Answer::Reply(reply)
}

/// A refusal as of an expired URL.
pub(super) fn denied(stage: &mut Stage) -> Reply {
    let status = [401, 403, 404, 410][stage.rng.usize(0..4)];
    let mut reply = Reply::new(status);
    reply.body = Bytes::from_static(b"no\n");
    reply.frame(BodyFraming::Length);
    reply.set("Content-Type", "text/plain");
    reply
}

/// The fault of this answer, if any.
fn draw(site: &Site, stage: &mut Stage) -> Option<Fault> {
    if stage.healed {
        return None;
    }
    let hides_total = |fault: Fault| {
        matches!(
            fault,
            Fault::UnknownTotal | Fault::WrongTotal | Fault::InvalidLength | Fault::LengthMismatch
        )
    };
    site.plan
        .faults
        .iter()
        .filter(|(fault, _)| !(site.total_is_validator && hides_total(*fault)))
        .find(|(_, in_256)| stage.chance(*in_256))
        .map(|(fault, _)| *fault)
}

/// Counts what this site is like, each time it shows.
fn count_nature(site: &Site, stage: &mut Stage, request: &FetchRequest) {
    let plan = &site.plan;
    match plan.validators {
        Validators::Weak => stage.injected(Fault::WeakEtag),
        Validators::Nodes => stage.injected(Fault::NodeEtags),
        Validators::YoungModified => stage.injected(Fault::YoungModified),
        Validators::None => stage.injected(Fault::NoValidator),
        Validators::Strong | Validators::EtagOnly | Validators::Modified => {}
    }
    match plan.framing {
        BodyFraming::Length => {}
        BodyFraming::Chunked => stage.injected(Fault::Chunked),
        BodyFraming::Close => stage.injected(Fault::CloseDelimited),
    }
    if plan.content_type != Some("audio/mpeg") {
        stage.injected(Fault::OddType);
    }
    if !plan.ranges {
        stage.injected(Fault::NoRanges);
    }
    if plan.late_ranges && site.requests() <= 2 {
        stage.injected(Fault::LateRanges);
    }
    if !plan.if_range && request.if_range.is_some() {
        stage.injected(Fault::IfRangeIgnored);
    }
}

/// Faults that leave nothing of the honest answer.
fn instead(
    fault: Fault,
    stage: &mut Stage,
    request: &FetchRequest,
    honest: &Reply,
) -> Option<Answer> {
    let page = |content_type: Option<&str>, text: &'static str| {
        let mut reply = Reply::new(200);
        reply.body = Bytes::from_static(text.as_bytes());
        reply.frame(BodyFraming::Length);
        if let Some(content_type) = content_type {
            reply.set("Content-Type", content_type);
        }
        Some(Answer::Reply(reply))
    };
    let status = |status: u16| {
        let mut reply = Reply::new(status);
        reply.frame(BodyFraming::Length);
        if let Some((_, date)) = honest.fields.iter().find(|(name, _)| *name == "Date") {
            reply.set("Date", date.clone());
        }
        reply
    };
    match fault {
        Fault::HeadStall => Some(Answer::Silent),
        Fault::NotHttp => Some(Answer::Failed(FailureKind::Protocol)),
        Fault::ConnectFailed => Some(Answer::Failed(FailureKind::Connect)),
        // Only a pooled connection can be dead.
        Fault::NotProcessed if !request.fresh => Some(Answer::Failed(FailureKind::NotProcessed)),
        Fault::Denied => Some(Answer::Reply(denied(stage))),
        Fault::ServerError => {
            let code = [500, 502, 503, 504, 408, 425][stage.rng.usize(0..6)];
            Some(Answer::Reply(status(code)))
        }
        Fault::Busy => {
            let mut reply = status([429, 503][stage.rng.usize(0..2)]);
            let values = ["0", "1", "7", "86400", "-3", "soon", "Tue, 14 Nov 2023 22:14:00 GMT"];
            reply.set("Retry-After", values[stage.rng.usize(0..values.len())]);
            Some(Answer::Reply(reply))
        }
        Fault::NoContent => Some(Answer::Reply(Reply::new(204))),
        Fault::EmptyBody => Some(Answer::Reply(status(200))),
        Fault::Page if stage.rng.bool() => page(Some("application/json"), "{\"error\":\"busy\"}"),
        Fault::Page => page(Some("text/html"), "<!DOCTYPE html><title>Sign in</title>"),
        Fault::SniffedPage => page(None, "<html><body>File Assembly error</body></html>"),
        Fault::Refused416 | Fault::Refused416Bare if !request.plain && honest.status == 206 => {
            let mut reply = status(416);
            if let (Fault::Refused416, Some(part)) = (fault, honest.part) {
                reply.set("Content-Range", format!("bytes */{}", part.total));
            }
            Some(Answer::Reply(reply))
        }
        Fault::IcyMetadata => {
            let mut reply = Reply::new(200);
            reply.set("icy-metaint", "16000");
            reply.set("Content-Type", "audio/mpeg");
            reply.body = Bytes::from_static(&[0xff; 64]);
            reply.frame(BodyFraming::Close);
            Some(Answer::Reply(reply))
        }
        _ => None,
    }
}

/// Faults of the range: another one than was asked for, or none. Whether it changed anything.
fn change_range(
    fault: Fault,
    site: &Site,
    stage: &mut Stage,
    request: &FetchRequest,
    reply: &mut Reply,
) -> bool {
    let version = site.current();
    let total = version.content.total();
    if fault == Fault::UnaskedRange && request.plain && total > 1 {
        reply.status = 206;
        reply.place(version, Part { first: 0, end: total / 2, total });
        return true;
    }
    let Some(part) = reply.part else {
        return false;
    };
    let first = match fault {
        Fault::RangeIgnored => {
            reply.status = 200;
            reply.part = None;
            reply.remove("Content-Range");
            reply.body = version.content.slice(0, total);
            reply.frame(reply.framing);
            return true;
        }
        Fault::RangeAs200 => {
            // Without its length, the slice could not be told from the whole.
            if part.first == 0 || reply.framing != BodyFraming::Length {
                return false;
            }
            reply.status = 200;
            return true;
        }
        Fault::ShortRange if part.end - part.first > 1 => {
            let end = stage.rng.u64(part.first + 1..part.end);
            reply.place(version, Part { end, ..part });
            return true;
        }
        Fault::ShiftedBack if part.first > 0 => {
            part.first - stage.rng.u64(1..=part.first.min(9000))
        }
        Fault::ShiftedAhead if part.end - part.first > 1 => {
            part.first + stage.rng.u64(1..part.end - part.first)
        }
        Fault::ShiftedToStart if part.first > 0 => 0,
        _ => return false,
    };
    reply.place(version, Part { first, ..part });
    true
}

/// Faults of the head alone. Whether it changed anything.
fn change_head(fault: Fault, site: &Site, stage: &mut Stage, reply: &mut Reply) -> bool {
    if fault == Fault::InvalidLength {
        reply.remove("Transfer-Encoding");
        reply.set("Content-Length", format!("{0}, {0}1", reply.body.len()));
        return reply.status != 416;
    }
    if fault == Fault::Encoded {
        reply.set("Content-Encoding", ["gzip", "br"][stage.rng.usize(0..2)]);
        reply.body = Bytes::from_static(&[0x1f, 0x8b, 8, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
        return reply.status != 416;
    }
    let Some(Part { first, end, total }) = reply.part else {
        return false;
    };
    match fault {
        Fault::NoContentRange => reply.remove("Content-Range"),
        Fault::WrongTotal => {
            reply.set("Content-Range", format!("bytes {first}-{}/{}", end - 1, total + 7));
        }
        Fault::UnknownTotal => reply.set("Content-Range", format!("bytes {first}-{}/*", end - 1)),
        Fault::Multipart => {
            reply.remove("Content-Range");
            reply.set("Content-Type", "multipart/byteranges; boundary=x");
        }
        Fault::InvalidContentRange => {
            let last = end - 1;
            let value = match stage.rng.u32(0..4) {
                0 => format!("bytes {}-{first}/{total}", last + 1),
                1 => format!("bytes {first}-{last}/{last}"),
                2 => format!("items {first}-{last}/{total}"),
                _ => format!("bytes={first}-{last}/{total}"),
            };
            reply.set("Content-Range", value);
        }
        Fault::LengthMismatch if reply.framing == BodyFraming::Length => {
            let length = end - first;
            if stage.rng.bool() && length > 1 {
                reply.body.truncate(length as usize / 2);
                reply.set("Content-Length", (length / 2).to_string());
            } else {
                reply.set("Content-Length", (length + 5).to_string());
                reply.end = End::Failed(FailureKind::Truncated);
            }
        }
        Fault::LongBody => {
            let more = stage.rng.u64(1..4000);
            reply.body = site.current().content.slice(first, end + more);
            reply.frame(reply.framing);
        }
        _ => return false,
    }
    true
}

/// Faults of the body's course. Whether it changed anything.
fn change_body(fault: Fault, stage: &mut Stage, reply: &mut Reply) -> bool {
    let length = reply.body.len() as u64;
    if length == 0 {
        return false;
    }
    let at = stage.rng.u64(0..length);
    let slow = |from: u64, bytes: u64, every: u64| {
        Some(Slow { from, bytes, every: std::time::Duration::from_millis(every) })
    };
    match fault {
        Fault::Cut => {
            reply.body.truncate(at as usize);
            match reply.framing {
                BodyFraming::Length => reply.end = End::Failed(FailureKind::Truncated),
                BodyFraming::Chunked => {
                    stage.injected(Fault::ChunkedCut);
                    reply.end = End::Failed(FailureKind::Truncated);
                }
                // Looks like the end.
                BodyFraming::Close => stage.injected(Fault::CloseCut),
            }
        }
        Fault::Reset => {
            reply.body.truncate(at as usize);
            reply.end = End::Failed(FailureKind::Reset);
        }
        Fault::Stall => {
            reply.body.truncate(at as usize);
            reply.end = End::Silent;
        }
        Fault::Trickle => reply.slow = slow(at, 1, stage.rng.u64(500..3000)),
        Fault::Throttled => reply.slow = slow(length / 8, (length / 64).max(1024), 250),
        _ => return false,
    }
    true
}
