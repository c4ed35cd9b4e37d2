//! Every container decodes to what Symphonia alone makes of the whole file, and a seek gives the very same samples.
#![cfg(feature = "symphonia")]

#[path = "audio_support/mod.rs"]
mod support;

use std::time::Duration;

use infill_blocking::audio::Audio;

use support::{FIXTURES, difference, fixture, plain, rest, source};

/// The time of a frame, to within half a nanosecond.
fn time(frame: usize, rate: u32) -> Duration {
    let nanos = (frame as u128 * 1_000_000_000 + u128::from(rate) / 2) / u128::from(rate);
    Duration::from_nanos(nanos as u64)
}

#[test]
fn every_fixture_decodes_to_what_symphonia_makes_of_it() {
    for name in FIXTURES {
        let bytes = fixture(name);
        let expected = plain(&bytes).unwrap();
        assert!(expected.frames() > expected.rate as usize, "{name} lasts over a second");
        let mut audio = Audio::open(source(&bytes).0).unwrap();
        assert_eq!(
            (audio.rate(), usize::from(audio.channels())),
            (expected.rate, expected.channels)
        );
        let samples = rest(&mut audio).unwrap();
        assert_eq!(samples.len(), expected.samples.len(), "{name}");
        assert!(samples == expected.samples, "{name}");
        assert!(audio.next_block().unwrap().is_none(), "{name} stays at its end");
        let off = audio.duration().unwrap().abs_diff(time(expected.frames(), expected.rate));
        let tolerance = if name == "tone.aac" { 200 } else { 30 };
        assert!(off < Duration::from_millis(tolerance), "{name}: {off:?}");
    }
}

#[test]
fn a_seek_gives_the_samples_of_the_linear_decode() {
    for name in FIXTURES {
        let bytes = fixture(name);
        let whole = plain(&bytes).unwrap();
        let mut audio = Audio::open(source(&bytes).0).unwrap();
        let mut random = 0x2545_f491_u64;
        let edges = [0, 1, 1023, 1024, 1105, whole.frames() - 1, whole.frames() / 2];
        for step in 0..60 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(99);
            let frame = match edges.get(step) {
                Some(&frame) => frame,
                None => (random >> 33) as usize % whole.frames(),
            };
            audio.seek(time(frame, whole.rate)).unwrap();
            assert_eq!(audio.position(), time(frame, whole.rate), "{name} at {frame}");
            let mut samples = Vec::new();
            while samples.len() < 9_000 * whole.channels {
                let Some(block) = audio.next_block().unwrap() else {
                    break;
                };
                if samples.is_empty() {
                    assert_eq!(block.frame(), frame as u64, "{name}");
                    assert_eq!(block.time(), time(frame, whole.rate), "{name}");
                }
                samples.extend_from_slice(block.samples());
            }
            let expected = &whole.samples[frame * whole.channels..];
            let expected = &expected[..samples.len().min(expected.len())];
            assert!(samples.len() >= 9_000.min(expected.len()), "{name} at {frame}");
            let off = difference(&samples, expected);
            assert!(off == 0.0, "{name} at {frame} of {}: off by {off}", whole.frames());
        }
    }
}

#[test]
fn past_the_end_is_the_end_and_a_seek_back_goes_on() {
    for name in FIXTURES {
        let bytes = fixture(name);
        let whole = plain(&bytes).unwrap();
        let mut audio = Audio::open(source(&bytes).0).unwrap();
        for beyond in [time(whole.frames(), whole.rate), Duration::from_secs(3600), Duration::MAX] {
            audio.seek(beyond).unwrap();
            assert!(audio.next_block().unwrap().is_none(), "{name} at {beyond:?}");
        }
        let frame = whole.frames() / 3;
        audio.seek(time(frame, whole.rate)).unwrap();
        let samples = rest(&mut audio).unwrap();
        let off = difference(&samples, &whole.samples[frame * whole.channels..]);
        assert!(off == 0.0, "{name}: off by {off}");
    }
}

#[test]
fn a_source_that_is_not_seekable_can_still_be_sought() {
    for name in FIXTURES {
        // moov at the end can't be reached without a seek.
        if ["tone-end.m4a", "tone-alac.m4a"].contains(&name) {
            continue;
        }
        let bytes = fixture(name);
        let (source, remote) = source(&bytes);
        remote.not_seekable();
        let mut audio = Audio::open(source).unwrap();
        let start = rest(&mut audio).unwrap();
        for part in [2, 3] {
            let frame = start.len() / usize::from(audio.channels()) / part;
            audio.seek(time(frame, audio.rate())).unwrap();
            let samples = rest(&mut audio).unwrap();
            assert!(samples == start[frame * usize::from(audio.channels())..], "{name}");
        }
    }
}

/// The bytes that were read, each once.
fn covered(mut reads: Vec<(u64, u64)>) -> u64 {
    reads.sort_unstable();
    let (mut end, mut sum) = (0, 0);
    for (from, to) in reads {
        sum += to.saturating_sub(from.max(end));
        end = end.max(to);
    }
    sum
}

