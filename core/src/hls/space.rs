//! The virtual byte space of a presentation: one number for a place in a segment, the same for every variant.

use core::fmt;

use crate::Cause;

/// Gives each segment `2^bits` virtual bytes, whatever its variant's has: a place keeps its offset when the variant
/// changes. Nothing of it is ever materialised, so that a large stride costs nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VirtualSpace {
    bits: u32,
}

/// A place that the space has no offset for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpaceError {
    /// A segment is larger than the stride.
    Oversize {
        /// Which segment.
        index: usize,
        /// The byte of it that lies beyond.
        at: u64,
        /// The stride, as a power of two.
        bits: u32,
    },
    /// There are not so many segments in 64 bits.
    Index(usize),
}

impl VirtualSpace {
    /// A space with this stride, as a power of two; 16 to 63.
    pub fn new(bits: u32) -> Self {
        Self { bits: bits.clamp(16, 63) }
    }

    /// How many virtual bytes each segment has.
    pub fn stride(self) -> u64 {
        1 << self.bits
    }

    /// The offset of a byte of a segment's plaintext.
    ///
    /// # Errors
    /// [`SpaceError::Oversize`] for a byte beyond the stride, [`SpaceError::Index`] for a segment beyond the space.
    pub fn offset_of(self, index: usize, at: u64) -> Result<u64, SpaceError> {
        if at >= self.stride() {
            return Err(SpaceError::Oversize { index, at, bits: self.bits });
        }
        let segment = u64::try_from(index).map_err(|_| SpaceError::Index(index))?;
        let start = segment.checked_mul(self.stride()).ok_or(SpaceError::Index(index))?;
        Ok(start | at)
    }

    /// Which segment an offset is of, and which byte of it.
    pub fn locate(self, offset: u64) -> (usize, u64) {
        let index = offset >> self.bits;
        (usize::try_from(index).unwrap_or(usize::MAX), offset & (self.stride() - 1))
    }
}

impl fmt::Display for SpaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Oversize { index, at, bits } => write!(
                f,
                "segment {index} has a byte {at}, beyond its 2^{bits} virtual ones; raise stride_bits"
            ),
            Self::Index(index) => {
                write!(f, "segment {index} has no place in 64 bits; lower stride_bits")
            }
        }
    }
}

impl core::error::Error for SpaceError {}

impl From<SpaceError> for Cause {
    fn from(error: SpaceError) -> Self {
        Self::Segment(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn seed_9_a_place_keeps_its_offset_when_the_variant_changes() {
        let space = VirtualSpace::new(32);
        // 50 KB of AAC, then 700 KB of FLAC: the same offset is the same segment in both.
        let offset = space.offset_of(1, 700_000).unwrap();
        assert_eq!(offset, (1 << 32) + 700_000);
        assert_eq!(space.locate(offset), (1, 700_000));
        assert_eq!(space.locate((1 << 32) + 50_000), (1, 50_000));
    }

    #[test]
    fn what_does_not_fit_is_an_error_that_says_so() {
        let space = VirtualSpace::new(20);
        let error = space.offset_of(3, 1 << 20).unwrap_err();
        assert_eq!(error, SpaceError::Oversize { index: 3, at: 1 << 20, bits: 20 });
        assert!(error.to_string().contains("stride_bits"));
        let far = usize::MAX;
        assert_eq!(VirtualSpace::new(63).offset_of(far, 0), Err(SpaceError::Index(far)));
    }

    proptest! {
        #[test]
        fn offsets_lead_back_and_rise(bits in 0_u32..80, index in 0_usize..100_000, at in any::<u64>()) {
            let space = VirtualSpace::new(bits);
            if let Ok(offset) = space.offset_of(index, at) {
                prop_assert_eq!(space.locate(offset), (index, at));
                if let Ok(next) = space.offset_of(index + 1, 0) {
                    prop_assert!(next > offset);
                }
            }
        }
    }
}
