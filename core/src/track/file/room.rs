//! Room in the store: credit for what may come, and what is given back for it.
//!
//! Where the store has a bound that the file exceeds, its drain becomes a window: what lies behind every reader is
//! retracted and given back, to be fetched again if it is wanted.

use super::FileTrack;
use crate::catalog::Extent;
use crate::context::Context;
use crate::schedule::Class;
use crate::space::Space;
use crate::{Action, Answer, ByteRange, Cause, Config, Tier};

/// So long before a reader runs into a claim it is asked to report.
const CLAIM_MARK_BYTES: u64 = 512 * 1024;

/// The least credit that a request is made with.
const MIN_CREDIT_BYTES: u64 = 4096;

/// The least unit in which room is given back: of single bytes a file would be taken apart in a million actions.
const MIN_BLOCK_BYTES: u64 = 4096;

fn block_bytes(config: &Config, tier: Tier) -> u64 {
    let least = match tier {
        Tier::Scratch => MIN_BLOCK_BYTES,
        // Of less than an extent nothing could be verified any more.
        Tier::Cache => Extent::BLOCK_BYTES,
    };
    config.store_block_bytes.max(least)
}

impl FileTrack {
    /// How far ahead of its readers the file is fetched; `None` to the end.
    pub(super) fn ahead(&self, space: &Space) -> Option<u64> {
        let bound = space.share().map(|share| (share / 4).max(1).saturating_mul(3));
        let fits = |bound: u64| self.resource.total().is_some_and(|total| total <= bound);
        let window = bound.filter(|bound| !fits(*bound));
        match (self.limits.read_ahead, window) {
            (Some(ahead), Some(window)) => Some(ahead.min(window)),
            (ahead, window) => ahead.or(window),
        }
    }

    /// The credit that a new request starts with, taken from the store's room. `None` if there is none.
    pub(super) fn first_credit(&mut self, class: Class, context: &mut Context<'_>) -> Option<u64> {
        let share = context.spaces.at(self.tier).share().unwrap_or(u64::MAX);
        let usual = u64::from(context.config.fetch_credit_bytes);
        let credit = usual.min(share / 8).max(MIN_CREDIT_BYTES);
        self.make_room(credit, class, context).then_some(credit)
    }

    /// Takes `bytes` of the store's room, giving back of this track what is least wanted if it must.
    fn make_room(&mut self, bytes: u64, class: Class, context: &mut Context<'_>) -> bool {
        let lack = context.spaces.at(self.tier).lack(bytes);
        // For a drain nothing is given back: it would be fetched again, and something else given back for that.
        if lack > 0 && class != Class::Drain {
            self.reclaim(lack, class, context);
        }
        let room = context.spaces.of(self.tier).reserve(bytes);
        self.lacking |= !room;
        room
    }

    /// Grants what is owed, as far as there is room.
    pub(super) fn feed(&mut self, context: &mut Context<'_>) {
        for index in 0..self.flights.len() {
            let flight = &self.flights[index];
            let (id, owed, class) = (flight.id, flight.credit.owed, flight.class);
            // Small change is kept back while there is something left to send into, or about to be: or the pieces of
            // a body would only ever become smaller (the silly window of RFC 1122, section 4.2.3.3).
            let small = owed < u64::from(context.config.fetch_credit_bytes) / 4;
            let busy = flight.credit.granted > 0 || flight.writes > 0;
            if owed == 0 || flight.over || (small && busy) {
                continue;
            }
            let idle = self.readers.waiting == 0 && self.must_plod();
            let class = if idle { Class::Drain } else { class };
            let room = self.make_room(owed, class, context);
            let flight = &mut self.flights[index];
            if !room {
                if flight.is_choked() {
                    flight.choked_since.get_or_insert(context.now);
                }
                continue;
            }
            if flight.choked_since.take().is_some() || flight.credit.granted == 0 {
                flight.pulse.excuse(context.now);
            }
            flight.credit.owed = 0;
            flight.credit.granted += owed;
            context
                .out
                .push(Action::Grant { fetch: id, bytes: u32::try_from(owed).unwrap_or(u32::MAX) });
        }
        self.refuse_what_cannot_fit(context);
    }

    /// Readers whose demand can't be met because nothing can be given back: all room is wanted by others.
    fn refuse_what_cannot_fit(&mut self, context: &mut Context<'_>) {
        // While a failure is waited out, nothing was tried: that nothing runs says nothing of room.
        let untried = self.blocked || self.readers.waiting == 0;
        if !self.lacking || untried || !self.resource.is_settled() {
            return;
        }
        let going = |flight: &crate::flight::Flight| !flight.is_choked();
        if self.flights.iter().any(going) || self.used(self.tier) < self.min_room(context) {
            return;
        }
        if self.tier == Tier::Cache {
            return self.do_without_cache(context);
        }
        let limit = context.spaces.at(self.tier).limit().unwrap_or(u64::MAX);
        let why = format!("its limit of {limit} bytes holds nothing more; raise it");
        let error = self.error(Cause::StoreFull(why), None);
        self.answer_all(&Answer::Failed(error), context);
    }

