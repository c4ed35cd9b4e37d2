//! How a presentation's resources are opened, named, wanted and let go of.

use std::collections::BTreeSet;
use std::sync::Arc;

use url::Url;

use super::parts::{Role, Status};
use super::{HlsTrack, Order};
use crate::catalog::{Key, ResourceKey};
use crate::context::Context;
use crate::event::{Intent, OpenOptions};
use crate::hls::playlist::{KeyEntry, MapEntry, SegmentEntry};
use crate::http::Expect;
use crate::{Action, ByteRange, Cause, Error, TrackId};

/// Without a cache, so many segments that nobody needs are kept open at most: what is not needed goes when the store has
/// no room, but their tables take room, too.
const SPARE_SEGMENTS: usize = 4096;

/// Where a resource is, and what it is named after.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) url: Arc<Url>,
    pub(super) slice: Option<ByteRange>,
    pub(super) name: Key,
}

impl HlsTrack {
    /// Where a segment is.
    pub(super) fn place_of_segment(&self, playlist: usize, index: usize) -> Option<Place> {
        let loaded = self.ladder.loaded(playlist)?;
        let entry = loaded.index.get(index)?;
        let named = loaded.name_entry(index).unwrap_or(entry);
        Some(self.place(&entry.url, &named.url, entry.byte_range))
    }

    /// Where a segment's map is.
    pub(super) fn place_of_map(&self, map: &MapEntry, named: Option<&SegmentEntry>) -> Place {
        let named = named.and_then(|entry| entry.map.as_ref());
        let name = named.map_or(&map.url, |map| &map.url);
        self.place(&map.url, name, map.byte_range)
    }

    /// Where a key is.
    pub(super) fn place_of_key(&self, key: &KeyEntry, named: Option<&KeyEntry>) -> Place {
        self.place(&key.url, named.map_or(&key.url, |key| &key.url), None)
    }

    pub(super) fn place(&self, url: &Arc<Url>, name: &Url, slice: Option<ByteRange>) -> Place {
        let own = self.options.part_key.as_ref().map(|key| (key.0)(url));
        let name = Key::part(name, own.as_deref(), slice);
        Place { url: Arc::clone(url), slice, name }
    }

    /// The resource there, open and wanted from now on.
    pub(super) fn open_part(
        &mut self,
        place: &Place,
        role: Role,
        expect: Expect,
        context: &mut Context<'_>,
    ) -> TrackId {
        if let Some(track) = self.parts.named(place.name) {
            self.want(track);
            return track;
        }
        let track = context.out.part();
        self.parts.insert(track, place.name, role);
        // At once: a reader may be told of it before the order is carried out.
        let url = Arc::clone(&place.url);
        context.out.push(Action::OpenPart { of: self.id, track, url });
        let options = OpenOptions {
            intent: Intent::Fill(u64::MAX),
            pin: self.options.pin,
            asset: Some(self.asset),
            name: Some(place.name),
            expect,
            transient: role == Role::Key && !self.options.keep_keys,
            revalidate: self.options.revalidate,
            ..OpenOptions::default()
        };
        let mut source = self.source.part(&place.url, place.slice);
        source.renewable = matches!(role, Role::Playlist(None)) && self.source.renewable;
        self.orders.push(Order::Open { track, source: Box::new(source), options });
        track
    }

    /// It is to be filled, from now on or again.
    pub(super) fn want(&mut self, track: TrackId) {
        let Some(part) = self.parts.get_mut(track) else {
            return;
        };
        if !matches!(part.status, Status::Whole | Status::Wanted) {
            part.status = Status::Wanted;
            self.orders.push(Order::Want(track, true));
        }
    }

    /// Nobody wants it now. What is there of it stays.
    pub(super) fn leave(&mut self, track: TrackId) {
        let Some(part) = self.parts.get_mut(track) else {
            return;
        };
        if matches!(part.status, Status::Wanted) {
            part.status = Status::Idle;
            self.orders.push(Order::Want(track, false));
        }
    }

    pub(super) fn close_part(&mut self, track: TrackId) {
        self.parts.close(track);
        self.orders.push(Order::Close(track));
    }

