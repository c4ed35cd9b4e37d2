//! From a URL to a timeline: the master playlist, then the media playlist of the variant to begin with. Further media
//! playlists are loaded when they are needed.

use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::Arc;

use url::Url;

use super::HlsTrack;
use super::ladder::{Ladder, Loaded, PlaylistState};
use super::parts::Role;
use crate::context::Context;
use crate::event::{SourceSpec, VariantChoice};
use crate::hls::playlist::{
    Diagnostic, MediaPlaylist, ParseOptions, Parsed, Playlist, StartPoint, parse,
};
use crate::hls::{SegmentEntry, SegmentIndex};
use crate::http::Expect;
use crate::{Action, Cause, Error, Notice, TrackId};

/// Findings in one playlist that the embedder is told of: a generator's fault is in each of its lines.
const FINDINGS_TOLD: usize = 8;

/// How far the opening is.
#[derive(Debug)]
pub(super) struct Opening {
    stage: Stage,
    /// The master playlist's track, or that of the only media playlist.
    part: Option<TrackId>,
    /// Where it is.
    url: Arc<Url>,
    /// What media playlists may import.
    variables: BTreeMap<String, String>,
    start: Option<StartPoint>,
    duration: Duration,
    /// Whether somebody waits to be told.
    asked: bool,
}

#[derive(Debug)]
enum Stage {
    Master,
    /// The media playlist of the variant to begin with.
    First(usize),
    Open,
    Failed(Error),
}

impl Opening {
    pub(super) fn new(source: &SourceSpec) -> Self {
        Self {
            stage: Stage::Master,
            part: None,
            url: Arc::new(source.url.clone()),
            variables: BTreeMap::new(),
            start: None,
            duration: Duration::ZERO,
            asked: true,
        }
    }

    /// Whether there is a timeline.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Open)
    }

    /// Whether nobody waits for it.
    pub(super) fn is_settled(&self) -> bool {
        !self.asked
    }

    /// Why there will be none.
    pub(super) fn failure(&self) -> Option<&Error> {
        match &self.stage {
            Stage::Failed(error) => Some(error),
            _ => None,
        }
    }

    /// The track of the playlist that was opened.
    pub(super) fn part(&self) -> Option<TrackId> {
        self.part
    }

    /// How long the presentation is, as its first media playlist says.
    pub(super) fn duration(&self) -> Duration {
        self.duration
    }

    /// Where it begins (RFC 8216, section 4.3.5.2).
    pub(super) fn start_time(&self) -> Duration {
        let Some(start) = self.start else {
            return Duration::ZERO;
        };
        let offset = Duration::try_from_secs_f64(start.offset.abs()).unwrap_or(Duration::MAX);
        if start.offset < 0.0 { self.duration.saturating_sub(offset) } else { offset }
    }
}

impl HlsTrack {
    pub(super) fn begin(&mut self, context: &mut Context<'_>) {
        let url = Arc::clone(&self.opening.url);
        let place = self.place(&url, &url, None);
        let role = Role::Playlist(None);
        self.opening.part = Some(self.open_part(&place, role, Expect::Playlist, context));
    }

    /// It can't be opened, or is closed before it was.
    pub(super) fn fail_opening(&mut self, error: &Error, context: &mut Context<'_>) {
        let (track, result) = (self.id, Err(error.clone()));
        if !self.opening.is_open() {
            self.opening.stage = Stage::Failed(error.clone());
        }
        self.show(context);
        if core::mem::take(&mut self.opening.asked) {
            context.out.push(Action::Opened { track, result: result.clone() });
        }
        if core::mem::take(&mut self.filling) {
            context.out.push(Action::Filled { track, result });
        }
    }

    /// A playlist can't be had, or can't be used.
    pub(super) fn playlist_failed(
        &mut self,
        which: Option<usize>,
        error: Error,
        context: &mut Context<'_>,
    ) {
        let Some(playlist) = which else {
            return self.fail_opening(&error, context);
        };
        if let Some(playlist) = self.ladder.get_mut(playlist) {
            playlist.state = PlaylistState::Failed(error.clone());
        }
        self.changed = true;
        if matches!(self.opening.stage, Stage::First(first) if first == playlist) {
            self.load_first(Some(error), context);
        }
    }

    /// A playlist's text or a key has come.
    pub(super) fn part_loaded(
        &mut self,
        part: TrackId,
        bytes: &[u8],
        base: Option<&Url>,
        context: &mut Context<'_>,
    ) {
        let Some(state) = self.parts.get(part) else {
            return;
        };
        let name = state.name;
        match state.role {
            Role::Playlist(which) => {
                if let Err(error) = self.read_playlist(which, bytes, base, context) {
                    self.playlist_failed(which, error, context);
                }
            }
            Role::Key => match bytes.try_into() {
                Ok(key) => {
                    self.keys.insert(name, key);
                    self.close_part(part);
                }
                Err(_) => {
                    let error = self.error(Cause::Key(bytes.len() as u64));
                    self.part_filled(part, Err(error), context);
                }
            },
            Role::Init | Role::Segment => {}
        }
    }

