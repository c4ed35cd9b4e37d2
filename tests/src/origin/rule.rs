//! Which requests meet which faults. A rule is written in one expression, and counts from the end of it:
//! `origin.on("/a").from(1).times(2).status(503).retry_after("2");`

use std::{
    fmt,
    ops::{Bound, RangeBounds},
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::{
    fault::Fault,
    request::{Method, RangeSpec, Request},
};

type Predicate = Arc<dyn Fn(&Request) -> bool + Send + Sync>;

/// All rules of an origin, in the order they were made. All that match apply, in that order.
#[derive(Debug, Default)]
pub(super) struct Rules(RwLock<Vec<Rule>>);

struct Rule {
    pattern: String,
    first: usize,
    /// Exclusive.
    end: usize,
    predicates: Vec<Predicate>,
    left: AtomicUsize,
    faults: Vec<Fault>,
}

/// A rule being written. It begins to count when the expression that writes it ends (it is registered on drop, all at
/// once, so that no request meets half of it).
///
/// Selectors narrow the requests it is for; without one it is for all of its path. The other methods each add a
/// [`Fault`]. Both come in any order.
pub struct Injection<'a> {
    rules: &'a Rules,
    rule: Rule,
}

impl Injection<'_> {
    /// Only for this request of its path, counted from 0.
    pub fn nth(self, nth: usize) -> Self {
        self.requests(nth..=nth)
    }

    /// Only for this request of its path and all later ones, counted from 0.
    pub fn from(self, nth: usize) -> Self {
        self.requests(nth..)
    }

    /// Only for the first `count` requests of its path.
    pub fn first(self, count: usize) -> Self {
        self.requests(..count)
    }

    /// Only for these requests of its path, counted from 0.
    pub fn requests(mut self, range: impl RangeBounds<usize>) -> Self {
        self.rule.first = match range.start_bound() {
            Bound::Included(n) => *n,
            Bound::Excluded(n) => n.saturating_add(1),
            Bound::Unbounded => 0,
        };
        self.rule.end = match range.end_bound() {
            Bound::Included(n) => n.saturating_add(1),
            Bound::Excluded(n) => *n,
            Bound::Unbounded => usize::MAX,
        };
        self
    }

    /// At most this often, counting only the requests that it was for.
    pub fn times(mut self, times: usize) -> Self {
        self.rule.left = AtomicUsize::new(times);
        self
    }

    /// Only for requests that satisfy `predicate`, and all other predicates of the rule.
    pub fn when(mut self, predicate: impl Fn(&Request) -> bool + Send + Sync + 'static) -> Self {
        self.rule.predicates.push(Arc::new(predicate));
        self
    }

    /// Only for requests with a byte range that satisfies `predicate`.
    pub fn when_range(self, predicate: impl Fn(RangeSpec) -> bool + Send + Sync + 'static) -> Self {
        self.when(move |request| request.range().is_some_and(&predicate))
    }

    /// Only for requests that ask from this byte position or a later one.
    pub fn at_or_past(self, position: u64) -> Self {
        self.when_range(move |range| range.first().is_some_and(|first| first >= position))
    }

    /// Only for HEAD requests.
    pub fn on_head(self) -> Self {
        self.when(|request| request.method == Method::Head)
    }

    /// Only for requests on a connection that has served another.
    pub fn on_reused(self) -> Self {
        self.when(|request| request.reused)
    }

    /// Adds a fault.
    pub fn fault(mut self, fault: impl Into<Fault>) -> Self {
        self.rule.faults.push(fault.into());
        self
    }
}

impl Drop for Injection<'_> {
    fn drop(&mut self) {
        let rule = std::mem::replace(&mut self.rule, Rule::new(""));
        self.rules.0.write().unwrap_or_else(PoisonError::into_inner).push(rule);
    }
}

impl Rules {
    /// Begins a rule for a path, or for all paths that begin with what is before a final `*`.
    pub(super) fn on(&self, pattern: &str) -> Injection<'_> {
        Injection { rules: self, rule: Rule::new(pattern) }
    }

    /// Drops the rules of one pattern.
    pub(super) fn heal(&self, pattern: &str) {
        let mut rules = self.0.write().unwrap_or_else(PoisonError::into_inner);
        rules.retain(|rule| rule.pattern != pattern);
    }

    /// Drops all rules.
    pub(super) fn heal_all(&self) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The faults that this request meets, and one use less of each rule that they come from.
    pub(super) fn faults_for(&self, request: &Request, nth: usize) -> Vec<Fault> {
        let rules = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let matching = rules.iter().filter(|rule| rule.matches(request, nth) && rule.take());
        matching.flat_map(|rule| rule.faults.iter().cloned()).collect()
    }
}

impl Rule {
    fn new(pattern: &str) -> Self {
        Self {
            pattern: pattern.to_owned(),
            first: 0,
            end: usize::MAX,
            predicates: Vec::new(),
            left: AtomicUsize::new(usize::MAX),
            faults: Vec::new(),
        }
    }

    fn matches(&self, request: &Request, nth: usize) -> bool {
        let path = match self.pattern.strip_suffix('*') {
            Some(prefix) => request.path.starts_with(prefix),
            None => request.path == self.pattern,
        };
        path && (self.first..self.end).contains(&nth)
            && self.predicates.iter().all(|holds| holds(request))
    }

    /// Uses it once, if any use is left.
    fn take(&self) -> bool {
        let less = |left: usize| {
            if left == usize::MAX { Some(left) } else { left.checked_sub(1) }
        };
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rule")
            .field("pattern", &self.pattern)
            .field("requests", &(self.first..self.end))
            .field("predicates", &self.predicates.len())
            .field("left", &self.left)
            .field("faults", &self.faults)
            .finish()
    }
}
