//! A session with a cache is several lives: a process ends, somehow, and the next one opens what it has left.

use std::collections::BTreeSet;
use std::time::Duration;

use fastrand::Rng;
use infill_core::catalog::{Extent, Key};
use infill_core::{
    ByteRange, Command, CommandId, Durability, Event, Instant, Intent, Machine, OpenOptions,
    TrackId,
};

use super::super::cache::Cache;
use super::super::invariants::{Ledger, violated};
use super::super::lived::Trial;
use super::super::plan::{Boundary, CachePlan, Deed, End, Incident};
use super::super::promise::Promise;
use super::super::reader::{Reader, ReaderStep};
use super::super::stage::Happening;
use super::super::store::Store;
use super::{Track, World};
use crate::disk::{Faults, SimDisk};

/// Where a session with a cache is.
#[derive(Debug, Default)]
pub(super) struct Lives {
    /// How many have ended.
    ended: usize,
    /// When this one began.
    began: Instant,
    /// Everything was closed, and is waited for.
    pub(super) closing: bool,
    /// Downloads and verifications, by their tracks; the file that each is of.
    deeds: Vec<(TrackId, usize)>,
    commands: u64,
    /// Whether the disk was made to fail in this life.
    pub(super) disturbed: bool,
    /// Whether nothing was under way when it was looked at last.
    pub(super) settled: bool,
    /// Assets that somebody has asked to unpin or remove in this life.
    pub(super) released: BTreeSet<Key>,
    /// Whether the disk was made to fail, or lost something, in any life.
    pub(super) doubted: bool,
    /// The process is killed now.
    killed: bool,
}

impl World {
    /// Opens the cache, if this session has one.
    pub(super) fn begin_lives(&mut self) {
        let Some(plan) = self.plan.cache.clone() else {
            return;
        };
        for (index, (at, _)) in plan.deeds.iter().enumerate() {
            self.stage.after(*at, Happening::Deed(index));
        }
        self.open_cache(&plan, SimDisk::new(self.plan.seed));
    }

    /// Opens the cache; how the process ended that tried first, if one did.
    fn open_cache(&mut self, plan: &CachePlan, disk: SimDisk) -> Option<End> {
        if let Some(boundary) = self.boundary() {
            disk.cut_power_after(boundary.operations.saturating_sub(disk.operations()));
        }
        let mut met = None;
        let (cache, restored) = Cache::open(disk, plan.latency, &mut self.stage.rng)
            .or_else(|disk| {
                let boundary = self.meet_boundary();
                met = Some(boundary.end);
                Cache::open(left_at(boundary, &disk), plan.latency, &mut self.stage.rng)
            })
            .unwrap_or_else(|_| violated!("the disk has no power, though it is another one"));
        self.store.cache = Some(cache);
        self.deliver(Event::Restored(Box::new(restored)));
        if let Some((after, _)) = plan.ends.get(self.lives.ended) {
            self.stage.after(*after, Happening::Die);
        }
        met
    }

    fn boundary(&self) -> Option<Boundary> {
        self.plan.cache.as_ref().and_then(|plan| plan.boundary)
    }

    fn meet_boundary(&mut self) -> Boundary {
        let plan = self.plan.cache.as_mut().expect("only a session with a cache has boundaries");
        let boundary = plan.boundary.take().expect("the power goes at a boundary only");
        self.remark(&format!("{boundary:?}"));
        boundary
    }

    /// A file is said to be filled, and stays so.
    pub(super) fn filled(&mut self, track: TrackId) {
        self.stage.lived.count(Trial::Filled);
        let found = self.lives.deeds.iter().position(|(id, _)| *id == track);
        let plan = self.plan.cache.as_ref().expect("only a session with a cache has deeds");
        let (resource, cache) = (self.ledger.current(track), self.store.cache.as_mut());
        if let (Some(resource), Some(cache), Some(_)) = (resource, cache, found) {
            let there = self.ledger.view(resource).present().first_missing(0);
            cache.assured(resource, ByteRange::new(0, there));
        }
        self.lives.killed |= plan.killed_when_filled && !self.stage.healed;
    }

    /// The process is killed, if that is to be.
    pub(super) fn maybe_killed(&mut self) {
        if self.lives.killed && !self.lives.closing {
            self.stage.lived.count(Trial::KilledWhenFilled);
            self.remark("the process is killed, for a file is filled");
            let (disk, promise) =
                self.store.cache.take().expect("it has a cache, for it fills it").end();
            self.begin_life(End::Killed, disk.kill(), &promise, self.stage.now);
        }
    }

