//! MPEG transport streams (RFC 8216, section 3.2; ISO/IEC 13818-1): the frames of the first stream of AAC or MPEG audio.
//!
//! Everything else stays out: pictures, other programs, tables. What is damaged is dropped up to where the next packet of
//! the elementary stream begins.

mod packet;
mod pes;
mod tables;

use super::packed::{Codec, Frames, Tally};
use super::{MediaError, MediaTime, TrackConfig};

use packet::{Packet, Packets};
use pes::Pes;
use tables::{Found, Section, audio_of, program_of};

/// Reads a run of transport stream.
#[derive(Debug, Default)]
pub(in crate::hls::media) struct Transport {
    packets: Packets,
    pat: Section,
    pmt: Section,
    /// The packet identifier of the program's table.
    table: Option<u16>,
    audio: Option<Audio>,
    frames: Frames,
    tally: Tally,
}

/// The stream of audio.
#[derive(Debug)]
struct Audio {
    pid: u16,
    /// The continuity counter of its last packet; `None` where the next one may have any.
    counter: Option<u8>,
    /// `None` until a packet of the elementary stream begins.
    pes: Option<Pes>,
}

impl Transport {
    pub(in crate::hls::media) fn begin(&mut self) {
        self.packets.begin();
        if let Some(audio) = &mut self.audio {
            // Segments that follow each other may have been made apart.
            audio.counter = None;
        }
        self.tally = self.tally.next();
        self.frames.begin();
    }

    pub(in crate::hls::media) fn push(
        &mut self,
        mut input: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), MediaError> {
        while let Some(bytes) = self.packets.next(&mut input)? {
            self.packet(&bytes, out)?;
        }
        Ok(())
    }

    pub(in crate::hls::media) fn end(&mut self, out: &mut Vec<u8>) -> Result<(), MediaError> {
        if self.audio.is_none() {
            return Err(MediaError::broken("a transport stream without a program that has audio"));
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

    fn packet(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), MediaError> {
        let Some(packet) = Packet::read(bytes) else {
            // What it was can't be told: if it was audio, the next counter shows it.
            return Ok(());
        };
        if packet.pid == 0 {
            if let Some(section) = self.pat.push(&packet) {
                self.table = program_of(&section).or(self.table);
            }
        } else if Some(packet.pid) == self.table {
            if let Some(section) = self.pmt.push(&packet) {
                self.learn(&section)?;
            }
        } else if self.audio.as_ref().is_some_and(|audio| audio.pid == packet.pid) {
            return self.audio(&packet, out);
        }
        Ok(())
    }

    /// The program's table says which stream is the audio.
    fn learn(&mut self, section: &[u8]) -> Result<(), MediaError> {
        match audio_of(section) {
            Found::Audio(pid) => {
                if self.audio.as_ref().is_none_or(|audio| audio.pid != pid) {
                    self.audio = Some(Audio { pid, counter: None, pes: None });
                    self.frames.lose();
                }
                Ok(())
            }
            Found::Unsupported(what) if self.audio.is_none() => Err(MediaError::unsupported(what)),
            Found::Unsupported(_) | Found::Nothing => Ok(()),
        }
    }

    fn audio(&mut self, packet: &Packet<'_>, out: &mut Vec<u8>) -> Result<(), MediaError> {
        let Some(audio) = &mut self.audio else {
            return Ok(());
        };
        if packet.payload.is_empty() {
            return Ok(());
        }
        let before = audio.counter.replace(packet.counter);
        if before == Some(packet.counter) && !packet.begins {
            // Sent twice, as it may be (ISO/IEC 13818-1, section 2.4.3.3).
            return Ok(());
        }
        let expected = before.map(|before| (before + 1) & 0xF);
        if expected.is_some_and(|expected| expected != packet.counter) {
            // Something is missing: what is held of a frame doesn't go on.
            audio.pes = None;
            self.frames.lose();
            self.tally.gap();
        }
        if packet.begins {
            audio.pes = Some(Pes::default());
        }
        let Some(pes) = &mut audio.pes else {
            return Ok(());
        };
        let Some(payload) = pes.push(packet.payload) else {
            audio.pes = None;
            return Ok(());
        };
        if let Some(time) = pes.take_time() {
            self.frames.mark(time);
        }
        self.frames.push(&payload, out, &mut self.tally)
    }
}

#[cfg(test)]
mod tests;
