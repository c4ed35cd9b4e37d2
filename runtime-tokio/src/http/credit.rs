//! Byte credit of one fetch: how much of its body may be read now.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Notify;

/// Granted by the driver, spent by the one task of the fetch.
pub(super) struct Credit {
    bytes: AtomicU64,
    granted: Notify,
}

impl Credit {
    pub(super) fn new(bytes: u32) -> Self {
        Self { bytes: AtomicU64::new(bytes.into()), granted: Notify::new() }
    }

    pub(super) fn grant(&self, bytes: u32) {
        self.bytes.fetch_add(bytes.into(), Ordering::AcqRel);
        self.granted.notify_one();
    }

    /// Waits for credit; says how much there is.
    pub(super) async fn wait(&self) -> usize {
        loop {
            let bytes = self.bytes.load(Ordering::Acquire);
            if bytes > 0 {
                return usize::try_from(bytes).unwrap_or(usize::MAX);
            }
            // A grant between the look and this leaves a permit: it is not missed.
            self.granted.notified().await;
        }
    }

    /// Uses up what [`Credit::wait`] gave.
    pub(super) fn spend(&self, bytes: usize) {
        let before = self.bytes.fetch_sub(bytes as u64, Ordering::AcqRel);
        debug_assert!(before >= bytes as u64, "read more than was granted");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[tokio::test]
    async fn waits_for_a_grant_and_misses_none() {
        let credit = Arc::new(Credit::new(3));
        assert_eq!(credit.wait().await, 3);
        credit.spend(3);
        let granter = Arc::clone(&credit);
        let waiter = tokio::spawn(async move { credit.wait().await });
        tokio::task::yield_now().await;
        granter.grant(7);
        assert_eq!(waiter.await.unwrap(), 7);
    }
}
