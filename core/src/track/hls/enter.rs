//! Which segment a reader is given: by time, after another, or in place of one that failed.

use core::time::Duration;
use std::collections::BTreeMap;

use super::HlsTrack;
use super::ladder::{Loaded, PlaylistState};
use super::parts::{Role, Status};
use super::readers::{Bound, Given};
use super::resources::Place;
use crate::context::Context;
use crate::event::{Entry, VariantChoice};
use crate::hls::playlist::{KeyEntry, SegmentEntry};
use crate::hls::{Cipher, Part, Segment};
use crate::http::Expect;
use crate::{Answer, Cause, Error, ReaderId};

/// Audio that ends so little before its segment does, by the playlist's rounded times, ends with it. Where it doesn't
/// after all, the reader asks for the segment before (FAULTS C17).
const ROUNDING: Duration = Duration::from_millis(100);

/// Segments that can't be had, or can't be used, by playlist and index.
#[derive(Debug, Default)]
pub(super) struct Bad(BTreeMap<(usize, usize), Error>);

impl Bad {
    pub(super) fn add(&mut self, playlist: usize, index: usize, why: Error) {
        self.0.insert((playlist, index), why);
    }

    fn has(&self, playlist: usize, index: usize) -> bool {
        self.0.contains_key(&(playlist, index))
    }

    fn why(&self, playlist: usize, index: usize) -> Option<&Error> {
        self.0.get(&(playlist, index))
    }

    /// Whoever asks again tries again.
    fn clear(&mut self) {
        self.0.clear();
    }
}

/// A segment of a variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) variant: usize,
    pub(super) playlist: usize,
    pub(super) index: usize,
    /// The presentation time from which on it is wanted.
    pub(super) at: Duration,
    /// No variant has it: it is silence.
    pub(super) gap: bool,
}

/// What becomes of a reader's wish.
pub(super) enum Found {
    Segment(Target),
    /// Something has to be loaded first.
    Later,
    End,
    Failed(Error),
}

impl HlsTrack {
    /// Answers whoever can be answered.
    pub(super) fn answer_readers(&mut self, context: &mut Context<'_>) {
        for (reader, waiting) in self.readers.waiting() {
            let answer = match self.find(reader, waiting.entry, context) {
                Found::Segment(target) => self.give(reader, waiting.entry, target, context),
                Found::Later => None,
                Found::End => Some(Answer::End),
                Found::Failed(error) => Some(Answer::Failed(error)),
            };
            if let Some(answer) = answer {
                self.readers.answer(reader, answer, context);
            }
        }
    }

    fn find(&mut self, reader: ReaderId, entry: Entry, context: &mut Context<'_>) -> Found {
        match entry {
            Entry::Start => self.find_at(self.opening.start_time(), context),
            Entry::At(time) => self.find_at(time, context),
            Entry::After { variant, index, end } => {
                if let Some(given) = self.given_before(reader, entry) {
                    return Found::Segment(given.target);
                }
                let bound = self.readers.get(reader).and_then(|reader| reader.bound.as_ref());
                let same = bound.filter(|bound| bound.variant == variant && bound.index == index);
                let playlist = same.map(|bound| bound.playlist);
                match playlist.or_else(|| self.ladder.playlist_of(variant)) {
                    Some(playlist) => self.find_after(variant, playlist, index, end, context),
                    None => Found::Failed(self.no_variant(variant)),
                }
            }
            Entry::Exactly { variant, index } => self.find_exactly(reader, variant, index, context),
            Entry::Instead { variant, index, at } => {
                let Some(playlist) = self.ladder.playlist_of(variant) else {
                    return Found::Failed(self.no_variant(variant));
                };
                let why = self.why_bad(playlist, index);
                self.bad.add(playlist, index, why);
                self.find_instead(variant, playlist, index, at, context)
            }
        }
    }

    /// What a reader was given already for what it asks.
    fn given_before(&self, reader: ReaderId, entry: Entry) -> Option<Given> {
        self.readers.get(reader)?.given.filter(|given| given.entry == entry)
    }

