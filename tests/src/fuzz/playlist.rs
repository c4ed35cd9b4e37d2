//! Any text as a playlist: it is read or refused, and what is read makes sense.

use infill_core::HlsConfig;
use infill_core::hls::SegmentIndex;
use infill_core::hls::playlist::{MediaPlaylist, ParseOptions, Parsed, Playlist, parse};
use url::Url;

/// Runs one input.
///
/// # Panics
/// For a broken promise.
pub fn run(data: &[u8]) {
    let base = Url::parse("https://origin.example/a/b.m3u8?token=1").expect("a URL");
    let mut limits = HlsConfig::default();
    (limits.max_segments, limits.max_variants, limits.max_url_bytes) = (500, 50, 4096);
    let imports = [("name".to_owned(), "value".to_owned())].into();
    let mut options = ParseOptions { strict: false, limits, imports };
    let lenient = parse(data, &base, &options);
    options.strict = true;
    let strict = parse(data, &base, &options);
    if let Ok(strict) = strict {
        let lenient = lenient.as_ref().expect("what strict reads, lenient reads");
        assert_eq!(strict.playlist, lenient.playlist, "and the same");
    }
    if let Ok(Parsed { playlist: Playlist::Media(media), .. }) = lenient {
        check(media, &options.limits);
    }
}

fn check(media: MediaPlaylist, limits: &HlsConfig) {
    assert!(media.segments.len() <= limits.max_segments);
    for pair in media.segments.windows(2) {
        assert_eq!(pair[1].timestamp_start, pair[0].timestamp_end(), "times add up");
        assert_eq!(pair[1].sequence, pair[0].sequence.wrapping_add(1), "numbers rise by one");
        assert!(pair[1].discontinuity >= pair[0].discontinuity);
    }
    for segment in &media.segments {
        assert!(!has_variable(segment.url.as_str()), "a variable is never asked for (C25)");
        assert_eq!(segment.iv().is_some(), segment.key.is_some());
        let map_key = segment.map.as_ref().and_then(|map| map.key.as_ref());
        assert!(map_key.is_none_or(|key| key.iv.is_some()), "an encrypted map has its vector (C9)");
    }
    let index = SegmentIndex::new(media.segments);
    for (place, segment) in index.entries().iter().enumerate() {
        if let Some(found) = index.find(segment.timestamp_start) {
            assert!(found >= place, "a time is never in a segment before it");
        }
    }
}

/// Whether a text still refers to a variable. What only begins like a reference is none.
fn has_variable(text: &str) -> bool {
    let in_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    text.split("{$").skip(1).any(|rest| {
        let name = rest.split_once('}').map(|(name, _)| name);
        name.is_some_and(|name| !name.is_empty() && name.bytes().all(in_name))
    })
}
