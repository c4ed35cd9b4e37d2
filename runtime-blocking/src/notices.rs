//! Notices: what an embedder may want to know, kept for whoever asks, never in anybody's way.
//!
//! One bounded ring per stream; each [`Notices`] is a position in it. Nobody is called back: a callback would run in
//! the middle of the engine's turn.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use infill_core::Notice;

use crate::park;

/// How many notices are kept for those who don't ask in time.
const KEPT: usize = 64;

/// One thing that [`Notices`] gives.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Noticed {
    /// A notice.
    Notice(Notice),
    /// As many older ones were dropped before they were asked for.
    Missed(u64),
}

/// The notices of one stream, from the oldest that is kept. Ends once the stream is closed and all were given.
#[derive(Clone, Debug)]
pub struct Notices {
    ring: Arc<Ring>,
    next: u64,
}

impl Notices {
    pub(crate) fn new(ring: Arc<Ring>) -> Self {
        Self { ring, next: 0 }
    }

    /// The next one, if there is one now.
    pub fn try_next(&mut self) -> Option<Noticed> {
        match self.poll_next(None) {
            Poll::Ready(noticed) => noticed,
            Poll::Pending => None,
        }
    }

    /// Waits for the next one; needs no particular runtime. `None` after the last one of a closed stream.
    pub async fn next(&mut self) -> Option<Noticed> {
        poll_fn(|cx| self.poll_next(Some(cx.waker()))).await
    }

    /// Waits for the next one, but no longer than `timeout`. `None` also after the last one of a closed stream.
    pub fn next_timeout(&mut self, timeout: Duration) -> Option<Noticed> {
        let until = Instant::now().checked_add(timeout);
        park::block_until(until, |cx| self.poll_next(Some(cx.waker()))).flatten()
    }

    fn poll_next(&mut self, waker: Option<&Waker>) -> Poll<Option<Noticed>> {
        let mut state = self.ring.state();
        if self.next < state.dropped {
            let missed = state.dropped - self.next;
            self.next = state.dropped;
            return Poll::Ready(Some(Noticed::Missed(missed)));
        }
        let index = usize::try_from(self.next - state.dropped).unwrap_or(usize::MAX);
        if let Some(notice) = state.kept.get(index) {
            self.next += 1;
            return Poll::Ready(Some(Noticed::Notice(notice.clone())));
        }
        if state.closed {
            return Poll::Ready(None);
        }
        if let Some(waker) = waker
            && !state.wakers.iter().any(|old| old.will_wake(waker))
        {
            state.wakers.push(waker.clone());
        }
        Poll::Pending
    }
}

/// The notices of one stream that are kept.
#[derive(Debug, Default)]
pub(crate) struct Ring {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    kept: VecDeque<Notice>,
    /// How many came before the first that is kept.
    dropped: u64,
    wakers: Vec<Waker>,
    closed: bool,
}

impl Ring {
    /// Adds a notice; the oldest makes room.
    pub(crate) fn push(&self, notice: Notice) {
        self.change(|state| {
            if state.kept.len() == KEPT {
                state.kept.pop_front();
                state.dropped += 1;
            }
            state.kept.push_back(notice);
        });
    }

    /// Nothing more will come.
    pub(crate) fn close(&self) {
        self.change(|state| state.closed = true);
    }

    fn change(&self, how: impl FnOnce(&mut State)) {
        let mut state = self.state();
        how(&mut state);
        let wakers = core::mem::take(&mut state.wakers);
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_are_dropped_and_counted() {
        let ring = Arc::new(Ring::default());
        let mut notices = Notices::new(Arc::clone(&ring));
        assert_eq!(notices.try_next(), None);
        for _ in 0..KEPT + 3 {
            ring.push(Notice::Changed);
        }
        ring.push(Notice::Renewed);
        assert_eq!(notices.try_next(), Some(Noticed::Missed(4)));
        let mut rest: Vec<_> = std::iter::from_fn(|| notices.try_next()).collect();
        assert_eq!(rest.len(), KEPT);
        assert_eq!(rest.pop(), Some(Noticed::Notice(Notice::Renewed)));
    }

    #[test]
    fn waiting_ends_with_a_notice_with_time_and_with_the_stream() {
        let ring = Arc::new(Ring::default());
        let mut notices = Notices::new(Arc::clone(&ring));
        assert_eq!(notices.next_timeout(Duration::from_millis(5)), None);
        let pusher = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(10));
            ring.push(Notice::Changed);
            std::thread::sleep(Duration::from_millis(10));
            ring.close();
        });
        assert_eq!(
            park::block_on(std::pin::pin!(notices.next())),
            Some(Noticed::Notice(Notice::Changed))
        );
        assert_eq!(notices.next_timeout(Duration::from_secs(10)), None);
        pusher.join().unwrap();
    }
}