    fn no_variant(&self, variant: usize) -> Error {
        let count = self.ladder.len();
        self.error(Cause::Caller(format!("there is no variant {variant} among {count}")))
    }

    fn why_bad(&self, playlist: usize, index: usize) -> Error {
        let place = self.place_of_segment(playlist, index);
        let part = place.as_ref().and_then(|place| self.parts.find(place.name));
        match part.map(|part| &part.status) {
            Some(Status::Failed(error)) => error.clone(),
            _ => {
                let error = Error::new(Cause::Segment("its bytes are no audio".into()));
                place.map_or_else(|| error.clone(), |place| error.clone().with_url(&place.url))
            }
        }
    }

    /// The segment that plays at a time: of what is there already the best, else of what the link allows.
    pub(super) fn find_at(&mut self, time: Duration, context: &mut Context<'_>) -> Found {
        let planned = self.ahead.at(time);
        let variant = match (self.ladder.choice, planned) {
            (VariantChoice::Fixed(variant), _) => Some(variant),
            _ if self.filling => self.choose(context.now, context.config, None),
            (_, Some(planned)) => Some(planned),
            (_, None) => self.stored_at(time, context).or_else(|| self.choose_loaded(context)),
        };
        let Some(variant) = variant else {
            return Found::Failed(self.error(Cause::NoPlayableVariant));
        };
        self.find_in(variant, time, context)
    }

    /// What the link allows, if its playlist is here; else the nearest one below, or above, of which that is so: nobody
    /// waits for a playlist who can have audio at once.
    fn choose_loaded(&mut self, context: &mut Context<'_>) -> Option<usize> {
        let chosen = self.choose(context.now, context.config, None)?;
        let rungs = self.ladder.rungs();
        let place = rungs.iter().position(|(variant, _)| *variant == chosen)?;
        let is_loaded = |variant: &usize| {
            self.ladder.playlist_of(*variant).is_some_and(|own| self.ladder.loaded(own).is_some())
        };
        let (below, above) = rungs.split_at(place + 1);
        let nearest = below.iter().rev().chain(above).map(|(variant, _)| *variant).find(is_loaded);
        if nearest != Some(chosen)
            && let Some(playlist) = self.ladder.playlist_of(chosen)
        {
            self.load_playlist(playlist, context);
        }
        Some(nearest.unwrap_or(chosen))
    }

    /// The best variant that has the segment at that time whole.
    fn stored_at(&self, time: Duration, context: &Context<'_>) -> Option<usize> {
        let stored = |variant: &usize| {
            let playlist = self.ladder.playlist_of(*variant)?;
            let index = self.ladder.loaded(playlist)?.index.find(time)?;
            let place = self.place_of_segment(playlist, index)?;
            self.is_stored(&place, context).then_some(())
        };
        let rungs = self.ladder.rungs();
        rungs.iter().rev().map(|(variant, _)| *variant).find(|variant| stored(variant).is_some())
    }

    /// The segment of one variant that plays at a time.
    fn find_in(&mut self, variant: usize, time: Duration, context: &mut Context<'_>) -> Found {
        let Some(playlist) = self.ladder.playlist_of(variant) else {
            return Found::Failed(self.no_variant(variant));
        };
        let loaded = match self.segments_of(playlist, context) {
            Ok(Some(loaded)) => loaded,
            Ok(None) => return Found::Later,
            Err(error) => return self.another(error, time, context),
        };
        match loaded.index.find(time) {
            Some(index) => self.usable(variant, playlist, index, time, context),
            None => Found::End,
        }
    }

    /// A variant's playlist can't be had: another one plays, unless it was asked for by name.
    fn another(&mut self, error: Error, time: Duration, context: &mut Context<'_>) -> Found {
        if matches!(self.ladder.choice, VariantChoice::Fixed(_)) {
            return Found::Failed(error);
        }
        match self.choose(context.now, context.config, None) {
            Some(variant) => self.find_in(variant, time, context),
            None => Found::Failed(error),
        }
    }

