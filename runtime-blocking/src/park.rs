//! Waiting on this thread for what is written to be polled.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Instant;

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}

/// Polls until it is ready, and sleeps in between.
pub(crate) fn block_on_poll<T>(mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> T {
    loop {
        if let Some(value) = block_until(None, &mut poll) {
            return value;
        }
    }
}

/// Polls until it is ready or `until` is over; without `until`, as long as it takes.
pub(crate) fn block_until<T>(
    until: Option<Instant>,
    mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
) -> Option<T> {
    with_waker(|waker| {
        let mut context = Context::from_waker(waker);
        loop {
            if let Poll::Ready(value) = poll(&mut context) {
                return Some(value);
            }
            match until {
                None => thread::park(),
                Some(until) => {
                    let left = until.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return None;
                    }
                    thread::park_timeout(left);
                }
            }
        }
    })
}

/// Waits for a future.
#[cfg_attr(not(test), expect(dead_code, reason = "only tests wait for futures"))]
pub(crate) fn block_on<F: Future>(mut future: Pin<&mut F>) -> F::Output {
    block_on_poll(|cx| future.as_mut().poll(cx))
}

/// This thread's waker: made once, so that a read that waits allocates nothing.
fn with_waker<T>(with: impl FnOnce(&Waker) -> T) -> T {
    thread_local! {
        static WAKER: RefCell<Option<Waker>> = const { RefCell::new(None) };
    }
    let new = || Waker::from(Arc::new(Unpark(thread::current())));
    // A thread that is ending has no thread-locals any more, but may still read in a destructor.
    let waker = WAKER
        .try_with(|waker| waker.borrow_mut().get_or_insert_with(new).clone())
        .unwrap_or_else(|_| new());
    with(&waker)
}
