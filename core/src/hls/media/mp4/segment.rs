//! The boxes of segments as they arrive: fragments of the audio track go through, everything else stays out.
//!
//! A fragment is a `moof` and the bytes that its samples are in. Between the two nothing may move, for the samples'
//! places are counted from the `moof`; outside of them all boxes are dropped: `styp`, `sidx`, `emsg`, `prft`, a repeated
//! init section, media of other tracks. So a decoder meets one init section and fragments with frames, nothing else.

use core::mem;

use super::boxes::{Header, name};
use super::fragment::Fragment;
use super::init::Init;
use crate::hls::media::{MediaError, MediaTime, TrackConfig};

/// The largest box that is taken whole: a fragment's description, or an init section inside a segment.
const MAX_WHOLE: u64 = 2 << 20;

/// Reads a run of fragmented MP4.
#[derive(Debug, Default)]
pub(in crate::hls::media) struct Fragments {
    init: Option<Init>,
    /// The init section as a decoder sees it, until it came out.
    shown: Vec<u8>,
    /// Bytes that came out so far.
    given: u64,
    /// Bytes of the segment that were read.
    at: u64,
    state: State,
    /// Where the samples of the last fragment end in the segment.
    data_end: u64,
    /// A `ftyp` before a `moov` inside the segment.
    brand: Vec<u8>,
    times: Times,
}

#[derive(Debug)]
enum State {
    /// The header of the next box.
    Header(Vec<u8>),
    /// A box that is taken whole.
    Whole { bytes: Vec<u8>, header: Header },
    /// A box whose bytes go through. After the `last`, nothing of the segment does.
    Pass { left: u64, last: bool },
    /// A box that is dropped; to the end of the segment where its length is not known.
    Drop { left: Option<u64> },
}

impl Default for State {
    fn default() -> Self {
        Self::Header(Vec::new())
    }
}

/// When the segment's samples play, in ticks of the track.
#[derive(Clone, Copy, Debug, Default)]
struct Times {
    start: Option<u64>,
    end: Option<u64>,
    duration: u64,
    samples: u64,
}

impl Fragments {
    /// Fragments of this init section; without one, the first segment must begin with it.
    pub(in crate::hls::media) fn new(section: Option<&[u8]>) -> Result<Self, MediaError> {
        let mut fragments = Self::default();
        if let Some(section) = section {
            fragments.begin_with(section)?;
        }
        Ok(fragments)
    }

    pub(in crate::hls::media) fn begin(&mut self) {
        self.at = 0;
        self.data_end = 0;
        self.state = State::default();
        self.brand.clear();
        self.times = Times { end: self.times.end, ..Times::default() };
    }

    pub(in crate::hls::media) fn push(
        &mut self,
        mut input: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), MediaError> {
        while !input.is_empty() {
            let from = self.at;
            let taken = self.step(input, out)?;
            self.at = from + taken as u64;
            input = &input[taken..];
            self.settle(out)?;
        }
        Ok(())
    }

    pub(in crate::hls::media) fn end(&mut self) -> Result<(), MediaError> {
        let cut = |what: String| Err(MediaError::broken(what).or_at(self.at));
        match &self.state {
            State::Header(bytes) if !bytes.is_empty() => {
                cut("it ends inside a box's header".into())
            }
            State::Whole { header, .. } => {
                cut(format!("it ends inside a box `{}`", name(header.kind)))
            }
            State::Pass { left, .. } | State::Drop { left: Some(left) } => {
                cut(format!("it ends {left} bytes before the end of a box"))
            }
            _ if self.at < self.data_end => {
                cut(format!("it ends {} bytes before its samples do", self.data_end - self.at))
            }
            _ => Ok(()),
        }
    }

    pub(in crate::hls::media) fn track(&self) -> Option<&TrackConfig> {
        self.init.as_ref().map(|init| &init.track)
    }

    pub(in crate::hls::media) fn start(&self) -> Option<MediaTime> {
        self.time(self.times.start)
    }

    pub(in crate::hls::media) fn finish(&self) -> Option<MediaTime> {
        self.time(self.times.end.filter(|_| self.times.samples > 0))
    }

    pub(in crate::hls::media) fn duration(&self) -> Option<MediaTime> {
        self.time(Some(self.times.duration))
    }

    pub(in crate::hls::media) fn frames(&self) -> u64 {
        self.times.samples
    }

    fn time(&self, ticks: Option<u64>) -> Option<MediaTime> {
        let ticks = i64::try_from(ticks?).ok()?;
        Some(MediaTime::new(ticks, self.init.as_ref()?.track.timescale))
    }

