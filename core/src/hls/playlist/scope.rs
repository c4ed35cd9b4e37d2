//! The post-pass over a media playlist: which key, map, range and number each segment has.

use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::Arc;

use m3u8_rs::{Key, KeyMethod, MediaPlaylistType, MediaSegment};
use url::Url;

use super::media::{Facts, Item, Prepared};
use super::model::{KeyEntry, MapEntry, MediaPlaylist, SegmentEntry, StartPoint};
use super::report::{ParseOptions, PlaylistError, Report};
use super::urls::Urls;
use super::values;
use crate::ByteRange;

/// The one key format that is RFC 8216's own.
const IDENTITY: &str = "identity";

/// What m3u8-rs made of it, with every scope resolved.
pub(super) fn resolve(
    prepared: &Prepared,
    base: &Url,
    options: &ParseOptions,
    report: &mut Report,
) -> Result<MediaPlaylist, PlaylistError> {
    let parsed = m3u8_rs::parse_media_playlist(prepared.canon.text().as_bytes());
    let playlist = match parsed {
        Ok(([], playlist)) => playlist,
        Ok(_) | Err(_) => return Err(PlaylistError::unread()),
    };
    let mut scope = Scope::new(Urls::new(base, options), playlist.media_sequence);
    scope.discontinuity = playlist.discontinuity_sequence;
    let longest = longest(&prepared.items);
    let target = prepared.target_duration.filter(|target| !target.is_zero());
    let target = target.unwrap_or_else(|| ceil(longest).max(Duration::from_secs(1)));
    scope.missing = target;
    let mut segments = playlist.segments.into_iter();
    for item in &prepared.items {
        match item {
            Item::Skip(count) => scope.sequence = scope.sequence.saturating_add(*count),
            Item::Key(line) => {
                let carrier = segments.next().ok_or_else(PlaylistError::unread)?;
                scope.key(*line, carrier, report)?;
            }
            Item::Map(line) => {
                let carrier = segments.next().ok_or_else(PlaylistError::unread)?;
                scope.map(*line, carrier, report)?;
            }
            Item::Segment(facts) => {
                let segment = segments.next().ok_or_else(PlaylistError::unread)?;
                scope.segment(facts, segment, report)?;
            }
        }
    }
    if segments.next().is_some() {
        return Err(PlaylistError::unread());
    }
    Ok(MediaPlaylist {
        version: playlist.version.and_then(|version| u64::try_from(version).ok()),
        target_duration: target,
        media_sequence: playlist.media_sequence,
        discontinuity_sequence: playlist.discontinuity_sequence,
        ended: playlist.end_list,
        vod: playlist.playlist_type.and_then(|kind| match kind {
            MediaPlaylistType::Vod => Some(true),
            MediaPlaylistType::Event => Some(false),
            MediaPlaylistType::Other(_) => None,
        }),
        i_frames_only: playlist.i_frames_only,
        independent_segments: playlist.independent_segments,
        start: playlist.start.map(|start| StartPoint {
            offset: start.time_offset,
            precise: start.precise.unwrap_or(false),
        }),
        unsupported: scope.unsupported,
        segments: scope.segments,
    })
}

/// What goes with the segment that comes next.
struct Scope<'a> {
    urls: Urls<'a>,
    segments: Vec<SegmentEntry>,
    sequence: u64,
    discontinuity: u64,
    time: Duration,
    /// How long a segment without `EXTINF` is taken for.
    missing: Duration,
    key: Option<Arc<KeyEntry>>,
    /// Key formats in force that infill has no use for, and how they are named in an error.
    foreign: BTreeMap<String, String>,
    unsupported: Option<String>,
    map: Option<Arc<MapEntry>>,
    /// The date of the next segment's first sample.
    date: Option<i64>,
    /// Where the last sub-range of a resource ended.
    ends: BTreeMap<Arc<Url>, u64>,
}

impl<'a> Scope<'a> {
    fn new(urls: Urls<'a>, sequence: u64) -> Self {
        Self {
            urls,
            segments: Vec::new(),
            sequence,
            discontinuity: 0,
            time: Duration::ZERO,
            missing: Duration::ZERO,
            key: None,
            foreign: BTreeMap::new(),
            unsupported: None,
            map: None,
            date: None,
            ends: BTreeMap::new(),
        }
    }

    /// A key is in force until the next one of its format; `NONE` ends them all (RFC 8216, section 4.3.2.4).
    fn key(
        &mut self,
        line: u32,
        carrier: MediaSegment,
        report: &mut Report,
    ) -> Result<(), PlaylistError> {
        let key = carrier.key.ok_or_else(PlaylistError::unread)?;
        if key.method == KeyMethod::None {
            self.key = None;
            self.foreign.clear();
            return Ok(());
        }
        let format = key.keyformat.as_deref().unwrap_or(IDENTITY).to_owned();
        let entry = if format == IDENTITY { self.urls.key(line, &key, report)? } else { None };
        if format == IDENTITY {
            self.key = entry.clone();
        }
        match entry {
            Some(_) => {
                self.foreign.remove(&format);
            }
            None => {
                let what = format!("line {line}: {}", unsupported(&key, &format));
                self.foreign.insert(format, what);
            }
        }
        Ok(())
    }

