//! One request under way: what it asked, how far its answer is, its credit, and when it counts as dead.
//!
//! Knows nothing of other requests, nor of what to do when it fails.

use core::time::Duration;

use crate::http::{Asked, ResponseHead, Validator};
use crate::link::Meter;
use crate::schedule::{Class, Lane};
use crate::transfer::Transfer;
use crate::{Config, FetchId, Instant};

/// A request and its answer so far.
#[derive(Debug)]
pub(crate) struct Flight {
    pub(crate) id: FetchId,
    pub(crate) asked: Asked,
    /// The position after the last byte asked for.
    pub(crate) asked_end: Option<u64>,
    pub(crate) since: Instant,
    /// The body, once the head was judged.
    pub(crate) transfer: Option<Transfer>,
    /// The head, while the first bytes of the body may still show that it is a page (FAULTS B19).
    pub(crate) unread: Option<Box<ResponseHead>>,
    /// What the head says of the version, while that is in doubt.
    pub(crate) claim: Option<Box<Claim>>,
    pub(crate) meter: Meter,
    pub(crate) credit: Credit,
    pub(crate) pulse: Pulse,
    /// When it last brought a byte that is there already.
    pub(crate) passed: Option<Instant>,
    /// Since when the store has no room for it.
    pub(crate) choked_since: Option<Instant>,
    /// Writes that the store has not answered.
    pub(crate) writes: u32,
    /// New bytes that it brought.
    pub(crate) brought: u64,
    /// The most urgent demand that it serves.
    pub(crate) class: Class,
    /// Whether it was asked of the URL that redirects ended at.
    pub(crate) redirected: bool,
    /// It asks for bytes that are there, because another answer left their version in doubt.
    pub(crate) compares: bool,
    /// Its own ETag leaves its version in doubt.
    pub(crate) doubtful: bool,
    /// Its body has ended, but the store still compares what it brought.
    pub(crate) over: bool,
}

/// What a head says of the version that its body belongs to.
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    pub(crate) validator: Validator,
    pub(crate) total: Option<u64>,
    /// The length of all that is at the URL.
    pub(crate) behind: Option<u64>,
    pub(crate) content_type: Option<String>,
    /// It must not be stored (RFC 9111, section 5.2.2.5).
    pub(crate) no_store: bool,
}

impl Claim {
    /// What `head` says; the lengths as they were judged.
    pub(crate) fn new(head: &ResponseHead, total: Option<u64>, behind: Option<u64>) -> Self {
        Self {
            validator: head.validator.clone(),
            total,
            behind,
            content_type: head.content_type.clone(),
            no_store: head.no_store,
        }
    }
}

/// What the driver may still read of a body before the store has caught up.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Credit {
    /// Granted and not yet received.
    pub(crate) granted: u64,
    /// Received and dealt with, but not granted anew: the store has no room.
    pub(crate) owed: u64,
}

/// When bytes last came, and how many lately.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pulse {
    last: Instant,
    window_from: Instant,
    window_bytes: u64,
}

impl Pulse {
    /// Begins now.
    pub(crate) fn new(now: Instant) -> Self {
        Self { last: now, window_from: now, window_bytes: 0 }
    }

    /// Bytes came.
    pub(crate) fn beat(&mut self, now: Instant, bytes: u64) {
        self.last = now;
        self.window_bytes = self.window_bytes.saturating_add(bytes);
    }

    /// The origin could not send meanwhile: its silence counts from now.
    pub(crate) fn excuse(&mut self, now: Instant) {
        *self = Self::new(now);
    }

    /// The store has caught up: silence counts from now, what came still counts.
    pub(crate) fn resume(&mut self, now: Instant) {
        self.last = now;
    }

    /// Somebody waits from now on: the minimum progress counts from now.
    pub(crate) fn hurry(&mut self, now: Instant) {
        self.window_from = now;
        self.window_bytes = 0;
    }
}

