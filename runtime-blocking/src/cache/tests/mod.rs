//! The cache over directories of the real file system, and over one in which calls fail as a script says.

mod data;
mod faulty;
mod files;
mod handles;
mod journal;
mod lock;
mod model;

use std::path::Path;
use std::sync::Arc;

use infill_core::Restored;
use infill_core::catalog::{Catalog, Extent, Generation, Key, Place, Record, ResourceKey};
use tempfile::TempDir;

use super::{CacheStore, Disk, real};

pub(super) use faulty::{Call, Faulty};

/// A directory of its own, and a disk over it in which calls can be made to fail.
fn scene() -> (TempDir, Arc<Faulty>) {
    let dir = tempfile::tempdir().unwrap();
    let disk = Faulty::new(real(&dir.path().join("cache")).unwrap());
    (dir, disk)
}

fn open(disk: &Arc<Faulty>, entropy: u64) -> (Arc<CacheStore>, Restored) {
    CacheStore::open(Arc::clone(disk) as Arc<dyn Disk>, entropy).unwrap()
}

/// The n-th resource's place in the session with that salt.
fn place(n: u8, salt: u32) -> Place {
    let key = ResourceKey::file(Key([n; 20]));
    Place { key, generation: Generation(0).next(salt), file_bits: 24 }
}

/// Other bytes for each position.
fn bytes(start: u64, len: usize) -> Vec<u8> {
    (start..start + len as u64).map(|at| (at % 251) as u8 ^ (at >> 8) as u8).collect()
}

/// Records of `count` resources.
fn records(count: u8) -> Vec<Record> {
    let open = |n| Record::Open {
        place: place(n, 7),
        label: format!("https://a.example/{n}/{}", "x".repeat(300)).into(),
        facts: Default::default(),
    };
    let extents = |n| Record::Extents {
        generation: place(n, 7).generation,
        extents: vec![Extent { start: 0, digest: u64::from(n), len: 1000 }],
    };
    let pin = |n| Record::Pin { asset: Key([n; 20]), pinned: true };
    (0..count).flat_map(|n| [open(n), extents(n), pin(n)]).collect()
}

/// What those records say.
fn catalog(records: &[Record]) -> Vec<Record> {
    let mut catalog = Catalog::new();
    records.iter().for_each(|record| catalog.apply(record));
    catalog.snapshot()
}

/// All files under a directory, by their paths in it, in order.
fn tree(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            found.extend(tree(&path).into_iter().map(|below| format!("{name}/{below}")));
        } else {
            found.push(name);
        }
    }
    found.sort();
    found
}
