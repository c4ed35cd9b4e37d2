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
        assert!(
            expected.frames() > expected.rate as usize,
            "{name} lasts over a second"
        );
        let mut audio = Audio::open(source(&bytes).0).unwrap();
        assert_eq!(
            (audio.rate(), usize::from(audio.channels())),
            (expected.rate, expected.channels)
        );
        let samples = rest(&mut audio).unwrap();
        assert_eq!(samples.len(), expected.samples.len(), "{name}");
        assert!(samples == expected.samples, "{name}");
        assert!(
            audio.next_block().unwrap().is_none(),
            "{name} stays at its end"
        );
        let off = audio
            .duration()
            .unwrap()
            .abs_diff(time(expected.frames(), expected.rate));
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
        let edges = [
            0,
            1,
            1023,
            1024,
            1105,
            whole.frames() - 1,
            whole.frames() / 2,
        ];
        for step in 0..60 {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(99);
            let frame = match edges.get(step) {
                Some(&frame) => frame,
                None => (random >> 33) as usize % whole.frames(),
            };
            audio.seek(time(frame, whole.rate)).unwrap();
            assert_eq!(
                audio.position(),
                time(frame, whole.rate),
                "{name} at {frame}"
            );
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
            assert!(
                samples.len() >= 9_000.min(expected.len()),
                "{name} at {frame}"
            );
            let off = difference(&samples, expected);
            assert!(
                off == 0.0,
                "{name} at {frame} of {}: off by {off}",
                whole.frames()
            );
        }
    }
}

#[test]
fn past_the_end_is_the_end_and_a_seek_back_goes_on() {
    for name in FIXTURES {
        let bytes = fixture(name);
        let whole = plain(&bytes).unwrap();
        let mut audio = Audio::open(source(&bytes).0).unwrap();
        for beyond in [
            time(whole.frames(), whole.rate),
            Duration::from_secs(3600),
            Duration::MAX,
        ] {
            audio.seek(beyond).unwrap();
            assert!(
                audio.next_block().unwrap().is_none(),
                "{name} at {beyond:?}"
            );
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
            assert!(
                samples == start[frame * usize::from(audio.channels())..],
                "{name}"
            );
        }
    }
}