    /// Whether the process ends here.
    pub(super) fn at_boundary(&self) -> bool {
        self.store.cache.as_ref().is_some_and(|cache| cache.disk.is_off())
    }

    /// The process ends between two operations of the disk.
    pub(super) fn die_at_boundary(&mut self) {
        let boundary = self.meet_boundary();
        // Perhaps everything was being closed: the next process opens it again.
        self.tracks.iter_mut().for_each(|track| track.gone = false);
        let died = self.stage.now;
        let cache = self.store.cache.take().expect("it has no power");
        let (disk, promise) = cache.end();
        self.begin_life(boundary.end, left_at(boundary, &disk), &promise, died);
        if self.stage.healed {
            self.stage.after(Duration::from_secs(1), Happening::Heal);
        }
    }

    /// The process ends.
    pub(super) fn die(&mut self) {
        let plan = self.plan.cache.clone().expect("only a session with a cache has lives");
        let (_, end) = plan.ends[self.lives.ended];
        self.remark(&format!("the process is {end:?}"));
        if end == End::Closed {
            self.lives.closing = true;
            self.stage.retain(|happening| {
                let begins = matches!(happening, Happening::Open { .. } | Happening::Shut { .. });
                !begins && !matches!(happening, Happening::Reader { .. } | Happening::Deed(_))
            });
            self.close_life();
        } else {
            self.next_life(end);
        }
    }

    /// Closes everything that is open now.
    fn close_life(&mut self) {
        let gone: Vec<bool> = self.tracks.iter().map(|track| track.gone).collect();
        for track in 0..self.tracks.len() {
            self.shut(track, false);
        }
        for (track, gone) in self.tracks.iter_mut().zip(gone) {
            track.gone = gone;
        }
        self.close_deeds();
    }

    /// Closes all downloads and verifications.
    pub(super) fn close_deeds(&mut self) {
        for (track, _) in std::mem::take(&mut self.lives.deeds) {
            self.deliver(Event::Close { track });
        }
    }

    /// The next process begins, once a closed one has come to its end.
    pub(super) fn maybe_reborn(&mut self) {
        if self.lives.closing && self.machine.is_quiescent() && self.store.is_idle() {
            self.check_end();
            self.next_life(End::Closed);
        }
    }

    fn next_life(&mut self, end: End) {
        let died = self.stage.now;
        if end != End::Closed {
            self.go_on_unheard(end);
        }
        let cache = self.store.cache.take().expect("it was opened when this life began");
        let (disk, promise) = cache.end();
        let rng = &mut self.stage.rng;
        let disk = match end {
            End::Closed => {
                disk.set_faults(Faults::default());
                disk
            }
            End::Killed => disk.kill(),
            End::Cut => disk.crash(rng),
            End::Damaged => damaged(disk.kill(), rng),
        };
        self.begin_life(end, disk, &promise, died);
    }

    /// A process begins with what an earlier one has left, and promised.
    fn begin_life(&mut self, end: End, disk: SimDisk, promise: &Promise, died: Instant) {
        let plan = self.plan.cache.clone().expect("only a session with a cache has lives");
        let began = self.lives.began;
        self.rebuild();
        let met = self.open_cache(&plan, disk);
        self.stage.lived.count(match end {
            End::Closed => Trial::Closed,
            End::Killed => Trial::Killed,
            End::Cut => Trial::Cut,
            End::Damaged => Trial::Damaged,
        });
        self.lives.doubted |= matches!(end, End::Cut | End::Damaged) || met == Some(End::Cut);
        let end = if met == Some(End::Cut) && end != End::Damaged { End::Cut } else { end };
        let cache = self.store.cache.as_ref().expect("it was just opened");
        if let Some(slack) = self.slack(end, plan.latency) {
            let since = if end == End::Cut { began } else { Instant::ZERO };
            promise.check(cache.found(), since, died, slack);
        }
        self.check_left(end, promise, died);
        self.lives.began = self.stage.now;
        self.schedule_life();
    }

