//! What goes wrong with a disk that has power.

use std::io::{self, ErrorKind};

use fastrand::Rng;

/// Faults that stay until others are set. Chances are in 256.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// So many bytes fit, over all files (FAULTS D5).
    pub quota: Option<u64>,
    /// Nothing can be changed.
    pub read_only: bool,
    /// A read fails.
    pub read: u32,
    /// A write fails, and nothing is written.
    pub write: u32,
    /// A write fails, and a part is written (FAULTS D4).
    pub short_write: u32,
    /// A write is acknowledged, and is not there.
    pub lost_write: u32,
    /// A sync fails (FAULTS D6).
    pub sync: u32,
    /// A change of names fails.
    pub names: u32,
    /// What becomes of the bytes that a failed sync was for.
    pub dirty: Dirty,
}

/// What becomes of the bytes that a failed sync was for. None of them will ever be on the disk, and no later sync says
/// so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dirty {
    /// They can be read until the system forgets them: at a power cut.
    #[default]
    Remembered,
    /// What was there before is there again.
    Lost,
    /// There are zeros in their place.
    Zeroed,
}

/// What happens to one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// There is no room.
    Full,
    /// An error of the device.
    Io,
    /// A part is written, then an error of the device; as [`Failure::Io`] for what is no write.
    Short,
    /// It says that it went well, and did nothing, until the next sync that says the truth. What is written so is lost,
    /// though the file is as long as it would be.
    Lie,
}

impl Failure {
    pub(super) fn error(self) -> io::Error {
        match self {
            Self::Full => io::Error::new(ErrorKind::StorageFull, "no space left (simulated)"),
            Self::Io | Self::Short | Self::Lie => {
                io::Error::other("input/output error (simulated)")
            }
        }
    }
}

/// Decides what fails.
#[derive(Debug)]
pub(super) struct Injector {
    pub(super) faults: Faults,
    pub(super) script: Vec<(u64, Failure)>,
    pub(super) rng: Rng,
}

impl Injector {
    pub(super) fn new(seed: u64) -> Self {
        let rng = Rng::with_seed(seed ^ 0x6469_736b);
        Self { faults: Faults::default(), script: Vec::new(), rng }
    }

    /// Without any faults; chance goes on.
    pub(super) fn healed(&self) -> Self {
        Self { faults: Faults::default(), script: Vec::new(), rng: self.rng.clone() }
    }

    /// What the script says of this operation.
    pub(super) fn scripted(&mut self, number: u64) -> Option<Failure> {
        let index = self.script.iter().position(|(at, _)| *at == number)?;
        Some(self.script.swap_remove(index).1)
    }

    /// Whether something with so many chances in 256 is the case.
    pub(super) fn chance(&mut self, in_256: u32) -> bool {
        in_256 > 0 && self.rng.u32(0..256) < in_256
    }

    pub(super) fn write(&mut self) -> Option<Failure> {
        let (write, short, lost) =
            (self.faults.write, self.faults.short_write, self.faults.lost_write);
        let drawn = [(write, Failure::Io), (short, Failure::Short), (lost, Failure::Lie)];
        drawn.into_iter().find(|(in_256, _)| self.chance(*in_256)).map(|(_, failure)| failure)
    }

    pub(super) fn sync(&mut self) -> Option<Failure> {
        self.chance(self.faults.sync).then_some(Failure::Io)
    }

    pub(super) fn names(&mut self) -> Option<Failure> {
        self.chance(self.faults.names).then_some(Failure::Io)
    }
}
