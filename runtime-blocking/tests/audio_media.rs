//! Real files from other projects' test suites: every one decodes as Symphonia alone does it, or says why not.
//!
//! They are not part of the repository: `INFILL_MEDIA`, or `../shared/data/media` beside it, is where they are.
#![cfg(feature = "symphonia")]
#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[path = "audio_support/mod.rs"]
mod support;

use std::path::{Path, PathBuf};
use std::time::Duration;

use infill_blocking::audio::{Audio, Block};
use infill_core::{Error, ErrorKind};

use support::{difference, plain, source};

fn media() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/media");
    let place = std::env::var_os("INFILL_MEDIA").map_or(beside, PathBuf::from);
    place.is_dir().then_some(place)
}

fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        match path.is_dir() {
            true => files(&path, found),
            false => found.push(path),
        }
    }
}

/// Symphonia alone stops where it estimates the end of an MP3 file without a tag to be, which is 7 % early here.
const LONGER: [&str; 1] = ["androidx__media/mp3/bear-vbr-no-seek-table.mp3"];

#[test]
fn every_file_decodes_or_says_why_not() {
    let Some(media) = media() else {
        println!("skipped: no directory of media; set INFILL_MEDIA");
        return;
    };
    let mut paths = Vec::new();
    files(&media, &mut paths);
    let mut decoded = 0;
    for path in paths {
        let name = path.strip_prefix(&media).unwrap().display().to_string();
        let bytes = std::fs::read(&path).unwrap();
        let expected = plain(&bytes).ok().filter(|pcm| pcm.frames() > 0);
        match (whole(&bytes), expected) {
            (Ok((audio, blocks)), Some(expected)) => {
                let samples: Vec<f32> = blocks.iter().flat_map(Block::samples).copied().collect();
                assert!(samples.starts_with(&expected.samples), "{name}");
                let longer = samples.len() > expected.samples.len();
                assert_eq!(longer, LONGER.contains(&name.as_str()), "{name}");
                seeks(&name, audio, &blocks);
                decoded += 1;
            }
            (Ok((_, blocks)), None) => assert!(blocks.is_empty(), "{name}"),
            (Err(error), expected) => {
                assert!(expected.is_none(), "{name}: {error}");
                assert_eq!(error.kind(), ErrorKind::Unsupported, "{name}: {error}");
                println!("{name}: {error}");
            }
        }
    }
    println!("{decoded} files decoded");
}

fn whole(bytes: &[u8]) -> Result<(Audio, Vec<Block>), Error> {
    let mut audio = Audio::open(source(bytes).0)?;
    let mut blocks = Vec::new();
    while let Some(block) = audio.next_block()? {
        blocks.push(block);
    }
    Ok((audio, blocks))
}

/// A seek gives the block of the linear decode that holds the frame, or follows the gap that does.
fn seeks(name: &str, mut audio: Audio, blocks: &[Block]) {
    let end = blocks.last().map_or(0, |block| block.frame() + block.frames() as u64);
    for percent in [99, 1, 5, 93, 30, 50, 77, 0] {
        let frame = end * percent / 100;
        let nanos = (u128::from(frame) * 1_000_000_000).div_ceil(u128::from(audio.rate()));
        audio.seek(Duration::from_nanos(nanos as u64)).unwrap();
        let block = audio.next_block().unwrap().unwrap();
        let expected = blocks.iter().find(|block| block.frame() + block.frames() as u64 > frame);
        let expected = expected.unwrap();
        assert_eq!(block.frame(), frame.max(expected.frame()), "{name} at {percent} %");
        let skip = (block.frame() - expected.frame()) as usize * usize::from(audio.channels());
        let off = difference(block.samples(), &expected.samples()[skip..]);
        assert!(off == 0.0, "{name} at {percent} %: off by {off}");
    }
}
