//! What one track's event sets free for another: connections, or room in the store.

use super::Machine;
use crate::catalog::Extent;
use crate::schedule::Class;
use crate::slots::Ticket;
use crate::track::FileTrack;
use crate::{FetchId, Tier, TrackId};

impl Machine {
    /// A track has left its room behind.
    pub(super) fn offer_room(&mut self) {
        let lacking = self.tracks.iter().filter(|(_, file)| file.is_lacking());
        let lacking: Vec<TrackId> = lacking.map(|(track, _)| *track).collect();
        lacking.into_iter().for_each(|track| self.wake(track));
    }

    /// A track lacks room in the store: whoever holds the most gives back what is more than its share. What is in the
    /// cache stays there: a track that finds it full of others' bytes does without.
    pub(super) fn make_room(&mut self, hungry: TrackId) {
        let Some(tier) = self.tracks.get(&hungry).map(FileTrack::tier) else {
            return;
        };
        if tier == Tier::Scratch && self.give_room(hungry) {
            return;
        }
        let (mut context, tracks, _) = self.lend();
        let share = context.spaces.at(tier).share().unwrap_or(u64::MAX);
        let used = |track: &TrackId| tracks.get(track).map_or(0, |file| file.used(tier));
        let served = used(&hungry) >= share;
        if tier == Tier::Cache {
            let others = tracks.iter().any(|(track, file)| *track != hungry && file.used(tier) > 0);
            let crowded = share < 2 * Extent::BLOCK_BYTES || others && !served;
            if let Some(file) = tracks.get_mut(&hungry).filter(|_| crowded) {
                file.do_without_cache(&mut context);
                self.wake(hungry);
            }
            return;
        }
        if served {
            return;
        }
        let others = tracks.iter().filter(|(track, file)| **track != hungry && file.tier() == tier);
        let others = others.map(|(track, _)| track);
        let Some(fattest) = others.max_by_key(|track| used(track)).copied() else {
            return;
        };
        let excess = used(&fattest).saturating_sub(share);
        let want = context.spaces.at(tier).lack(u64::from(context.config.fetch_credit_bytes));
        let Some(file) = tracks.get_mut(&fattest).filter(|_| excess > 0) else {
            return;
        };
        if file.reclaim(want.min(excess), Class::Window, &mut context) > 0 {
            self.wake(hungry);
        }
    }

    /// Passes on what was set free: connections first to whoever is most urgent.
    pub(super) fn share_out(&mut self) {
        while let Some(track) = self.slots.next_ready() {
            self.wake(track);
        }
        let Some((ticket, host)) = self.slots.urgent() else {
            return;
        };
        if let Some((fetch, of)) = self.victim(ticket, host.as_deref()) {
            self.with(of, |file, context| file.preempt(fetch, context));
            self.wake(ticket.track);
            self.settle(of);
        }
    }

    fn wake(&mut self, track: TrackId) {
        self.with(track, |file, _| file.try_again());
        self.settle(track);
    }

    /// The running fetch that gives its connection up: the least urgent, then the one whose reader came last. Nobody
    /// gives way to a later comer.
    fn victim(&self, ticket: Ticket, host: Option<&str>) -> Option<(FetchId, TrackId)> {
        self.slots
            .running(host)
            .filter(|(_, track)| *track != ticket.track)
            .filter_map(|(fetch, track)| {
                let (class, since) = self.tracks.get(&track)?.may_yield(fetch)?;
                let later = (class, since) > (ticket.class, ticket.since);
                later.then_some((class, since, fetch, track))
            })
            .max_by_key(|(class, since, fetch, _)| (*class, *since, *fetch))
            .map(|(_, _, fetch, track)| (fetch, track))
    }
}