    /// The segments of a playlist; without them, it is being loaded.
    fn segments_of(
        &mut self,
        playlist: usize,
        context: &mut Context<'_>,
    ) -> Result<Option<Loaded>, Error> {
        self.load_playlist(playlist, context);
        match self.ladder.get(playlist).map(|playlist| &playlist.state) {
            Some(PlaylistState::Loaded(loaded)) => Ok(Some(loaded.clone())),
            Some(PlaylistState::Failed(error)) => Err(error.clone()),
            _ => Ok(None),
        }
    }

    /// What follows a segment: what was fetched ahead, else what is best now.
    pub(super) fn find_after(
        &mut self,
        variant: usize,
        playlist: usize,
        index: usize,
        end: Duration,
        context: &mut Context<'_>,
    ) -> Found {
        if let Some(target) = self.ahead.after(playlist, index, end.saturating_add(ROUNDING)) {
            return Found::Segment(Target { at: end, ..target });
        }
        self.find_following(variant, playlist, index, end, context)
    }

    /// What follows a segment, by what the link allows now.
    pub(super) fn find_following(
        &mut self,
        variant: usize,
        playlist: usize,
        index: usize,
        end: Duration,
        context: &mut Context<'_>,
    ) -> Found {
        let Some(mut chosen) = self.choose(context.now, context.config, Some(variant)) else {
            return Found::Failed(self.error(Cause::NoPlayableVariant));
        };
        let mut next = self.ladder.playlist_of(chosen);
        if next != Some(playlist) {
            let ready = match next.map(|next| self.segments_of(next, context)) {
                Some(Ok(loaded)) => loaded.is_some(),
                Some(Err(error)) if matches!(self.ladder.choice, VariantChoice::Fixed(_)) => {
                    return Found::Failed(error);
                }
                _ => false,
            };
            let fixed = matches!(self.ladder.choice, VariantChoice::Fixed(_));
            let stay = self.ladder.playlist_of(variant) == Some(playlist)
                && self.ladder.rungs().iter().any(|(rung, _)| *rung == variant);
            match (ready, fixed || !stay) {
                (true, _) => {}
                (false, true) => return Found::Later,
                // It is loaded meanwhile; nobody waits for it.
                (false, false) => (chosen, next) = (variant, Some(playlist)),
            }
        }
        let Some(loaded) = next.and_then(|next| self.ladder.loaded(next)) else {
            return Found::Later;
        };
        let (next, at) = (next.unwrap_or(playlist), end);
        let found = if next == playlist {
            Some(index + 1).filter(|next| *next < loaded.index.entries().len())
        } else {
            let found = loaded.index.find(end.saturating_add(ROUNDING));
            found.or_else(|| loaded.index.find(end))
        };
        match found {
            Some(found) => self.usable(chosen, next, found, at, context),
            None => Found::End,
        }
    }

    fn find_exactly(
        &mut self,
        reader: ReaderId,
        variant: Option<usize>,
        index: usize,
        context: &mut Context<'_>,
    ) -> Found {
        let bound = self.readers.get(reader).and_then(|reader| reader.bound.as_ref());
        let variant = variant
            .or_else(|| self.stored_index(index, context))
            .or_else(|| bound.map(|bound| bound.variant))
            .or_else(|| self.choose(context.now, context.config, None));
        let Some(variant) = variant else {
            return Found::Failed(self.error(Cause::NoPlayableVariant));
        };
        let Some(playlist) = self.ladder.playlist_of(variant) else {
            return Found::Failed(self.no_variant(variant));
        };
        match self.segments_of(playlist, context) {
            Ok(Some(loaded)) => match loaded.index.get(index) {
                Some(entry) => Found::Segment(Target {
                    variant,
                    playlist,
                    index,
                    at: entry.timestamp_start,
                    gap: entry.gap,
                }),
                None => Found::End,
            },
            Ok(None) => Found::Later,
            Err(error) => Found::Failed(error),
        }
    }

    /// The best variant that has that segment whole.
    fn stored_index(&self, index: usize, context: &Context<'_>) -> Option<usize> {
        let stored = |variant: &usize| {
            let playlist = self.ladder.playlist_of(*variant)?;
            let place = self.place_of_segment(playlist, index)?;
            self.is_stored(&place, context).then_some(())
        };
        let rungs = self.ladder.rungs();
        rungs.iter().rev().map(|(variant, _)| *variant).find(|variant| stored(variant).is_some())
    }

