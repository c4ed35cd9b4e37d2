//! One version of a resource as its readers see it: the published view, the stored bytes, the newest chunks.
//!
//! Readers look under a short lock, copy outside it, and look again: a retraction in between makes the copy worthless.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use infill_core::{ByteRange, Change, Lookup, ResourceId, StoreFailure, View};

use super::blob::Blob;
use super::sync::{Mutex, MutexGuard, lock};

/// How many chunks [`Recent`] keeps at most, whatever their size.
const RECENT_CHUNKS: usize = 64;

/// A resource, shared by the engine and its readers.
pub struct Resource {
    id: ResourceId,
    state: Mutex<State>,
}

struct State {
    view: View,
    /// `None` once the last track is closed: nothing of it is held then.
    blob: Option<Arc<dyn Blob>>,
    recent: Recent,
    /// How many open tracks read it.
    tracks: usize,
}

/// What a look at a position found.
pub enum Found {
    /// These bytes, from that position on, true for ever.
    Chunk(Bytes),
    /// Stored bytes.
    Stored(Stored),
    /// The proven end.
    End,
    /// Not here.
    Miss,
}

/// Stored bytes that were published at the time of the look.
pub struct Stored {
    /// Where they are.
    pub blob: Arc<dyn Blob>,
    /// Where they end.
    pub end: u64,
    retractions: u64,
}

/// How a copy went.
#[derive(Debug)]
pub enum Copied {
    /// As many bytes were copied, and they are true.
    Good(usize),
    /// Something was retracted meanwhile: look again.
    Stale,
    /// The store did not have what was published.
    Failed(StoreFailure),
}

impl Resource {
    /// A resource of which nothing is known. Without a `blob` nothing can be stored.
    pub fn new(id: ResourceId, blob: Option<Arc<dyn Blob>>) -> Self {
        Self::again(id, View::new(), blob)
    }

    /// A resource that was closed, as it was before.
    pub fn again(id: ResourceId, view: View, blob: Option<Arc<dyn Blob>>) -> Self {
        Self { id, state: Mutex::new(State { view, blob, recent: Recent::default(), tracks: 0 }) }
    }

    /// Its id.
    pub fn id(&self) -> ResourceId {
        self.id
    }

    /// What is at `position`.
    pub fn find(&self, position: u64) -> Found {
        let state = self.state();
        match state.view.lookup(position) {
            Lookup::End => Found::End,
            Lookup::Miss => Found::Miss,
            Lookup::Hit(end) => match (state.recent.at(position, end), &state.blob) {
                (Some(bytes), _) => Found::Chunk(bytes),
                (None, None) => Found::Miss,
                (None, Some(blob)) => Found::Stored(Stored {
                    blob: Arc::clone(blob),
                    end,
                    retractions: state.view.retractions(),
                }),
            },
        }
    }

    /// Copies what [`Resource::find`] found at `position` into `buf`, which must not reach past its end.
    pub fn copy(&self, stored: &Stored, position: u64, buf: &mut [u8]) -> Copied {
        let read = stored.blob.read_at(position, buf);
        self.judge(stored, buf.len(), read)
    }

    /// What became of a read of `wanted` bytes.
    pub fn judge(&self, stored: &Stored, wanted: usize, read: std::io::Result<usize>) -> Copied {
        if self.state().view.retractions() != stored.retractions {
            return Copied::Stale;
        }
        match read {
            Ok(count) if count == wanted => Copied::Good(count),
            Ok(count) => Copied::Failed(StoreFailure {
                full: false,
                detail: format!("only {count} of {wanted} published bytes are stored"),
            }),
            Err(error) => Copied::Failed(failure(&error)),
        }
    }

    /// Whether `position` can be read without waiting, the end included.
    pub fn is_present(&self, position: u64) -> bool {
        self.state().view.lookup(position) != Lookup::Miss
    }

    /// Looks at the view.
    pub fn with_view<T>(&self, look: impl FnOnce(&View) -> T) -> T {
        look(&self.state().view)
    }

    /// Publishes.
    pub fn publish(&self, change: &Change) {
        let mut state = self.state();
        if let Change::Retracted(range) = change {
            state.recent.remove(*range);
        }
        state.view.apply(change);
    }

    /// Marks it as complete.
    pub fn commit(&self, final_len: u64) {
        self.state().view.commit(final_len);
    }

    /// Keeps bytes that were written, so that a reader near the head need not go to the store; at most `limit` bytes.
    pub fn keep_recent(&self, offset: u64, bytes: Bytes, limit: usize) {
        self.state().recent.push(offset, bytes, limit);
    }

    /// One more track reads it.
    pub fn join(&self) {
        self.state().tracks += 1;
    }

    /// One track less reads it. After the last one it is closed; what it was is returned then.
    pub fn leave(&self) -> Option<View> {
        let mut state = self.state();
        state.tracks = state.tracks.saturating_sub(1);
        let last = state.tracks == 0;
        drop(state);
        last.then(|| self.close())
    }

    /// Lets go of all stored bytes. Returns what it was.
    pub fn close(&self) -> View {
        let mut state = self.state();
        let view = state.view.clone();
        let whole = ByteRange::new(0, u64::MAX);
        state.view.apply(&Change::Retracted(whole));
        state.view.apply(&Change::Unclaimed(whole));
        let (blob, recent) = (state.blob.take(), core::mem::take(&mut state.recent));
        drop(state);
        drop((blob, recent));
        view
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

/// A system's error in the core's terms.
pub(super) fn failure(error: &std::io::Error) -> StoreFailure {
    use std::io::ErrorKind::{QuotaExceeded, StorageFull};
    StoreFailure {
        full: matches!(error.kind(), StorageFull | QuotaExceeded),
        detail: error.to_string(),
    }
}

/// The chunks that were written last.
#[derive(Default)]
struct Recent {
    chunks: VecDeque<(u64, Bytes)>,
    len: usize,
}

impl Recent {
    fn push(&mut self, offset: u64, bytes: Bytes, limit: usize) {
        self.remove(range_of(offset, &bytes));
        self.len += bytes.len();
        self.chunks.push_back((offset, bytes));
        while self.len > limit || self.chunks.len() > RECENT_CHUNKS {
            let Some((_, oldest)) = self.chunks.pop_front() else {
                break;
            };
            self.len -= oldest.len();
        }
    }

    fn remove(&mut self, range: ByteRange) {
        self.chunks.retain(|(offset, bytes)| range_of(*offset, bytes).intersect(range).is_empty());
        self.len = self.chunks.iter().map(|(_, bytes)| bytes.len()).sum();
    }

    /// The bytes from `position` to the end of their chunk, or to `end`.
    fn at(&self, position: u64, end: u64) -> Option<Bytes> {
        let (offset, bytes) = self
            .chunks
            .iter()
            .rev()
            .find(|(offset, bytes)| range_of(*offset, bytes).contains(position))?;
        let from = usize::try_from(position - offset).ok()?;
        let to = usize::try_from(end - offset).map_or(bytes.len(), |to| to.min(bytes.len()));
        Some(bytes.slice(from..to))
    }
}

fn range_of(offset: u64, bytes: &Bytes) -> ByteRange {
    ByteRange::at(offset, bytes.len() as u64)
}
