//! One version of a remote resource: what is there, what is on its way to the store, how long it is, and which version.
//!
//! A position goes `hole -> written to the store -> published`, and back by a retraction. It is complete when every
//! byte up to a proven length is published; a body that ended proves nothing by itself.

use std::collections::VecDeque;

use crate::cached::Cached;
use crate::catalog::{Download, StoredFacts};
use crate::http::Validator;
use crate::view::Facts;
use crate::{ByteRange, ByteRanges, FetchId, OpId, ResourceId, Tier};

/// A write that was not answered yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Writing {
    pub(crate) op: OpId,
    pub(crate) range: ByteRange,
    /// The fetch that its credit goes back to.
    pub(crate) fetch: FetchId,
    pub(crate) tier: Tier,
}

/// What the store digests stored bytes for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// To be compared with what this fetch brings.
    Compare(FetchId),
    /// To be compared with what a record says.
    Claim(u64),
    /// To be recorded.
    Record,
}

/// The bytes and the facts of one version.
#[derive(Debug)]
pub(crate) struct Resource {
    id: ResourceId,
    present: ByteRanges,
    /// Present, claimed, or on the way to the store.
    held: ByteRanges,
    writing: VecDeque<Writing>,
    /// What is being digested: not to be given back meanwhile.
    verifying: Vec<(OpId, Question, ByteRange)>,
    facts: Facts,
    /// The length of all that is at the URL, where the resource is a part of it.
    behind: Option<u64>,
    validator: Validator,
    /// Whether an answer was taken for this version.
    answered: bool,
    /// Whether ETags were seen to differ over equal bytes (FAULTS A10).
    etags_per_node: bool,
    committed: bool,
    pub(crate) cached: Cached,
}

impl Resource {
    /// Nothing is known.
    pub(crate) fn new(id: ResourceId) -> Self {
        Self {
            id,
            present: ByteRanges::new(),
            held: ByteRanges::new(),
            writing: VecDeque::new(),
            verifying: Vec::new(),
            facts: Facts::default(),
            behind: None,
            validator: Validator::default(),
            answered: false,
            etags_per_node: false,
            committed: false,
            cached: Cached::default(),
        }
    }

    /// What an earlier session left: everything of it is claimed, nothing is present.
    pub(crate) fn restored(id: ResourceId, download: &Download) -> Self {
        let cached = Cached::restored(download);
        let stored = download.facts();
        Self {
            held: cached.claimed().clone(),
            facts: stored.facts(),
            validator: stored.validator(),
            answered: true,
            etags_per_node: stored.etags_per_node,
            cached,
            ..Self::new(id)
        }
    }

    /// What the journal is to know of it besides its bytes.
    pub(crate) fn stored_facts(&self) -> StoredFacts {
        StoredFacts::new(&self.facts, &self.validator, self.etags_per_node)
    }

    /// An answer is taken for this version. Whether the facts changed.
    pub(crate) fn answered(
        &mut self,
        validator: &Validator,
        total: Option<u64>,
        content_type: Option<&str>,
    ) -> bool {
        let before = self.facts.clone();
        if !self.answered || self.validator.is_silent() {
            self.validator = validator.clone();
        }
        if !self.answered {
            self.facts.content_type = content_type.map(str::to_owned);
        }
        self.answered = true;
        if self.facts.total.is_none() {
            self.facts.total = total;
        }
        self.facts != before
    }

    /// The ETag of this origin differs from node to node: it proves nothing from now on.
    pub(crate) fn distrust_etags(&mut self) {
        self.etags_per_node = true;
    }

    /// The length of all that is at the URL, of which this is a part, was told.
    pub(crate) fn lies_in(&mut self, behind: Option<u64>) {
        self.behind = self.behind.or(behind);
    }

    /// How long all of it is, where this is a part.
    pub(crate) fn behind(&self) -> Option<u64> {
        self.behind
    }

    /// The length is proven. Whether that is news.
    pub(crate) fn prove_total(&mut self, total: u64, unverified: bool) -> bool {
        let news = self.facts.total.is_none();
        if news {
            self.facts.total = Some(total);
            self.facts.unverified = unverified;
        }
        news
    }

    /// New bytes go to the store.
    pub(crate) fn write(&mut self, op: OpId, range: ByteRange, fetch: FetchId, tier: Tier) {
        self.held.insert(range);
        if tier == Tier::Cache {
            self.cached.keep(range);
        }
        self.writing.push_back(Writing { op, range, fetch, tier });
    }

    /// The oldest write was answered; `None` for an answer that nobody waits for. What could not be stored stays held
    /// until it is [given up](Resource::retract), or written elsewhere.
    pub(crate) fn written(&mut self, op: OpId, stored: bool) -> Option<Writing> {
        if self.writing.front()?.op != op {
            return None;
        }
        let done = self.writing.pop_front()?;
        if stored {
            self.present.insert(done.range);
        }
        Some(done)
    }

    /// What was to be kept in the cache is to be kept elsewhere.
    pub(crate) fn uncache(&mut self, range: ByteRange) {
        self.cached.forget(range);
    }

    /// Held bytes become a hole again.
    pub(crate) fn retract(&mut self, range: ByteRange) {
        self.present.remove(range);
        self.held.remove(range);
        self.cached.forget(range);
        self.committed = false;
    }