    /// That segment, unless it is a gap or known to be of no use.
    fn usable(
        &mut self,
        variant: usize,
        playlist: usize,
        index: usize,
        at: Duration,
        context: &mut Context<'_>,
    ) -> Found {
        let entry = self.ladder.loaded(playlist).and_then(|loaded| loaded.index.get(index));
        if entry.is_none_or(|entry| entry.gap) || self.bad.has(playlist, index) {
            return self.find_instead(variant, playlist, index, at, context);
        }
        Found::Segment(Target { variant, playlist, index, at, gap: false })
    }

    /// Another variant's segment at that time, the nearest below first.
    fn find_instead(
        &mut self,
        variant: usize,
        playlist: usize,
        index: usize,
        at: Duration,
        context: &mut Context<'_>,
    ) -> Found {
        let rungs: Vec<usize> = self.ladder.rungs().iter().map(|(rung, _)| *rung).collect();
        let own = rungs.iter().position(|rung| *rung == variant).unwrap_or(0);
        let (below, above) = rungs.split_at(own.min(rungs.len()));
        let mut all_gaps = self.is_gap(playlist, index);
        let mut later = false;
        for other in below.iter().rev().chain(above).copied() {
            let Some(other_playlist) = self.ladder.playlist_of(other) else {
                continue;
            };
            let loaded = match self.segments_of(other_playlist, context) {
                Ok(Some(loaded)) => loaded,
                Ok(None) => {
                    later = true;
                    continue;
                }
                Err(_) => continue,
            };
            let Some(found) = loaded.index.find(at) else {
                continue;
            };
            if self.is_gap(other_playlist, found) {
                continue;
            }
            all_gaps &= other_playlist == playlist && found == index;
            if !self.bad.has(other_playlist, found) {
                let gap = false;
                let target =
                    Target { variant: other, playlist: other_playlist, index: found, at, gap };
                return Found::Segment(target);
            }
        }
        if later {
            return Found::Later;
        }
        if all_gaps {
            return Found::Segment(Target { variant, playlist, index, at, gap: true });
        }
        let error = self.error(Cause::PartialSegment { variant, index });
        let error = match self.bad.why(playlist, index) {
            Some(why) => error.with_source(why.clone()),
            None => error,
        };
        self.bad.clear();
        Found::Failed(error)
    }

    fn is_gap(&self, playlist: usize, index: usize) -> bool {
        let loaded = self.ladder.loaded(playlist);
        loaded.and_then(|loaded| loaded.index.get(index)).is_some_and(|entry| entry.gap)
    }

    /// Gives a reader its segment, once the keys that it needs are here.
    fn give(
        &mut self,
        reader: ReaderId,
        asked: Entry,
        target: Target,
        context: &mut Context<'_>,
    ) -> Option<Answer> {
        let Target { variant, playlist, index, at, gap } = target;
        let loaded = self.ladder.loaded(playlist)?.clone();
        let entry = loaded.index.get(index)?.clone();
        let (media, init) = if gap {
            (None, None)
        } else {
            match self.prepare(&loaded, playlist, index, context) {
                Ok(Some((media, init))) => (Some(media), init),
                Ok(None) => return None,
                Err(error) => {
                    self.bad.add(playlist, index, error);
                    return match self.find_instead(variant, playlist, index, at, context) {
                        Found::Segment(other) if other != target => {
                            self.give(reader, asked, other, context)
                        }
                        Found::Failed(error) => Some(Answer::Failed(error)),
                        _ => None,
                    };
                }
            }
        };
        let again = self.given_before(reader, asked).filter(|given| given.target == target);
        if let Some(Given { continues, .. }) = again {
            // It is in there already.
            let segment = Segment { variant, index, entry, media, init, continues };
            return Some(Answer::Entered(Box::new(segment)));
        }
        let before = self.readers.get(reader).and_then(|reader| reader.bound.as_ref());
        let continues = matches!(asked, Entry::After { .. })
            && before.is_some_and(|before| follows(before, playlist, index, &loaded))
            && !gap;
        self.readers.give(reader, Given { entry: asked, target, continues });
        let bound = Bound {
            variant,
            playlist,
            index,
            track: media.as_ref().map(|part| part.track),
            init: init.as_ref().map(|part| part.track),
            at: at.max(entry.timestamp_start),
            since: context.now,
            end: entry.timestamp_end(),
        };
        self.bind(reader, bound, context);
        let segment = Segment { variant, index, entry, media, init, continues };
        Some(Answer::Entered(Box::new(segment)))
    }

