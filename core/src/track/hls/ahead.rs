//! What lies ahead of the reader that is followed: fetched one segment at a time, as far as settings allow.

use core::time::Duration;
use std::collections::VecDeque;

use super::enter::{Found, Target};
use super::parts::{Parts, Status};
use super::readers::Bound;
use super::{HlsTrack, TrackId};
use crate::context::Context;
use crate::event::VariantChoice;
use crate::hls::abr;
use crate::{Action, Cause, Config, Instant, Notice, ReaderId};

/// The read-ahead where the store is a disk.
const DISK: Duration = Duration::from_secs(180);
/// The read-ahead in memory.
const MEMORY: Duration = Duration::from_secs(60);
/// The buffer's level is told again when it has changed by so much.
const TOLD_EVERY: Duration = Duration::from_millis(250);

/// A segment that is fetched before a reader is there.
#[derive(Clone, Debug)]
struct Planned {
    target: Target,
    /// `None` for a gap.
    track: Option<TrackId>,
    start: Duration,
    end: Duration,
}

/// What lies ahead, in order.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    queue: VecDeque<Planned>,
    /// When the reader will have come so far that more is wanted.
    wake: Option<Instant>,
    /// Nothing follows.
    ended: bool,
    /// Whether what is fetched goes to a disk.
    disk: bool,
    told: Option<Duration>,
    /// The variant that was told last.
    variant: Option<usize>,
}

impl Ahead {
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Whether the last of it is here.
    pub(super) fn is_complete(&self, parts: &Parts) -> bool {
        self.queue.back().is_none_or(|last| last.track.is_none_or(|track| parts.is_whole(track)))
    }

    pub(super) fn tracks(&self) -> impl Iterator<Item = TrackId> + '_ {
        self.queue.iter().filter_map(|planned| planned.track)
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.wake
    }

    /// The variant that plays at a time.
    pub(super) fn at(&self, time: Duration) -> Option<usize> {
        let planned = self.queue.iter().find(|each| each.start <= time && time < each.end)?;
        Some(planned.target.variant)
    }

    /// What was fetched to follow a segment whose audio ends at about `end`.
    pub(super) fn after(&self, playlist: usize, index: usize, end: Duration) -> Option<Target> {
        let first = self.queue.front()?;
        let next = first.target.playlist == playlist && first.target.index == index + 1;
        let other = first.target.playlist != playlist && first.start <= end && end < first.end;
        (next || other).then_some(first.target)
    }

    /// Takes the farthest out that is not `hungry` itself: there is no room for it.
    pub(super) fn give_up_last(&mut self, hungry: TrackId) -> Option<TrackId> {
        let last = self.queue.back().filter(|_| self.queue.len() > 1)?;
        if last.track == Some(hungry) {
            return None;
        }
        self.ended = false;
        self.queue.pop_back()?.track
    }
}

impl HlsTrack {
    /// A reader enters a segment: what lies ahead of it is what matters now.
    pub(super) fn bind(&mut self, reader: ReaderId, bound: Bound, context: &mut Context<'_>) {
        let same = |each: &Planned| {
            each.target.playlist == bound.playlist && each.target.index == bound.index
        };
        let left = match self.ahead.queue.iter().position(same) {
            Some(place) => self.ahead.queue.drain(..=place).collect::<Vec<_>>(),
            None => {
                self.ahead.ended = false;
                self.ahead.queue.drain(..).collect()
            }
        };
        if self.ahead.variant.replace(bound.variant) != Some(bound.variant) {
            self.notify(Notice::Variant(bound.variant), context);
        }
        let old = self.readers.get(reader).and_then(|reader| reader.bound.as_ref()?.track);
        self.readers.bind(reader, bound);
        self.leave_all(left.into_iter().filter_map(|planned| planned.track).chain(old).collect());
    }

    /// Stops fetching those that nobody is in, nor wants next.
    fn leave_all(&mut self, tracks: Vec<TrackId>) {
        for track in tracks {
            let bound = self.readers.bound().any(|bound| bound == track);
            if !bound && !self.ahead.tracks().any(|ahead| ahead == track) {
                self.leave(track);
            }
        }
    }

