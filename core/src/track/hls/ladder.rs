//! The variants of a presentation, the playlists behind them, and which of them can be played.

use core::time::Duration;
use std::sync::Arc;

use url::Url;

use crate::Error;
use crate::event::{PlayableFn, VariantChoice};
use crate::hls::playlist::{MasterPlaylist, MediaKind, Rendition, Variant};
use crate::hls::{Presentation, RenditionInfo, SegmentEntry, SegmentIndex, VariantInfo};

/// A media playlist, which several variants may share.
#[derive(Debug)]
pub(super) struct Playlist {
    /// Where it is.
    pub(super) url: Arc<Url>,
    /// What it is named after: its URL as it would be without redirects.
    pub(super) name_url: Arc<Url>,
    pub(super) state: PlaylistState,
    /// Bytes and playing time of its segments that came whole.
    measured: (u64, Duration),
}

/// How far it is.
#[derive(Debug)]
pub(super) enum PlaylistState {
    Unloaded,
    Loading,
    Loaded(Loaded),
    Failed(Error),
}

/// Its segments.
#[derive(Clone, Debug)]
pub(super) struct Loaded {
    pub(super) index: Arc<SegmentIndex>,
    /// The same, with the URLs that they are named after, where redirects make these others.
    pub(super) names: Option<Arc<SegmentIndex>>,
}

impl Loaded {
    /// The entry that names a segment's resources.
    pub(super) fn name_entry(&self, index: usize) -> Option<&SegmentEntry> {
        self.names.as_ref().unwrap_or(&self.index).get(index)
    }
}

/// One variant.
#[derive(Debug)]
struct Rung {
    variant: Variant,
    playable: bool,
    /// Its own media playlist.
    own: usize,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Ladder {
    rungs: Vec<Rung>,
    playlists: Vec<Playlist>,
    /// The audio renditions with the playlist of each that has one.
    renditions: Vec<(Rendition, Option<usize>)>,
    /// The renditions that are shown, of all groups: the first of each name.
    shown: Vec<usize>,
    rendition: Option<usize>,
    pub(super) choice: VariantChoice,
}

impl Ladder {
    /// What a master playlist offers; `names` is the same playlist as it would be without redirects.
    pub(super) fn new(
        master: MasterPlaylist,
        names: Option<&MasterPlaylist>,
        can_decode: Option<&PlayableFn>,
        choice: VariantChoice,
    ) -> Self {
        let mut ladder = Self { choice, ..Self::default() };
        for (place, rendition) in master.renditions.into_iter().enumerate() {
            if rendition.kind != MediaKind::Audio {
                continue;
            }
            let name = names.and_then(|names| names.renditions.get(place)?.url.clone());
            let playlist = rendition.url.clone().map(|url| ladder.playlist(url, name));
            let known = |(other, _): &(Rendition, Option<usize>)| {
                other.name == rendition.name && other.language == rendition.language
            };
            if !ladder.renditions.iter().any(known) {
                ladder.shown.push(ladder.renditions.len());
            }
            ladder.renditions.push((rendition, playlist));
        }
        for (place, variant) in master.variants.into_iter().enumerate() {
            let name = names.and_then(|names| Some(Arc::clone(&names.variants.get(place)?.url)));
            let own = ladder.playlist(Arc::clone(&variant.url), name);
            ladder.rungs.push(Rung { variant, playable: true, own });
        }
        for index in 0..ladder.rungs.len() {
            let playable = can_decode.is_none_or(|can| ladder.can_decode(index, can));
            ladder.rungs[index].playable = playable;
        }
        ladder
    }

    /// A presentation of one media playlist, which is loaded.
    pub(super) fn single(url: Arc<Url>, loaded: Loaded) -> Self {
        let variant = Variant {
            url: Arc::clone(&url),
            bandwidth: 0,
            average_bandwidth: None,
            codecs: None,
            resolution: None,
            frame_rate: None,
            audio: None,
        };
        let mut ladder = Self::default();
        ladder.playlists.push(Playlist {
            name_url: Arc::clone(&url),
            url,
            state: PlaylistState::Loaded(loaded),
            measured: (0, Duration::ZERO),
        });
        ladder.rungs.push(Rung { variant, playable: true, own: 0 });
        ladder
    }

    fn playlist(&mut self, url: Arc<Url>, name: Option<Arc<Url>>) -> usize {
        if let Some(known) = self.playlists.iter().position(|playlist| playlist.url == url) {
            return known;
        }
        self.playlists.push(Playlist {
            name_url: name.unwrap_or_else(|| Arc::clone(&url)),
            url,
            state: PlaylistState::Unloaded,
            measured: (0, Duration::ZERO),
        });
        self.playlists.len() - 1
    }

    fn can_decode(&self, variant: usize, can: &PlayableFn) -> bool {
        let Some(codecs) = &self.rungs[variant].variant.codecs else {
            return true;
        };
        let channels = self.group_of(variant).and_then(|(rendition, _)| rendition.channels.clone());
        (can.0)(codecs, channels.as_deref())
    }

    /// The rendition that plays with a variant.
    fn group_of(&self, variant: usize) -> Option<&(Rendition, Option<usize>)> {
        let group = self.rungs.get(variant)?.variant.audio.as_ref()?;
        let of_group = || self.renditions.iter().filter(|(each, _)| each.group == *group);
        let chosen = self.rendition.and_then(|chosen| self.renditions.get(chosen));
        let same = |(each, _): &&(Rendition, Option<usize>)| {
            chosen.is_some_and(|(of, _)| of.name == each.name && of.language == each.language)
        };
        of_group()
            .find(same)
            .or_else(|| of_group().find(|(each, _)| each.default))
            .or_else(|| of_group().next())
    }

