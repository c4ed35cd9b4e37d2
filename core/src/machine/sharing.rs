//! Which download a track belongs to: of one identity there is one, however often it is opened.

use std::collections::BTreeMap;

use super::{Machine, Target};
use crate::catalog::ResourceKey;
use crate::event::{Event, OpenOptions, SourceSpec};
use crate::track::FileTrack;
use crate::{Action, Cause, Error, ReaderId, TrackId};

/// The downloads that tracks share, and the readers of each track.
#[derive(Debug, Default)]
pub(super) struct Sharing {
    /// The download that can be joined, by the track that it began with.
    by_key: BTreeMap<ResourceKey, TrackId>,
    /// The download of each open track.
    downloads: BTreeMap<TrackId, TrackId>,
    /// The track of each reader.
    readers: BTreeMap<ReaderId, TrackId>,
}

impl Sharing {
    /// The download that a track belongs to.
    pub(super) fn download(&self, track: TrackId) -> Option<TrackId> {
        self.downloads.get(&track).copied()
    }

    /// The download that a reader reads.
    pub(super) fn read_by(&self, reader: ReaderId) -> Option<TrackId> {
        self.download(*self.readers.get(&reader)?)
    }

    /// A reader is gone. Gives the download that it read.
    pub(super) fn detach(&mut self, reader: ReaderId) -> Option<TrackId> {
        let track = self.readers.remove(&reader)?;
        self.download(track)
    }

    /// A track is closed. Gives its download, and its readers.
    fn leave(&mut self, track: TrackId) -> Option<(TrackId, Vec<ReaderId>)> {
        let download = self.downloads.remove(&track)?;
        let of_track = self.readers.iter().filter(|(_, of)| **of == track);
        let gone: Vec<ReaderId> = of_track.map(|(reader, _)| *reader).collect();
        self.readers.retain(|_, of| *of != track);
        Some((download, gone))
    }

    /// Nobody can join it any more.
    fn retire(&mut self, download: TrackId) {
        self.by_key.retain(|_, of| *of != download);
    }
}

impl Machine {
    /// Opens a track: a download of its own, or another one's.
    pub(super) fn open(
        &mut self,
        track: TrackId,
        source: Box<SourceSpec>,
        options: OpenOptions,
    ) -> Target {
        if self.sharing.downloads.contains_key(&track) || self.tracks.contains_key(&track) {
            return Target::Nothing;
        }
        if !matches!(source.url.scheme(), "http" | "https") {
            let what = format!("the scheme {:?}; use http or https", source.url.scheme());
            let error = Error::new(Cause::Unsupported(what)).with_url(&source.url);
            if options.intent != crate::Intent::Play {
                let result = Err(error.clone());
                self.out.push(Action::Filled { track, result });
            }
            let result = Err(error);
            self.out.push(Action::Opened { track, result });
            self.out.push(Action::Closed { track });
            return Target::Nothing;
        }
        let asset = options.asset.unwrap_or_else(|| source.identity());
        let key = ResourceKey { asset, name: options.name.unwrap_or(asset) };
        if let Some(download) = self.sharing.by_key.get(&key).copied() {
            self.sharing.downloads.insert(track, download);
            return self.with(download, |file, context| {
                file.join(track, *source, options, context);
            });
        }
        // What is not kept can't be found again either: there nobody waits.
        let closing = self.tracks.iter().find(|(_, file)| *file.key() == key);
        if let Some((closing, _)) = closing.filter(|_| self.cache.is_on()) {
            let closing = *closing;
            self.waiting.add(track, closing, Event::Open { track, source, options });
            return Target::Nothing;
        }
        self.sharing.by_key.insert(key, track);
        self.sharing.downloads.insert(track, track);
        let (mut context, ..) = self.lend();
        let file = FileTrack::open(track, key, *source, options, &mut context);
        self.tracks.insert(track, file);
        Target::Track(track)
    }

    /// A reader begins.
    pub(super) fn attach(&mut self, track: TrackId, reader: ReaderId, position: u64) -> Target {
        // Where a track is closed nobody would answer, nor take the reader out again.
        let Some(download) = self.sharing.download(track) else {
            return Target::Nothing;
        };
        if self.sharing.readers.contains_key(&reader) {
            return Target::Nothing;
        }
        self.sharing.readers.insert(reader, track);
        self.with(download, |file, _| file.attach(reader, position))
    }

    /// A track closes. The last one of a download ends it.
    pub(super) fn close(&mut self, track: TrackId) -> Target {
        let Some((download, readers)) = self.sharing.leave(track) else {
            return Target::Nothing;
        };
        if !self.sharing.downloads.values().any(|of| *of == download) {
            self.sharing.retire(download);
        }
        self.with(download, |file, context| file.close(track, &readers, context))
    }
}
