//! The segments of a run of packed audio: tags first, which stay out, then frames.

use super::frames::Frames;
use super::header::Codec;
use super::id3::{HEADER, Tag};
use super::tally::Tally;
use crate::hls::media::{MediaError, MediaTime, TrackConfig};

/// How much of a tag is kept to be read: a timestamp is at its start, a picture may be megabytes.
const MAX_READ: usize = 4096;

/// Reads a run of packed audio.
#[derive(Debug, Default)]
pub(in crate::hls::media) struct Packed {
    frames: Frames,
    tally: Tally,
    place: Place,
}

/// Where in a segment it is.
#[derive(Debug)]
enum Place {
    /// Where a tag may begin.
    Start(Vec<u8>),
    /// Inside a tag: what is still to come of it, and its first bytes.
    Tag { tag: Tag, left: u64, bytes: Vec<u8> },
    /// In its frames.
    Frames,
}

impl Default for Place {
    fn default() -> Self {
        Self::Start(Vec::new())
    }
}

impl Packed {
    pub(in crate::hls::media) fn begin(&mut self) {
        self.place = Place::default();
        self.tally = self.tally.next();
        self.frames.begin();
    }

    pub(in crate::hls::media) fn push(
        &mut self,
        mut input: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), MediaError> {
        while !input.is_empty() {
            match &mut self.place {
                Place::Start(bytes) => {
                    let taken = input.len().min(HEADER - bytes.len());
                    bytes.extend_from_slice(&input[..taken]);
                    input = &input[taken..];
                    let could = b"ID3".starts_with(&bytes[..bytes.len().min(3)]);
                    if could && bytes.len() < HEADER {
                        continue;
                    }
                    match Tag::read(bytes) {
                        Some(tag) => {
                            let bytes = Vec::new();
                            self.place = Place::Tag { tag, left: tag.len, bytes };
                            self.leave_tag();
                        }
                        None => self.enter_frames(out)?,
                    }
                }
                Place::Tag { left, bytes, .. } => {
                    let taken = input.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                    let kept = taken.min(MAX_READ.saturating_sub(bytes.len()));
                    bytes.extend_from_slice(&input[..kept]);
                    *left -= taken as u64;
                    input = &input[taken..];
                    self.leave_tag();
                }
                Place::Frames => return self.frames.push(input, out, &mut self.tally),
            }
        }
        Ok(())
    }

    pub(in crate::hls::media) fn end(&mut self, out: &mut Vec<u8>) -> Result<(), MediaError> {
        match &self.place {
            Place::Tag { left, .. } => {
                let what = format!("it ends {left} bytes before the end of its ID3 tag");
                return Err(MediaError::broken(what));
            }
            Place::Start(bytes) if !bytes.is_empty() => self.enter_frames(out)?,
            Place::Start(_) | Place::Frames => {}
        }
        self.frames.end(out, &mut self.tally)
    }

    pub(in crate::hls::media) fn codec(&self) -> Option<Codec> {
        self.frames.codec()
    }

    pub(in crate::hls::media) fn track(&self) -> Option<&TrackConfig> {
        self.frames.track()
    }

    pub(in crate::hls::media) fn start(&self) -> Option<MediaTime> {
        self.tally.start()
    }

    pub(in crate::hls::media) fn finish(&self) -> Option<MediaTime> {
        self.tally.end()
    }

    pub(in crate::hls::media) fn duration(&self) -> Option<MediaTime> {
        self.tally.duration()
    }

    pub(in crate::hls::media) fn frames(&self) -> u64 {
        self.tally.frames()
    }

    /// What was looked at is no tag: it is the first frame's.
    fn enter_frames(&mut self, out: &mut Vec<u8>) -> Result<(), MediaError> {
        let place = core::mem::replace(&mut self.place, Place::Frames);
        match place {
            Place::Start(bytes) => self.frames.push(&bytes, out, &mut self.tally),
            Place::Tag { .. } | Place::Frames => Ok(()),
        }
    }

    /// A tag that is over may be followed by another.
    fn leave_tag(&mut self) {
        if let Place::Tag { tag, left: 0, bytes } = &self.place {
            if let Some(time) = tag.timestamp(bytes) {
                self.frames.mark(time);
            }
            self.place = Place::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::id3::tests::tag;
    use super::*;

    /// A frame of AAC, 44.1 kHz stereo, of `len` bytes.
    fn adts(len: usize) -> Vec<u8> {
        let mut frame = vec![0xFF, 0xF1, 0x50, 0x80 | (len >> 11) as u8, (len >> 3) as u8];
        frame.push((len << 5) as u8 | 0x1F);
        frame.push(0xFC);
        frame.resize(len, 0x21);
        frame
    }

    fn run(packed: &mut Packed, segment: &[u8], piece: usize) -> Vec<u8> {
        let mut out = Vec::new();
        packed.begin();
        for piece in segment.chunks(piece) {
            packed.push(piece, &mut out).unwrap();
        }
        packed.end(&mut out).unwrap();
        out
    }

    #[test]
    fn tags_stay_out_and_time_the_first_frame() {
        let frames: Vec<u8> = (0..4).flat_map(|n| adts(50 + n)).collect();
        let segment = [tag(900_000), tag(7), frames.clone()].concat();
        for piece in [1, 3, 7, 64, 1000] {
            let mut packed = Packed::default();
            assert_eq!(run(&mut packed, &segment, piece), frames, "in pieces of {piece}");
            assert_eq!(packed.frames(), 4);
            assert_eq!(packed.start(), Some(MediaTime::mpeg(7)), "the last tag's");
            let end = packed.finish().unwrap();
            assert_eq!(end.ticks, 7 * 49 + 4 * 1024 * 100);
            let second = run(&mut packed, &[tag(1000), frames.clone()].concat(), piece);
            assert_eq!(second, frames, "at every segment");
            assert_eq!(packed.start(), Some(MediaTime::mpeg(1000)));
        }
    }

    #[test]
    fn c28_without_a_timestamp_there_is_none() {
        let frames: Vec<u8> = (0..4).flat_map(|_| adts(60)).collect();
        let mut packed = Packed::default();
        assert_eq!(run(&mut packed, &frames, 9), frames);
        assert_eq!((packed.start(), packed.frames()), (None, 4));
    }

    #[test]
    fn a_tag_that_is_cut_off_is_damage() {
        let mut packed = Packed::default();
        packed.begin();
        packed.push(&tag(1)[..30], &mut Vec::new()).unwrap();
        assert!(packed.end(&mut Vec::new()).is_err());
    }
}
