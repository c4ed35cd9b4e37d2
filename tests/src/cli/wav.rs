//! WAV files with 16-bit samples.

use std::io::{self, Seek, SeekFrom, Write};

/// The bytes before the samples.
const HEAD_BYTES: u32 = 44;

/// A WAV file that is being written. Its head tells the truth once it is finished.
#[derive(Debug)]
pub(super) struct Wav<W> {
    out: W,
    rate: u32,
    channels: u16,
    bytes: u64,
}

impl<W: Write + Seek> Wav<W> {
    /// Begins a file.
    pub(super) fn new(out: W, rate: u32, channels: u16) -> io::Result<Self> {
        let mut wav = Self { out, rate, channels, bytes: 0 };
        wav.write_head()?;
        Ok(wav)
    }

    /// Adds samples, interleaved.
    pub(super) fn write(&mut self, samples: &[f32]) -> io::Result<()> {
        let pcm: Vec<u8> = to_pcm(samples).collect();
        self.bytes += pcm.len() as u64;
        if self.bytes > u64::from(u32::MAX - HEAD_BYTES) {
            let what = "a WAV file can't hold more than 4 GiB";
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, what));
        }
        self.out.write_all(&pcm)
    }

    /// Writes the lengths; gives the number of frames.
    pub(super) fn finish(mut self) -> io::Result<u64> {
        self.write_head()?;
        self.out.flush()?;
        Ok(self.bytes / u64::from(self.frame_bytes()))
    }

    fn write_head(&mut self) -> io::Result<()> {
        let bytes = u32::try_from(self.bytes).expect("`write` keeps it under 4 GiB");
        let frame_bytes = self.frame_bytes();
        let mut head = Vec::with_capacity(HEAD_BYTES as usize);
        head.extend(b"RIFF");
        head.extend((HEAD_BYTES - 8 + bytes).to_le_bytes());
        head.extend(b"WAVEfmt ");
        head.extend(16u32.to_le_bytes());
        head.extend(1u16.to_le_bytes()); // PCM
        head.extend(self.channels.to_le_bytes());
        head.extend(self.rate.to_le_bytes());
        head.extend((self.rate * u32::from(frame_bytes)).to_le_bytes());
        head.extend(frame_bytes.to_le_bytes());
        head.extend(16u16.to_le_bytes());
        head.extend(b"data");
        head.extend(bytes.to_le_bytes());
        self.out.seek(SeekFrom::Start(0))?;
        self.out.write_all(&head)
    }

    fn frame_bytes(&self) -> u16 {
        self.channels * 2
    }
}

/// Samples as 16-bit ones, little end first; exact for what was decoded from 16 bits.
pub(super) fn to_pcm(samples: &[f32]) -> impl Iterator<Item = u8> + '_ {
    let sample = |&sample: &f32| (sample * 32_768.0).round() as i16; // which saturates
    samples.iter().map(sample).flat_map(i16::to_le_bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn samples_of_16_bits_are_kept_exactly_and_louder_ones_clipped() {
        let exact: Vec<i16> = (i16::MIN..=i16::MAX).collect();
        let samples: Vec<f32> = exact.iter().map(|&sample| f32::from(sample) / 32_768.0).collect();
        let bytes: Vec<u8> = exact.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        assert!(to_pcm(&samples).eq(bytes));
        let loud: Vec<u8> = to_pcm(&[1.5, -1.5, f32::NAN]).collect();
        assert_eq!(loud, [0xff, 0x7f, 0x00, 0x80, 0, 0]);
    }

    #[test]
    fn the_head_says_what_follows() {
        let mut out = Cursor::new(Vec::new());
        let mut wav = Wav::new(&mut out, 44_100, 2).unwrap();
        wav.write(&[0.0, 0.5]).unwrap();
        wav.write(&[-0.5, 0.25]).unwrap();
        assert_eq!(wav.finish().unwrap(), 2);
        let bytes = out.into_inner();
        assert_eq!(bytes.len(), 44 + 8);
        assert_eq!(&bytes[..4], b"RIFF");
        assert_eq!(bytes[4..8], 44u32.to_le_bytes());
        assert_eq!(bytes[22..28], [2, 0, 0x44, 0xac, 0, 0]);
        assert_eq!(bytes[28..36], [0x10, 0xb1, 2, 0, 4, 0, 16, 0]);
        assert_eq!(bytes[40..], [8, 0, 0, 0, 0, 0, 0, 0x40, 0, 0xc0, 0, 0x20]);
    }
}
