//! What goes wrong around all requests, and the end of it.

use infill_core::{Event, Instant};

use super::World;
use crate::sim::fault::Fault;
use crate::sim::plan::{Incident, ReaderPlan};
use crate::sim::reader::Reader;
use crate::sim::stage::Happening;
use crate::sim::stale;
use crate::sim::store::Health;

impl World {
    pub(super) fn incident(&mut self, incident: Incident) {
        self.remark(&format!("{incident:?}"));
        match incident {
            Incident::Close { track } => self.shut(track, false),
            Incident::Replace { track } => {
                self.stage.injected(Fault::Replaced);
                self.origins.sites[track].replace(&mut self.stage);
            }
            Incident::Outage(time) => {
                self.stage.injected(Fault::Outage);
                self.network.go_away(&mut self.stage);
                self.stage.after(time, Happening::NetworkBack);
            }
            Incident::NetworkChanged => {
                self.stage.injected(Fault::NetworkChanged);
                self.network.forget_connections();
                self.deliver(Event::NetworkChanged);
            }
            Incident::StoreFull(time) => {
                self.stage.injected(Fault::StoreFull);
                self.store.health = Health::Full;
                self.stage.after(time, Happening::StoreBack);
            }
            Incident::StoreBroken(time) => {
                self.stage.injected(Fault::StoreBroken);
                self.store.health = Health::Broken;
                self.stage.after(time, Happening::StoreBack);
            }
            Incident::ReadFailure { reader } => self.readers[reader].fails = true,
            Incident::Stale => self.stale(),
        }
    }

    /// Events that make no sense any more must make no difference.
    fn stale(&mut self) {
        self.stage.injected(Fault::Stale);
        let (resource, fetch) = self.ledger.past();
        for event in stale::events(resource, fetch) {
            self.deliver(event);
        }
        let earlier = self.stage.now.as_nanos().saturating_sub(2_000_000_000);
        self.deliver_at(Instant::from_nanos(earlier), Event::Tick);
    }

    /// All faults are over. A new reader of each track reads everything, whatever the others did.
    pub(super) fn heal(&mut self) {
        self.remark("all faults are over");
        self.stage.healed = true;
        self.disk_back();
        self.network.come_back();
        self.store.health = Health::Good;
        for track in 0..self.tracks.len() {
            if self.tracks[track].gone {
                continue;
            }
            let index = self.readers.len();
            self.readers.push(Reader::new(index, ReaderPlan::linear(track)));
            self.begin_reader(index);
        }
    }
}