    /// What the end of a process costs, and what it must not.
    fn check_left(&mut self, end: End, promise: &Promise, died: Instant) {
        let cache = self.store.cache.as_ref().expect("it was just opened");
        self.check_no_store(cache.found(), &cache.disk);
        let config = &self.plan.config;
        let flush = config.durability == Durability::Flush;
        if end == End::Killed || end == End::Closed || end == End::Cut && flush {
            promise.check_sure(cache.found());
        }
        if end == End::Killed && !flush {
            // Besides what is on its way to the journal.
            let latency = self.plan.cache.as_ref().map_or(Duration::ZERO, |plan| plan.latency);
            let under_way = latency * 2 + Duration::from_millis(5);
            let budget = config.connections_per_file as u64 * Extent::BLOCK_BYTES;
            let budget = budget * self.tracks.len() as u64;
            if let Some(lost) = promise.lost(cache.found(), died, under_way) {
                self.stage.lived.count(Trial::Counted);
                if lost > budget {
                    violated!("{lost} bytes are to be fetched again, {budget} would be right");
                }
            }
        }
    }

    /// What is under way may be done all the same, and nobody is told.
    fn go_on_unheard(&mut self, end: End) {
        let operations = self.stage.rng.u64(0..8);
        if let (End::Cut, Some(cache)) = (end, &self.store.cache) {
            cache.disk.cut_power_after(operations);
        }
        for resource in self.store.busy() {
            if self.stage.rng.bool() {
                self.store.step(&mut self.stage, resource);
            }
        }
        if let Some(cache) = &mut self.store.cache {
            cache.go_on_unheard(&mut self.stage.rng);
        }
    }

    /// How old written bytes are that the next process must find; `None` promises nothing.
    fn slack(&self, end: End, latency: Duration) -> Option<Duration> {
        let config = &self.plan.config;
        let instant = Duration::from_millis(5);
        // An operation may have to wait for the one before it.
        let record = config.seal_after + latency * 2 + instant;
        match (end, config.durability) {
            (End::Closed, _) => Some(Duration::ZERO),
            (End::Killed, Durability::Fast) => Some(record),
            (End::Killed | End::Cut, Durability::Flush) => Some(record + latency * 2),
            (End::Cut, Durability::Fast) | (End::Damaged, _) => None,
        }
    }

    /// Everything anew but the origins, the network's state and the disk.
    fn rebuild(&mut self) {
        self.stage.retain(|happening| {
            let stays = matches!(happening, Happening::Heal | Happening::NetworkBack);
            stays || matches!(happening, Happening::Incident(_) | Happening::Deed(_))
        });
        self.machine = Machine::new(self.plan.config.clone());
        self.network.restart();
        self.store = Store::new(self.plan.store_latency);
        let mut ledger = Ledger::new(self.plan.config.clone(), self.plan.is_clean());
        ledger.inherit(&self.ledger);
        self.ledger = ledger;
        for track in &mut self.tracks {
            *track = Track { gone: track.gone, ..Track::default() };
        }
        let plans = self.plan.readers.iter().cloned().enumerate();
        self.readers = plans.map(|(index, plan)| Reader::new(index, plan)).collect();
        self.by_id.clear();
        self.by_reader.clear();
        let Lives { ended, commands, doubted, .. } = std::mem::take(&mut self.lives);
        self.lives = Lives { ended: ended + 1, commands, doubted, ..Lives::default() };
    }

    /// What the embedder does in each life.
    fn schedule_life(&mut self) {
        for track in 0..self.tracks.len() {
            let delay = self.stage.between(Duration::ZERO, Duration::from_millis(200));
            self.stage.after(delay, Happening::Open { track });
        }
        for reader in 0..self.readers.len() {
            let delay = self.stage.between(Duration::ZERO, Duration::from_millis(700));
            let step = ReaderStep::Begin;
            self.stage.after(delay, Happening::Reader { reader, turn: 0, step });
        }
    }

    /// Does something to the cache.
    pub(super) fn deed(&mut self, index: usize) {
        let plan = self.plan.cache.as_ref().expect("only a session with a cache has deeds");
        let (_, deed) = plan.deeds[index];
        if self.lives.closing {
            return;
        }
        self.remark(&format!("{deed:?}"));
        let key = |track: usize| self.key(track);
        let command = match deed {
            Deed::Fill { track, upto, pin } => {
                let intent = Intent::Fill(upto);
                return self
                    .open_deed(track, OpenOptions { intent, pin, ..OpenOptions::default() });
            }
            Deed::Verify { track } => {
                let intent = Intent::Verify;
                return self.open_deed(track, OpenOptions { intent, ..OpenOptions::default() });
            }
            Deed::Full(time) => {
                return self.disturb(time, |used| Faults {
                    quota: Some(used + 10_000),
                    ..Faults::default()
                });
            }
            Deed::Fails { write, sync, read, time } => {
                return self.disturb(time, |_| Faults { write, sync, read, ..Faults::default() });
            }
            Deed::List => Command::List,
            Deed::Pin { track, pinned: true } => Command::Pin(key(track)),
            Deed::Pin { track, pinned: false } => Command::Unpin(key(track)),
            Deed::Remove { track } => Command::Remove(key(track)),
            Deed::Clear => Command::Clear,
        };
        if let Command::Unpin(asset) | Command::Remove(asset) = command {
            self.lives.released.insert(asset);
        }
        self.lives.commands += 1;
        let id = CommandId(self.lives.commands);
        self.deliver(Event::Command { command: id, what: command });
    }

