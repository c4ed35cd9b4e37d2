//! Events and actions as lines of text, one each: `> ` goes into the machine, `< ` comes out.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::rc::Rc;
use std::time::Duration;

use infill_core::catalog::{Generation, Record};
use infill_core::http::{ContentRange, FetchRequest, Field, ResponseHead};
use infill_core::{Action, Answer, Change, Event, Instant, Tier, TrackState, Verification};

/// Lines, shared with whoever prints them, also after a panic.
#[derive(Clone, Debug, Default)]
pub struct Transcript {
    lines: Rc<RefCell<Vec<String>>>,
    last: Rc<RefCell<Option<Instant>>>,
    /// Where each line goes at once, so that it is seen even if the next one never comes.
    live: bool,
}

impl Transcript {
    /// A transcript that also writes each line to standard output at once.
    pub fn live() -> Self {
        Self { live: true, ..Self::default() }
    }

    /// Notes an event.
    pub fn event(&self, now: Instant, event: &Event) {
        self.time(now);
        self.line(format!("> {}", event_line(event)));
    }

    /// Notes an action.
    pub fn action(&self, action: &Action) {
        self.line(format!("< {}", action_line(action)));
    }

    /// Notes a remark.
    pub fn remark(&self, now: Instant, text: &str) {
        self.time(now);
        self.line(format!("# {text}"));
    }

    /// All lines.
    pub fn text(&self) -> String {
        self.lines.borrow().iter().fold(String::new(), |text, line| text + line + "\n")
    }

    /// The last lines.
    pub fn tail(&self, count: usize) -> String {
        let lines = self.lines.borrow();
        lines[lines.len().saturating_sub(count)..].join("\n")
    }

    fn time(&self, now: Instant) {
        if self.last.replace(Some(now)) != Some(now) {
            self.line(format!("@ {}", duration(now.since(Instant::ZERO))));
        }
    }

    fn line(&self, line: String) {
        if self.live {
            // Nobody is told when standard output is closed: the lines are kept all the same.
            let _ = writeln!(io::stdout(), "{line}");
        }
        self.lines.borrow_mut().push(line);
    }
}

/// An event as a line.
pub fn event_line(event: &Event) -> String {
    match event {
        Event::Open { track, source, .. } => format!("Open {track} {}", source.url),
        Event::Attach { track, reader, position } => format!("Attach {track} {reader} @{position}"),
        Event::Detach { reader } => format!("Detach {reader}"),
        Event::Close { track } => format!("Close {track}"),
        Event::ReadRequest { reader, request, latched, range } => {
            let latched = latched.map(|resource| format!(" of {resource}")).unwrap_or_default();
            format!("ReadRequest {reader} {request} {range}{latched}")
        }
        Event::Seek { reader, position } => format!("Seek {reader} @{position}"),
        Event::Advanced { reader, position } => format!("Advanced {reader} @{position}"),
        Event::ResponseStarted { fetch, head } => {
            format!("ResponseStarted {fetch} {}", of_head(head))
        }
        Event::BytesReceived { fetch, bytes } => format!("BytesReceived {fetch} {}", bytes.len()),
        Event::StreamEnded { fetch } => format!("StreamEnded {fetch}"),
        Event::FetchFailed { fetch, failure } => format!("FetchFailed {fetch} {:?}", failure.kind),
        Event::Written { resource, op, result: Ok(_) } => format!("Written {resource} {op}"),
        Event::Written { resource, op, result: Err((failure, bytes)) } => {
            format!("Written {resource} {op} failed, {} back: {}", bytes.len(), failure.detail)
        }
        Event::Verified { resource, op, result: Verification::Digest(_) } => {
            format!("Verified {resource} {op}")
        }
        Event::Verified { resource, op, result } => format!("Verified {resource} {op} {result:?}"),
        Event::Restored(restored) => {
            let damage = restored.damage.as_deref().map(|what| format!(", {what}"));
            let resources = restored.catalog.downloads().len();
            format!("Restored {resources}{}", damage.unwrap_or_default())
        }
        Event::Synced { resource, op, result: Ok(()) } => format!("Synced {resource} {op}"),
        Event::Appended { op, result: Ok(_) } => format!("Appended {op}"),
        Event::Removed { op, result: Ok(()) } => format!("Removed {op}"),
        Event::ReadFailed { resource, range, .. } => format!("ReadFailed {resource} {range}"),
        Event::FreshUrl { track, url: Some(url) } => format!("FreshUrl {track} {url}"),
        Event::FreshUrl { track, url: None } => format!("FreshUrl {track} none"),
        other => format!("{other:?}"),
    }
}

