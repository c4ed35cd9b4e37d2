//! The pre-pass over a media playlist: each line in the one form that m3u8-rs reads right, and what m3u8-rs would lose.
//!
//! m3u8-rs gives one item for each URI line, with the tags since the last one. Keys and maps are in force for all that
//! follows, in the order in which they stand, so each of them gets a URI line of its own here: a *carrier*, an item
//! without a segment. What else would get lost is kept beside the text, item by item.

use core::time::Duration;
use std::borrow::Cow;

use url::Url;

use super::attributes::Attributes;
use super::audit::MediaAudit;
use super::canon::{CARRIER, Canon};
use super::lines::{Line, Lines};
use super::report::{ParseOptions, PlaylistError, Report};
use super::values::{self, RangeText};
use super::variables::Variables;

/// What there is besides the text.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Item {
    /// A segment.
    Segment(Facts),
    /// `EXT-X-KEY`, and where it stands.
    Key(u32),
    /// `EXT-X-MAP`, and where it stands.
    Map(u32),
    /// `EXT-X-SKIP`: this many segments are left out here. It has no URI line.
    Skip(u64),
}

/// What m3u8-rs can't tell of a segment.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Facts {
    /// The line of its URI.
    pub(super) line: u32,
    /// `EXTINF`, if there is one that can be read.
    pub(super) duration: Option<Duration>,
    /// `EXT-X-GAP`, or a URI or range that can't be fetched.
    pub(super) gap: bool,
    /// `EXT-X-BITRATE` in force.
    pub(super) bitrate: Option<u64>,
}

/// A media playlist that is ready for m3u8-rs.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) canon: Canon,
    pub(super) items: Vec<Item>,
    /// `EXT-X-TARGETDURATION` as it stands there: it may be a fraction.
    pub(super) target_duration: Option<Duration>,
}

/// Prepares one.
pub(super) fn prepare(
    lines: Lines<'_>,
    base: &Url,
    options: &ParseOptions,
    report: &mut Report,
) -> Result<Prepared, PlaylistError> {
    let mut pass = Pass {
        base,
        options,
        variables: Variables::default(),
        audit: MediaAudit::default(),
        prepared: Prepared { canon: Canon::new(), items: Vec::new(), target_duration: None },
        segments: 0,
        next: Next::default(),
        bitrate: None,
    };
    for line in lines {
        match line.tag() {
            Some((tag, value)) => pass.tag(line.number, tag, value, report)?,
            None if line.is_uri() => pass.uri(line, report)?,
            None => {}
        }
    }
    pass.finish(report)
}

/// What the tags since the last URI line say of the next segment.
#[derive(Debug, Default)]
struct Next<'a> {
    duration: Option<Duration>,
    range: Option<RangeText>,
    discontinuity: bool,
    date: Option<&'a str>,
    gap: bool,
}

struct Pass<'a> {
    base: &'a Url,
    options: &'a ParseOptions,
    variables: Variables,
    audit: MediaAudit,
    prepared: Prepared,
    segments: usize,
    next: Next<'a>,
    bitrate: Option<u64>,
}

