//! A handle: looks at a stream and stops it from anywhere, also after the stream went into a decoder.

use std::sync::Arc;
use std::time::Duration;

use infill_core::hls::{Presentation, RenditionInfo, VariantInfo};
use infill_core::{Cause, Error, Event, ResourceStatus, VariantChoice};

use crate::engine::{Family, Reader, Track};
use crate::notices::Notices;
use crate::progress::Progress;
use crate::stats::Stats;

/// A handle on one stream. Cheap to clone; holds nothing alive; works, as far as it makes sense, after the stream is
/// gone. No call waits.
#[derive(Clone)]
pub struct StreamHandle {
    track: Arc<Track>,
    family: Arc<Family>,
}

impl StreamHandle {
    #[doc(hidden)]
    pub fn of(reader: &Reader) -> Self {
        Self { track: Arc::clone(reader.track()), family: Arc::clone(reader.family()) }
    }

    /// Where the stream stands.
    pub fn progress(&self) -> Progress {
        let resource = self.family.resource(&self.track);
        let (byte_len, buffered) = resource.map_or((None, Vec::new()), |resource| {
            resource.with_view(|view| {
                // What an earlier session left is there, as far as one can tell without reading it.
                let mut there = view.present().clone();
                view.claimed().iter().for_each(|run| there.insert(run));
                (view.len(), there.iter().map(|run| run.start..run.end).collect())
            })
        });
        Progress {
            byte_len,
            buffered,
            position: self.family.host().position(),
            rate: self.track.rate(),
            starving: self.family.is_waiting(),
            state: self.track.state(),
            error: self.error(),
        }
    }

    /// How complete it is.
    pub fn status(&self) -> ResourceStatus {
        match (self.family.resource(&self.track), self.track.error()) {
            (Some(resource), _) => resource.with_view(infill_core::View::status),
            (None, Some(reason)) => ResourceStatus::Failed { reason },
            (None, None) => ResourceStatus::Active { downloaded: 0, expected: None },
        }
    }

    /// The variants of a presentation, in the order of its playlist; none for a file, or before it is open.
    pub fn variants(&self) -> Vec<VariantInfo> {
        self.track.presentation().map_or_else(Vec::new, |what| what.variants.clone())
    }

    /// The audio renditions of a presentation.
    pub fn renditions(&self) -> Vec<RenditionInfo> {
        self.track.presentation().map_or_else(Vec::new, |what| what.renditions.clone())
    }

    /// Chooses the variant that plays, from the next segment on that was not entered yet.
    ///
    /// # Errors
    /// [`Cause::Caller`] where there is no such variant, or it is a file.
    pub fn set_variant(&self, choice: VariantChoice) -> Result<(), Error> {
        let count = self.presented()?.variants.len();
        if let VariantChoice::Fixed(index) = choice
            && index >= count
        {
            return Err(Cause::Caller(format!("there is no variant {index} among {count}")).into());
        }
        self.track.post_event(Event::SetVariant { track: self.track.id(), choice });
        Ok(())
    }

    /// Chooses the audio rendition that plays, by its index; `None` is the default one.
    ///
    /// # Errors
    /// [`Cause::Caller`] where there is no such rendition, or it is a file.
    pub fn set_rendition(&self, rendition: Option<usize>) -> Result<(), Error> {
        let count = self.presented()?.renditions.len();
        if let Some(index) = rendition.filter(|index| *index >= count) {
            return Err(
                Cause::Caller(format!("there is no rendition {index} among {count}")).into()
            );
        }
        self.track.post_event(Event::SetRendition { track: self.track.id(), rendition });
        Ok(())
    }

    /// How long a presentation plays.
    pub fn duration(&self) -> Option<Duration> {
        Some(self.track.presentation()?.duration)
    }

    /// How much of a presentation is here, without a gap, from where it is read.
    pub fn buffered_time(&self) -> Option<Duration> {
        self.track.presentation().map(|_| self.track.buffered_time())
    }

    fn presented(&self) -> Result<Arc<Presentation>, Error> {
        let none = || Cause::Caller("it is no presentation, or not open yet".into()).into();
        self.track.presentation().ok_or_else(none)
    }

    /// What it has cost.
    pub fn stats(&self) -> Stats {
        self.track.counters.snapshot()
    }

    /// The cause of the last failed read, until one succeeds; else the last failure of the download, until it is over.
    /// Decoders swallow errors: this is where they can be found.
    pub fn error(&self) -> Option<Error> {
        self.family.host().error().or_else(|| self.track.error())
    }

    /// What happened, and what happens.
    pub fn notices(&self) -> Notices {
        Notices::new(Arc::clone(&self.track.notices))
    }

    /// Ends a blocked read at once with [`Superseded`](infill_core::ErrorKind::Superseded). If none is blocked, the
    /// next one that would be ends so instead: an interrupt between two reads is not lost.
    pub fn interrupt(&self) {
        self.family.interrupt();
    }

    /// Takes back an [`interrupt`](Self::interrupt) that has ended no read yet.
    pub fn clear_interrupt(&self) {
        self.family.host().clear_interrupt();
    }

    /// Closes the stream and all its readers: connections, threads and bytes that are stored outside a cache are freed,
    /// as far as no other stream shares them; reads fail with [`Closed`](infill_core::ErrorKind::Closed).
    pub fn close(&self) {
        self.track.request_close();
    }

    /// Says that the network is another one (Wi-Fi to mobile, say): connections of the old one are given up, and waits
    /// for it end.
    pub fn network_changed(&self) {
        self.track.post_event(Event::NetworkChanged);
    }

    /// What was opened: the URL without its query, user-info and fragment, or the path.
    pub fn url(&self) -> &str {
        self.track.url()
    }
}

impl core::fmt::Debug for StreamHandle {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("StreamHandle")
            .field("url", &self.track.url())
            .field("state", &self.track.state())
            .finish_non_exhaustive()
    }
}
