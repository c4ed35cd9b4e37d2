//! What a track is given to work with: the time, the settings, and the tables that all tracks share.

use std::collections::{BTreeMap, VecDeque};

use fastrand::Rng;

use crate::slots::Slots;
use crate::space::Space;
use crate::{Action, Config, FetchId, Instant, OpId, ResourceId, TrackId};

/// Lent to a track while it handles an event.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) now: Instant,
    pub(crate) config: &'a Config,
    pub(crate) out: &'a mut Out,
    pub(crate) slots: &'a mut Slots,
    pub(crate) space: &'a mut Space,
    pub(crate) rng: &'a mut Rng,
}

/// The way out: the one queue of actions, and the ids that go into them.
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

    /// Names a new resource of `track` and tells the driver.
    pub(crate) fn open_resource(&mut self, track: TrackId) -> ResourceId {
        let resource = ResourceId(self.next());
        self.resources.insert(resource, track);
        self.push(Action::OpenResource { track, resource });
        resource
    }

    /// The resource has had its last action.
    pub(crate) fn release(&mut self, resource: ResourceId) {
        if self.resources.remove(&resource).is_some() {
            self.push(Action::Release { resource });
        }
    }

    /// Whose resource it is.
    pub(crate) fn track_of(&self, resource: ResourceId) -> Option<TrackId> {
        self.resources.get(&resource).copied()
    }

    fn next(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }
}
