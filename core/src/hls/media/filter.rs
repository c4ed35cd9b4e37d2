//! The door: one run's plaintext in, a decoder's input out.

use super::mp4::Fragments;
use super::packed::Packed;
use super::ts::Transport;
use super::{Container, MediaError, MediaTime, TrackConfig};

/// Bytes that are looked at to find out what a segment holds.
const LOOKED_AT: usize = 10;

/// What a decoder is given of one run: one init section and consecutive segments.
///
/// ```text
/// new(init)  ( begin  push* end )*
/// ```
///
/// What comes out begins with the init section, where there is one. After an error every call gives it again.
#[derive(Debug)]
pub struct Filter {
    kind: Kind,
    /// Bytes of the segment that were read.
    at: u64,
    failed: Option<MediaError>,
}

/// What a run's segments hold, told by their first bytes: names and media types lie.
#[derive(Debug)]
enum Kind {
    Unknown(Vec<u8>),
    Fragments(Box<Fragments>),
    Packed(Box<Packed>),
    Transport(Box<Transport>),
}

impl Filter {
    /// A filter for a run with this Media Initialization Section, in plaintext.
    pub fn new(init: Option<&[u8]>) -> Result<Self, MediaError> {
        let kind = match init {
            // A transport stream's are its tables (RFC 8216, section 3.2), which its segments may repeat or not.
            Some(section) if is_transport(section) => {
                let mut transport = Transport::default();
                transport.push(section, &mut Vec::new())?;
                Kind::Transport(Box::new(transport))
            }
            Some(section) => Kind::Fragments(Box::new(Fragments::new(Some(section))?)),
            None => Kind::Unknown(Vec::new()),
        };
        Ok(Self { kind, at: 0, failed: None })
    }

    /// A segment begins.
    pub fn begin(&mut self) {
        self.at = 0;
        match &mut self.kind {
            Kind::Unknown(bytes) => bytes.clear(),
            Kind::Fragments(fragments) => fragments.begin(),
            Kind::Packed(packed) => packed.begin(),
            Kind::Transport(transport) => transport.begin(),
        }
    }

    /// The next bytes of the segment. What a decoder can have of them is added to `out`.
    pub fn push(&mut self, plaintext: &[u8], out: &mut Vec<u8>) -> Result<(), MediaError> {
        self.check()?;
        let result = self.take(plaintext, out);
        let at = self.at;
        self.at = self.at.saturating_add(plaintext.len() as u64);
        self.judge(result, at)
    }

    /// The segment is over. What was held back of it is added to `out`.
    pub fn end(&mut self, out: &mut Vec<u8>) -> Result<(), MediaError> {
        self.check()?;
        let result = match &mut self.kind {
            Kind::Unknown(bytes) if bytes.is_empty() => Ok(()),
            Kind::Unknown(_) => Err(MediaError::broken("it is too short to be audio")),
            Kind::Fragments(fragments) => fragments.end(),
            Kind::Packed(packed) => packed.end(out),
            Kind::Transport(transport) => transport.end(out),
        };
        self.judge(result, self.at)
    }

    /// The container of what comes out, once it is known: by the init section, else by the first bytes.
    pub fn container(&self) -> Option<Container> {
        match &self.kind {
            Kind::Unknown(_) => None,
            Kind::Fragments(_) => Some(Container::Fmp4),
            Kind::Packed(packed) => packed.codec().map(|codec| codec.container()),
            Kind::Transport(transport) => transport.codec().map(|codec| codec.container()),
        }
    }

    /// The audio track, once it is known: by the init section, else by the first frame.
    pub fn track(&self) -> Option<&TrackConfig> {
        match &self.kind {
            Kind::Unknown(_) => None,
            Kind::Fragments(fragments) => fragments.track(),
            Kind::Packed(packed) => packed.track(),
            Kind::Transport(transport) => transport.track(),
        }
    }

