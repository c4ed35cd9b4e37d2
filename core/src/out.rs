//! The way out: the one queue of actions, and the ids that go into them.

use std::collections::{BTreeMap, VecDeque};

use crate::{Action, FetchId, OpId, ResourceId, TrackId};

/// What goes out.
#[derive(Debug, Default)]
pub(crate) struct Out {
    actions: VecDeque<Action>,
    /// What presentations' tracks say of themselves: it is for their presentations.
    reports: VecDeque<Action>,
    last_id: u64,
    resources: BTreeMap<ResourceId, TrackId>,
}

impl Out {
    /// Queues an action.
    pub(crate) fn push(&mut self, action: Action) {
        let of_part = match &action {
            Action::Opened { track, .. }
            | Action::Filled { track, .. }
            | Action::State { track, .. }
            | Action::Notify { track, .. }
            | Action::NeedFreshUrl { track } => track.is_part(),
            Action::Closed { track } if track.is_part() => {
                self.reports.push_back(Action::Closed { track: *track });
                false
            }
            _ => false,
        };
        if of_part {
            self.reports.push_back(action);
        } else {
            self.actions.push_back(action);
        }
    }

    /// What a presentation's track has to say.
    pub(crate) fn take_report(&mut self) -> Option<Action> {
        self.reports.pop_front()
    }

    /// The next action.
    pub(crate) fn pop(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// Whether no action is queued.
    pub(crate) fn is_empty(&self) -> bool {
        self.actions.is_empty() && self.reports.is_empty()
    }

    /// Names a fetch.
    pub(crate) fn fetch(&mut self) -> FetchId {
        FetchId(self.next())
    }

    /// Names a track that a presentation opens.
    pub(crate) fn part(&mut self) -> TrackId {
        TrackId::part(self.next())
    }

    /// Names an operation of the store.
    pub(crate) fn op(&mut self) -> OpId {
        OpId(self.next())
    }

    /// Names a new resource of `download` and tells the driver, for `track`, which is of it.
    pub(crate) fn open_resource(&mut self, download: TrackId, track: TrackId) -> ResourceId {
        let resource = ResourceId(self.next());
        self.resources.insert(resource, download);
        self.push(Action::OpenResource { track, resource });
        resource
    }

    /// The resource has had its last action.
    pub(crate) fn release(&mut self, resource: ResourceId) {
        if self.resources.remove(&resource).is_some() {
            self.push(Action::Release { resource });
        }
    }

    /// Which download's resource it is.
    pub(crate) fn track_of(&self, resource: ResourceId) -> Option<TrackId> {
        self.resources.get(&resource).copied()
    }

    fn next(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }
}