    /// A resource is whole, or was given up.
    pub(super) fn part_filled(
        &mut self,
        track: TrackId,
        result: Result<u64, Error>,
        context: &mut Context<'_>,
    ) {
        let Some(part) = self.parts.get_mut(track) else {
            return;
        };
        let role = part.role;
        match &result {
            Ok(len) => {
                part.status = Status::Whole;
                part.len = *len;
            }
            Err(error) => part.status = Status::Failed(error.clone()),
        }
        match (role, result) {
            (Role::Playlist(_) | Role::Key, Ok(len)) => {
                if let Some(error) = self.oversize(track, len, context) {
                    self.part_filled(track, Err(error), context);
                } else {
                    self.orders.push(Order::Load(track));
                }
            }
            (Role::Playlist(which), Err(error)) => self.playlist_failed(which, error, context),
            (Role::Segment, Ok(len)) => self.segment_whole(track, len),
            (Role::Segment | Role::Init | Role::Key, Err(_)) | (Role::Init, Ok(_)) => {}
        }
    }

    /// A resource grows: one that is to be held in memory only so far.
    pub(super) fn part_grown(&mut self, track: TrackId, bytes: u64, context: &mut Context<'_>) {
        if let Some(error) = self.oversize(track, bytes, context) {
            self.leave(track);
            self.part_filled(track, Err(error), context);
        }
    }

    /// Why a resource of that many bytes is too large.
    fn oversize(&self, track: TrackId, bytes: u64, context: &Context<'_>) -> Option<Error> {
        let limits = &context.config.hls;
        let cause = match self.parts.get(track)?.role {
            Role::Playlist(_) if bytes > limits.max_playlist_bytes => {
                let most = limits.max_playlist_bytes;
                Cause::Playlist(format!("it has more than {most} bytes; raise max_playlist_bytes"))
            }
            Role::Key if bytes > 16 => Cause::Key(bytes),
            Role::Init if bytes > limits.max_init_bytes => {
                let most = limits.max_init_bytes;
                Cause::Segment(format!("its init section has more than {most} bytes"))
            }
            Role::Segment if bytes > 1_u64.checked_shl(limits.stride_bits).unwrap_or(u64::MAX) => {
                let bits = limits.stride_bits;
                Cause::Segment(format!("it has more than 2^{bits} bytes; raise stride_bits"))
            }
            _ => return None,
        };
        Some(self.error(cause))
    }

    /// Whether every byte of that resource is here: open, or in the cache.
    pub(super) fn is_stored(&self, place: &Place, context: &Context<'_>) -> bool {
        if let Some(part) = self.parts.find(place.name) {
            return matches!(part.status, Status::Whole);
        }
        let key = ResourceKey { asset: self.asset, name: place.name };
        context.cache.download(&key).is_some_and(|download| download.is_whole())
    }

    /// What readers are in, what lies ahead of them, and what is being loaded.
    fn needed(&self) -> BTreeSet<TrackId> {
        self.readers.tracks().chain(self.ahead.tracks()).collect()
    }

    /// Closes what nobody needs: with a cache it is there again when it is wanted; without, when there is too much.
    pub(super) fn trim(&mut self, context: &Context<'_>) {
        let most = if context.cache.is_on() { 0 } else { SPARE_SEGMENTS };
        if self.parts.segments() <= most {
            return;
        }
        let needed = self.needed();
        let mut spare = self.parts.spare(&needed);
        spare.truncate(spare.len().saturating_sub(most));
        for track in spare {
            self.close_part(track);
        }
    }

    /// Gives a segment back, for there is no room for another: what nobody needs, or else what lies farthest ahead.
    /// Whether there was one.
    pub(crate) fn give_room(&mut self, hungry: TrackId) -> bool {
        let needed = self.needed();
        let spare = self.parts.spare(&needed).into_iter().find(|track| *track != hungry);
        let found = spare.or_else(|| self.ahead.give_up_last(hungry));
        match found {
            Some(track) if !self.readers.tracks().any(|needed| needed == track) => {
                self.close_part(track);
                true
            }
            _ => false,
        }
    }
}
