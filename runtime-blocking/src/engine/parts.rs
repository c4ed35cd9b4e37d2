//! The tracks that the machine opens by itself, for the resources of a presentation. Readers read them as any other;
//! what they cost and what befalls them is told of the presentation.

use std::sync::Arc;

use infill_core::{Action, Error, TrackId, redacted};
use url::Url;

use super::track::Track;
use super::turn::Engine;

impl Engine {
    /// The actions that concern a presentation.
    pub(super) fn act_on_presentation(&mut self, action: Action) {
        match action {
            Action::OpenPart { of, track, url } => self.open_part(of, track, &url),
            Action::Presented { track, what } => {
                if let Some(shared) = self.tracks.shared(track) {
                    shared.shown.set_what(what);
                }
            }
            Action::Buffered { track, time } => {
                if let Some(shared) = self.tracks.shared(track) {
                    shared.shown.set_buffered(time);
                }
            }
            other => debug_assert!(false, "{other:?} concerns nothing"),
        }
    }

    fn open_part(&mut self, of: TrackId, track: TrackId, url: &Url) {
        let inbox = Some(Arc::clone(self.inbox()));
        let part = Arc::new(Track::new(track, redacted(url), inbox));
        match self.tracks.shared(of) {
            Some(whole) if !whole.is_closed() => whole.shown.add_part(Arc::clone(&part)),
            // Nobody will read it; the machine closes it.
            _ => part.finish_close(),
        }
        self.tracks.insert_part(of, part, url.clone());
        tracing::debug!(parent: self.tracks.span(track), "open");
    }

    /// A track is closed: its presentation, if it has one, is without it.
    pub(super) fn forget_part(&self, track: TrackId) {
        let whole = self.tracks.whole(track);
        if whole == track {
            return;
        }
        if let Some(shared) = self.tracks.shared(whole) {
            shared.shown.remove_part(track);
            // Whatever was wrong with it is over.
            if self.tracks.shared(track).is_some_and(|part| part.error().is_some()) {
                shared.set_error(None);
            }
        }
    }

    /// Notes why a track waits, or that it does no more.
    pub(super) fn set_error(&self, track: TrackId, error: Option<&Error>) {
        let whole = self.tracks.whole(track);
        let both = [Some(track), Some(whole).filter(|whole| *whole != track)];
        for shared in both.into_iter().flatten().filter_map(|each| self.tracks.shared(each)) {
            shared.set_error(error.cloned());
        }
    }
}