    /// The choice is another one: what was fetched ahead for the old one is not played.
    pub(super) fn rethink(&mut self) {
        let rungs = self.ladder.rungs();
        let fixed = match self.ladder.choice {
            VariantChoice::Fixed(variant) => Some(variant),
            _ => None,
        };
        let ladder = &self.ladder;
        let wrong = |each: &Planned| {
            let variant = each.target.variant;
            let allowed = match fixed {
                Some(fixed) => variant == fixed,
                None => rungs.iter().any(|(rung, _)| *rung == variant),
            };
            !allowed || ladder.playlist_of(variant) != Some(each.target.playlist)
        };
        if let Some(first) = self.ahead.queue.iter().position(wrong) {
            let left: Vec<Planned> = self.ahead.queue.drain(first..).collect();
            self.ahead.ended = false;
            self.leave_all(left.into_iter().filter_map(|planned| planned.track).collect());
        }
    }

    /// Which variant to fetch next: the one that was chosen, else what the link and the buffer allow.
    pub(super) fn choose(
        &self,
        now: Instant,
        config: &Config,
        current: Option<usize>,
    ) -> Option<usize> {
        if let VariantChoice::Fixed(variant) = self.ladder.choice {
            return (variant < self.ladder.len()).then_some(variant);
        }
        let rungs = self.ladder.rungs();
        if self.filling {
            return rungs.last().map(|(variant, _)| *variant);
        }
        let rates: Vec<u64> = rungs.iter().map(|(_, rate)| *rate).collect();
        let current = current.and_then(|of| rungs.iter().position(|(variant, _)| *variant == of));
        let chosen = abr::choose(&abr::Situation {
            ladder: &rates,
            current,
            throughput: self.throughput.estimate(now),
            level: self.level(now),
            read_ahead: self.read_ahead(config),
            segment: self.segment_duration(),
        });
        rungs.get(chosen).map(|(variant, _)| *variant)
    }

    /// How much is here, without a gap, from where the reader is.
    fn level(&self, now: Instant) -> Duration {
        let Some(lead) = self.readers.lead() else {
            return Duration::ZERO;
        };
        let whole = |track: Option<TrackId>| track.is_none_or(|track| self.parts.is_whole(track));
        if !whole(lead.track) {
            return Duration::ZERO;
        }
        let ahead = self.ahead.queue.iter().take_while(|planned| whole(planned.track)).last();
        let end = ahead.map_or(lead.end, |planned| planned.end);
        end.saturating_sub(lead.position(now))
    }

    fn read_ahead(&self, config: &Config) -> Duration {
        let usual = if self.ahead.disk { DISK } else { MEMORY };
        config.hls.read_ahead.unwrap_or(usual)
    }

    fn segment_duration(&self) -> Duration {
        let lead = self.readers.lead().map(|lead| (lead.playlist, lead.index));
        let last = self.ahead.queue.back().map(|last| (last.target.playlist, last.target.index));
        let found = last.or(lead).and_then(|(playlist, index)| {
            Some(self.ladder.loaded(playlist)?.index.get(index)?.duration)
        });
        found.unwrap_or(Duration::from_secs(6))
    }

    /// Fetches ahead, one segment after the other.
    pub(super) fn look_ahead(&mut self, context: &mut Context<'_>) {
        self.ahead.wake = None;
        self.ahead.disk = context.cache.is_on() || context.config.store_limit_bytes.is_none();
        while self.plan_next(context) {}
        let level = self.level(context.now);
        let told = self.ahead.told.unwrap_or(Duration::MAX);
        if level.abs_diff(told) >= TOLD_EVERY {
            self.ahead.told = Some(level);
            context.out.push(Action::Buffered { track: self.id, time: level });
        }
    }

    /// Plans one segment more. Whether another one may follow at once.
    fn plan_next(&mut self, context: &mut Context<'_>) -> bool {
        let found = match (self.ahead.queue.back(), self.readers.lead()) {
            (Some(last), _) => {
                if !last.track.is_none_or(|track| self.parts.is_whole(track)) {
                    return false;
                }
                let (target, end) = (last.target, last.end);
                self.find_next(target.variant, target.playlist, target.index, end, context)
            }
            (None, Some(lead)) => {
                if !lead.track.is_none_or(|track| self.parts.is_whole(track)) {
                    return false;
                }
                let (variant, playlist) = (lead.variant, lead.playlist);
                let (index, end) = (lead.index, lead.end);
                self.find_next(variant, playlist, index, end, context)
            }
            // The first reader will come, and begin at the beginning.
            (None, None) if !self.readers.begun => self.find_at(self.opening.start_time(), context),
            (None, None) => return false,
        };
        match found {
            Found::Segment(target) => self.plan(target, context),
            Found::End => {
                self.ahead.ended = true;
                false
            }
            // A reader that comes so far asks again.
            Found::Later | Found::Failed(_) => false,
        }
    }

