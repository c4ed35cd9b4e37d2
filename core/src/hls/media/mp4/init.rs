//! The Media Initialization Section: which track is the audio, and what a decoder is shown of it.
//!
//! Other tracks are hidden by renaming their boxes to `free`, so that nothing moves: a decoder that takes the track with
//! the earliest sample would else be given video.

use super::boxes::{Child, children, find, full, name, need, u32_at, u64_at};
use super::entry::SampleEntry;
use crate::hls::media::{Edit, MediaError, TrackConfig};

/// A box `ftyp` for an init section without one: decoders refuse those.
const FTYP: &[u8] = b"\0\0\0\x10ftypiso5\0\0\0\0";

/// What was found in an init section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Init {
    pub(super) track: TrackConfig,
    pub(super) track_id: u32,
    pub(super) defaults: Defaults,
}

/// `trex`: what holds for a sample that doesn't say otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Defaults {
    pub(super) description: u32,
    pub(super) duration: u32,
    pub(super) size: u32,
}

impl Init {
    /// Reads an init section. Also gives what a decoder is to see of it: `ftyp` and `moov`, with the audio track alone.
    pub(super) fn read(section: &[u8]) -> Result<(Self, Vec<u8>), MediaError> {
        let mut shown = Vec::new();
        let mut found = None;
        for child in children(section, 0) {
            let child = child.map_err(broken)?;
            match &child.kind {
                b"ftyp" if shown.is_empty() => put(&mut shown, &child),
                b"moov" => {
                    if shown.is_empty() {
                        shown.extend_from_slice(FTYP);
                    }
                    let at = shown.len();
                    put(&mut shown, &child);
                    found = Some(Self::movie(&mut shown[at..])?);
                    break;
                }
                _ => {}
            }
        }
        let init = found.ok_or_else(|| broken("no box `moov`".to_owned()))?;
        Ok((init, shown))
    }

    /// Reads a box `moov`, header included, and hides all tracks but the one that was chosen.
    fn movie(moov: &mut [u8]) -> Result<Self, MediaError> {
        let (init, hidden) = Self::choose(moov)?;
        for at in hidden {
            moov[at + 4..at + 8].copy_from_slice(b"free");
        }
        Ok(init)
    }

    fn choose(moov: &[u8]) -> Result<(Self, Vec<usize>), MediaError> {
        let moov = need(moov, 0, b"moov").map_err(broken)?;
        let Some(extends) = find(moov.body, moov.body_at, b"mvex").map_err(broken)? else {
            return Err(MediaError::unsupported("an MP4 file that is not fragmented (no `mvex`)"));
        };
        let movie_scale = movie_timescale(moov.body).map_err(broken)?;
        let (mut chosen, mut hidden, mut others) = (None, Vec::new(), Vec::new());
        for child in children(moov.body, moov.body_at) {
            let child = child.map_err(broken)?;
            if child.kind != *b"trak" {
                continue;
            }
            match track(&child, movie_scale).map_err(broken)? {
                Track::Audio(id, config) if chosen.is_none() => chosen = Some((id, *config)),
                track => {
                    others.extend(track.why());
                    hidden.push(child.at);
                }
            }
        }
        let (track_id, track) = chosen.ok_or_else(|| no_audio(&others))?;
        let mut defaults = None;
        for child in children(extends.body, extends.body_at) {
            let child = child.map_err(broken)?;
            if child.kind != *b"trex" {
                continue;
            }
            let (id, values) = trex(child.body).map_err(broken)?;
            if id == track_id && defaults.is_none() {
                defaults = Some(values);
            } else {
                hidden.push(child.at);
            }
        }
        let defaults = defaults.ok_or_else(|| broken(format!("no `trex` for track {track_id}")))?;
        Ok((Self { track, track_id, defaults }, hidden))
    }
}

enum Track {
    /// Its number and description.
    Audio(u32, Box<TrackConfig>),
    /// Encrypted, with its sample entry's type.
    Encrypted([u8; 4]),
    /// Not audio: its handler.
    Other([u8; 4]),
}

impl Track {
    fn why(&self) -> Option<String> {
        match self {
            Self::Audio(..) => None,
            Self::Encrypted(kind) => Some(format!("an encrypted track (`{}`)", name(*kind))),
            Self::Other(handler) => Some(format!("a track of `{}`", name(*handler))),
        }
    }
}

fn no_audio(others: &[String]) -> MediaError {
    let what = if others.is_empty() { "no track".to_owned() } else { others.join(", ") };
    MediaError::unsupported(format!("an MP4 init section without audio that can be used: {what}"))
}

