//! Read buffers that are used again: no zeroing and no large allocation in the steady state.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use bytes::Bytes;

/// How much is read at once: each chunk costs some hand-overs between threads, whatever its size.
pub(crate) const BUFFER_BYTES: usize = 256 * 1024;

/// How many unused buffers are kept.
const KEPT: usize = 8;

/// The unused buffers.
#[derive(Debug)]
pub(super) struct Buffers(Mutex<Vec<Vec<u8>>>);

impl Buffers {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::default()))
    }

    /// A buffer to read into.
    pub(super) fn take(self: &Arc<Self>) -> Buffer {
        let unused = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Buffer {
            bytes: unused.unwrap_or_else(|| vec![0; BUFFER_BYTES]),
            home: Arc::downgrade(self),
        }
    }
}

/// One buffer; goes home when it is dropped, also when that is through the last [`Bytes`] of it.
#[derive(Debug)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    home: Weak<Buffers>,
}

impl Buffer {
    /// Where to read to.
    pub(super) fn space(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    /// The first `count` bytes. Few of them are copied, so that they don't keep a whole buffer busy.
    pub(super) fn into_bytes(self, count: usize) -> Bytes {
        if count < BUFFER_BYTES / 4 {
            return Bytes::copy_from_slice(&self.bytes[..count]);
        }
        Bytes::from_owner(self).slice(..count)
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if let Some(home) = self.home.upgrade() {
            let mut unused = home.0.lock().unwrap_or_else(PoisonError::into_inner);
            if unused.len() < KEPT {
                unused.push(core::mem::take(&mut self.bytes));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_home_when_its_last_bytes_go() {
        let buffers = Buffers::new();
        let unused = |buffers: &Buffers| buffers.0.lock().unwrap().len();
        let mut buffer = buffers.take();
        buffer.space().fill(7);
        let all = buffer.into_bytes(BUFFER_BYTES);
        let part = all.slice(5..9);
        drop(all);
        assert_eq!(unused(&buffers), 0);
        assert_eq!(&part[..], [7; 4]);
        drop(part);
        assert_eq!(unused(&buffers), 1);
        let few = buffers.take().into_bytes(3);
        assert_eq!((few.len(), unused(&buffers)), (3, 1), "copied");
    }
}
