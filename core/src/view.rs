//! What readers may see of a resource: a plain value that the machine publishes into, change by change.
//!
//! A position is published only after its bytes are written, and never overwritten afterwards: it is retracted first.
//! A reader that copied bytes outside any lock compares [`View::retractions`] before and after.

use crate::{ByteRange, ByteRanges, Error};

/// The state of a resource, as the seed of this project named it.
#[derive(Clone, Debug, PartialEq)]
pub enum ResourceStatus {
    /// Being filled.
    Active {
        /// Bytes that are present.
        downloaded: u64,
        /// The length that a response has proven, if any.
        expected: Option<u64>,
    },
    /// Every byte up to a proven length is present.
    Committed {
        /// That length.
        final_len: u64,
    },
    /// Not to be had, for now or for good.
    Failed {
        /// The last cause.
        reason: Error,
    },
}

/// What is known of a resource besides its bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The length of the whole resource, as soon as a response proves it.
    pub total: Option<u64>,
    /// `Content-Type`, in lower case, without parameters.
    pub content_type: Option<String>,
    /// Whether the end was told by closing the connection alone, so that a cut would look the same (FAULTS B4).
    pub unverified: bool,
}

/// One change of a [`View`].
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// These bytes can be read from the store now.
    Present(ByteRange),
    /// These are stored since an earlier session, and not yet verified: for displays, not for readers.
    Claimed(ByteRange),
    /// These claimed bytes were what they should be: they can be read now.
    Verified(ByteRange),
    /// These claimed bytes were not, or are no longer there.
    Unclaimed(ByteRange),
    /// These bytes are going away: what was copied from them meanwhile must be thrown away.
    Retracted(ByteRange),
    /// Something besides the bytes became known.
    Facts(Box<Facts>),
    /// The resource failed.
    Failed(Error),
    /// The failure is over: something was fetched again.
    Recovered,
}

/// What a look at a position finds.
#[derive(Clone, Debug, PartialEq)]
pub enum Lookup {
    /// Readable from here to the given end of the run.
    Hit(u64),
    /// The end of the resource, proven.
    End,
    /// Not here (yet).
    Miss,
}

/// A resource as its readers see it.
#[derive(Clone, Debug, Default)]
pub struct View {
    present: ByteRanges,
    claimed: ByteRanges,
    facts: Facts,
    committed: bool,
    failed: Option<Error>,
    retractions: u64,
}

impl View {
    /// Nothing is known yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one published change over.
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::Present(range) => self.present.insert(*range),
            Change::Claimed(range) => self.claimed.insert(*range),
            Change::Verified(range) => {
                self.claimed.remove(*range);
                self.present.insert(*range);
            }
            Change::Unclaimed(range) => self.claimed.remove(*range),
            Change::Retracted(range) => {
                self.present.remove(*range);
                self.retractions += 1;
                self.committed = false;
            }
            Change::Facts(facts) => self.facts = (**facts).clone(),
            Change::Failed(error) => self.failed = Some(error.clone()),
            Change::Recovered => self.failed = None,
        }
    }

    /// Marks the resource as complete: [`Action::Commit`](crate::Action::Commit).
    pub fn commit(&mut self, final_len: u64) {
        self.facts.total = Some(final_len);
        self.committed = true;
        self.failed = None;
    }

    /// What a reader finds at `position`.
    pub fn lookup(&self, position: u64) -> Lookup {
        match self.present.run_end(position) {
            Some(end) => Lookup::Hit(end),
            None if self.facts.total.is_some_and(|total| position >= total) => Lookup::End,
            None => Lookup::Miss,
        }
    }

    /// The positions that can be read.
    pub fn present(&self) -> &ByteRanges {
        &self.present
    }

    /// The positions whose bytes are stored since an earlier session and not yet verified.
    pub fn claimed(&self) -> &ByteRanges {
        &self.claimed
    }

    /// What is known besides the bytes.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The length: the proven total first, then the final length.
    pub fn len(&self) -> Option<u64> {
        self.facts.total
    }

    /// Whether the resource is known to hold no byte at all.
    pub fn is_empty(&self) -> bool {
        self.facts.total == Some(0)
    }

    /// The last failure, until something is fetched again.
    pub fn failed(&self) -> Option<&Error> {
        self.failed.as_ref()
    }

    /// How often something was retracted: if it is the same before and after a copy, the copy is good.
    pub fn retractions(&self) -> u64 {
        self.retractions
    }

    /// The state in the seed's terms.
    pub fn status(&self) -> ResourceStatus {
        match (&self.failed, self.facts.total) {
            (Some(reason), _) => ResourceStatus::Failed { reason: reason.clone() },
            (None, Some(final_len)) if self.committed => ResourceStatus::Committed { final_len },
            (None, expected) => ResourceStatus::Active { downloaded: self.present.len(), expected },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Cause;

    #[test]
    fn seed_1_active_says_how_much_is_there_and_how_much_is_expected() {
        let mut view = View::new();
        assert_eq!(view.status(), ResourceStatus::Active { downloaded: 0, expected: None });
        view.apply(&Change::Facts(Box::new(Facts { total: Some(1 << 20), ..Facts::default() })));
        view.apply(&Change::Present(ByteRange::new(0, 512 << 10)));
        assert_eq!(
            view.status(),
            ResourceStatus::Active { downloaded: 512 << 10, expected: Some(1 << 20) }
        );
        assert_eq!(
            view.len(),
            Some(1 << 20),
            "seed 4: the length is the expected total, not what is there"
        );
        assert_eq!(view.lookup(700 << 10), Lookup::Miss, "seed 5: a hole is no end");
        assert_eq!(view.lookup(1 << 20), Lookup::End);
        view.apply(&Change::Failed(Cause::Truncated.into()));
        assert!(matches!(view.status(), ResourceStatus::Failed { .. }));
        view.commit(1 << 20);
        assert_eq!(view.status(), ResourceStatus::Committed { final_len: 1 << 20 });
    }

    #[test]
    fn a_retraction_is_seen_by_whoever_copied_meanwhile() {
        let mut view = View::new();
        view.apply(&Change::Present(ByteRange::new(0, 100)));
        let before = view.retractions();
        view.apply(&Change::Retracted(ByteRange::new(0, 64)));
        view.apply(&Change::Present(ByteRange::new(0, 64)));
        assert_eq!(view.lookup(0), Lookup::Hit(100));
        assert_ne!(view.retractions(), before);
    }

    #[test]
    fn what_lost_bytes_is_complete_no_more() {
        let mut view = View::new();
        view.apply(&Change::Present(ByteRange::new(0, 100)));
        view.commit(100);
        view.apply(&Change::Retracted(ByteRange::new(0, 64)));
        let (downloaded, expected) = (36, Some(100));
        assert_eq!(view.status(), ResourceStatus::Active { downloaded, expected });
    }
}