    /// When the first frame of the segment begun last begins, as soon as that is known. In MP4 it is the decode time,
    /// before the edit list.
    pub fn media_start(&self) -> Option<MediaTime> {
        match &self.kind {
            Kind::Unknown(_) => None,
            Kind::Fragments(fragments) => fragments.start(),
            Kind::Packed(packed) => packed.start(),
            Kind::Transport(transport) => transport.start(),
        }
    }

    /// When the last frame of the segment begun last ends. Final once the segment is over.
    pub fn media_end(&self) -> Option<MediaTime> {
        match &self.kind {
            Kind::Unknown(_) => None,
            Kind::Fragments(fragments) => fragments.finish(),
            Kind::Packed(packed) => packed.finish(),
            Kind::Transport(transport) => transport.finish(),
        }
    }

    /// How long the frames of the segment begun last are; known also where there are no timestamps.
    pub fn media_duration(&self) -> Option<MediaTime> {
        match &self.kind {
            Kind::Unknown(_) => None,
            Kind::Fragments(fragments) => fragments.duration(),
            Kind::Packed(packed) => packed.duration(),
            Kind::Transport(transport) => transport.duration(),
        }
    }

    /// How many packets of audio the segment begun last has shown so far. One that has none opens no run.
    pub fn frames(&self) -> u64 {
        match &self.kind {
            Kind::Unknown(_) => 0,
            Kind::Fragments(fragments) => fragments.frames(),
            Kind::Packed(packed) => packed.frames(),
            Kind::Transport(transport) => transport.frames(),
        }
    }

    fn take(&mut self, mut input: &[u8], out: &mut Vec<u8>) -> Result<(), MediaError> {
        if let Kind::Unknown(bytes) = &mut self.kind {
            let taken = input.len().min(LOOKED_AT.saturating_sub(bytes.len()));
            bytes.extend_from_slice(&input[..taken]);
            input = &input[taken..];
            if bytes.len() < LOOKED_AT {
                return Ok(());
            }
            let looked = core::mem::take(bytes);
            self.kind = sniff(&looked)?;
            self.begin_again();
            self.pass(&looked, out)?;
        }
        self.pass(input, out)
    }

    /// The segment has begun, for what it turned out to hold.
    fn begin_again(&mut self) {
        match &mut self.kind {
            Kind::Unknown(_) => {}
            Kind::Fragments(fragments) => fragments.begin(),
            Kind::Packed(packed) => packed.begin(),
            Kind::Transport(transport) => transport.begin(),
        }
    }

    fn pass(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), MediaError> {
        match &mut self.kind {
            Kind::Unknown(_) => Ok(()),
            Kind::Fragments(fragments) => fragments.push(input, out),
            Kind::Packed(packed) => packed.push(input, out),
            Kind::Transport(transport) => transport.push(input, out),
        }
    }

    fn check(&self) -> Result<(), MediaError> {
        self.failed.clone().map_or(Ok(()), Err)
    }

    fn judge(&mut self, result: Result<(), MediaError>, at: u64) -> Result<(), MediaError> {
        result.map_err(|error| {
            let error = error.or_at(at);
            self.failed = Some(error.clone());
            error
        })
    }
}

/// What begins with these bytes.
fn sniff(bytes: &[u8]) -> Result<Kind, MediaError> {
    const BOXES: [&[u8; 4]; 8] =
        [b"ftyp", b"styp", b"moof", b"moov", b"sidx", b"emsg", b"prft", b"free"];
    if bytes.get(4..8).is_some_and(|kind| BOXES.iter().any(|known| kind == *known)) {
        return Ok(Kind::Fragments(Box::new(Fragments::new(None)?)));
    }
    if is_transport(bytes) {
        return Ok(Kind::Transport(Box::default()));
    }
    if bytes.starts_with(b"WEBVTT") {
        return Err(MediaError::unsupported("subtitles (WebVTT)"));
    }
    // Packed audio: tags, then frames. What is neither is found out by the lack of frames.
    Ok(Kind::Packed(Box::default()))
}

/// A packet of a transport stream begins with its sync byte.
fn is_transport(bytes: &[u8]) -> bool {
    bytes.first() == Some(&0x47)
}