#[test]
fn a_seek_does_not_read_what_lies_between() {
    // Per mille of the file that a seek to 80 % may read on top of what opening read.
    for (name, limit) in [
        ("tone-cbr.mp3", 250),
        ("tone-plain.mp3", 400),
        ("tone-front.m4a", 150),
        ("tone-end.m4a", 50),
        ("tone.flac", 250),
        ("tone.wav", 100),
        ("tone-alac.m4a", 150),
    ] {
        let bytes = fixture(name);
        let (source, remote) = source(&bytes);
        let mut audio = Audio::open(source).unwrap();
        let opened = remote.take_reads();
        let target = audio.duration().unwrap().mul_f64(0.8);
        audio.seek(target).unwrap();
        let both = [opened.clone(), remote.take_reads()].concat();
        let more = (covered(both) - covered(opened)) * 1000 / bytes.len() as u64;
        assert!(more < limit, "{name}: {more} per mille");
    }
}

#[test]
fn opening_does_not_read_the_tail() {
    // This build has Symphonia's `id3v1` and `ape`, which read it in Symphonia's own probe.
    for name in ["tone-cbr.mp3", "tone-plain.mp3", "tone-front.m4a", "tone.flac", "tone.wav"] {
        let bytes = fixture(name);
        let (source, remote) = source(&bytes);
        Audio::open(source).unwrap();
        let last = remote.take_reads().into_iter().map(|(_, end)| end).max();
        assert!(last.unwrap() < bytes.len() as u64 - 160, "{name}");
    }
}

#[test]
fn a_tag_at_the_end_is_not_audio_and_one_at_the_start_is_skipped() {
    let bare = fixture("tone-cbr.mp3");
    let whole = plain(&bare).unwrap();
    let mut picture = b"ID3\x04\x00\x00".to_vec();
    let len: u32 = 300_000;
    picture.extend([21, 14, 7, 0].map(|shift| (len >> shift) as u8 & 0x7f));
    // Bytes that look like frames of MP3.
    picture.extend([0xff, 0xfb, 0x90, 0x44].repeat(len as usize / 4));
    let mut tail = b"TAG".to_vec();
    tail.resize(128, b' ');
    let bytes = [picture, bare, tail].concat();
    let (source, remote) = source(&bytes);
    let mut audio = Audio::open(source).unwrap();
    assert!(covered(remote.take_reads()) < 40_000, "the picture is not read");
    assert!(rest(&mut audio).unwrap() == whole.samples);
    let frame = whole.frames() * 3 / 4;
    audio.seek(time(frame, whole.rate)).unwrap();
    assert!(rest(&mut audio).unwrap() == whole.samples[frame * whole.channels..]);
}

#[test]
fn a_rate_that_only_looks_constant_is_not_trusted() {
    // Each copy begins its padding anew, so that the frames of the later ones lie elsewhere than a constant rate has it.
    let bytes = fixture("tone-plain.mp3").repeat(12);
    let whole = plain(&bytes).unwrap();
    let mut audio = Audio::open(source(&bytes).0).unwrap();
    for part in [2, 3, 9, 11] {
        let frame = whole.frames() * part / 12 + 777;
        audio.seek(time(frame, whole.rate)).unwrap();
        let block = audio.next_block().unwrap().unwrap();
        let at = frame * whole.channels;
        assert!(block.samples() == &whole.samples[at..at + block.samples().len()], "at {part}");
    }
}

/// The file with another serial number in every Ogg page.
fn renumbered(mut bytes: Vec<u8>) -> Vec<u8> {
    let mut at = 0;
    while bytes[at..].starts_with(b"OggS") {
        let segments = usize::from(bytes[at + 26]);
        let body: usize = bytes[at + 27..][..segments].iter().map(|&len| usize::from(len)).sum();
        let page = &mut bytes[at..at + 27 + segments + body];
        page[14..18].copy_from_slice(b"next");
        page[22..26].fill(0);
        let crc = page.iter().fold(0_u32, |crc, &byte| {
            (0..8).fold(crc ^ u32::from(byte) << 24, |crc, _| {
                crc << 1 ^ if crc >> 31 == 1 { 0x04c1_1db7 } else { 0 }
            })
        });
        page[22..26].copy_from_slice(&crc.to_le_bytes());
        at += page.len();
        if at == bytes.len() {
            break;
        }
    }
    bytes
}

#[test]
fn a_chained_ogg_file_goes_on_with_its_next_stream() {
    let one = fixture("tone.ogg");
    let whole = plain(&one).unwrap();
    let bytes = [one.clone(), renumbered(one)].concat();
    let mut audio = Audio::open(source(&bytes).0).unwrap();
    let twice = [whole.samples.clone(), whole.samples.clone()].concat();
    assert!(rest(&mut audio).unwrap() == twice);
    for part in [1, 3, 1] {
        let frame = whole.frames() * part / 2;
        audio.seek(time(frame, whole.rate)).unwrap();
        let samples = rest(&mut audio).unwrap();
        assert!(samples == twice[frame * whole.channels..], "from {part}/2");
    }
    audio.seek(time(whole.frames() * 2, whole.rate)).unwrap();
    assert!(audio.next_block().unwrap().is_none());
}
