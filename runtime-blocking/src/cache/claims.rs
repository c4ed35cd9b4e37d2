//! Which directories this process has as caches. The lock on the disk tells processes apart, this table the clients in
//! one of them: a client whose last handle was just dropped gives its directory back in a moment, and whoever opens it
//! next waits for that instead of failing.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::engine::Lease;

/// How long a directory that is being given back is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// How often whoever waits lends a hand.
const STEP: Duration = Duration::from_millis(2);

type Hasten = dyn Fn() + Send + Sync;

#[derive(Default)]
struct Table {
    last: u64,
    claims: HashMap<PathBuf, State>,
}

struct State {
    id: u64,
    /// The client is gone, and the directory will be free soon.
    ending: bool,
    hasten: Option<Arc<Hasten>>,
}

static TABLE: LazyLock<(Mutex<Table>, Condvar)> = LazyLock::new(Default::default);

/// A directory, claimed. Dropping it, after the lock on the disk was given back, makes room for the next.
pub(super) struct Claim {
    root: PathBuf,
    id: u64,
}

/// A client in this process has that directory.
#[derive(Debug)]
pub(super) struct Taken;

impl Claim {
    /// Claims a directory; waits if it is being given back.
    pub(super) fn new(root: &Path) -> Result<Self, Taken> {
        let root = resolved(root);
        let until = Instant::now() + PATIENCE;
        let mut table = table();
        loop {
            let hasten = match table.claims.get(&root) {
                None => break,
                Some(state) if !state.ending => return Err(Taken),
                Some(state) => state.hasten.clone(),
            };
            if Instant::now() >= until {
                return Err(Taken);
            }
            if let Some(hasten) = hasten {
                drop(table);
                hasten();
                // Perhaps the last one: what it holds may itself want the table.
                drop(hasten);
                table = self::table();
                if !table.claims.contains_key(&root) {
                    continue;
                }
            }
            let waited = TABLE.1.wait_timeout(table, STEP);
            table = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        table.last += 1;
        let id = table.last;
        table.claims.insert(root.clone(), State { id, ending: false, hasten: None });
        Ok(Self { root, id })
    }

    /// For the client, who says when it ends.
    pub(super) fn lease(&self) -> Arc<dyn Lease> {
        Arc::new(Held { root: self.root.clone(), id: self.id })
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut table = table();
        let state = match table.claims.get(&self.root) {
            Some(state) if state.id == self.id => table.claims.remove(&self.root),
            _ => None,
        };
        drop(table);
        drop(state);
        TABLE.1.notify_all();
    }
}

/// Names a claim without keeping it.
struct Held {
    root: PathBuf,
    id: u64,
}

impl Lease for Held {
    fn ends(&self, hasten: Option<Box<Hasten>>) {
        let mut table = table();
        if let Some(state) = table.claims.get_mut(&self.root)
            && state.id == self.id
        {
            state.ending = true;
            state.hasten = hasten.map(Arc::from);
        }
    }
}

fn table() -> MutexGuard<'static, Table> {
    TABLE.0.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The same path for the same directory, whether it is there yet or not.
fn resolved(root: &Path) -> PathBuf {
    let root = std::path::absolute(root).unwrap_or_else(|_| root.to_owned());
    for there in root.ancestors() {
        if let Ok(mut real) = there.canonicalize() {
            if let Ok(rest) = root.strip_prefix(there)
                && !rest.as_os_str().is_empty()
            {
                real.push(rest);
            }
            return real;
        }
    }
    root
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn a_live_client_is_told_of_at_once_and_one_that_ends_is_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("a/b");
        let claim = Claim::new(&root).unwrap();
        let begun = Instant::now();
        assert!(Claim::new(&dir.path().join("a/./b")).is_err(), "the same directory");
        assert!(begun.elapsed() < Duration::from_secs(1), "nothing to wait for");
        let lease = claim.lease();
        let hands = Arc::new(AtomicUsize::new(0));
        let lent = Arc::clone(&hands);
        lease.ends(Some(Box::new(move || {
            lent.fetch_add(1, Ordering::SeqCst);
        })));
        let other = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(50));
            drop(claim);
        });
        let next = Claim::new(&root).unwrap();
        other.join().unwrap();
        assert!(hands.load(Ordering::SeqCst) > 0);
        // What is over says nothing about what came after it.
        lease.ends(None);
        assert!(Claim::new(&root).is_err());
        drop(next);
    }
}