    /// Present bytes may not be what their record says any more: they are claimed, as after a restart.
    pub(crate) fn doubt(&mut self, range: ByteRange) {
        self.present.remove(range);
        self.cached.doubt(range);
        self.committed = false;
    }

    /// Claimed bytes are what their record says.
    pub(crate) fn believe_claim(&mut self, range: ByteRange) {
        self.cached.settle_claim(range);
        self.present.insert(range);
    }

    /// Remembers a question to the store.
    pub(crate) fn verifying(&mut self, op: OpId, question: Question, range: ByteRange) {
        self.verifying.push((op, question, range));
    }

    /// The store answered a question. Gives what it was, and of which bytes.
    pub(crate) fn verified(&mut self, op: OpId) -> Option<(Question, ByteRange)> {
        let index = self.verifying.iter().position(|(asked, ..)| *asked == op)?;
        let (_, question, range) = self.verifying.swap_remove(index);
        Some((question, range))
    }

    /// How many digests of a kind are being made.
    pub(crate) fn asked(&self, of: impl Fn(Question) -> bool) -> usize {
        self.verifying.iter().filter(|(_, question, _)| of(*question)).count()
    }

    /// Whether `range` is being read by the store for a comparison.
    pub(crate) fn is_verifying(&self, range: ByteRange) -> bool {
        let overlaps = |other: &ByteRange| !other.intersect(range).is_empty();
        self.verifying.iter().any(|(.., other)| overlaps(other))
    }

    /// Takes note that it is complete. True once, when it has become so.
    pub(crate) fn commit_if_complete(&mut self) -> Option<u64> {
        let total = self.facts.total?;
        let complete = !self.committed && self.writing.is_empty() && self.present.len() == total;
        self.committed |= complete;
        complete.then_some(total)
    }

    /// Its name.
    pub(crate) fn id(&self) -> ResourceId {
        self.id
    }

    /// What readers may read.
    pub(crate) fn present(&self) -> &ByteRanges {
        &self.present
    }

    /// What needs no fetching: present, claimed, or on the way to the store.
    pub(crate) fn held(&self) -> &ByteRanges {
        &self.held
    }

    /// What is known besides the bytes.
    pub(crate) fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The length, if it is proven.
    pub(crate) fn total(&self) -> Option<u64> {
        self.facts.total
    }

    /// Which version.
    pub(crate) fn validator(&self) -> &Validator {
        &self.validator
    }

    /// The validator to send with a request for a part of this version, if one can be trusted.
    pub(crate) fn if_range(&self) -> Option<&str> {
        if self.etags_per_node {
            return None;
        }
        self.validator.if_range()
    }

    /// Whether an answer was taken for this version.
    pub(crate) fn is_answered(&self) -> bool {
        self.answered
    }

    /// Whether ETags prove nothing here.
    pub(crate) fn has_etags_per_node(&self) -> bool {
        self.etags_per_node
    }

    /// Whether every byte up to the proven length is published, or was when it was recorded and none is known to be
    /// lost.
    pub(crate) fn is_complete(&self) -> bool {
        self.committed || self.cached.is_complete() && self.facts.total == Some(self.held.len())
    }

    /// How much of `range` each tier holds.
    pub(crate) fn held_in(&self, tier: Tier, range: ByteRange) -> u64 {
        let cached = self.cached.within().len_within(range);
        match tier {
            Tier::Cache => cached,
            Tier::Scratch => self.held.len_within(range) - cached,
        }
    }

    /// How much each tier holds in all.
    pub(crate) fn holds(&self, tier: Tier) -> u64 {
        let cached = self.cached.within().len();
        match tier {
            Tier::Cache => cached,
            Tier::Scratch => self.held.len() - cached,
        }
    }

    /// Whether the store owes no answer.
    pub(crate) fn is_settled(&self) -> bool {
        self.writing.is_empty() && self.verifying.is_empty() && !self.cached.syncing.is_running()
    }

    /// The comparison that a transfer from `at` on can be put to: the end of the present run before the first hole
    /// that it would fill, at most `limit` bytes.
    pub(crate) fn overlap(&self, at: u64, end: Option<u64>, limit: u64) -> Option<ByteRange> {
        // What is there may have grown past the end of what was asked for to be compared.
        let hole = self.held.first_missing(at).min(end.unwrap_or(u64::MAX));
        let before = |stored: &ByteRanges| {
            let run = stored.last_before(hole)?;
            let start = run.start.max(at).max(run.end.saturating_sub(limit));
            let range = ByteRange::new(start, run.end);
            (!range.is_empty()).then_some(range)
        };
        // Better an unverified claim than nothing at all: if it is equal to what comes, it is right.
        before(&self.present).or_else(|| before(self.cached.claimed()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::ETag;

    #[test]
    fn a_416s_date_is_no_validator() {
        let date = Some("Sun, 06 Nov 1994 08:49:37 GMT".to_owned());
        let dated = Validator { date, ..Validator::default() };
        let tagged = Validator { etag: ETag::parse("\"v0\""), ..dated.clone() };
        let mut resource = Resource::new(ResourceId(1));
        resource.answered(&dated, Some(28), None);
        assert_eq!(resource.if_range(), None);
        resource.answered(&tagged, Some(28), None);
        assert_eq!(resource.if_range(), Some("\"v0\""), "or the next version is not told apart");
    }
}
