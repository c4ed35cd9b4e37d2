//! A movie fragment: when its samples of the audio track play, where their bytes are, and what a decoder is shown of it.

use core::ops::Range;

use super::boxes::{Child, children, find, full, u32_at, u64_at};
use super::init::Init;

/// The most samples that a fragment may have: more than an hour of uncompressed audio.
const MAX_SAMPLES: u64 = 1 << 28;

/// What one `moof` says of the audio track.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fragment {
    /// `tfdt`.
    pub(super) decode_time: Option<u64>,
    pub(super) samples: u64,
    /// The sum of the samples' durations, in ticks of the track.
    pub(super) duration: u64,
    /// Where their bytes are, counted from the first byte of the `moof`.
    pub(super) data: Range<u64>,
}

impl Fragment {
    /// Reads a box `moof`, and makes it what a decoder is to see: the fragments of other tracks are renamed to `free`,
    /// and a position in the file becomes one in what comes out, where the box begins at `out_at`.
    pub(super) fn read(moof: &mut [u8], init: &Init, out_at: u64) -> Result<Self, String> {
        let (fragment, edits) = Self::look(moof, init, out_at)?;
        for (at, bytes) in edits {
            moof[at..at + bytes.len()].copy_from_slice(&bytes);
        }
        Ok(fragment)
    }

    fn look(moof: &[u8], init: &Init, out_at: u64) -> Result<(Self, Vec<Edit>), String> {
        let (mut found, mut edits) = (None, Vec::new());
        let outer = find(moof, 0, b"moof")?.ok_or("no box `moof`")?;
        for child in children(outer.body, outer.body_at) {
            let child = child?;
            if child.kind != *b"traf" {
                continue;
            }
            let header = Header::read(&child)?;
            if header.track_id != init.track_id {
                edits.push((child.at + 4, b"free".to_vec()));
                continue;
            }
            if found.is_some() {
                return Err("two fragments of one track in a `moof`".to_owned());
            }
            let mut run = Runs::new(init, &header)?;
            for inner in children(child.body, child.body_at) {
                let inner = inner?;
                match &inner.kind {
                    b"tfdt" => run.found.decode_time = Some(decode_time(inner.body)?),
                    b"trun" => run.add(inner.body)?,
                    _ => {}
                }
            }
            let (fragment, base) = run.finish(moof.len() as u64, header.base_at.is_some())?;
            if let Some(at) = header.base_at {
                edits.push((at, out_at.saturating_add(base).to_be_bytes().to_vec()));
            }
            found = Some(fragment);
        }
        Ok((found.unwrap_or_default(), edits))
    }
}

/// Bytes to be written at a place of the `moof`.
type Edit = (usize, Vec<u8>);

/// `tfhd`.
struct Header {
    track_id: u32,
    /// Where in the `moof` its position in the file stands, if it has one.
    base_at: Option<usize>,
    description: Option<u32>,
    duration: Option<u32>,
    size: Option<u32>,
    /// There are no samples.
    empty: bool,
}

impl Header {
    fn read(traf: &Child<'_>) -> Result<Self, String> {
        let header = find(traf.body, traf.body_at, b"tfhd")?.ok_or("a `traf` without `tfhd`")?;
        let (_, flags, fields) = full(header.body)?;
        let cut = || "a `tfhd` that is cut off".to_owned();
        let track_id = u32_at(fields, 0).ok_or_else(cut)?;
        let mut at = 4;
        let base_at = (flags & 1 != 0).then_some(header.body_at + 4 + at);
        if base_at.is_some() {
            at += 8;
        }
        let mut field = |flag| {
            if flags & flag == 0 {
                return Ok(None);
            }
            at += 4;
            u32_at(fields, at - 4).map(Some).ok_or_else(cut)
        };
        let (description, duration, size) = (field(2)?, field(8)?, field(0x10)?);
        if base_at.is_some() {
            u64_at(fields, 4).ok_or_else(cut)?;
        }
        Ok(Self { track_id, base_at, description, duration, size, empty: flags & 0x1_0000 != 0 })
    }
}

