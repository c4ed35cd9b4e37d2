//! The few primitives that the hand-over is built on, in one place, so that a test can compile the very same files with
//! the primitives of a model checker (`tests/handover.rs`).

pub(crate) use std::sync::atomic::{AtomicU64, Ordering};
pub(crate) use std::sync::{Mutex, MutexGuard};

/// Locks. A poisoned lock is taken all the same: what is kept under these locks is whole after every statement, and a
/// panic elsewhere must not become a second one in somebody's `drop`.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
