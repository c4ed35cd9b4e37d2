//! Playlists: their text, read into a model.
//!
//! The crate m3u8-rs reads tags and attribute lists. It is strict where players are lenient, and some of its results
//! are wrong; so a pre-pass gives it each line in the one form that it reads right, and a post-pass works out what is
//! in force for which segment.

mod attributes;
mod audit;
mod canon;
mod kind;
mod lines;
mod master;
mod media;
mod model;
mod report;
mod scope;
mod urls;
mod values;
mod variables;

use url::Url;

use kind::Kind;
use lines::Lines;
use report::Report;

pub use model::{
    KeyEntry, MapEntry, MasterPlaylist, MediaKind, MediaPlaylist, Rendition, SegmentEntry,
    StartPoint, Variant,
};
pub use report::{Diagnostic, ParseOptions, PlaylistError};

/// A playlist, and what was forgiven while it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    /// What it says.
    pub playlist: Playlist,
    /// What it does wrong; the first few, in the order in which they were found.
    pub diagnostics: Vec<Diagnostic>,
}

/// A playlist is one or the other (RFC 8216, section 4).
#[derive(Clone, Debug, PartialEq)]
pub enum Playlist {
    /// Its URIs are those of media playlists.
    Master(MasterPlaylist),
    /// Its URIs are those of segments.
    Media(MediaPlaylist),
}

/// Reads a playlist that was found at `base`.
pub fn parse(bytes: &[u8], base: &Url, options: &ParseOptions) -> Result<Parsed, PlaylistError> {
    let max_bytes = options.limits.max_playlist_bytes;
    if u64::try_from(bytes.len()).is_ok_and(|len| len > max_bytes) {
        let what = format!("the playlist has more than {max_bytes} bytes");
        return Err(PlaylistError::new(0, what, "the limit `max_playlist_bytes`"));
    }
    let mut report = Report::new(options.strict);
    let text = lines::decode(bytes, &mut report)?;
    let lines = Lines::new(&text, &mut report)?;
    let playlist = match kind::kind(lines.clone(), &mut report)? {
        Kind::Master => Playlist::Master(master::read(lines, base, options, &mut report)?),
        Kind::Media => {
            let prepared = media::prepare(lines, base, options, &mut report)?;
            Playlist::Media(scope::resolve(&prepared, base, options, &mut report)?)
        }
    };
    Ok(Parsed { playlist, diagnostics: report.into_diagnostics() })
}