/// Adds up the runs of one track.
struct Runs {
    found: Fragment,
    duration: u32,
    size: u32,
    empty: bool,
    /// Where the last run ended, from the base.
    next: i64,
    /// The first and the last byte, from the base.
    extent: Option<(i64, i64)>,
}

impl Runs {
    fn new(init: &Init, header: &Header) -> Result<Self, String> {
        let description = header.description.unwrap_or(init.defaults.description);
        if description > 1 {
            return Err(format!("samples of sample entry {description}: it can't be switched to"));
        }
        Ok(Self {
            found: Fragment::default(),
            duration: header.duration.unwrap_or(init.defaults.duration),
            size: header.size.unwrap_or(init.defaults.size),
            empty: header.empty,
            next: 0,
            extent: None,
        })
    }

    fn add(&mut self, trun: &[u8]) -> Result<(), String> {
        let (_, flags, fields) = full(trun)?;
        let cut = || "a `trun` that is cut off".to_owned();
        let count = u32_at(fields, 0).ok_or_else(cut)?;
        let mut at = 4;
        let mut start = self.next;
        if flags & 1 != 0 {
            start = i64::from(u32_at(fields, at).ok_or_else(cut)? as i32);
            at += 4;
        }
        at += if flags & 4 != 0 { 4 } else { 0 };
        // Duration, size, flags and composition offset of each sample, as far as they are there.
        let has = |flag: u32| flags & flag != 0;
        let step = 4 * [0x100, 0x200, 0x400, 0x800].into_iter().filter(|flag| has(*flag)).count();
        let size_at = if has(0x100) { 4 } else { 0 };
        let table = usize::try_from(count).ok().and_then(|count| count.checked_mul(step));
        let table = table.and_then(|len| fields.get(at..)?.get(..len)).ok_or_else(cut)?;
        let sum = |offset: usize| -> u64 {
            let rows = table.chunks_exact(step.max(1));
            rows.map(|row| u64::from(u32_at(row, offset).unwrap_or(0))).sum()
        };
        let even = |each: u32| u64::from(each) * u64::from(count);
        let duration = if has(0x100) { sum(0) } else { even(self.duration) };
        let size = if has(0x200) { sum(size_at) } else { even(self.size) };
        self.found.samples += u64::from(count);
        if self.found.samples > MAX_SAMPLES || (self.empty && count > 0) {
            return Err(format!("{} samples in one fragment", self.found.samples));
        }
        self.found.duration = self.found.duration.saturating_add(duration);
        let end = i64::try_from(size).ok().and_then(|size| start.checked_add(size));
        self.next = end.ok_or("samples beyond any file")?;
        if count > 0 {
            let (first, last) = self.extent.unwrap_or((start, self.next));
            self.extent = Some((first.min(start), last.max(self.next)));
        }
        Ok(())
    }

    /// The fragment, and what a position in the file stands for, from the first byte of the `moof`: its own first byte,
    /// or the first byte of the `mdat` after it. Where the file begins is not known of a segment.
    fn finish(mut self, moof: u64, based: bool) -> Result<(Fragment, u64), String> {
        let Some((first, last)) = self.extent else { return Ok((self.found, 0)) };
        let base = if based && first < moof.cast_signed() { moof + 8 } else { 0 };
        let place = |at: i64| base.checked_add_signed(at);
        let (Some(first), Some(last)) = (place(first), place(last)) else {
            return Err("samples before their fragment".to_owned());
        };
        if first < moof {
            return Err("samples inside their `moof`".to_owned());
        }
        self.found.data = first..last;
        Ok((self.found, base))
    }
}

fn decode_time(body: &[u8]) -> Result<u64, String> {
    let (version, _, fields) = full(body)?;
    let time = match version {
        1 => u64_at(fields, 0),
        _ => u32_at(fields, 0).map(u64::from),
    };
    time.ok_or_else(|| "a `tfdt` that is cut off".to_owned())
}