    /// What a track may count on having, so that lack of room is its own doing.
    fn min_room(&self, context: &Context<'_>) -> u64 {
        context.spaces.at(self.tier).share().unwrap_or(0) / 2
    }

    /// Gives back at least `want` bytes if it can: what lies behind every reader first, lowest first, then what lies
    /// ahead, farthest first. Whoever waits may take more than whoever doesn't. Gives how much it was.
    pub(crate) fn reclaim(&mut self, want: u64, class: Class, context: &mut Context<'_>) -> u64 {
        let block = block_bytes(context.config, self.tier);
        let keep = self.kept(class, block, context.spaces.at(self.tier));
        let Some((first, last)) = self.span() else {
            return 0;
        };
        let (first, last) = (first / block, last / block);
        let lowest = keep.iter().map(|range| range.start).min().unwrap_or(u64::MAX);
        let behind = first..(lowest / block).min(last + 1).max(first);
        // What a transfer brings that was let go on past the window would be given back for what it brings next, and
        // be fetched from byte 0 again.
        let spared = class == Class::Drain && self.must_plod() && self.readers.waiting == 0;
        let ahead = (behind.end..if spared { behind.end } else { last + 1 }).rev();
        let mut freed = 0;
        for index in behind.chain(ahead) {
            if freed >= want {
                break;
            }
            let range = ByteRange::at(index.saturating_mul(block), block);
            freed += self.give_back(range, &keep, context);
        }
        freed
    }

    /// First and last position that is there, or on its way.
    fn span(&self) -> Option<(u64, u64)> {
        let first = self.resource.held().iter().next()?.start;
        let last = self.resource.held().iter().next_back()?.end - 1;
        Some((first, last))
    }

    /// What readers still want of what is there.
    fn kept(&self, class: Class, block: u64, space: &Space) -> Vec<ByteRange> {
        let hurried = class <= Class::Sought;
        let ahead = self.ahead(space).unwrap_or(u64::MAX);
        let readers = self.readers.table.values().filter(|reader| !reader.is_stale());
        readers
            .map(|reader| {
                let at = reader.position();
                let (back, ahead) = if hurried { (0, block) } else { (block, ahead) };
                ByteRange::new(at.saturating_sub(back), at.saturating_add(ahead))
            })
            .collect()
    }

    /// Retracts a block, unless a part of it is wanted, compared, or on its way.
    fn give_back(
        &mut self,
        range: ByteRange,
        keep: &[ByteRange],
        context: &mut Context<'_>,
    ) -> u64 {
        let wanted = keep.iter().any(|kept| !kept.intersect(range).is_empty());
        let held = self.resource.held().len_within(range);
        let claimed = self.resource.cached.claimed().len_within(range);
        let there = self.resource.present().len_within(range) + claimed;
        let compared = self.resource.is_verifying(range) || !self.comparing(range).is_empty();
        if wanted || there == 0 || held != there || compared {
            return 0;
        }
        let before = self.resource.holds(self.tier);
        let runs: Vec<ByteRange> = self.resource.present().parts_of(range).collect();
        for run in runs {
            self.retract(run, context);
        }
        if claimed > 0 {
            self.lose(range, context);
        }
        before.saturating_sub(self.resource.holds(self.tier))
    }

    /// Asks readers to report when their progress will matter: for a window, or for room.
    pub(super) fn set_marks(&mut self, context: &mut Context<'_>) {
        let ahead = self.ahead(context.spaces.at(self.tier));
        let claimed = self.resource.cached.claimed();
        if ahead.is_none() && !self.lacking && !self.readers.marked && claimed.is_empty() {
            return;
        }
        let block = block_bytes(context.config, self.tier);
        let mut any = false;
        let (total, held) = (self.resource.total(), self.resource.held());
        for (id, reader) in &mut self.readers.table {
            let at = reader.position();
            let missing = held.first_missing(at);
            let ended = total.is_some_and(|total| missing >= total);
            let window = ahead.filter(|_| !ended && !reader.is_stale());
            let low = window.map(|ahead| missing.saturating_sub(ahead.div_ceil(2)) + 1);
            let room = self.lacking.then(|| at.saturating_add(block));
            // Before it runs into a claim, that is to be verified.
            let verified = self.resource.present().first_missing(at);
            let next =
                claimed.contains(verified).then(|| verified.saturating_sub(CLAIM_MARK_BYTES));
            let mark = [low, room, next].into_iter().flatten().min().filter(|mark| *mark > at);
            any |= mark.is_some();
            if reader.set_mark(mark) {
                context.out.push(Action::Mark { reader: *id, at: mark });
            }
        }
        self.readers.marked = any;
    }
}
