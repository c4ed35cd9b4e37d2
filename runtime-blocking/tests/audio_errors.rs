//! A source that fails is never mistaken for bad audio, and costs no sample.
#![cfg(feature = "symphonia")]

#[path = "audio_support/mod.rs"]
mod support;

use std::time::Duration;

use infill_blocking::audio::Audio;
use infill_core::{Cause, ErrorKind};

use support::{FIXTURES, fixture, outage, plain, source};

#[test]
fn an_outage_while_opening_comes_out_as_itself() {
    for name in FIXTURES {
        let bytes = fixture(name);
        for part in 0..20 {
            let (source, remote) = source(&bytes);
            remote.fail_from(bytes.len() as u64 * part / 20, 1);
            match Audio::open(source) {
                Ok(_) => assert!(part > 0, "{name}: the first read failed"),
                Err(error) => assert_eq!(error, outage(), "{name} at {part}/20"),
            }
        }
    }
}

#[test]
fn a_source_that_heals_loses_no_sample() {
    for name in FIXTURES {
        let bytes = fixture(name);
        let whole = plain(&bytes).unwrap();
        let (source, remote) = source(&bytes);
        let mut audio = Audio::open(source).unwrap();
        let mut samples = Vec::new();
        let mut failures = 0;
        remote.fail_from(bytes.len() as u64 / 3, 3);
        loop {
            match audio.next_block() {
                Ok(Some(block)) => {
                    assert_eq!(block.frame() as usize, samples.len() / whole.channels, "{name}");
                    samples.extend_from_slice(block.samples());
                }
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(error, outage(), "{name}");
                    failures += 1;
                }
            }
        }
        assert_eq!(failures, 3, "{name}");
        assert!(samples == whole.samples, "{name}");
    }
}

#[test]
fn a_seek_into_an_outage_goes_on_there_when_it_is_over() {
    for name in FIXTURES {
        let bytes = fixture(name);
        let whole = plain(&bytes).unwrap();
        let (source, remote) = source(&bytes);
        let mut audio = Audio::open(source).unwrap();
        remote.fail_from(bytes.len() as u64 / 2, 2);
        let to = audio.duration().unwrap().mul_f64(0.7);
        assert_eq!(audio.seek(to).unwrap_err(), outage(), "{name}");
        assert!(audio.position().abs_diff(to) < Duration::from_millis(1), "{name}");
        assert_eq!(audio.next_block().unwrap_err(), outage(), "{name}");
        let block = audio.next_block().unwrap().unwrap();
        assert!(block.time().abs_diff(to) < Duration::from_millis(1), "{name}");
        let at = block.frame() as usize * whole.channels;
        assert!(block.samples() == &whole.samples[at..at + block.samples().len()], "{name}");
    }
}

#[test]
fn what_is_no_audio_says_so() {
    let error = Audio::open(source(b"<html>not found</html>").0).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(error.to_string(), "not supported: this is no audio of a known format");
    let error = Audio::open(source(&[]).0).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[test]
fn a_codec_that_is_missing_is_named() {
    let mut bytes = fixture("tone-front.m4a");
    // The object type in the elementary stream descriptor: 0x40 is AAC, 0xa5 is AC-3.
    let esds = bytes.windows(4).position(|tag| tag == b"esds").unwrap();
    let object = bytes[esds..].windows(2).position(|pair| pair == [0x40, 0x15]).unwrap();
    bytes[esds + object] = 0xa5;
    let error = Audio::open(source(&bytes).0).unwrap_err();
    assert!(matches!(error.cause(), Cause::Unsupported(_)), "{error}");
    assert!(error.to_string().contains("AC-3"), "{error}");
}

#[test]
fn damage_never_panics_and_never_hangs() {
    let mut random = 7_u64;
    for name in FIXTURES {
        let original = fixture(name);
        for _ in 0..12 {
            let mut bytes = original.clone();
            for _ in 0..40 {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let at = (random >> 20) as usize % bytes.len();
                bytes[at] = (random >> 56) as u8;
            }
            bytes.truncate(bytes.len() - (random >> 40) as usize % 5_000);
            let Ok(mut audio) = Audio::open(source(&bytes).0) else {
                continue;
            };
            let half = audio.duration().unwrap_or_default().min(Duration::from_secs(20)) / 2;
            let mut frames = 0;
            while let Ok(Some(block)) = audio.next_block() {
                frames += block.frames();
            }
            assert!(frames < 2_000_000, "{name}");
            if audio.seek(half).is_ok() {
                let _ = audio.next_block();
            }
        }
    }
}