    /// The playlist that a variant plays: its audio rendition's, else its own (FAULTS C32).
    pub(super) fn playlist_of(&self, variant: usize) -> Option<usize> {
        let rung = self.rungs.get(variant)?;
        Some(self.group_of(variant).and_then(|(_, playlist)| *playlist).unwrap_or(rung.own))
    }

    pub(super) fn get(&self, playlist: usize) -> Option<&Playlist> {
        self.playlists.get(playlist)
    }

    pub(super) fn get_mut(&mut self, playlist: usize) -> Option<&mut Playlist> {
        self.playlists.get_mut(playlist)
    }

    /// The segments of a playlist, once it is loaded.
    pub(super) fn loaded(&self, playlist: usize) -> Option<&Loaded> {
        match &self.get(playlist)?.state {
            PlaylistState::Loaded(loaded) => Some(loaded),
            _ => None,
        }
    }

    /// A segment came whole: what it says of its playlist's rate.
    pub(super) fn measure(&mut self, playlist: usize, bytes: u64, time: Duration) {
        if let Some(playlist) = self.playlists.get_mut(playlist) {
            playlist.measured.0 = playlist.measured.0.saturating_add(bytes);
            playlist.measured.1 = playlist.measured.1.saturating_add(time);
        }
    }

    /// Bits per second of a variant: as measured, else as its playlist says.
    fn rate(&self, variant: usize) -> u64 {
        let rung = &self.rungs[variant];
        let playlist = self.playlist_of(variant).and_then(|playlist| self.get(playlist));
        let (bytes, time) = playlist.map_or((0, Duration::ZERO), |playlist| playlist.measured);
        let millis = time.as_millis();
        if millis > 0 && bytes > 0 {
            return u64::try_from(u128::from(bytes) * 8000 / millis).unwrap_or(u64::MAX);
        }
        rung.variant.average_bandwidth.unwrap_or(rung.variant.bandwidth)
    }

    fn has_video(&self, variant: usize) -> bool {
        let rung = &self.rungs[variant];
        let video = rung.variant.resolution.is_some() || rung.variant.frame_rate.is_some();
        video && self.playlist_of(variant) == Some(rung.own)
    }

    /// The variants that may be played, with their bits per second, lowest first. Of those that share a playlist one;
    /// with pictures in their bytes only where there is nothing else.
    pub(super) fn rungs(&self) -> Vec<(usize, u64)> {
        let failed =
            |playlist: usize| matches!(self.playlists[playlist].state, PlaylistState::Failed(_));
        let usable = |variant: &usize| {
            let playlist = self.playlist_of(*variant);
            self.rungs[*variant].playable && playlist.is_some_and(|playlist| !failed(playlist))
        };
        let mut usable: Vec<usize> = (0..self.rungs.len()).filter(usable).collect();
        if usable.iter().any(|variant| !self.has_video(*variant)) {
            usable.retain(|variant| !self.has_video(*variant));
        }
        let mut rungs: Vec<(usize, u64)> =
            usable.into_iter().map(|variant| (variant, self.rate(variant))).collect();
        rungs.sort_by_key(|(variant, rate)| (*rate, *variant));
        let mut seen = Vec::new();
        rungs.retain(|(variant, _)| {
            let playlist = self.playlist_of(*variant);
            let new = !seen.contains(&playlist);
            seen.push(playlist);
            new
        });
        if let VariantChoice::Cap(cap) = self.choice {
            let within = rungs.iter().filter(|(variant, _)| self.declared(*variant) <= cap).count();
            rungs.truncate(within.max(1));
        }
        rungs
    }

    fn declared(&self, variant: usize) -> u64 {
        self.rungs[variant].variant.bandwidth
    }

    /// How many variants there are.
    pub(super) fn len(&self) -> usize {
        self.rungs.len()
    }

    /// A variant can't be decoded. Whether it is one that was to be played.
    pub(super) fn exclude(&mut self, variant: usize) -> bool {
        let rung = self.rungs.get_mut(variant);
        rung.is_some_and(|rung| core::mem::replace(&mut rung.playable, false))
    }

    /// Another rendition is chosen. Whether there is one.
    pub(super) fn choose_rendition(&mut self, shown: Option<usize>) -> bool {
        match shown {
            None => self.rendition = None,
            Some(shown) => match self.shown.get(shown) {
                Some(rendition) => self.rendition = Some(*rendition),
                None => return false,
            },
        }
        true
    }

    /// What the outside sees.
    pub(super) fn presentation(&self, duration: Duration) -> Presentation {
        let variants = self.rungs.iter().enumerate().map(|(index, rung)| VariantInfo {
            index,
            bandwidth: rung.variant.bandwidth,
            codecs: rung.variant.codecs.clone().unwrap_or_default(),
            playable: rung.playable,
            segments: self
                .playlist_of(index)
                .and_then(|playlist| self.loaded(playlist))
                .map(|loaded| Arc::clone(&loaded.index)),
        });
        let shown = self.shown.iter().enumerate().map(|(index, place)| {
            let rendition = &self.renditions[*place].0;
            RenditionInfo {
                index,
                name: rendition.name.clone(),
                language: rendition.language.clone(),
                channels: rendition.channels.clone(),
                default: rendition.default,
            }
        });
        Presentation {
            variants: variants.collect(),
            renditions: shown.collect(),
            rendition: self
                .rendition
                .and_then(|chosen| self.shown.iter().position(|place| *place == chosen)),
            duration,
        }
    }
}
