//! The audio that the proofs stream: small synthesized files, one for each container and layout that matters.
//!
//! `tests/fixtures/make.sh` makes them and says how; they are part of the program, so that a test or an example needs
//! no directory to be found.

/// An audio file that an origin can serve.
#[derive(Clone, Copy, Debug)]
pub struct Fixture {
    /// Its file name.
    pub name: &'static str,
    /// All of it.
    pub bytes: &'static [u8],
    /// What an origin would call it.
    pub content_type: &'static str,
    /// Frames a second.
    pub rate: u32,
    /// Samples a frame.
    pub channels: u16,
}

macro_rules! fixture {
    ($name:literal, $content_type:literal, $rate:literal, $channels:literal) => {
        Fixture {
            name: $name,
            bytes: include_bytes!(concat!("../fixtures/", $name)),
            content_type: $content_type,
            rate: $rate,
            channels: $channels,
        }
    };
}

static ALL: [Fixture; 10] = [
    fixture!("tone-cbr.mp3", "audio/mpeg", 44_100, 2),
    fixture!("tone-vbr.mp3", "audio/mpeg", 44_100, 2),
    fixture!("tone-plain.mp3", "audio/mpeg", 44_100, 2),
    fixture!("tone-front.m4a", "audio/mp4", 44_100, 2),
    fixture!("tone-end.m4a", "audio/mp4", 48_000, 2),
    fixture!("tone.flac", "audio/flac", 44_100, 2),
    fixture!("tone.ogg", "audio/ogg", 44_100, 2),
    fixture!("tone.wav", "audio/wav", 22_050, 1),
    fixture!("tone-alac.m4a", "audio/mp4", 32_000, 1),
    fixture!("tone.aac", "audio/aac", 44_100, 2),
];

/// All of them.
pub fn all() -> &'static [Fixture] {
    &ALL
}

/// The fixture of this file name.
///
/// # Panics
/// When there is none: a misspelled name in a test.
pub fn named(name: &str) -> &'static Fixture {
    ALL.iter()
        .find(|fixture| fixture.name == name)
        .unwrap_or_else(|| panic!("no fixture is called {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(bytes: &[u8], tag: &[u8]) -> Option<usize> {
        bytes.windows(tag.len()).position(|window| window == tag)
    }

    #[test]
    fn the_layouts_are_those_that_the_names_promise() {
        let before = |name: &str, first: &[u8], second: &[u8]| {
            let bytes = named(name).bytes;
            find(bytes, first).unwrap() < find(bytes, second).unwrap()
        };
        assert!(before("tone-front.m4a", b"moov", b"mdat"));
        assert!(before("tone-end.m4a", b"mdat", b"moov"));
        assert!(before("tone-alac.m4a", b"mdat", b"moov"));
        assert!(find(&named("tone-cbr.mp3").bytes[..256], b"Info").is_some());
        assert!(find(&named("tone-vbr.mp3").bytes[..256], b"Xing").is_some());
        assert!(find(named("tone-plain.mp3").bytes, b"Info").is_none());
        assert!(named("tone.flac").bytes.starts_with(b"fLaC"));
        assert!(named("tone.ogg").bytes.starts_with(b"OggS"));
    }

    #[test]
    fn they_stay_small_and_some_are_long_enough_to_cut() {
        let sizes = || all().iter().map(|fixture| fixture.bytes.len());
        assert!(sizes().sum::<usize>() < 1_000_000);
        assert!(sizes().filter(|&size| size > 200_000).count() >= 2);
    }
}