fn track(trak: &Child<'_>, movie_scale: u32) -> Result<Track, String> {
    let header = need(trak.body, 0, b"tkhd")?;
    let (version, _, fields) = full(header.body)?;
    let id = u32_at(fields, if version == 1 { 16 } else { 8 }).ok_or("a `tkhd` that is cut off")?;
    let media = need(trak.body, 0, b"mdia")?;
    let handler = need(media.body, 0, b"hdlr")?;
    let handler: [u8; 4] =
        handler.body.get(8..).and_then(|rest| rest.first_chunk().copied()).unwrap_or_default();
    if handler != *b"soun" {
        return Ok(Track::Other(handler));
    }
    let timescale = timescale(need(media.body, 0, b"mdhd")?.body)?;
    let table = need(need(media.body, 0, b"minf")?.body, 0, b"stbl")?;
    let descriptions = need(table.body, 0, b"stsd")?;
    let (_, _, entries) = full(descriptions.body)?;
    let entries = entries.get(4..).ok_or("an `stsd` that is cut off")?;
    let first = children(entries, 0).next().ok_or("an `stsd` without an entry")??;
    if first.kind == *b"enca" {
        return Ok(Track::Encrypted(first.kind));
    }
    let entry = SampleEntry::read(&first)?;
    let edit = edit(trak, timescale, movie_scale)?;
    Ok(Track::Audio(
        id,
        Box::new(TrackConfig {
            codec: entry.codec,
            fourcc: entry.fourcc,
            sample_rate: entry.rate,
            channels: entry.channels,
            timescale,
            edit,
            setup: entries.into(),
        }),
    ))
}

fn movie_timescale(moov: &[u8]) -> Result<u32, String> {
    timescale(need(moov, 0, b"mvhd")?.body)
}

/// The time scale of `mvhd` and `mdhd`, which stands at the same place in both.
fn timescale(body: &[u8]) -> Result<u32, String> {
    let (version, _, fields) = full(body)?;
    let scale = u32_at(fields, if version == 1 { 16 } else { 8 });
    scale.filter(|scale| *scale > 0).ok_or_else(|| "a time scale of 0".to_owned())
}

/// The edit list: empty edits at its start, and the first one that shows media. What follows can't be honoured in a
/// stream, and encoders don't write it.
fn edit(trak: &Child<'_>, timescale: u32, movie_scale: u32) -> Result<Option<Edit>, String> {
    let Some(edits) = find(trak.body, 0, b"edts")? else { return Ok(None) };
    let Some(list) = find(edits.body, 0, b"elst")? else { return Ok(None) };
    let (version, _, fields) = full(list.body)?;
    let count = u32_at(fields, 0).ok_or("an `elst` that is cut off")?;
    let (wide, step) = if version == 1 { (true, 20) } else { (false, 12) };
    let mut found = Edit::default();
    for entry in fields.get(4..).unwrap_or_default().chunks_exact(step).take(count as usize) {
        let (duration, media) = if wide {
            (u64_at(entry, 0), u64_at(entry, 8).map(|time| time as i64))
        } else {
            (u32_at(entry, 0).map(u64::from), u32_at(entry, 4).map(|time| i64::from(time as i32)))
        };
        // Both are in the chunk.
        let (duration, media) = (duration.unwrap_or(0), media.unwrap_or(0));
        if media >= 0 {
            found.media_time = media;
            return Ok(Some(found));
        }
        found.empty = found.empty.saturating_add(rescale(duration, movie_scale, timescale));
    }
    Ok((found.empty > 0).then_some(found))
}

/// Ticks of one scale in another, to the nearest.
fn rescale(ticks: u64, from: u32, to: u32) -> i64 {
    let (from, to) = (u128::from(from), u128::from(to));
    i64::try_from((u128::from(ticks) * to + from / 2) / from).unwrap_or(i64::MAX)
}

fn trex(body: &[u8]) -> Result<(u32, Defaults), String> {
    let (_, _, fields) = full(body)?;
    let field = |at| u32_at(fields, at).ok_or_else(|| "a `trex` that is cut off".to_owned());
    let defaults = Defaults { description: field(4)?, duration: field(8)?, size: field(12)? };
    Ok((field(0)?, defaults))
}

/// Adds a box, with its size written out also where it reached to the end of the section.
fn put(out: &mut Vec<u8>, child: &Child<'_>) {
    let size = child.body.len() + 8;
    match u32::try_from(size) {
        Ok(size) => {
            out.extend_from_slice(&size.to_be_bytes());
            out.extend_from_slice(&child.kind);
        }
        Err(_) => {
            out.extend_from_slice(&1_u32.to_be_bytes());
            out.extend_from_slice(&child.kind);
            out.extend_from_slice(&(size as u64 + 8).to_be_bytes());
        }
    }
    out.extend_from_slice(child.body);
}

fn broken(what: String) -> MediaError {
    MediaError::broken(format!("its init section has {what}"))
}
