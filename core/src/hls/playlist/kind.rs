//! Whether a playlist is a master playlist or a media playlist.

use super::lines::Lines;
use super::report::{PlaylistError, Report};

const RULE: &str = "RFC 8216, section 4: a playlist is one or the other; FAULTS C27";

/// What a playlist is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Master,
    Media,
}

/// Looks through all tags. One that has those of both kinds is refused: nobody knows what its URIs are.
pub(super) fn kind(lines: Lines<'_>, report: &mut Report) -> Result<Kind, PlaylistError> {
    let (mut master, mut session, mut media, mut ended) = (None, None, None, None);
    for line in lines {
        let Some((tag, _)) = line.tag() else { continue };
        let seen = match tag {
            "EXT-X-STREAM-INF" | "EXT-X-MEDIA" | "EXT-X-I-FRAME-STREAM-INF" => &mut master,
            "EXT-X-SESSION-DATA" | "EXT-X-SESSION-KEY" | "EXT-X-CONTENT-STEERING" => &mut session,
            "EXTINF"
            | "EXT-X-BYTERANGE"
            | "EXT-X-DISCONTINUITY"
            | "EXT-X-KEY"
            | "EXT-X-MAP"
            | "EXT-X-PROGRAM-DATE-TIME"
            | "EXT-X-DATERANGE"
            | "EXT-X-GAP"
            | "EXT-X-BITRATE"
            | "EXT-X-PART"
            | "EXT-X-TARGETDURATION"
            | "EXT-X-MEDIA-SEQUENCE"
            | "EXT-X-DISCONTINUITY-SEQUENCE"
            | "EXT-X-PLAYLIST-TYPE"
            | "EXT-X-I-FRAMES-ONLY"
            | "EXT-X-PART-INF"
            | "EXT-X-SERVER-CONTROL"
            | "EXT-X-SKIP"
            | "EXT-X-PRELOAD-HINT"
            | "EXT-X-RENDITION-REPORT" => &mut media,
            "EXT-X-ENDLIST" => &mut ended,
            _ => continue,
        };
        seen.get_or_insert((line.number, tag.to_owned()));
    }
    match (master, media.or(ended.clone()), session) {
        (Some(_), Some((line, tag)), _) if Some(line) == ended.as_ref().map(|(line, _)| *line) => {
            // Some packagers end every playlist so; its URIs are not in doubt.
            report.broken(line, format!("{tag} in a master playlist"), RULE)?;
            Ok(Kind::Master)
        }
        (Some((_, other)), Some((line, tag)), _) => {
            let what = format!("{tag} and {other} in one playlist");
            Err(PlaylistError::new(line, what, RULE))
        }
        (None, Some((_, other)), Some((line, tag))) => {
            report.broken(line, format!("{tag} and {other} in one playlist"), RULE)?;
            Ok(Kind::Media)
        }
        (None, Some(_), None) => Ok(Kind::Media),
        (Some(_), None, _) | (None, None, Some(_)) => Ok(Kind::Master),
        (None, None, None) => {
            let what = "neither segments nor variants: this is no playlist of HTTP Live Streaming";
            Err(PlaylistError::new(1, what, RULE))
        }
    }
}