impl Flight {
    /// When it counts as dead unless something comes, and `None` while it can't help being silent (FAULTS B8-B10).
    pub(crate) fn deadline(&self, config: &Config) -> Option<Instant> {
        if self.over {
            return None;
        }
        if self.transfer.is_none() {
            return Some(self.since + config.head_timeout);
        }
        if self.is_excused() {
            return None;
        }
        let silent = self.pulse.last + config.stall_timeout;
        let trickles = self.pulse.window_bytes < config.min_progress_bytes;
        let window = self.pulse.window_from + config.min_progress_window;
        Some(if self.is_hurried() && trickles { silent.min(window) } else { silent })
    }

    /// Whether it is dead. Begins a new window of the minimum progress where the last was good.
    pub(crate) fn is_dead(&mut self, now: Instant, config: &Config) -> bool {
        if self.deadline(config).is_some_and(|deadline| deadline <= now) {
            return true;
        }
        if self.pulse.window_from + config.min_progress_window <= now {
            self.pulse.window_from = now;
            self.pulse.window_bytes = 0;
        }
        false
    }

    /// Whether a reader needs its bytes, now or soon, or all others wait for the doubt that it settles: then a trickle
    /// is not enough.
    pub(crate) fn is_hurried(&self) -> bool {
        self.class <= Class::Window || self.decides()
    }

    /// Whether its silence is ours: the store works on its bytes, or has no room for more.
    fn is_excused(&self) -> bool {
        self.writes > 0 || self.credit.granted == 0
    }

    /// Whether the store's lack of room is all that keeps it from going on.
    pub(crate) fn is_choked(&self) -> bool {
        self.writes == 0 && self.credit.granted == 0 && self.credit.owed > 0
    }

    /// How long nothing, or next to nothing, came.
    pub(crate) fn silence(&self, now: Instant) -> Duration {
        (now - self.pulse.last).max(now - self.pulse.window_from)
    }

    /// Bytes of the store's bound that it has taken for what may still come.
    pub(crate) fn reserved(&self) -> u64 {
        let held = self.transfer.as_ref().map_or(0, Transfer::held_len);
        self.credit.granted + held
    }

    /// Whether it will settle a doubt and has not done so: until then any other answer would be in doubt, too.
    fn is_undecided(&self) -> bool {
        let open = self.transfer.as_ref().is_none_or(Transfer::is_held);
        open && (self.compares || self.doubtful)
    }

    /// Whether its answer decides what to ask next: nothing else is asked meanwhile.
    pub(crate) fn decides(&self) -> bool {
        self.is_undecided() || self.asks_length()
    }

    /// When it last passed a byte that is there already, if it does so on its way to one that somebody waits for.
    pub(crate) fn approaching(&self) -> Option<Instant> {
        self.passed.filter(|_| self.is_hurried() && !self.over)
    }

    /// Whether what it brings is held back, for its version is in doubt.
    pub(crate) fn is_held(&self) -> bool {
        self.transfer.as_ref().is_some_and(Transfer::is_held)
    }

    /// Whether the store was asked to compare and has not answered.
    pub(crate) fn awaits_store(&self) -> bool {
        self.transfer.as_ref().is_some_and(Transfer::is_asked)
    }

    /// Whether it is to tell the length, and has not answered (FAULTS A15).
    fn asks_length(&self) -> bool {
        self.asked.probe && self.transfer.is_none()
    }

    /// For the scheduler.
    pub(crate) fn lane(&self, worth: u64) -> Lane {
        let (at, end) = match &self.transfer {
            Some(transfer) if self.over => (transfer.at(), Some(transfer.at())),
            Some(transfer) if transfer.is_held() => (transfer.held_from(), transfer.end()),
            // A part that begins before what was asked is on its way to it: another request would begin there, too
            // (FAULTS A2).
            Some(transfer) if transfer.is_part() => {
                (transfer.at().max(self.asked.first), transfer.end())
            }
            Some(transfer) => (transfer.at(), transfer.end()),
            None => (self.asked.first, self.asked_end),
        };
        let compared = self.is_held();
        Lane {
            id: self.id,
            at,
            end: end.unwrap_or(u64::MAX),
            plods: self.asked.plain || compared,
            settles: compared || self.decides(),
            // One that the store has no room for gives way, too: it can't deliver anything now.
            yields: self.brought >= worth || self.is_choked(),
        }
    }
}
