//! Connections, of which there are only so many: per host and in all. Who may have one, and who waits for one.
//!
//! It also is the table that says which track a fetch belongs to, running or stopped. Tracks that were refused one
//! stand in a queue per host, most urgent first, then first come first served.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::schedule::Class;
use crate::{Config, FetchId, Instant, TrackId};

/// What a track wants a connection for, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket {
    pub(crate) class: Class,
    pub(crate) since: Instant,
    pub(crate) track: TrackId,
}

/// All connections.
#[derive(Debug)]
pub(crate) struct Slots {
    per_host: usize,
    in_all: usize,
    fetches: BTreeMap<FetchId, Slot>,
    running: usize,
    hosts: BTreeMap<Arc<str>, Host>,
    queued: BTreeMap<TrackId, (Arc<str>, Ticket)>,
}

#[derive(Debug)]
struct Slot {
    track: TrackId,
    /// `None` once it was stopped: its connection no longer counts.
    host: Option<Arc<str>>,
}

#[derive(Debug, Default)]
struct Host {
    running: usize,
    queue: BTreeSet<Ticket>,
}

impl Slots {
    /// All free.
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            per_host: config.connections_per_host.max(1),
            in_all: config.connections.max(1),
            fetches: BTreeMap::new(),
            running: 0,
            hosts: BTreeMap::new(),
            queued: BTreeMap::new(),
        }
    }

    /// Takes a connection for `fetch`, or queues the track for one.
    pub(crate) fn acquire(&mut self, fetch: FetchId, host: Arc<str>, ticket: Ticket) -> bool {
        // Nor before those who waited longer or are more urgent: a track that asks in short pieces would keep it.
        let before = self.first_ready().filter(|first| first.track != ticket.track);
        if !self.has_room(&host) || before.is_some_and(|first| first < ticket) {
            self.enqueue(host, ticket);
            return false;
        }
        self.leave_queue(ticket.track);
        self.hosts.entry(Arc::clone(&host)).or_default().running += 1;
        self.running += 1;
        let slot = Slot { track: ticket.track, host: Some(host) };
        self.fetches.insert(fetch, slot);
        true
    }

    /// The fetch was told to stop: its connection is free for another.
    pub(crate) fn stop(&mut self, fetch: FetchId) {
        let host = self.fetches.get_mut(&fetch).and_then(|slot| slot.host.take());
        self.free(host);
    }

    /// The fetch has ended. Gives the track that it belonged to.
    pub(crate) fn ended(&mut self, fetch: FetchId) -> Option<TrackId> {
        let slot = self.fetches.remove(&fetch)?;
        self.free(slot.host);
        Some(slot.track)
    }

    /// The track no longer wants a connection.
    pub(crate) fn leave_queue(&mut self, track: TrackId) {
        let Some((host, ticket)) = self.queued.remove(&track) else {
            return;
        };
        if let Some(entry) = self.hosts.get_mut(&host) {
            entry.queue.remove(&ticket);
        }
        self.drop_if_idle(&host);
    }

    /// Takes the track out of the queue that should try again now, because there is a connection for it.
    pub(crate) fn next_ready(&mut self) -> Option<TrackId> {
        let ticket = self.first_ready()?;
        self.leave_queue(ticket.track);
        Some(ticket.track)
    }

    /// The first ticket in all queues for which there is a connection.
    fn first_ready(&self) -> Option<Ticket> {
        if self.running >= self.in_all || self.queued.is_empty() {
            return None;
        }
        let heads = self.hosts.values().filter(|host| host.running < self.per_host);
        heads.filter_map(|host| host.queue.first()).min().copied()
    }

    /// The most urgent ticket for which somebody waits, and the host whose connection would do; `None` for any.
    pub(crate) fn urgent(&self) -> Option<(Ticket, Option<Arc<str>>)> {
        if self.queued.is_empty() {
            return None;
        }
        let heads = self.hosts.iter().filter_map(|(name, host)| {
            let ticket = host.queue.first().filter(|ticket| ticket.class <= Class::Sought)?;
            let host = (host.running >= self.per_host).then(|| Arc::clone(name));
            Some((*ticket, host))
        });
        heads.min_by_key(|(ticket, _)| *ticket)
    }

    /// The running fetches, of one host or of all, with their tracks.
    pub(crate) fn running(&self, host: Option<&str>) -> impl Iterator<Item = (FetchId, TrackId)> {
        self.fetches
            .iter()
            .filter(move |(_, slot)| {
                let of = slot.host.as_deref();
                of.is_some() && host.is_none_or(|host| of == Some(host))
            })
            .map(|(fetch, slot)| (*fetch, slot.track))
    }

    /// The track of a fetch that was not told to stop.
    pub(crate) fn track_of(&self, fetch: FetchId) -> Option<TrackId> {
        let slot = self.fetches.get(&fetch)?;
        slot.host.as_ref().map(|_| slot.track)
    }

    /// Whether no fetch is under way, stopped ones included.
    pub(crate) fn is_idle(&self) -> bool {
        self.fetches.is_empty()
    }

    fn has_room(&self, host: &str) -> bool {
        let of_host = self.hosts.get(host).map_or(0, |host| host.running);
        self.running < self.in_all && of_host < self.per_host
    }

    fn enqueue(&mut self, host: Arc<str>, ticket: Ticket) {
        let mut ticket = ticket;
        if let Some((at, before)) = self.queued.get(&ticket.track) {
            if *at == host && before.class == ticket.class {
                ticket.since = ticket.since.min(before.since);
            }
            self.leave_queue(ticket.track);
        }
        let entry = self.hosts.entry(Arc::clone(&host)).or_default();
        entry.queue.insert(ticket);
        self.queued.insert(ticket.track, (host, ticket));
    }

    fn free(&mut self, host: Option<Arc<str>>) {
        let Some(host) = host else {
            return;
        };
        self.running -= 1;
        if let Some(entry) = self.hosts.get_mut(&host) {
            entry.running -= 1;
        }
        self.drop_if_idle(&host);
    }

    fn drop_if_idle(&mut self, host: &str) {
        let idle = |host: &Host| host.running == 0 && host.queue.is_empty();
        if self.hosts.get(host).is_some_and(idle) {
            self.hosts.remove(host);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticket(class: Class, since: u64, track: u64) -> Ticket {
        Ticket { class, since: Instant::from_nanos(since), track: TrackId(track) }
    }

    fn slots(per_host: usize, in_all: usize) -> Slots {
        Slots::new(&Config {
            connections_per_host: per_host,
            connections: in_all,
            ..Config::default()
        })
    }

    #[test]
    fn a_stopped_fetch_frees_its_connection_and_is_known_until_it_reports() {
        let mut slots = slots(1, 8);
        let host = || Arc::from("a:80");
        assert!(slots.acquire(FetchId(1), host(), ticket(Class::Drain, 0, 1)));
        assert!(!slots.acquire(FetchId(2), host(), ticket(Class::Waiting, 1, 2)));
        assert_eq!(slots.next_ready(), None);
        slots.stop(FetchId(1));
        assert_eq!(slots.track_of(FetchId(1)), None);
        assert_eq!(slots.next_ready(), Some(TrackId(2)));
        assert!(slots.acquire(FetchId(3), host(), ticket(Class::Waiting, 1, 2)));
        assert_eq!(slots.ended(FetchId(1)), Some(TrackId(1)));
        assert_eq!(slots.ended(FetchId(1)), None);
        assert_eq!(slots.ended(FetchId(3)), Some(TrackId(2)));
        assert!(slots.is_idle());
    }

    #[test]
    fn the_most_urgent_is_next_then_the_first() {
        let mut slots = slots(6, 1);
        assert!(slots.acquire(FetchId(0), "a:80".into(), ticket(Class::Drain, 0, 0)));
        for (id, class, since, host) in [
            (1, Class::Drain, 1, "a:80"),
            (2, Class::Waiting, 3, "b:80"),
            (3, Class::Waiting, 2, "c:80"),
        ] {
            assert!(!slots.acquire(FetchId(id), host.into(), ticket(class, since, id)));
        }
        let urgent = slots.urgent().map(|(ticket, host)| (ticket.track, host));
        assert_eq!(urgent, Some((TrackId(3), None)), "any connection will do");
        slots.ended(FetchId(0));
        let order: Vec<_> = core::iter::from_fn(|| slots.next_ready()).collect();
        assert_eq!(order, [TrackId(3), TrackId(2), TrackId(1)]);
    }

    #[test]
    fn nobody_jumps_the_queue() {
        // A track that read in short requests took the only connection again each time it was free.
        let mut slots = slots(6, 1);
        assert!(slots.acquire(FetchId(1), "a:80".into(), ticket(Class::Waiting, 0, 1)));
        assert!(!slots.acquire(FetchId(2), "b:80".into(), ticket(Class::Waiting, 1, 2)));
        slots.ended(FetchId(1));
        assert!(!slots.acquire(FetchId(3), "a:80".into(), ticket(Class::Window, 2, 1)));
        assert_eq!(slots.next_ready(), Some(TrackId(2)));
        assert!(slots.acquire(FetchId(4), "b:80".into(), ticket(Class::Waiting, 1, 2)));
    }
}