/// An action as a line.
pub fn action_line(action: &Action) -> String {
    match action {
        Action::FetchRange { track, request } => {
            format!("FetchRange {track} {}", of_request(request))
        }
        Action::CancelFetch { fetch, reason } => format!("CancelFetch {fetch} {reason:?}"),
        Action::Grant { fetch, bytes } => format!("Grant {fetch} {bytes}"),
        Action::OpenResource { track, resource } => format!("OpenResource {track} {resource}"),
        Action::Release { resource } => format!("Release {resource}"),
        Action::Write { resource, op, offset, bytes, tier } => {
            let tier = if *tier == Tier::Cache { " cache" } else { "" };
            format!("Write {resource} {op} {offset}..{}{tier}", offset + bytes.len() as u64)
        }
        Action::Join { track, resource } => format!("Join {track} {resource}"),
        Action::Place { resource, place } => {
            format!("Place {resource} generation {}", of_generation(place.generation))
        }
        Action::Sync { resource, op } => format!("Sync {resource} {op}"),
        Action::Append { op, records, durable } => {
            let durable = if *durable { " durable" } else { "" };
            let records: Vec<String> = records.iter().map(of_record).collect();
            format!("Append {op}{durable} {}", records.join(", "))
        }
        Action::Compact { op, records } => format!("Compact {op} {}", records.len()),
        Action::Remove { op, place } => {
            format!("Remove {op} generation {}", of_generation(place.generation))
        }
        Action::Sweep { keep } => format!("Sweep all but {}", keep.len()),
        Action::Filled { track, result: Ok(()) } => format!("Filled {track}"),
        Action::Filled { track, result: Err(error) } => format!("Filled {track} failed: {error}"),
        Action::Answered { command, result: Ok(listed) } => {
            format!("Answered {command} {}", listed.len())
        }
        Action::Answered { command, result: Err(error) } => {
            format!("Answered {command} failed: {error}")
        }
        Action::OpenPart { of, track, url } => format!("OpenPart {track} of {of} {url}"),
        Action::Presented { track, what } => {
            format!("Presented {track} {} variants, {:?}", what.variants.len(), what.duration)
        }
        Action::Buffered { track, time } => format!("Buffered {track} {time:?}"),
        Action::Load { resource, op, range } => format!("Load {resource} {op} {range}"),
        Action::Verify { resource, op, range } => format!("Verify {resource} {op} {range}"),
        Action::Discard { resource, range } => format!("Discard {resource} {range}"),
        Action::Publish { resource, change } => format!("Publish {resource} {}", of_change(change)),
        Action::Commit { resource, final_len } => format!("Commit {resource} {final_len}"),
        Action::Opened { track, result: Ok(()) } => format!("Opened {track}"),
        Action::Opened { track, result: Err(error) } => format!("Opened {track} failed: {error}"),
        Action::WakeReader { reader, request, answer } => {
            format!("WakeReader {reader} {request} {}", of_answer(answer))
        }
        Action::Mark { reader, at: Some(at) } => format!("Mark {reader} @{at}"),
        Action::Mark { reader, at: None } => format!("Mark {reader} none"),
        Action::NeedFreshUrl { track } => format!("NeedFreshUrl {track}"),
        Action::State { track, state, rate } => {
            format!("State {track} {} {rate} B/s", of_state(state))
        }
        Action::Notify { track, notice } => format!("Notify {track} {notice:?}"),
        Action::Closed { track } => format!("Closed {track}"),
    }
}

/// Its number in the order of generations; the salt is left out.
fn of_generation(generation: Generation) -> u64 {
    generation.0 >> 32
}

