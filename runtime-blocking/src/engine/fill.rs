//! A block on its way from the store's workers to a reader.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use super::pool::Pool;
use super::resource::{Copied, Resource, Stored};

/// A read that a worker does.
pub(super) struct Fill {
    resource: Arc<Resource>,
    stored: Stored,
    offset: u64,
    cell: Arc<Mutex<Cell>>,
}

#[derive(Default)]
struct Cell {
    done: Option<(Vec<u8>, io::Result<usize>)>,
    waker: Option<Waker>,
}

/// What it brought.
pub(super) struct Filled {
    pub(super) resource: Arc<Resource>,
    pub(super) offset: u64,
    pub(super) bytes: Vec<u8>,
    pub(super) copied: Copied,
}

impl Fill {
    /// Asks for `wanted` bytes, in the space of `into`. It grows in the worker: what waits its turn needs no memory.
    pub(super) fn start(
        pool: &Pool,
        resource: Arc<Resource>,
        stored: Stored,
        offset: u64,
        wanted: usize,
        mut into: Vec<u8>,
    ) -> Self {
        let cell = Arc::new(Mutex::new(Cell::default()));
        let (shared, blob) = (Arc::clone(&cell), Arc::clone(&stored.blob));
        // Beside the worker that writes the resource, not behind it: what is published is written, and what is discarded
        // meanwhile is found to be stale.
        pool.read(resource.id().0, move || {
            into.resize(wanted, 0);
            let read = blob.read_at(offset, &mut into);
            let mut cell = lock(&shared);
            cell.done = Some((into, read));
            let waker = cell.waker.take();
            drop(cell);
            if let Some(waker) = waker {
                waker.wake();
            }
        });
        Self { resource, stored, offset, cell }
    }

    /// Ready once it is done.
    pub(super) fn poll(&mut self, waker: &Waker) -> Poll<()> {
        let mut cell = lock(&self.cell);
        if cell.done.is_some() {
            return Poll::Ready(());
        }
        cell.waker = Some(waker.clone());
        Poll::Pending
    }

    /// What it brought, if it is done.
    pub(super) fn finish(self) -> Option<Filled> {
        let (bytes, read) = lock(&self.cell).done.take()?;
        let copied = self.resource.judge(&self.stored, bytes.len(), read);
        Some(Filled { resource: self.resource, offset: self.offset, bytes, copied })
    }
}

fn lock(cell: &Mutex<Cell>) -> MutexGuard<'_, Cell> {
    cell.lock().unwrap_or_else(PoisonError::into_inner)
}
