//! A master playlist: each line in the one form that m3u8-rs reads right, and the model out of what it read.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use m3u8_rs::{AlternativeMedia, AlternativeMediaType, VariantStream};
use url::Url;

use super::attributes::Attributes;
use super::canon::Canon;
use super::lines::{Line, Lines};
use super::media::{key, start};
use super::model::{MasterPlaylist, MediaKind, Rendition, StartPoint, Variant};
use super::report::{ParseOptions, PlaylistError, Report};
use super::urls::Urls;
use super::variables::Variables;

const STREAM: &str = "RFC 8216, section 4.3.4.2";
const MEDIA: &str = "RFC 8216, section 4.3.4.1";

/// Reads one.
pub(super) fn read(
    lines: Lines<'_>,
    base: &Url,
    options: &ParseOptions,
    report: &mut Report,
) -> Result<MasterPlaylist, PlaylistError> {
    let mut pass = Pass {
        base,
        options,
        variables: Variables::default(),
        canon: Canon::new(),
        stream: None,
        variants: Vec::new(),
        renditions: Vec::new(),
        keys: Vec::new(),
    };
    for line in lines {
        match line.tag() {
            Some((tag, value)) => pass.tag(line.number, tag, value, report)?,
            None if line.is_uri() => pass.uri(line, report)?,
            None => {}
        }
    }
    pass.orphan(report)?;
    pass.resolve(report)
}

struct Pass<'a> {
    base: &'a Url,
    options: &'a ParseOptions,
    variables: Variables,
    canon: Canon,
    /// The `EXT-X-STREAM-INF` that waits for its URI.
    stream: Option<Attributes<'a>>,
    /// The lines of those that were written.
    variants: Vec<u32>,
    renditions: Vec<u32>,
    keys: Vec<u32>,
}

impl<'a> Pass<'a> {
    fn tag(
        &mut self,
        line: u32,
        tag: &str,
        value: &'a str,
        report: &mut Report,
    ) -> Result<(), PlaylistError> {
        match tag {
            "EXT-X-VERSION" => match value.parse::<u64>() {
                Ok(version) => self.canon.valued(tag, version),
                Err(_) => {
                    report.broken(
                        line,
                        "EXT-X-VERSION is no number",
                        "RFC 8216, section 4.3.1.2",
                    )?;
                }
            },
            "EXT-X-INDEPENDENT-SEGMENTS" => self.canon.bare(tag),
            "EXT-X-STREAM-INF" | "EXT-X-MEDIA" | "EXT-X-SESSION-KEY" | "EXT-X-START"
            | "EXT-X-DEFINE" => {
                let attributes = Attributes::read(line, value, &self.variables, report)?;
                self.attributes(tag, attributes, report)?;
            }
            // Trick play, and what a player of audio has no use for.
            _ => {}
        }
        Ok(())
    }

    fn attributes(
        &mut self,
        tag: &str,
        attributes: Attributes<'a>,
        report: &mut Report,
    ) -> Result<(), PlaylistError> {
        let line = attributes.line();
        match tag {
            "EXT-X-STREAM-INF" => {
                self.orphan(report)?;
                self.stream = Some(attributes);
            }
            "EXT-X-MEDIA" if media(&mut self.canon, &attributes, report)? => {
                self.renditions.push(line);
                self.bounded(line, self.renditions.len(), "renditions")?;
            }
            "EXT-X-SESSION-KEY" => {
                key(&mut self.canon, tag, &attributes, report)?;
                self.keys.push(line);
                self.bounded(line, self.keys.len(), "session keys")?;
            }
            "EXT-X-START" => start(&mut self.canon, &attributes, report)?,
            "EXT-X-DEFINE" => self.variables.define(&attributes, self.base, None, report)?,
            _ => {}
        }
        Ok(())
    }