    pub(super) fn key(&self, track: usize) -> Key {
        // A key of the embedder's takes the URL's place.
        let url = url::Url::parse("http://any.test/").expect("a constant, well-formed URL");
        Key::of(&url, Some(&cache_key(track)), &[])
    }

    fn open_deed(&mut self, track: usize, options: OpenOptions) {
        let id = self.next_track();
        self.lives.deeds.push((id, track));
        self.lives_opened += 1;
        self.ledger.opening(id, track, self.stage.now);
        let source = Box::new(self.source(track, false));
        self.deliver(Event::Open { track: id, source, options });
    }

    /// A download or a verification has come to its end.
    pub(super) fn deed_done(&mut self, id: TrackId) {
        let before = self.lives.deeds.len();
        self.lives.deeds.retain(|(track, _)| *track != id);
        if self.lives.deeds.len() < before {
            self.deliver(Event::Close { track: id });
        }
    }

    fn disturb(&mut self, time: Duration, faults: impl FnOnce(u64) -> Faults) {
        if self.stage.healed {
            return;
        }
        if let Some(cache) = &mut self.store.cache {
            cache.disk.set_faults(faults(cache.disk.used()));
            self.lives.disturbed = true;
            self.lives.doubted = true;
            self.stage.after(time, Happening::StoreBack);
        }
    }

    /// The disk works again.
    pub(super) fn disk_back(&mut self) {
        if let Some(cache) = &self.store.cache {
            cache.disk.set_faults(Faults::default());
        }
    }

    /// At the very end the next process finds everything complete, where nothing was in the way. Gives how much the
    /// disk had to do.
    pub(super) fn check_cache(&mut self) -> u64 {
        let Some(cache) = self.store.cache.take() else {
            return 0;
        };
        let (disk, promise) = cache.end();
        let operations = disk.operations();
        let latency = Duration::ZERO;
        let (cache, _) = Cache::open(disk.kill(), latency, &mut self.stage.rng)
            .unwrap_or_else(|_| violated!("the disk has no power, though nothing took it"));
        promise.check(cache.found(), Instant::ZERO, self.stage.now, Duration::ZERO);
        self.check_no_store(cache.found(), &cache.disk);
        for download in cache.found().downloads().iter() {
            let site = (0..self.tracks.len()).find(|t| self.key(*t) == download.place().key.asset);
            let site = site.unwrap_or_else(|| violated!("{download:?} is nobody's"));
            let versions = &self.origins.sites[site].versions;
            let contents = versions.iter().map(|version| version.content);
            let closed =
                |(_, incident): &(_, Incident)| *incident == Incident::Close { track: site };
            let all_was_read = !self.plan.incidents.iter().any(closed);
            if let Err(what) = cache.is_of_one_version(download, contents, all_was_read) {
                violated!("track {site}: {what}");
            }
        }
        operations
    }
}

/// The embedder's name of a file.
pub(super) fn cache_key(track: usize) -> String {
    format!("file {track}")
}

/// What the end of a process at a boundary leaves.
fn left_at(boundary: Boundary, disk: &SimDisk) -> SimDisk {
    match boundary.end {
        End::Cut => disk.crash(&mut Rng::with_seed(boundary.chance)),
        _ => disk.kill(),
    }
}

/// Somebody has deleted or damaged files.
fn damaged(disk: SimDisk, rng: &mut Rng) -> SimDisk {
    for _ in 0..rng.usize(1..=3) {
        let paths = disk.paths();
        match rng.u32(0..6) {
            0..4 => {
                disk.damage(rng);
            }
            4 if !paths.is_empty() => disk.delete(&paths[rng.usize(0..paths.len())]),
            _ => disk.damage_file("_index/journal.bin", rng),
        }
    }
    disk
}
