//! Finding out what container a source holds.

use std::sync::OnceLock;

use infill_core::Error;
use symphonia::core::formats::probe::{Hint, Probe};
use symphonia::core::formats::{FormatOptions, FormatReader};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::MetadataOptions;
use symphonia::default::{formats, meta};

use super::explain::{explained, guarded};
use super::source::Shared;

/// The container, and where in the source its stream begins.
pub(super) fn probed(shared: &Shared) -> Result<(Box<dyn FormatReader>, u64), Error> {
    let base = after_tags(shared)?;
    let stream = MediaSourceStream::new(Box::new(shared.tap(base)), Default::default());
    let format = guarded(|| {
        probe().probe(&Hint::new(), stream, FormatOptions::default(), MetadataOptions::default())
    });
    Ok((shared.judge(format)?.map_err(explained)?, base))
}

/// Where the ID3v2 tags at the start end. They may hold megabytes of pictures: skipped, not read.
fn after_tags(shared: &Shared) -> Result<u64, Error> {
    let mut at = 0;
    let Some(len) = shared.seekable_len() else {
        return Ok(0);
    };
    loop {
        let head = shared.read_at(at, 10)?;
        let &[b'I', b'D', b'3', _, _, flags, a, b, c, d] = head.as_slice() else {
            return Ok(at);
        };
        if [a, b, c, d].iter().any(|&byte| byte >= 0x80) {
            return Ok(at);
        }
        let size = [a, b, c, d].iter().fold(0, |size, &byte| size << 7 | u64::from(byte));
        let footer = if flags & 0x10 == 0 { 0 } else { 10 };
        let end = at + 10 + size + footer;
        if end >= len {
            return Ok(at);
        }
        at = end;
    }
}

/// Symphonia's default probe reads the last bytes of every file once anything in the build enables its `id3v1` or
/// `ape`; over a network that is a request, for tags that nobody asked for. This one knows containers, and ID3v2 where
/// it can't be skipped.
fn probe() -> &'static Probe {
    static PROBE: OnceLock<Probe> = OnceLock::new();
    PROBE.get_or_init(|| {
        let mut probe = Probe::default();
        probe.register_format::<formats::AdtsReader<'_>>();
        probe.register_format::<formats::AiffReader<'_>>();
        probe.register_format::<formats::CafReader<'_>>();
        probe.register_format::<formats::FlacReader<'_>>();
        probe.register_format::<formats::IsoMp4Reader<'_>>();
        probe.register_format::<formats::MpaReader<'_>>();
        probe.register_format::<formats::OggReader<'_>>();
        probe.register_format::<formats::WavReader<'_>>();
        probe.register_metadata::<meta::Id3v2Reader<'_>>();
        probe
    })
}