    fn uri(&mut self, line: Line<'a>, report: &mut Report) -> Result<(), PlaylistError> {
        let Some(attributes) = self.stream.take() else {
            return report.broken(line.number, "a URI without EXT-X-STREAM-INF", STREAM);
        };
        let uri = self.variables.expand(line.number, Cow::Borrowed(line.text), report)?;
        if uri.trim().is_empty() || uri.starts_with('#') {
            return report.broken(line.number, "an empty URI", STREAM);
        }
        stream(&mut self.canon, &attributes, report)?;
        self.canon.uri(uri.trim());
        self.variants.push(line.number);
        self.bounded(line.number, self.variants.len(), "variants")
    }

    /// An `EXT-X-STREAM-INF` without a URI is no variant.
    fn orphan(&mut self, report: &mut Report) -> Result<(), PlaylistError> {
        match self.stream.take() {
            Some(stream) => report.broken(stream.line(), "EXT-X-STREAM-INF without a URI", STREAM),
            None => Ok(()),
        }
    }

    fn bounded(&self, line: u32, count: usize, what: &str) -> Result<(), PlaylistError> {
        if count <= self.options.limits.max_variants {
            return Ok(());
        }
        let what = format!("more than {} {what}", self.options.limits.max_variants);
        Err(PlaylistError::new(line, what, "the limit `max_variants`"))
    }

    fn resolve(self, report: &mut Report) -> Result<MasterPlaylist, PlaylistError> {
        let playlist = match m3u8_rs::parse_master_playlist(self.canon.text().as_bytes()) {
            Ok(([], playlist)) => playlist,
            Ok(_) | Err(_) => return Err(PlaylistError::unread()),
        };
        let complete = playlist.variants.len() == self.variants.len()
            && playlist.alternatives.len() == self.renditions.len()
            && playlist.session_key.len() == self.keys.len();
        if !complete {
            return Err(PlaylistError::unread());
        }
        let mut urls = Urls::new(self.base, self.options);
        let mut master = MasterPlaylist {
            version: playlist.version.and_then(|version| u64::try_from(version).ok()),
            independent_segments: playlist.independent_segments,
            start: playlist.start.map(|start| StartPoint {
                offset: start.time_offset,
                precise: start.precise.unwrap_or(false),
            }),
            ..MasterPlaylist::default()
        };
        let mut seen = BTreeSet::new();
        for (line, stream) in self.variants.iter().zip(playlist.variants) {
            let Some(url) = urls.join(*line, &stream.uri, report)? else { continue };
            let variant = variant(url, stream);
            let same = (Arc::clone(&variant.url), variant.audio.clone(), variant.codecs.clone());
            if seen.insert(same) {
                master.variants.push(variant);
            } else {
                report.note(*line, "a variant that is there already", "FAULTS C32");
            }
        }
        for (line, media) in self.renditions.iter().zip(playlist.alternatives) {
            let url = match media.uri.as_deref() {
                Some(uri) => match urls.join(*line, uri, report)? {
                    Some(url) => Some(url),
                    None => continue,
                },
                None => None,
            };
            master.renditions.extend(rendition(url, media));
        }
        for (line, key) in self.keys.iter().zip(playlist.session_key) {
            if key.0.keyformat.as_deref().is_none_or(|format| format == "identity") {
                master.session_keys.extend(urls.key(*line, &key.0, report)?);
            }
        }
        master.variables = self.variables.into_values();
        Ok(master)
    }
}

/// Writes a variant. m3u8-rs takes none without a bandwidth, and gives its URI to the one before.
fn stream(
    canon: &mut Canon,
    attributes: &Attributes<'_>,
    report: &mut Report,
) -> Result<(), PlaylistError> {
    let bandwidth = attributes.number("BANDWIDTH", report)?;
    if bandwidth.is_none() {
        report.broken(attributes.line(), "EXT-X-STREAM-INF without BANDWIDTH", STREAM)?;
    }
    canon.list("EXT-X-STREAM-INF");
    canon.word("BANDWIDTH", Some(bandwidth.unwrap_or(0)));
    canon.word("AVERAGE-BANDWIDTH", attributes.number("AVERAGE-BANDWIDTH", report)?);
    canon.quoted("CODECS", attributes.text("CODECS", report)?);
    let resolution = match attributes.word("RESOLUTION", report)? {
        None => None,
        Some(text) => {
            let sides = resolution(text);
            if sides.is_none() {
                report.broken(attributes.line(), "RESOLUTION is no `<width>x<height>`", STREAM)?;
            }
            sides
        }
    };
    canon.word("RESOLUTION", resolution.map(|(width, height)| format!("{width}x{height}")));
    canon.word("FRAME-RATE", attributes.decimal("FRAME-RATE", report)?);
    canon.quoted("AUDIO", attributes.text("AUDIO", report)?);
    canon.end();
    Ok(())
}