fn of_record(record: &Record) -> String {
    match record {
        Record::Open { place, label, facts } => {
            let total = facts.total.map_or("?".into(), |total| total.to_string());
            format!("open {} {label} of {total}", of_generation(place.generation))
        }
        Record::Facts { generation, facts } => {
            let total = facts.total.map_or("?".into(), |total| total.to_string());
            format!("facts {} total {total}", of_generation(*generation))
        }
        Record::Extents { generation, extents } => {
            let ranges: Vec<String> = extents.iter().map(|e| e.range().to_string()).collect();
            format!("extents {} {}", of_generation(*generation), ranges.join(" "))
        }
        Record::Retract { generation, range } => {
            format!("retract {} {range}", of_generation(*generation))
        }
        Record::Commit { generation, final_len } => {
            format!("commit {} {final_len}", of_generation(*generation))
        }
        Record::Remove { generation } => format!("remove {}", of_generation(*generation)),
        Record::Pin { pinned, .. } => if *pinned { "pin" } else { "unpin" }.into(),
        Record::Use { at, .. } => format!("use {at}"),
    }
}

fn of_request(request: &FetchRequest) -> String {
    let mut line = format!("{} {}", request.fetch, request.url);
    let range = request.range_field().unwrap_or_else(|| "plain".into());
    let _ = write!(line, " {range}");
    if let Some(validator) = &request.if_range {
        let _ = write!(line, " If-Range {validator}");
    }
    if request.fresh {
        line.push_str(" fresh");
    }
    if request.attempt > 1 {
        let _ = write!(line, " attempt {}", request.attempt);
    }
    let _ = write!(line, " credit {}", request.credit);
    line
}

fn of_head(head: &ResponseHead) -> String {
    let mut line = head.status.to_string();
    match head.content_range {
        Field::Absent => {}
        Field::Invalid => line.push_str(" range invalid"),
        Field::Valid(ContentRange::Bytes { range, total }) => {
            let total = total.map_or("*".into(), |total| total.to_string());
            let _ = write!(line, " {range}/{total}");
        }
        Field::Valid(ContentRange::Unsatisfied { total }) => {
            let _ = write!(line, " */{total}");
        }
    }
    let _ = write!(line, " {:?}", head.framing());
    if let Some(etag) = &head.validator.etag {
        let weak = if etag.is_weak() { "W/" } else { "" };
        let _ = write!(line, " ETag {weak}{}", etag.as_str());
    }
    if let Some(modified) = &head.validator.last_modified {
        let _ = write!(line, " modified {modified}");
    }
    if let Some(content_type) = &head.content_type {
        let _ = write!(line, " {content_type}");
    }
    if let Some(after) = &head.retry_after_field {
        let _ = write!(line, " Retry-After {after}");
    }
    for (shown, text) in [(head.encoded, " encoded"), (head.icy, " icy")] {
        if shown {
            line.push_str(text);
        }
    }
    if let Some(url) = &head.final_url {
        let _ = write!(line, " at {url}");
    }
    line
}

fn of_change(change: &Change) -> String {
    match change {
        Change::Present(range) => format!("present {range}"),
        Change::Claimed(range) => format!("claimed {range}"),
        Change::Verified(range) => format!("verified {range}"),
        Change::Unclaimed(range) => format!("unclaimed {range}"),
        Change::Retracted(range) => format!("retracted {range}"),
        Change::Facts(facts) => {
            let mut line = match facts.total {
                Some(total) => format!("total {total}"),
                None => "total unknown".into(),
            };
            if let Some(content_type) = &facts.content_type {
                let _ = write!(line, " {content_type}");
            }
            if facts.unverified {
                line.push_str(" unverified");
            }
            line
        }
        Change::Failed(error) => format!("failed: {error}"),
        Change::Recovered => "recovered".into(),
    }
}

fn of_answer(answer: &Answer) -> String {
    match answer {
        Answer::Failed(error) => format!("failed: {error}"),
        other => format!("{other:?}"),
    }
}

fn of_state(state: &TrackState) -> String {
    match state {
        TrackState::Waiting { retry_in } => format!("Waiting {}", duration(*retry_in)),
        other => format!("{other:?}"),
    }
}

fn duration(duration: Duration) -> String {
    format!("{duration:?}")
}