    /// What follows, if there is to be more ahead.
    fn find_next(
        &mut self,
        variant: usize,
        playlist: usize,
        index: usize,
        end: Duration,
        context: &mut Context<'_>,
    ) -> Found {
        if self.ahead.ended || self.is_far_enough(end, context) {
            return Found::Later;
        }
        self.find_following(variant, playlist, index, end, context)
    }

    /// Whether enough lies ahead. Sets the time at which that won't be so.
    fn is_far_enough(&mut self, end: Duration, context: &Context<'_>) -> bool {
        if self.filling {
            return false;
        }
        let Some(lead) = self.readers.lead() else {
            return true;
        };
        let limits = &context.config.hls;
        let want = self.read_ahead(context.config);
        let ahead = end.saturating_sub(lead.position(context.now));
        let scratch = context.config.store_limit_bytes.filter(|_| !context.cache.is_on());
        let most = scratch.map_or(u64::MAX, |limit| limit / 2).min(limits.read_ahead_bytes);
        let bytes: u64 = self
            .ahead
            .tracks()
            .filter_map(|track| self.parts.get(track))
            .map(|part| part.len)
            .sum();
        if bytes >= most && !self.ahead.queue.is_empty() {
            return true;
        }
        if ahead < want {
            return false;
        }
        let position = lead.position(context.now);
        if position < lead.end {
            let wait = (ahead - want).saturating_add(Duration::from_millis(1));
            self.ahead.wake = Some(context.now + wait.min(lead.end - position));
        }
        true
    }

    /// Puts a segment into the queue. Whether it is here already.
    fn plan(&mut self, target: Target, context: &mut Context<'_>) -> bool {
        let Some(loaded) = self.ladder.loaded(target.playlist).cloned() else {
            return false;
        };
        let Some(entry) = loaded.index.get(target.index) else {
            return false;
        };
        let (start, end) = (entry.timestamp_start, entry.timestamp_end());
        if !target.gap
            && let Err(error) = self.prepare(&loaded, target.playlist, target.index, context)
        {
            // Its key can't be had; a reader that comes so far is told, or another variant plays then.
            self.bad.add(target.playlist, target.index, error);
            return false;
        }
        let place = self.place_of_segment(target.playlist, target.index);
        let track = place.filter(|_| !target.gap).and_then(|place| self.parts.named(place.name));
        if self.filling {
            // What is behind is done with.
            self.ahead.queue.clear();
        }
        let whole = track.is_none_or(|track| self.parts.is_whole(track));
        self.ahead.queue.push_back(Planned { target, track, start, end });
        whole
    }

    /// A segment came whole: it says what its playlist's segments weigh.
    pub(super) fn segment_whole(&mut self, track: TrackId, len: u64) {
        let planned = self.ahead.queue.iter().find(|planned| planned.track == Some(track));
        let found = match planned {
            Some(planned) => Some((planned.target.playlist, planned.end - planned.start)),
            None => self.readers.find(track).and_then(|bound| {
                let entry = self.ladder.loaded(bound.playlist)?.index.get(bound.index)?;
                Some((bound.playlist, entry.duration))
            }),
        };
        if let Some((playlist, time)) = found {
            self.ladder.measure(playlist, len, time);
        }
    }

    /// Tells whoever waits for all of it that it is here, or can't be had.
    pub(super) fn answer_filled(&mut self, context: &mut Context<'_>) {
        if !self.filling {
            return;
        }
        let last = self.ahead.queue.back();
        let failed = last.and_then(|last| match &self.parts.get(last.track?)?.status {
            Status::Failed(error) => {
                let Target { variant, index, .. } = last.target;
                let cause = Cause::PartialSegment { variant, index };
                Some(self.error(cause).with_source(error.clone()))
            }
            _ => None,
        });
        let (track, result) = match failed {
            Some(error) => (self.id, Err(error)),
            None if self.ahead.ended && self.parts.all_whole() => (self.id, Ok(())),
            None => return,
        };
        self.filling = false;
        context.out.push(Action::Filled { track, result });
    }
}
