//! The cache's side of one resource: where it is kept, what is claimed of it, and what its records and the disk owe.

use crate::catalog::{Download, Place};
use crate::sealing::Sealing;
use crate::syncing::Syncing;
use crate::{ByteRange, ByteRanges};

/// What is in the cache of a resource.
#[derive(Debug, Default)]
pub(crate) struct Cached {
    /// Where it is kept, once something is.
    home: Option<Place>,
    /// What is kept there, or on its way there.
    within: ByteRanges,
    /// What was found there and not verified. No reader sees it, and a body is compared with it only where nothing that
    /// was verified could serve: if it is equal, it is right.
    claimed: ByteRanges,
    /// Whether a record says that it is complete.
    complete: bool,
    pub(crate) sealing: Sealing,
    pub(crate) syncing: Syncing,
}

impl Cached {
    /// What an earlier session left.
    pub(crate) fn restored(download: &Download) -> Self {
        let mut claimed = ByteRanges::new();
        let total = download.facts().total.unwrap_or(u64::MAX);
        for extent in download.extents().filter(|extent| extent.range().end <= total) {
            claimed.insert(extent.range());
        }
        Self {
            home: Some(download.place()),
            within: claimed.clone(),
            complete: download.final_len() == Some(claimed.len()),
            claimed,
            ..Self::default()
        }
    }

    /// Where it is kept.
    pub(crate) fn home(&self) -> Option<Place> {
        self.home
    }

    /// It is kept there from now on.
    pub(crate) fn settle_in(&mut self, place: Place) {
        self.home = Some(place);
    }

    /// What is not verified.
    pub(crate) fn claimed(&self) -> &ByteRanges {
        &self.claimed
    }

    /// Whether a record says that it is complete.
    pub(crate) fn is_complete(&self) -> bool {
        self.complete
    }

    /// A record says so now, or no longer.
    pub(crate) fn set_complete(&mut self, complete: bool) {
        self.complete = complete;
    }

    /// What was there may be so no longer.
    pub(crate) fn doubt(&mut self, range: ByteRange) {
        self.claimed.insert(range);
    }

    /// A claim was verified, or has turned out to be none.
    pub(crate) fn settle_claim(&mut self, range: ByteRange) {
        self.claimed.remove(range);
    }

    /// Bytes go there.
    pub(crate) fn keep(&mut self, range: ByteRange) {
        self.within.insert(range);
    }

    /// Bytes are no longer there, nor on their way.
    pub(crate) fn forget(&mut self, range: ByteRange) {
        if self.home.is_none() {
            return;
        }
        self.within.remove(range);
        self.claimed.remove(range);
        self.complete = false;
        self.sealing.forget(range);
        self.syncing.forget(range);
    }

    /// What is kept there.
    pub(crate) fn within(&self) -> &ByteRanges {
        &self.within
    }
}