    fn map(
        &mut self,
        line: u32,
        carrier: MediaSegment,
        report: &mut Report,
    ) -> Result<(), PlaylistError> {
        const RULE: &str = "RFC 8216, section 4.3.2.5; FAULTS C9";
        let map = carrier.map.ok_or_else(PlaylistError::unread)?;
        let Some(url) = self.urls.join(line, &map.uri, report)? else {
            return Err(PlaylistError::new(line, "the URI of EXT-X-MAP is no URL", RULE));
        };
        if self.key.as_ref().is_some_and(|key| key.iv.is_none()) {
            let what = "EXT-X-MAP is encrypted by a key without an IV";
            return Err(PlaylistError::new(line, what, RULE));
        }
        self.unsupported();
        let byte_range = map.byte_range.map(|r| ByteRange::at(r.offset.unwrap_or(0), r.length));
        self.map = Some(Arc::new(MapEntry { url, byte_range, key: self.key.clone() }));
        Ok(())
    }

    fn segment(
        &mut self,
        facts: &Facts,
        segment: MediaSegment,
        report: &mut Report,
    ) -> Result<(), PlaylistError> {
        self.unsupported();
        let url = self.urls.join(facts.line, &segment.uri, report)?;
        let gap = facts.gap || url.is_none();
        let url = url.unwrap_or_else(|| self.urls.base());
        let byte_range = match segment.byte_range {
            Some(range) => Some(self.byte_range(facts.line, &url, &range, report)?),
            None => None,
        };
        if segment.discontinuity {
            self.discontinuity = self.discontinuity.saturating_add(1);
        }
        if let Some(date) = segment.program_date_time {
            self.date = Some(date.timestamp_millis());
        }
        let duration = facts.duration.unwrap_or(self.missing);
        self.segments.push(SegmentEntry {
            url,
            byte_range,
            duration,
            timestamp_start: self.time,
            sequence: self.sequence,
            discontinuity: self.discontinuity,
            key: self.key.clone(),
            map: self.map.clone(),
            gap,
            bitrate: facts.bitrate,
            program_date_time: self.date,
        });
        self.time = self.time.saturating_add(duration);
        self.sequence = self.sequence.saturating_add(1);
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        self.date = self.date.map(|date| date.saturating_add(millis));
        Ok(())
    }

    /// Without an offset a range begins where the last range of the same resource ended (FAULTS C4).
    fn byte_range(
        &mut self,
        line: u32,
        url: &Arc<Url>,
        range: &m3u8_rs::ByteRange,
        report: &mut Report,
    ) -> Result<ByteRange, PlaylistError> {
        const RULE: &str = "RFC 8216, section 4.3.2.2; FAULTS C4";
        let start = match range.offset {
            Some(offset) => offset,
            None => {
                let last = self.segments.last().filter(|last| last.url == *url);
                if last.and_then(|last| last.byte_range).is_none() {
                    let what = "no offset, and the segment before is no range of this resource";
                    report.broken(line, what, RULE)?;
                }
                self.ends.get(url).copied().unwrap_or(0)
            }
        };
        let Some(end) = start.checked_add(range.length) else {
            return Err(PlaylistError::new(line, "a byte range past the last byte there is", RULE));
        };
        self.ends.insert(Arc::clone(url), end);
        Ok(ByteRange::new(start, end))
    }

    /// Notes a key format that is needed here and not supported.
    fn unsupported(&mut self) {
        if self.key.is_none() && self.unsupported.is_none() {
            self.unsupported = self.foreign.values().next().cloned();
        }
    }
}

impl Urls<'_> {
    /// A key of the identity format with the method AES-128; `None` for another one.
    pub(super) fn key(
        &mut self,
        line: u32,
        key: &Key,
        report: &mut Report,
    ) -> Result<Option<Arc<KeyEntry>>, PlaylistError> {
        if key.method != KeyMethod::AES128 {
            return Ok(None);
        }
        let Some(uri) = key.uri.as_deref() else { return Ok(None) };
        let Some(url) = self.join(line, uri, report)? else { return Ok(None) };
        Ok(Some(Arc::new(KeyEntry { url, iv: key.iv.as_deref().and_then(values::iv) })))
    }
}

fn unsupported(key: &Key, format: &str) -> String {
    match (&key.method, &key.uri) {
        (KeyMethod::AES128, None) => "EXT-X-KEY without a URI that can be fetched".to_owned(),
        (KeyMethod::AES128, Some(_)) if format != IDENTITY => {
            format!("keys of the format `{format}`; only `{IDENTITY}` is")
        }
        (KeyMethod::AES128, Some(_)) => "EXT-X-KEY without a URI that can be fetched".to_owned(),
        (KeyMethod::Other(method), _) if method == "-" => "EXT-X-KEY without METHOD".to_owned(),
        (method, _) => format!("the encryption method {method}; only AES-128 is"),
    }
}

fn longest(items: &[Item]) -> Duration {
    let durations = items.iter().filter_map(|item| match item {
        Item::Segment(facts) => facts.duration,
        _ => None,
    });
    durations.max().unwrap_or(Duration::ZERO)
}

fn ceil(time: Duration) -> Duration {
    let more = u64::from(time.subsec_nanos() > 0);
    Duration::from_secs(time.as_secs().saturating_add(more))
}
