//! What a session amounts to.

/// Sums over a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Requests made.
    pub requests: u64,
    /// Body bytes delivered.
    pub delivered: u64,
    /// Of these, after the request was cancelled.
    pub late: u64,
    /// Bytes published, retracted ones included.
    pub published: u64,
    /// Bytes that were asked for though present, to compare.
    pub overlap: u64,
}

impl Tally {
    /// Adds the sums of another session.
    pub fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.delivered += other.delivered;
        self.late += other.late;
        self.published += other.published;
        self.overlap += other.overlap;
    }
}
