//! Where bytes are kept: in memory or in temporary files.

pub(crate) mod digest;
mod memory;
pub(crate) mod positional;
mod temp_dir;
#[cfg(test)]
mod tests;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::engine::Store;

pub(crate) use memory::MemoryStore;
pub(crate) use temp_dir::TempDirStore;

/// The unit in which space is given back.
pub(crate) const BLOCK_BYTES: u64 = 64 * 1024;

/// How much the default store holds.
const MEMORY_BYTES: u64 = 64 << 20;

/// Which store a client keeps its bytes in. The default is [`StoreKind::memory`] with 64 MiB.
///
/// At its bound, a store becomes a window: bytes behind every reader make room, and are fetched again if wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreKind {
    /// In memory.
    Memory {
        /// How much it holds, over all streams of the client.
        limit_bytes: u64,
    },
    /// In temporary files without names: they are gone when the process is, however it ends.
    TempDir {
        /// Where; the system's directory for temporary files if not given.
        dir: Option<PathBuf>,
        /// How much it holds, over all streams of the client; `None` is as much as the disk does.
        limit_bytes: Option<u64>,
    },
}

impl StoreKind {
    /// Memory, this much.
    pub fn memory(limit_bytes: u64) -> Self {
        Self::Memory { limit_bytes }
    }

    /// The system's directory for temporary files, without a limit of its own.
    pub fn temp_dir() -> Self {
        Self::TempDir { dir: None, limit_bytes: None }
    }

    /// Makes the store.
    #[doc(hidden)]
    pub fn create(&self) -> io::Result<Arc<dyn Store>> {
        Ok(match self {
            Self::Memory { limit_bytes } => Arc::new(MemoryStore::new(*limit_bytes)),
            Self::TempDir { dir, limit_bytes } => {
                Arc::new(TempDirStore::new(dir.clone(), *limit_bytes)?)
            }
        })
    }
}

impl Default for StoreKind {
    fn default() -> Self {
        Self::memory(MEMORY_BYTES)
    }
}
