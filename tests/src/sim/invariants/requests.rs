//! What must hold of every request: how many there are, what they ask for, how far they may read.

use infill_core::http::FetchRequest;
use infill_core::{ByteRanges, FetchId, Revalidate, TrackId};

use super::{FetchEntry, Ledger, violated};

impl Ledger {
    pub(super) fn fetch(&mut self, track: TrackId, request: &FetchRequest) {
        let fetch = request.fetch;
        if !self.seen_fetches.insert(fetch) {
            violated!("{fetch} is used again");
        }
        let credit = request.credit;
        if credit == 0 || credit > self.config.fetch_credit_bytes {
            violated!("{fetch} begins with a credit of {credit}");
        }
        self.check_range(track, request);
        let host = request.url.host_str().expect("the simulator's URLs have hosts").to_owned();
        let entry =
            FetchEntry { track, host: host.clone(), credit: u64::from(credit), stopping: false };
        self.fetches.insert(fetch, entry);
        self.tally.requests += 1;
        let running = |which: &dyn Fn(&FetchEntry) -> bool| {
            self.fetches.values().filter(|fetch| !fetch.stopping && which(fetch)).count()
        };
        let limits = [
            ("file", running(&|fetch| fetch.track == track), self.config.connections_per_file),
            ("host", running(&|fetch| fetch.host == host), self.config.connections_per_host),
            ("client", running(&|_| true), self.config.connections),
        ];
        for (what, count, limit) in limits {
            if count > limit {
                violated!("{fetch} makes {count} requests under way for one {what}, limit {limit}");
            }
        }
        let mut stopping = self.fetches.values().filter(|f| f.track == track && f.stopping);
        if stopping.by_ref().count() > self.config.max_stopping {
            violated!("{fetch} begins while more than {} are stopping", self.config.max_stopping);
        }
    }

    /// Never a byte that is present, but for a bounded comparison; never one behind the known end.
    pub(super) fn check_range(&mut self, track: TrackId, request: &FetchRequest) {
        let Some(current) = self.track(track).current else {
            return;
        };
        let (fetch, first) = (request.fetch, request.first);
        let (overlap_limit, revalidate) = (self.config.overlap_bytes, self.config.revalidate);
        let entry = self.resource(current);
        let revalidates = request.last == Some(first) && entry.kept.is_placed();
        if entry.committed && !(revalidates && revalidate == Revalidate::Always) {
            violated!("{fetch} begins though {current} is complete");
        }
        if let Some(total) = entry.view.len()
            && first >= total
            && !request.plain
        {
            violated!("{fetch} asks from {first}, but {current} ends at {total}");
        }
        let is_probe = request.last == Some(first);
        if request.plain || is_probe {
            return;
        }
        // What is claimed is not fetched either: first it is seen whether it is good.
        let claimed = entry.view.claimed();
        let stored: ByteRanges = entry.view.present().iter().chain(claimed.iter()).collect();
        let present = if claimed.is_empty() { entry.view.present() } else { &stored };
        let mut hole = present.first_missing(first);
        if let (true, Some(last)) = (entry.kept.is_placed(), request.last) {
            // What an earlier process left is compared with the origin's before anything is added to it.
            hole = hole.min(last + 1);
        }
        if hole - first > overlap_limit {
            violated!("{fetch} asks from {first}, but {current} is present up to {hole}");
        }
        if let Some(next) = present.first_present(hole)
            && request.last.is_none_or(|last| last >= next)
        {
            violated!(
                "{fetch} asks for {first}-{:?}, but {current} is present from {next}",
                request.last
            );
        }
        self.tally.overlap += hole - first;
        if let (Some(max), last) = (self.config.max_request_bytes, request.last) {
            let length = last.map_or(u64::MAX, |last| last - first + 1);
            if length > max + overlap_limit {
                violated!("{fetch} asks for {length} bytes, limit {max}");
            }
        }
    }

    pub(super) fn grant(&mut self, fetch: FetchId, bytes: u32) {
        let limit = u64::from(self.config.fetch_credit_bytes);
        let entry = self.fetches.get_mut(&fetch).expect("check_names saw it");
        entry.credit += u64::from(bytes);
        if entry.credit > limit {
            violated!("{fetch} may read {} bytes ahead, limit {limit}", entry.credit);
        }
    }
}
