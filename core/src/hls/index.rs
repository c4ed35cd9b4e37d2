//! The segments of one variant, found by time.

use core::time::Duration;

use super::playlist::SegmentEntry;

/// The segments of one variant in order, with the times at which they begin.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SegmentIndex {
    entries: Vec<SegmentEntry>,
}

impl SegmentIndex {
    /// An index of these segments, whose times rise.
    pub fn new(entries: Vec<SegmentEntry>) -> Self {
        Self { entries }
    }

    /// All of them.
    pub fn entries(&self) -> &[SegmentEntry] {
        &self.entries
    }

    /// One of them.
    pub fn get(&self, index: usize) -> Option<&SegmentEntry> {
        self.entries.get(index)
    }

    /// Which segment plays at `time`: the last that begins at or before it. `None` at or after the end.
    pub fn find(&self, time: Duration) -> Option<usize> {
        if time >= self.duration() {
            return None;
        }
        let after = self.entries.partition_point(|entry| entry.timestamp_start <= time);
        after.checked_sub(1)
    }

    /// When the last segment ends.
    pub fn duration(&self) -> Duration {
        self.entries.last().map_or(Duration::ZERO, SegmentEntry::timestamp_end)
    }
}
