//! Events of the cache, which concern no track or all of them.

use super::{Machine, Target};
use crate::event::{Event, StoreFailure};
use crate::{Cause, Error, Notice, OpId, Tier, TrackId};

impl Machine {
    /// Takes an event of the cache in.
    pub(super) fn dispatch_cache(&mut self, event: Event) -> Target {
        match event {
            Event::Restored(restored) => {
                if self.tracks.is_empty() {
                    self.cache.restore(*restored, &mut self.out);
                }
                Target::Nothing
            }
            Event::Command { command, what } => {
                self.cache.command(command, &what, &mut self.out);
                Target::Nothing
            }
            Event::Appended { op, result } => self.appended(op, result),
            Event::Synced { resource, op, result } => {
                self.with_resource(resource, |file, context| {
                    file.synced(resource, op, result, context);
                })
            }
            Event::Removed { op, result } => self.removed(op, result.is_ok()),
            event => self.dispatch_hls(event),
        }
    }

    fn appended(&mut self, op: OpId, result: Result<u64, StoreFailure>) -> Target {
        let failure = result.as_ref().err().cloned();
        let bytes = result.map_err(|_| ());
        let failed = self.cache.appended(self.now, op, bytes, &self.config, &mut self.out);
        if let (Some(true), Some(failure)) = (failed, failure) {
            let error =
                Error::new(Cause::Store(format!("the cache's journal: {}", failure.detail)));
            let notice = Notice::NotCached(error);
            let (mut context, tracks, _) = self.lend();
            tracks.values().for_each(|file| file.tell(&notice, &mut context));
        }
        // Whoever waits for its records to be written.
        let filling = self.tracks.iter().filter(|(_, file)| file.is_filling());
        let filling: Vec<TrackId> = filling.map(|(track, _)| *track).collect();
        filling.into_iter().for_each(|track| self.settle(track));
        Target::Nothing
    }

    fn removed(&mut self, op: OpId, gone: bool) -> Target {
        if !self.cache.removed(op, gone, &mut self.out) || self.cache.is_removing() {
            return Target::Nothing;
        }
        let (mut context, tracks, _) = self.lend();
        tracks.values_mut().for_each(|file| file.unpark(&mut context));
        Target::All
    }

    /// What the event has changed is written down, and room is made for what it brings.
    pub(super) fn keep_cache(&mut self) {
        if !self.cache.is_on() {
            return;
        }
        let space = self.spaces.of(Tier::Cache);
        self.cache.balance(&self.config, space, &mut self.out);
        self.cache.flush(self.now, &mut self.out);
    }
}
