//! The way out: the one queue of actions, and the ids that go into them.

use std::collections::{BTreeMap, VecDeque};

use crate::{Action, FetchId, OpId, ResourceId, TrackId};

/// What goes out.
#[derive(Debug, Default)]
pub(crate) struct Out {
    actions: VecDeque<Action>,
    last_id: u64,
    resources: BTreeMap<ResourceId, TrackId>,
}

impl Out {
    /// Queues an action.
    pub(crate) fn push(&mut self, action: Action) {
        self.actions.push_back(action);
    }

    /// The next action.
    pub(crate) fn pop(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// Whether no action is queued.
    pub(crate) fn is_empty(&self) -> bool {
        self.actions.is_empty()
    }

    /// Names a fetch.
    pub(crate) fn fetch(&mut self) -> FetchId {
        FetchId(self.next())
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
