//! Packed audio (RFC 8216, section 3.4): frames of AAC or MPEG audio one after the other, with ID3 tags between segments.

mod frames;
mod header;
mod id3;
mod segment;
mod tally;

pub(super) use frames::Frames;
pub(super) use header::{AAC_RATES, Codec};
pub(super) use segment::Packed;
pub(super) use tally::Tally;