    /// Opens what a segment is read with. Nothing yet where a key is still on its way.
    pub(super) fn prepare(
        &mut self,
        loaded: &Loaded,
        playlist: usize,
        index: usize,
        context: &mut Context<'_>,
    ) -> Result<Option<(Part, Option<Part>)>, Error> {
        let (Some(entry), Some(place)) =
            (loaded.index.get(index), self.place_of_segment(playlist, index))
        else {
            return Ok(None);
        };
        let named = loaded.name_entry(index);
        // All that is needed is asked for at once.
        let expect = if entry.key.is_some() { Expect::Opaque } else { Expect::Media };
        let track = self.open_part(&place, Role::Segment, expect, context);
        let init = self.prepare_map(entry, named, context);
        let named_key = named.and_then(|entry| entry.key.as_deref());
        let cipher = self.cipher(entry.key.as_deref(), named_key, entry.iv(), context)?;
        let init = init?;
        let (Some(cipher), Some(init)) = (cipher, init) else {
            return Ok(None);
        };
        Ok(Some((Part { track, cipher }, init)))
    }

    /// The outer `None` means that its key is still on its way.
    fn prepare_map(
        &mut self,
        entry: &SegmentEntry,
        named: Option<&SegmentEntry>,
        context: &mut Context<'_>,
    ) -> Result<Option<Option<Part>>, Error> {
        let Some(map) = &entry.map else {
            return Ok(Some(None));
        };
        let place = self.place_of_map(map, named);
        let expect = if map.key.is_some() { Expect::Opaque } else { Expect::Media };
        let track = self.open_part(&place, Role::Init, expect, context);
        let named_key = named.and_then(|entry| entry.map.as_ref()?.key.as_deref());
        let iv = map.key.as_ref().and_then(|key| key.iv);
        let cipher = self.cipher(map.key.as_deref(), named_key, iv, context)?;
        Ok(cipher.map(|cipher| Some(Part { track, cipher })))
    }

    /// The outer `None` means that the key is still on its way.
    fn cipher(
        &mut self,
        key: Option<&KeyEntry>,
        named: Option<&KeyEntry>,
        iv: Option<[u8; 16]>,
        context: &mut Context<'_>,
    ) -> Result<Option<Option<Cipher>>, Error> {
        let Some(entry) = key else {
            return Ok(Some(None));
        };
        let place: Place = self.place_of_key(entry, named);
        if let Some(key) = self.keys.get(&place.name) {
            let Some(iv) = iv else {
                let what = "its map is encrypted and has no IV (RFC 8216, section 4.3.2.5)";
                return Err(Error::new(Cause::Playlist(what.into())).with_url(&entry.url));
            };
            return Ok(Some(Some(Cipher { key: *key, iv })));
        }
        let failed = self.parts.find(place.name).and_then(|part| match &part.status {
            Status::Failed(error) => Some(error.clone()),
            _ => None,
        });
        if let Some(error) = failed {
            // Whoever asks again tries again.
            if let Some(track) = self.parts.named(place.name) {
                self.close_part(track);
            }
            return Err(error);
        }
        self.open_part(&place, Role::Key, Expect::Opaque, context);
        Ok(None)
    }
}

/// Whether a segment follows the one that a reader is in without a seam.
fn follows(before: &Bound, playlist: usize, index: usize, loaded: &Loaded) -> bool {
    let next = before.playlist == playlist && before.index + 1 == index && before.track.is_some();
    let same = || {
        let (one, two) = (loaded.index.get(before.index)?, loaded.index.get(index)?);
        Some(one.map == two.map && one.discontinuity == two.discontinuity)
    };
    next && same() == Some(true)
}
