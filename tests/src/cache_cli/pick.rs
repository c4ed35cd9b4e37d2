//! Which entries a command is for: a key, or as much of its beginning as tells it apart.

use infill_blocking::CacheEntry;

use super::table::KEY_DIGITS;
use crate::cli::Failure;

/// The entries that these keys begin; each once.
pub(super) fn some<'a>(
    entries: &'a [CacheEntry],
    keys: &[String],
) -> Result<Vec<&'a CacheEntry>, Failure> {
    let mut picked: Vec<&CacheEntry> = Vec::new();
    for key in keys {
        let entry = one(entries, key)?;
        if !picked.iter().any(|other| other.key == entry.key) {
            picked.push(entry);
        }
    }
    Ok(picked)
}

/// The same, or all of them where no key is given.
pub(super) fn all_or_some<'a>(
    entries: &'a [CacheEntry],
    keys: &[String],
) -> Result<Vec<&'a CacheEntry>, Failure> {
    if keys.is_empty() { Ok(entries.iter().collect()) } else { some(entries, keys) }
}

fn one<'a>(entries: &'a [CacheEntry], key: &str) -> Result<&'a CacheEntry, Failure> {
    let lower = key.to_ascii_lowercase();
    let mut found = entries.iter().filter(|entry| entry.key.to_string().starts_with(&lower));
    match (found.next(), found.next()) {
        (Some(entry), None) => Ok(entry),
        (None, _) => {
            let what = format!("no key begins with {key:?}; `ls` shows those that there are");
            Err(Failure::Output(what))
        }
        (Some(one), Some(other)) => {
            let show = |entry: &CacheEntry| -> String {
                entry.key.to_string().chars().take(KEY_DIGITS.max(key.len() + 4)).collect()
            };
            let (one, other) = (show(one), show(other));
            let what = format!("{key:?} begins {one} and {other}; give more of it");
            Err(Failure::Output(what))
        }
    }
}