    fn read_playlist(
        &mut self,
        which: Option<usize>,
        bytes: &[u8],
        base: Option<&Url>,
        context: &mut Context<'_>,
    ) -> Result<(), Error> {
        let (url, name) = match which {
            None => (Arc::clone(&self.opening.url), Arc::clone(&self.opening.url)),
            Some(playlist) => {
                let Some(playlist) = self.ladder.get(playlist) else {
                    return Ok(());
                };
                (Arc::clone(&playlist.url), Arc::clone(&playlist.name_url))
            }
        };
        let base = base.unwrap_or(&url);
        let options = ParseOptions {
            strict: self.options.strict,
            limits: context.config.hls.clone(),
            imports: self.opening.variables.clone(),
        };
        let failed = |what: String| Error::new(Cause::Playlist(what)).with_url(&url);
        let Parsed { playlist, diagnostics } =
            parse(bytes, base, &options).map_err(|error| failed(error.to_string()))?;
        // What it would say had there been no redirect: what is stored is found again when nobody redirects.
        let named = (*base != *name).then(|| parse(bytes, &name, &options).ok()).flatten();
        let named = named.map(|parsed| parsed.playlist);
        self.tell_findings(&diagnostics, context);
        match (playlist, which) {
            (Playlist::Master(_), Some(_)) => {
                Err(failed("it is a master playlist where a media playlist should be".into()))
            }
            (Playlist::Master(master), None) => {
                let named = match &named {
                    Some(Playlist::Master(named)) => Some(named),
                    _ => None,
                };
                self.opening.variables = master.variables.clone();
                self.opening.start = master.start;
                let can_decode = self.options.can_decode.as_ref();
                self.ladder = Ladder::new(master, named, can_decode, self.options.choice);
                self.load_first(None, context);
                Ok(())
            }
            (Playlist::Media(media), which) => {
                let start = media.start;
                let loaded = self.timeline(media, named, &url)?;
                let duration = loaded.index.duration();
                match which {
                    None => self.ladder = Ladder::single(url, loaded),
                    Some(playlist) => {
                        if let Some(playlist) = self.ladder.get_mut(playlist) {
                            playlist.state = PlaylistState::Loaded(loaded);
                        }
                    }
                }
                self.changed = true;
                if !self.opening.is_open() {
                    self.opening.duration = duration;
                    self.opening.start = self.opening.start.or(start);
                    self.opened(context);
                }
                Ok(())
            }
        }
    }

    /// What a media playlist gives, if it is one that can be played.
    fn timeline(
        &self,
        media: MediaPlaylist,
        named: Option<Playlist>,
        url: &Url,
    ) -> Result<Loaded, Error> {
        let refuse = |cause: Cause| Err(Error::new(cause).with_url(url));
        if !media.ended && media.vod != Some(true) {
            let what = "live and event playlists (there is no EXT-X-ENDLIST)";
            return refuse(Cause::Unsupported(what.into()));
        }
        if media.i_frames_only {
            return refuse(Cause::Unsupported("playlists of I-frames".into()));
        }
        if media.segments.is_empty() {
            return refuse(Cause::Playlist("it has no segments".into()));
        }
        let index = |segments: Vec<SegmentEntry>| Arc::new(SegmentIndex::new(segments));
        let names = match named {
            Some(Playlist::Media(named)) if named.segments.len() == media.segments.len() => {
                Some(index(named.segments))
            }
            _ => None,
        };
        Ok(Loaded { index: index(media.segments), names })
    }

    /// Loads the media playlist of the variant to begin with. `last` is why the one before it failed.
    fn load_first(&mut self, last: Option<Error>, context: &mut Context<'_>) {
        let fixed = match self.ladder.choice {
            VariantChoice::Fixed(variant) => Some(variant),
            VariantChoice::Auto | VariantChoice::Cap(_) => None,
        };
        let playlist = match (fixed, &last) {
            (Some(variant), None) => self.ladder.playlist_of(variant),
            (Some(_), Some(_)) => None,
            (None, _) => {
                let variant = self.choose(context.now, context.config, None);
                variant.and_then(|variant| self.ladder.playlist_of(variant))
            }
        };
        match playlist {
            Some(playlist) => {
                self.opening.stage = Stage::First(playlist);
                self.load_playlist(playlist, context);
            }
            None => {
                let cause = match fixed {
                    Some(variant) => {
                        let count = self.ladder.len();
                        Cause::Caller(format!("there is no variant {variant} among {count}"))
                    }
                    None => Cause::NoPlayableVariant,
                };
                let error = last.unwrap_or_else(|| self.error(cause));
                self.changed = true;
                self.fail_opening(&error, context);
            }
        }
    }

    /// Asks for a media playlist, unless it was asked for.
    pub(super) fn load_playlist(&mut self, playlist: usize, context: &mut Context<'_>) {
        let Some(found) = self.ladder.get(playlist) else {
            return;
        };
        if !matches!(found.state, PlaylistState::Unloaded) {
            return;
        }
        let place = self.place(&Arc::clone(&found.url), &Arc::clone(&found.name_url), None);
        let role = Role::Playlist(Some(playlist));
        self.open_part(&place, role, Expect::Playlist, context);
        if let Some(found) = self.ladder.get_mut(playlist) {
            found.state = PlaylistState::Loading;
        }
    }

    /// There is a timeline.
    fn opened(&mut self, context: &mut Context<'_>) {
        self.opening.stage = Stage::Open;
        // Before the answer: who is told that it is open looks at what it is.
        self.show(context);
        if core::mem::take(&mut self.opening.asked) {
            context.out.push(Action::Opened { track: self.id, result: Ok(()) });
        }
    }

    fn tell_findings(&self, findings: &[Diagnostic], context: &mut Context<'_>) {
        for finding in findings.iter().take(FINDINGS_TOLD) {
            self.notify(Notice::Playlist(finding.to_string()), context);
        }
    }
}