/// Writes a rendition, if it can be one.
fn media(
    canon: &mut Canon,
    attributes: &Attributes<'_>,
    report: &mut Report,
) -> Result<bool, PlaylistError> {
    let line = attributes.line();
    let kind = attributes.word("TYPE", report)?;
    let known = matches!(kind, Some("AUDIO" | "VIDEO" | "SUBTITLES" | "CLOSED-CAPTIONS"));
    let group = attributes.text("GROUP-ID", report)?;
    let name = attributes.text("NAME", report)?;
    if !known {
        report.broken(line, "EXT-X-MEDIA without a TYPE that is known", MEDIA)?;
        return Ok(false);
    }
    if name.is_none() {
        report.broken(line, "EXT-X-MEDIA without NAME", MEDIA)?;
    }
    let Some(group) = group else {
        report.broken(line, "EXT-X-MEDIA without GROUP-ID", MEDIA)?;
        return Ok(false);
    };
    let captions = kind == Some("CLOSED-CAPTIONS");
    canon.list("EXT-X-MEDIA");
    canon.word("TYPE", kind);
    canon.quoted("GROUP-ID", Some(group));
    // m3u8-rs takes none without a name.
    let language = attributes.text("LANGUAGE", report)?;
    canon.quoted("NAME", Some(name.or(language).unwrap_or("?")));
    canon.quoted("LANGUAGE", language);
    canon.word("DEFAULT", yes(attributes, "DEFAULT", report)?);
    canon.word("AUTOSELECT", yes(attributes, "AUTOSELECT", report)?);
    canon.quoted("CHANNELS", attributes.text("CHANNELS", report)?);
    if captions {
        // It has no URI, and m3u8-rs asks for this one.
        canon.quoted("INSTREAM-ID", Some("CC1"));
    } else {
        canon.quoted("URI", attributes.text("URI", report)?);
    }
    canon.end();
    Ok(true)
}

fn yes(
    attributes: &Attributes<'_>,
    name: &str,
    report: &mut Report,
) -> Result<Option<&'static str>, PlaylistError> {
    Ok(attributes.yes(name, report)?.then_some("YES"))
}

fn resolution(text: &str) -> Option<(u32, u32)> {
    let (width, height) = text.split_once(['x', 'X'])?;
    Some((width.trim().parse().ok()?, height.trim().parse().ok()?))
}

fn variant(url: Arc<Url>, stream: VariantStream) -> Variant {
    let resolution = stream.resolution.and_then(|sides| {
        Some((u32::try_from(sides.width).ok()?, u32::try_from(sides.height).ok()?))
    });
    Variant {
        url,
        bandwidth: stream.bandwidth,
        average_bandwidth: stream.average_bandwidth,
        codecs: stream.codecs,
        resolution,
        frame_rate: stream.frame_rate,
        audio: stream.audio,
    }
}

fn rendition(url: Option<Arc<Url>>, media: AlternativeMedia) -> Option<Rendition> {
    let kind = match media.media_type {
        AlternativeMediaType::Audio => MediaKind::Audio,
        AlternativeMediaType::Video => MediaKind::Video,
        AlternativeMediaType::Subtitles => MediaKind::Subtitles,
        AlternativeMediaType::ClosedCaptions => MediaKind::ClosedCaptions,
        AlternativeMediaType::Other(_) => return None,
    };
    Some(Rendition {
        kind,
        group: media.group_id,
        name: media.name,
        language: media.language,
        default: media.default,
        autoselect: media.autoselect,
        channels: media.channels,
        url,
    })
}
