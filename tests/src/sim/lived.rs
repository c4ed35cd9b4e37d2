//! What sessions with a cache went through, by name, and how often: a proof is worth what it has met.

use core::fmt;

macro_rules! trials {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Something that a session with a cache may go through.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Trial {
            $($(#[$doc])* $name,)*
        }

        impl Trial {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];
        }
    };
}

trials! {
    /// A process ended in order.
    Closed,
    /// A process was killed.
    Killed,
    /// The power was cut.
    Cut,
    /// A process was killed, and files were damaged or deleted.
    Damaged,
    /// A process was killed as soon as a file was said to be filled.
    KilledWhenFilled,
    /// A write found the disk full (FAULTS D5).
    DiskFull,
    /// A write failed.
    WriteFailed,
    /// A sync failed (FAULTS D6).
    SyncFailed,
    /// A read failed.
    ReadFailed,
    /// The journal could not be written.
    JournalFailed,
    /// The journal was written anew.
    Compacted,
    /// Bytes that readers saw were taken back.
    TakenBack,
    /// What an earlier process left was verified.
    ClaimVerified,
    /// What an earlier process left was not what it said.
    ClaimRefuted,
    /// A resource's files were removed.
    Removed,
    /// A file was said to be filled.
    Filled,
    /// An origin forbade to store what it sent (FAULTS D14).
    NoStore,
    /// The disk was measured against the cache's limit.
    Measured,
    /// What a kill costs was counted.
    Counted,
}

/// How often each was met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lived(Vec<u64>);

impl Lived {
    pub(super) fn count(&mut self, trial: Trial) {
        self.0[trial as usize] += 1;
    }

    /// Adds the counts of another session.
    pub fn add(&mut self, other: &Self) {
        for (sum, count) in self.0.iter_mut().zip(&other.0) {
            *sum += count;
        }
    }

    /// What was met less often than `least`.
    pub fn rarer_than(&self, least: u64) -> Vec<(Trial, u64)> {
        let counts = Trial::ALL.iter().map(|trial| (*trial, self.0[*trial as usize]));
        counts.filter(|(_, count)| *count < least).collect()
    }
}

impl Default for Lived {
    fn default() -> Self {
        Self(vec![0; Trial::ALL.len()])
    }
}

impl fmt::Display for Lived {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for trial in Trial::ALL {
            writeln!(f, "{:>9}  {trial:?}", self.0[*trial as usize])?;
        }
        Ok(())
    }
}
