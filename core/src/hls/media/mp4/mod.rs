//! Fragmented MP4 (ISO/IEC 14496-12, section 8.8): the audio track of an init section and of its fragments.

mod boxes;
mod entry;
mod fragment;
mod init;
mod segment;

pub(super) use segment::Fragments;
