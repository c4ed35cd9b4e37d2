//! Another version of the file is at the origin: a new resource begins, and the old one is let go of.

use super::FileTrack;
use crate::action::CancelReason;
use crate::context::Context;
use crate::resource::Resource;
use crate::view::Change;
use crate::{Action, Cause, FetchId, Notice, Tier};

impl FileTrack {
    /// A new resource becomes the current one. What runs for the old one stops, but for the fetch that showed the
    /// change: its bytes are the new one's.
    pub(super) fn change_version(&mut self, keep: Option<FetchId>, context: &mut Context<'_>) {
        let others: Vec<FetchId> =
            self.flights.iter().map(|flight| flight.id).filter(|id| Some(*id) != keep).collect();
        for id in others {
            self.stop(id, CancelReason::NotNeeded, context);
        }
        let changed = self.error(Cause::Changed, None);
        self.publish(Change::Failed(changed), context);
        self.drop_parked(context);
        let resource = Resource::new(context.out.open_resource(self.id, self.listeners.lead()));
        let old = core::mem::replace(&mut self.resource, resource);
        self.retired.push(old);
        let (lead, resource) = (self.listeners.lead(), self.resource.id());
        for track in self.listeners.tracks().filter(|track| *track != lead) {
            context.out.push(Action::Join { track, resource });
        }
        self.know_length(context);
        self.unproven = false;
        self.recovery.next.comparisons = 0;
        self.recovery.next.unverified_end = None;
        self.release_retired(context);
        self.notify(&Notice::Changed, context);
        self.dirty = true;
        let claim = keep.and_then(|id| self.flight(id)?.claim.take());
        if let Some(claim) = claim {
            self.believe(&claim, context);
        }
    }

    /// Lets the versions go for which the store owes nothing any more.
    pub(super) fn release_retired(&mut self, context: &mut Context<'_>) {
        let mut index = 0;
        while index < self.retired.len() {
            if self.retired[index].is_settled() {
                let old = self.retired.swap_remove(index);
                for tier in [Tier::Scratch, Tier::Cache] {
                    context.spaces.of(tier).discard(old.holds(tier));
                }
                context.out.release(old.id());
                if let Some(home) = old.cached.home() {
                    context.cache.remove(home, context.out);
                }
            } else {
                index += 1;
            }
        }
    }

    /// Publishes a change of the current version.
    pub(super) fn publish(&mut self, change: Change, context: &mut Context<'_>) {
        context.out.push(Action::Publish { resource: self.resource.id(), change });
    }
}
