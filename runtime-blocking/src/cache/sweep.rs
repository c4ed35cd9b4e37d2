//! Deleting: the files of one place, or of all places that nobody knows. Never a file whose name is not of our own
//! pattern, and never one after the lock is lost.

use std::collections::HashSet;
use std::io::{self, ErrorKind};

use infill_core::catalog::{Generation, Key, Place, ResourceKey};

use super::layout::{self, DataName};
use super::shared::Shared;

/// Deletes the files of a place, and its asset's directory if nothing else is in it. Goes on after an error; the first
/// one counts.
pub(super) fn remove(shared: &Shared, place: Place) -> io::Result<()> {
    shared.check_lock()?;
    delete(shared, place.key.asset, |name| name.is_of(place))
}

/// Deletes all data files but those of `keep` and of this session, and directories of assets that are empty then.
pub(super) fn sweep(shared: &Shared, keep: &[Place]) -> io::Result<()> {
    let keep: HashSet<(ResourceKey, Generation)> =
        keep.iter().map(|place| (place.key, place.generation)).collect();
    let mut result = Ok(());
    for dir in shared.disk().list("")? {
        let Ok(asset) = dir.parse::<Key>() else {
            continue;
        };
        // Whoever else has the cache now has files of his own in it.
        shared.check_lock()?;
        let unknown = |name: &DataName| {
            name.generation.salt() != shared.salt() && !keep.contains(&name.owner(asset))
        };
        result = result.and(delete(shared, asset, unknown));
    }
    result
}

fn delete(shared: &Shared, asset: Key, which: impl Fn(&DataName) -> bool) -> io::Result<()> {
    let dir = layout::asset_dir(asset);
    let names = match shared.disk().list(&dir) {
        // A file with the name of an asset is none of ours.
        Err(error) if error.kind() == ErrorKind::NotADirectory => return Ok(()),
        names => names?,
    };
    let mut result = Ok(());
    let mut left = 0_usize;
    for name in names {
        if !name.parse().is_ok_and(|name| which(&name)) {
            left += 1;
            continue;
        }
        result = result.and(shared.disk().remove(&format!("{dir}/{name}")));
    }
    if left == 0 && result.is_ok() {
        // It fails where somebody has just put a file into it, or where it never was.
        let _ = shared.disk().remove_dir(&dir);
    }
    result
}