impl<'a> Pass<'a> {
    fn tag(
        &mut self,
        line: u32,
        tag: &str,
        value: &'a str,
        report: &mut Report,
    ) -> Result<(), PlaylistError> {
        self.audit.tag(line, tag, value, report)?;
        match tag {
            "EXTINF" => self.next.duration = extinf(line, value, report)?,
            "EXT-X-BYTERANGE" => self.byte_range(line, value, report)?,
            "EXT-X-DISCONTINUITY" => self.next.discontinuity = true,
            "EXT-X-GAP" => self.next.gap = true,
            "EXT-X-PROGRAM-DATE-TIME" => self.next.date = Some(value),
            "EXT-X-BITRATE" => self.bitrate = kilobits(line, value, report)?,
            "EXT-X-TARGETDURATION" => self.target_duration(line, value, report)?,
            "EXT-X-VERSION" | "EXT-X-MEDIA-SEQUENCE" | "EXT-X-DISCONTINUITY-SEQUENCE" => {
                let number =
                    value.split_whitespace().next().and_then(|word| word.parse::<u64>().ok());
                match number {
                    Some(number) => self.prepared.canon.valued(tag, number),
                    None => report.broken(
                        line,
                        format!("{tag} is no number"),
                        "RFC 8216, section 4.3",
                    )?,
                }
            }
            "EXT-X-PLAYLIST-TYPE" => match value {
                "VOD" | "EVENT" => self.prepared.canon.valued(tag, value),
                _ => report.broken(
                    line,
                    "EXT-X-PLAYLIST-TYPE is neither VOD nor EVENT",
                    "RFC 8216, section 4.3.3.5",
                )?,
            },
            "EXT-X-ENDLIST" | "EXT-X-I-FRAMES-ONLY" | "EXT-X-INDEPENDENT-SEGMENTS" => {
                self.prepared.canon.bare(tag);
            }
            "EXT-X-KEY"
            | "EXT-X-MAP"
            | "EXT-X-START"
            | "EXT-X-DEFINE"
            | "EXT-X-SKIP"
            | "EXT-X-DATERANGE"
            | "EXT-X-PART"
            | "EXT-X-PART-INF"
            | "EXT-X-SERVER-CONTROL"
            | "EXT-X-PRELOAD-HINT"
            | "EXT-X-RENDITION-REPORT" => {
                let attributes = Attributes::read(line, value, &self.variables, report)?;
                self.audit.attributes(tag, &attributes, report)?;
                self.attributes(tag, &attributes, report)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn attributes(
        &mut self,
        tag: &str,
        attributes: &Attributes<'_>,
        report: &mut Report,
    ) -> Result<(), PlaylistError> {
        match tag {
            "EXT-X-KEY" => {
                key(&mut self.prepared.canon, tag, attributes, report)?;
                self.carry(Item::Key(attributes.line()))?;
            }
            "EXT-X-MAP" if map(&mut self.prepared.canon, attributes, report)? => {
                self.carry(Item::Map(attributes.line()))?;
            }
            "EXT-X-START" => start(&mut self.prepared.canon, attributes, report)?,
            "EXT-X-DEFINE" => {
                let imports = Some(&self.options.imports);
                self.variables.define(attributes, self.base, imports, report)?;
            }
            "EXT-X-SKIP" => {
                let skipped = attributes.number("SKIPPED-SEGMENTS", report)?;
                self.push(attributes.line(), Item::Skip(skipped.unwrap_or(0)))?;
            }
            // Date ranges and what is for low latency: a part is no segment.
            _ => {}
        }
        Ok(())
    }

    fn uri(&mut self, line: Line<'a>, report: &mut Report) -> Result<(), PlaylistError> {
        let uri = self.variables.expand(line.number, Cow::Borrowed(line.text), report)?;
        let next = core::mem::take(&mut self.next);
        self.audit.segment(line.number, next.duration, report)?;
        self.segments += 1;
        if self.segments > self.options.limits.max_segments {
            let what = format!("more than {} segments", self.options.limits.max_segments);
            return Err(PlaylistError::new(line.number, what, "the limit `max_segments`"));
        }
        let canon = &mut self.prepared.canon;
        if next.discontinuity {
            canon.bare("EXT-X-DISCONTINUITY");
        }
        if let Some(date) = next.date {
            let (date, changed) = values::date(date);
            if changed {
                report.broken(
                    line.number,
                    "a date without a zone as RFC 3339 has it",
                    "RFC 8216, section 4.3.2.6",
                )?;
            }
            canon.valued("EXT-X-PROGRAM-DATE-TIME", date);
        }
        match next.range {
            Some(RangeText { len, offset: Some(offset) }) => {
                canon.valued("EXT-X-BYTERANGE", format_args!("{len}@{offset}"));
            }
            Some(RangeText { len, offset: None }) => canon.valued("EXT-X-BYTERANGE", len),
            None => {}
        }
        let named = !uri.trim().is_empty() && !uri.starts_with('#');
        if !named {
            report.broken(line.number, "an empty URI", "RFC 8216, section 4.1")?;
        }
        canon.uri(if named { uri.trim() } else { CARRIER });
        let bitrate = self.bitrate.filter(|_| next.range.is_none());
        let gap = next.gap || !named;
        let facts = Facts { line: line.number, duration: next.duration, gap, bitrate };
        self.push(line.number, Item::Segment(facts))
    }

    fn byte_range(
        &mut self,
        line: u32,
        value: &str,
        report: &mut Report,
    ) -> Result<(), PlaylistError> {
        self.next.range = RangeText::read(value).filter(|range| range.len > 0);
        if self.next.range.is_none() {
            // The whole resource would be foreign bytes.
            report.broken(
                line,
                "EXT-X-BYTERANGE is no range of bytes",
                "RFC 8216, section 4.3.2.2",
            )?;
            self.next.gap = true;
        }
        Ok(())
    }

    fn target_duration(
        &mut self,
        line: u32,
        value: &str,
        report: &mut Report,
    ) -> Result<(), PlaylistError> {
        const RULE: &str = "RFC 8216, section 4.3.3.1; FAULTS C16";
        let Some((duration, rest)) = values::seconds(value) else {
            return report.broken(line, "EXT-X-TARGETDURATION is no number", RULE);
        };
        if duration.subsec_nanos() > 0 || !rest.is_empty() {
            report.broken(line, "EXT-X-TARGETDURATION is no decimal integer", RULE)?;
        }
        let whole = duration.as_secs().saturating_add(u64::from(duration.subsec_nanos() > 0));
        self.prepared.canon.valued("EXT-X-TARGETDURATION", whole);
        self.prepared.target_duration = Some(duration);
        Ok(())
    }

    /// Ends the line of a tag that is in force from here on.
    fn carry(&mut self, item: Item) -> Result<(), PlaylistError> {
        let (Item::Key(line) | Item::Map(line)) = item else { return Ok(()) };
        self.prepared.canon.uri(CARRIER);
        self.push(line, item)
    }

    fn push(&mut self, line: u32, item: Item) -> Result<(), PlaylistError> {
        // A few keys and a map for each segment is what there may be.
        let most = self.options.limits.max_segments.saturating_mul(4).saturating_add(64);
        if self.prepared.items.len() >= most {
            return Err(PlaylistError::new(
                line,
                "too many keys and maps",
                "the limit `max_segments`",
            ));
        }
        self.prepared.items.push(item);
        Ok(())
    }

    fn finish(self, report: &mut Report) -> Result<Prepared, PlaylistError> {
        if self.next.duration.is_some() {
            report.broken(
                0,
                "the last EXTINF has no URI: is the playlist cut off?",
                "RFC 8216, section 4.3.2.1; FAULTS C23",
            )?;
        }
        self.audit.finish(report)?;
        Ok(self.prepared)
    }
}

/// Writes a key. m3u8-rs wants an `IV` beside `NONE`, of all methods.
pub(super) fn key(
    canon: &mut Canon,
    tag: &str,
    attributes: &Attributes<'_>,
    report: &mut Report,
) -> Result<(), PlaylistError> {
    let line = attributes.line();
    canon.list(tag);
    let method = attributes.word("METHOD", report)?;
    if method == Some("NONE") {
        canon.word("METHOD", method);
        canon.word("IV", Some("0x0"));
        canon.end();
        return Ok(());
    }
    let iv = match attributes.word("IV", report)? {
        None => None,
        Some(text) => {
            let iv = values::iv(text);
            if iv.is_none() {
                // Another one would turn the segment into noise.
                return Err(PlaylistError::new(
                    line,
                    "IV is no number of 128 bits",
                    "RFC 8216, section 4.3.2.4; FAULTS C8",
                ));
            }
            iv
        }
    };
    canon.word("METHOD", Some(method.unwrap_or("-")));
    canon.quoted("URI", attributes.text("URI", report)?);
    canon.word("IV", iv.map(|iv| format!("0x{:032x}", u128::from_be_bytes(iv))));
    canon.quoted("KEYFORMAT", attributes.text("KEYFORMAT", report)?);
    canon.quoted("KEYFORMATVERSIONS", attributes.text("KEYFORMATVERSIONS", report)?);
    canon.end();
    Ok(())
}

/// Writes a map, if it says where it is.
fn map(
    canon: &mut Canon,
    attributes: &Attributes<'_>,
    report: &mut Report,
) -> Result<bool, PlaylistError> {
    const RULE: &str = "RFC 8216, section 4.3.2.5";
    let line = attributes.line();
    let range = match attributes.text("BYTERANGE", report)? {
        None => None,
        Some(text) => {
            let range = RangeText::read(text).filter(|range| range.len > 0);
            if range.is_none() {
                return Err(PlaylistError::new(line, "BYTERANGE is no range of bytes", RULE));
            }
            range
        }
    };
    let Some(uri) = attributes.text("URI", report)? else {
        report.broken(line, "EXT-X-MAP without a URI", RULE)?;
        return Ok(false);
    };
    canon.list("EXT-X-MAP");
    canon.quoted("URI", Some(uri));
    let range = range.map(|range| format!("{}@{}", range.len, range.offset.unwrap_or(0)));
    canon.quoted("BYTERANGE", range.as_deref());
    canon.end();
    Ok(true)
}

/// Writes a start point.
pub(super) fn start(
    canon: &mut Canon,
    attributes: &Attributes<'_>,
    report: &mut Report,
) -> Result<(), PlaylistError> {
    let offset = attributes.decimal("TIME-OFFSET", report)?;
    let precise = attributes.yes("PRECISE", report)?;
    if offset.is_none() {
        let rule = "RFC 8216, section 4.3.5.2";
        return report.broken(attributes.line(), "EXT-X-START without TIME-OFFSET", rule);
    }
    canon.list("EXT-X-START");
    canon.word("TIME-OFFSET", offset);
    canon.word("PRECISE", Some(if precise { "YES" } else { "NO" }));
    canon.end();
    Ok(())
}

/// `EXTINF:<duration>,[<title>]`.
fn extinf(line: u32, value: &str, report: &mut Report) -> Result<Option<Duration>, PlaylistError> {
    const RULE: &str = "RFC 8216, section 4.3.2.1; FAULTS C24";
    let text = value.split(',').next().unwrap_or_default().trim();
    if let Some((duration, rest)) = values::seconds(text) {
        if !rest.is_empty() {
            report.broken(line, "something follows the duration of EXTINF", RULE)?;
        }
        if text.len() == value.len() {
            report.note(line, "EXTINF without a comma", RULE);
        }
        return Ok(Some(duration));
    }
    report.broken(line, "the duration of EXTINF is no number", RULE)?;
    // Below zero it is none; otherwise it is unknown.
    let negative = text.parse::<f64>().is_ok_and(|number| number < 0.0);
    Ok(negative.then_some(Duration::ZERO))
}

fn kilobits(line: u32, value: &str, report: &mut Report) -> Result<Option<u64>, PlaylistError> {
    let rate = value.parse::<u64>().ok().and_then(|rate| rate.checked_mul(1_000));
    if rate.is_none() {
        let rule = "draft-pantos-hls-rfc8216bis, section 4.4.4.8";
        report.broken(line, "EXT-X-BITRATE is no decimal integer", rule)?;
    }
    Ok(rate)
}
