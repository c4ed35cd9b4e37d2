//! What a cache holds, as a table: the one that was used last first.

use infill_blocking::{CacheEntry, CacheState};

use super::units::{counted, percent, size};

/// So much of a key is shown: enough to tell thousands of entries apart, and to name one.
pub(super) const KEY_DIGITS: usize = 12;

const HEAD: [&str; 6] = ["KEY", "STORED", "SIZE", "HERE", "STATE", "URL"];

/// The columns that hold numbers.
const NUMBERS: std::ops::RangeInclusive<usize> = 1..=3;

/// The table, and a line that sums it up.
pub(super) fn of(entries: &[CacheEntry]) -> String {
    let mut rows = vec![HEAD.map(str::to_owned)];
    rows.extend(entries.iter().map(row));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..HEAD.len()).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for row in &rows {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| {
            if NUMBERS.contains(&column) {
                format!("{cell:>width$}")
            } else {
                format!("{cell:<width$}")
            }
        });
        text += cells.collect::<Vec<_>>().join("  ").trim_end();
        text.push('\n');
    }
    let stored = entries.iter().map(|entry| entry.stored).sum();
    text + &format!("{}, {}\n", counted(entries.len()), size(stored))
}

fn row(entry: &CacheEntry) -> [String; 6] {
    let key: String = entry.key.to_string().chars().take(KEY_DIGITS).collect();
    let mut state = match entry.state {
        CacheState::Complete => "complete".to_owned(),
        CacheState::Partial => "partial".to_owned(),
        other => format!("{other:?}").to_lowercase(),
    };
    if entry.pinned {
        state += ", pinned";
    }
    let total = entry.total.map_or_else(|| "?".into(), size);
    let here = entry.percent().map_or_else(|| "?".into(), percent);
    [key, size(entry.stored), total, here, state, entry.url.clone()]
}