    /// Takes some of `input`, at least one byte of it.
    fn step(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<usize, MediaError> {
        match &mut self.state {
            State::Header(bytes) => {
                bytes.push(input[0]);
                Ok(1)
            }
            State::Whole { bytes, header } => {
                // `Whole` is entered with a size, and no more than MAX_WHOLE.
                let left = header.size.unwrap_or(0).saturating_sub(bytes.len() as u64);
                let taken = input.len().min(left as usize);
                bytes.extend_from_slice(&input[..taken]);
                Ok(taken)
            }
            State::Pass { left, .. } => {
                let taken = input.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= taken as u64;
                self.given += taken as u64;
                out.extend_from_slice(&input[..taken]);
                Ok(taken)
            }
            State::Drop { left } => {
                let most =
                    left.map_or(usize::MAX, |left| usize::try_from(left).unwrap_or(usize::MAX));
                let taken = input.len().min(most);
                *left = left.map(|left| left - taken as u64);
                Ok(taken)
            }
        }
    }

    /// Goes on to the next state where this one is done.
    fn settle(&mut self, out: &mut Vec<u8>) -> Result<(), MediaError> {
        loop {
            self.state = match mem::take(&mut self.state) {
                State::Header(bytes) => {
                    let start = self.at - bytes.len() as u64;
                    match Header::read(&bytes) {
                        None => return self.stay(State::Header(bytes)),
                        Some(Ok(header)) => self.enter(header, bytes, start, out),
                        Some(Err(what)) => Err(MediaError::broken(what)),
                    }
                    .map_err(|error| error.or_at(start))?
                }
                State::Whole { bytes, header } if Some(bytes.len() as u64) == header.size => {
                    let start = self.at - bytes.len() as u64;
                    self.whole(bytes, header, start, out).map_err(|error| error.or_at(start))?;
                    State::default()
                }
                State::Pass { left: 0, last: false } | State::Drop { left: Some(0) } => {
                    State::default()
                }
                State::Pass { left: 0, last: true } => State::Drop { left: None },
                state => return self.stay(state),
            };
        }
    }

    fn stay(&mut self, state: State) -> Result<(), MediaError> {
        self.state = state;
        Ok(())
    }

    /// What is done with a box, by its header.
    fn enter(
        &mut self,
        header: Header,
        bytes: Vec<u8>,
        start: u64,
        out: &mut Vec<u8>,
    ) -> Result<State, MediaError> {
        if matches!(&header.kind, b"moof" | b"moov" | b"ftyp") {
            let what = match header.size {
                Some(size) if size <= MAX_WHOLE => return Ok(State::Whole { bytes, header }),
                Some(size) => format!("a box `{}` of {size} bytes", name(header.kind)),
                None => format!("a box `{}` without a length", name(header.kind)),
            };
            return Err(MediaError::broken(what));
        }
        let body = header.size.map(|size| size - header.len as u64);
        if start >= self.data_end {
            return Ok(State::Drop { left: body });
        }
        // Samples are in it, or after it. Where it reaches to the end of the segment, its true end is where they end: a
        // decoder would take all that follows for a part of it.
        let left = body.unwrap_or_else(|| self.data_end.saturating_sub(start + header.len as u64));
        let kind = if header.kind == *b"mdat" { *b"mdat" } else { *b"free" };
        self.give(&head(kind, header.len, left)?, out);
        Ok(State::Pass { left, last: body.is_none() })
    }

    /// What is done with a box that is here whole.
    fn whole(
        &mut self,
        bytes: Vec<u8>,
        header: Header,
        start: u64,
        out: &mut Vec<u8>,
    ) -> Result<(), MediaError> {
        match &header.kind {
            b"moof" => return self.fragment(bytes, start, out),
            b"moov" => self.repeated(&bytes)?,
            _ if self.init.is_none() => self.brand.clone_from(&bytes),
            _ => {}
        }
        if start < self.data_end {
            let body = &bytes[header.len..];
            self.give(&head(*b"free", header.len, body.len() as u64)?, out);
            self.give(body, out);
        }
        Ok(())
    }

    fn fragment(
        &mut self,
        mut moof: Vec<u8>,
        start: u64,
        out: &mut Vec<u8>,
    ) -> Result<(), MediaError> {
        let Some(init) = &self.init else {
            return Err(MediaError::broken(
                "a movie fragment without an init section: the playlist gives no EXT-X-MAP",
            ));
        };
        if start < self.data_end {
            return Err(MediaError::broken("a `moof` before the samples of the one before it"));
        }
        let out_at = self.given + self.shown.len() as u64;
        let found = Fragment::read(&mut moof, init, out_at);
        let found = found.map_err(|what| MediaError::broken(format!("a `moof` with {what}")))?;
        if found.samples == 0 {
            return Ok(());
        }
        self.data_end = start.saturating_add(found.data.end);
        self.times.add(&found);
        let shown = mem::take(&mut self.shown);
        self.give(&shown, out);
        self.give(&moof, out);
        Ok(())
    }

    /// An init section inside a segment: the run's own again, or the first where the playlist names none.
    fn repeated(&mut self, moov: &[u8]) -> Result<(), MediaError> {
        let section = [&self.brand, moov].concat();
        match &self.init {
            None => self.begin_with(&section),
            Some(init) if Init::read(moov)?.0 == *init => Ok(()),
            Some(_) => Err(MediaError::broken(
                "an init section that differs from the run's: the playlist says nothing of a change",
            )),
        }
    }

    fn begin_with(&mut self, section: &[u8]) -> Result<(), MediaError> {
        let (init, shown) = Init::read(section)?;
        (self.init, self.shown) = (Some(init), shown);
        Ok(())
    }

    fn give(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.given += bytes.len() as u64;
        out.extend_from_slice(bytes);
    }
}

impl Times {
    fn add(&mut self, fragment: &Fragment) {
        // Without `tfdt` it follows the fragment before it.
        let start = fragment.decode_time.or(self.end);
        if self.samples == 0 {
            self.start = start;
        }
        self.end = start.and_then(|start| start.checked_add(fragment.duration));
        self.duration = self.duration.saturating_add(fragment.duration);
        self.samples = self.samples.saturating_add(fragment.samples);
    }
}

/// A box's header of this length.
fn head(kind: [u8; 4], len: usize, body: u64) -> Result<Vec<u8>, MediaError> {
    let size = body.saturating_add(len as u64);
    if len == Header::MAX {
        return Ok([&1_u32.to_be_bytes()[..], &kind, &size.to_be_bytes()].concat());
    }
    let size = u32::try_from(size);
    let size =
        size.map_err(|_| MediaError::broken("samples beyond 4 GiB in a box without a size"))?;
    Ok([&size.to_be_bytes()[..], &kind].concat())
}
