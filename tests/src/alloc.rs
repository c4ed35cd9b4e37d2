//! An allocator that counts, for tests and benches of what must not allocate.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
    /// Bytes that this thread allocated and freed no more than it had; and the most of it.
    static HEAP: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

/// The system's allocator, with a count of allocations for each thread, and of the bytes in them.
#[derive(Debug)]
pub struct Counting;

/// Allocations of this thread so far. Counts only where [`Counting`] is the global allocator.
pub fn allocations() -> u64 {
    COUNT.with(Cell::get)
}

/// The most bytes that this thread had at a time during `work`, beyond those that it had before.
pub fn peak_of<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let (before, _) = HEAP.get();
    HEAP.set((before, before));
    let result = work();
    let (_, peak) = HEAP.get();
    (result, peak.saturating_sub(before))
}

fn count() {
    // During a thread's end the counter may be gone; nobody asks for it then.
    let _ = COUNT.try_with(|count| count.set(count.get() + 1));
}

fn took(bytes: usize) {
    let _ = HEAP.try_with(|heap| {
        let (now, peak) = heap.get();
        let now = now.saturating_add(bytes);
        heap.set((now, peak.max(now)));
    });
}

fn gave(bytes: usize) {
    let _ = HEAP.try_with(|heap| {
        let (now, peak) = heap.get();
        // What another thread allocated was not counted here.
        heap.set((now.saturating_sub(bytes), peak));
    });
}

// SAFETY: every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        took(layout.size());
        // SAFETY: the caller's contract is the system allocator's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        gave(layout.size());
        // SAFETY: `at` came from the system's allocator with this layout.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // Both at once: the system may have to move it.
        took(size);
        gave(layout.size());
        // SAFETY: `at` came from the system's allocator with this layout.
        unsafe { System.realloc(at, layout, size) }
    }
}
