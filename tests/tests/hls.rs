//! Presentations of real encoders through both runtimes: what a decoder is given decodes to what the encoder's segments
//! decode to, whatever the network does meanwhile.

use std::time::Duration;

use infill_blocking::{Cause, Client, Content, ErrorKind, HlsStream, VariantChoice};
use infill_tests::fixtures::hls::{Pcm, Presentation, Variant, all, decode, named};
use infill_tests::origin::{Origin, Resource};
use infill_tests::runtime::tokio_runtime;

/// An origin with the files of a presentation.
fn origin(presentation: &Presentation) -> Origin {
    let origin = Origin::start();
    for file in presentation.files() {
        origin.put(&at(file.path), Resource::new(file.bytes).content_type(file.content_type));
    }
    origin
}

fn at(path: &str) -> String {
    format!("/{path}")
}

fn open(origin: &Origin, presentation: &Presentation, choice: VariantChoice) -> HlsStream {
    let client = Client::builder().hls_variant(choice).build().expect("a client");
    client.open_hls(origin.url(&at(presentation.entry))).expect("it opens")
}

/// The bytes of each run to the end.
fn runs(stream: &mut HlsStream) -> Vec<Vec<u8>> {
    let mut runs = Vec::new();
    while let Some(run) = stream.next_run().expect("a run or the end") {
        assert!(matches!(run.content, Content::Media(_)), "{run:?}");
        let mut bytes = Vec::new();
        let mut buf = [0; 5000];
        loop {
            match stream.read(&mut buf).expect("bytes or the end") {
                0 => break,
                count => bytes.extend_from_slice(&buf[..count]),
            }
        }
        runs.push(bytes);
    }
    runs
}

/// What the runs decode to, one after the other.
fn decoded(runs: Vec<Vec<u8>>) -> Pcm {
    let mut all = Pcm::default();
    for run in runs {
        let pcm = decode(run);
        (all.rate, all.channels) = (pcm.rate, pcm.channels);
        all.samples.extend(pcm.samples);
    }
    all
}

/// Every variant of a presentation gives what it decodes to.
fn proves(name: &str) {
    let presentation = named(name);
    for (index, variant) in presentation.variants.iter().enumerate() {
        let origin = origin(presentation);
        let mut stream = open(&origin, presentation, VariantChoice::Fixed(index));
        let runs = runs(&mut stream);
        assert_eq!(runs.len(), variant.sections.len(), "{name} {index}: a run for each section");
        let pcm = decoded(runs);
        assert_eq!(pcm.frames(), variant.decoded_frames, "{name} {index}");
        assert!(pcm.samples == variant.decoded().samples, "{name} {index} sounds different");
        drop(stream);
        origin.wait_until_closed(Duration::from_secs(10)).expect("seed 8: nothing is left");
    }
}

#[test]
fn every_fixture_gives_what_its_segments_decode_to() {
    let special = |name: &str| name.starts_with("gap") || name == "groups";
    let names = all().iter().map(|presentation| presentation.name);
    let names: Vec<&str> = names.filter(|name| !special(name)).collect();
    assert!(names.len() > 15, "{names:?}");
    names.into_iter().for_each(proves);
}

#[test]
fn every_audio_rendition_can_be_chosen() {
    let presentation = named("groups");
    let all: Vec<Pcm> = presentation.variants.iter().map(Variant::decoded).collect();
    let mut heard = Vec::new();
    for index in 0..2 {
        let origin = origin(presentation);
        let mut stream = open(&origin, presentation, VariantChoice::Fixed(0));
        let handle = stream.handle();
        assert_eq!(handle.renditions().len(), 2, "two names, in each of two groups");
        handle.set_rendition(Some(index)).unwrap();
        let pcm = decoded(runs(&mut stream));
        heard.push(all.iter().position(|rendition| rendition.samples == pcm.samples));
    }
    assert!(heard.iter().all(Option::is_some) && heard[0] != heard[1], "{heard:?}");
}

#[test]
fn c15_a_gap_that_no_variant_fills_is_a_run_without_bytes() {
    let presentation = named("gap-all");
    let origin = origin(presentation);
    let mut stream = open(&origin, presentation, VariantChoice::Auto);
    let (mut gaps, mut end) = (0, Duration::ZERO);
    while let Some(run) = stream.next_run().unwrap() {
        assert!(run.playlist_start >= end, "time goes on: {run:?}");
        let mut buf = [0; 5000];
        let mut bytes = 0;
        while let count @ 1.. = stream.read(&mut buf).unwrap() {
            bytes += count;
        }
        match run.content {
            Content::Gap(time) => {
                gaps += 1;
                assert_eq!(bytes, 0);
                end = run.playlist_start + time;
            }
            _ => assert!(bytes > 0),
        }
    }
    assert!(gaps > 0);
}

#[test]
fn the_async_runtime_gives_the_same_bytes() {
    let presentation = named("ladder");
    let origin = origin(presentation);
    let expected = runs(&mut open(&origin, presentation, VariantChoice::Fixed(1)));
    let runtime = tokio_runtime();
    let url = origin.url(&at(presentation.entry));
    let bytes = runtime.block_on(async {
        let builder = infill_tokio::Client::builder().hls_variant(VariantChoice::Fixed(1));
        let mut stream = builder.build().unwrap().open_hls(url).await.unwrap();
        let mut bytes = Vec::new();
        while stream.next_run().await.unwrap().is_some() {
            let mut buf = [0; 5000];
            loop {
                match stream.read(&mut buf).await.unwrap() {
                    0 => break,
                    count => bytes.extend_from_slice(&buf[..count]),
                }
            }
        }
        bytes
    });
    assert!(bytes == expected.concat());
}

#[test]
fn a_cached_presentation_opens_and_plays_offline() {
    for (name, keys) in [("ladder", false), ("single-fmp4", false), ("aes-fmp4-init", true)] {
        let presentation = named(name);
        let origin = origin(presentation);
        let folder = tempfile::tempdir().expect("a directory");
        let client = || {
            let builder = Client::builder().hls_variant(VariantChoice::Fixed(0));
            builder.cache_dir(folder.path()).hls_keep_keys(keys).build().expect("a client")
        };
        let url = origin.url(&at(presentation.entry));
        let online = runs(&mut client().open_hls(url.as_str()).expect("it opens"));
        let asked = origin.read(|stats| stats.exchanges.len());
        let offline = runs(&mut client().open_hls(url.as_str()).expect("it opens again"));
        let lens = |runs: &[Vec<u8>]| runs.iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(
            lens(&online),
            lens(&offline),
            "{name}: {}",
            origin.read(|stats| stats.describe())
        );
        assert!(online == offline, "{name}");
        let again = origin.read(|stats| stats.exchanges.len());
        assert_eq!(again, asked, "{name}: nothing is asked of the origin");
    }
}

#[test]
fn keys_stay_out_of_the_cache_unless_asked() {
    let presentation = named("aes-ts");
    let origin = origin(presentation);
    let folder = tempfile::tempdir().expect("a directory");
    let client = Client::builder().cache_dir(folder.path()).build().unwrap();
    runs(&mut client.open_hls(origin.url(&at(presentation.entry))).unwrap());
    drop(client);
    let key = presentation.files().find(|file| file.bytes.len() == 16).expect("a key");
    let mut folders = vec![folder.path().to_owned()];
    let mut files = 0;
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            files += 1;
            let bytes = std::fs::read(&path).unwrap();
            let found = bytes.windows(16).any(|window| window == key.bytes);
            assert!(!found, "the key is in {}", path.display());
        }
    }
    assert!(files > 3, "the presentation is in the cache");
}

#[test]
fn a_segment_that_breaks_off_is_resumed_and_never_handed_out_in_part() {
    let presentation = named("ladder");
    let origin = origin(presentation);
    let segment = presentation.files().find(|file| file.path.contains("aac-64/1")).unwrap();
    let half = segment.bytes.len() as u64 / 2;
    origin.on(&at(segment.path)).nth(0).cut_at(half);
    let variant = presentation.variants.iter().position(|v| v.playlist.contains("aac-64")).unwrap();
    let mut stream = open(&origin, presentation, VariantChoice::Fixed(variant));
    let pcm = decoded(runs(&mut stream));
    assert!(pcm.samples == presentation.variants[variant].decoded().samples);
    let asked = origin.requests(&at(segment.path));
    let ranges: Vec<_> = asked.iter().filter_map(|exchange| exchange.range_field()).collect();
    assert_eq!(
        ranges,
        ["bytes=0-".to_owned(), format!("bytes={half}-")],
        "from where it broke off"
    );
}

#[test]
fn a_segment_that_is_gone_plays_in_another_variant() {
    let presentation = named("ladder");
    let origin = origin(presentation);
    let segment = presentation.files().find(|file| file.path.contains("aac-64/1")).unwrap();
    origin.remove(&at(segment.path));
    let variant = presentation.variants.iter().position(|v| v.playlist.contains("aac-64")).unwrap();
    let mut stream = open(&origin, presentation, VariantChoice::Fixed(variant));
    let mut variants = Vec::new();
    while let Some(run) = stream.next_run().unwrap() {
        variants.push(run.variant);
        let mut buf = [0; 5000];
        while stream.read(&mut buf).unwrap() > 0 {}
    }
    assert_eq!(variants.len(), 3, "{variants:?}");
    assert_eq!((variants[0], variants[2]), (variant, variant));
    assert_ne!(variants[1], variant);
}

#[test]
fn seed_5_a_seek_to_an_unloaded_segment_asks_for_it_alone() {
    let presentation = named("ladder");
    let origin = origin(presentation);
    let client = Client::builder()
        .hls_variant(VariantChoice::Fixed(0))
        .hls_read_ahead(Duration::from_secs(2))
        .build()
        .unwrap();
    let mut stream = client.open_hls(origin.url(&at(presentation.entry))).unwrap();
    let mut buf = [0; 1000];
    stream.next_run().unwrap().unwrap();
    stream.read(&mut buf).unwrap();
    stream.seek(Duration::from_secs(9));
    let run = stream.next_run().unwrap().unwrap();
    assert!(run.playlist_start <= Duration::from_secs(9));
    assert!(run.segment >= 3, "{run:?}");
    let start = run.start.unwrap().frames(44_100);
    assert!(start <= 9 * 44_100, "its first frame plays at or before the time that is sought");
    let folder = presentation.variants[0].playlist.rsplit_once('/').unwrap().0;
    let between = presentation.files().filter(|file| file.path.starts_with(folder));
    let asked = between.filter(|file| !origin.requests(&at(file.path)).is_empty()).count();
    assert!(asked <= 6, "playlist, init, the head of the old place and the new one: {asked}");
}

#[test]
fn seed_9_virtual_offsets_find_a_segments_bytes() {
    let presentation = named("aes-ts");
    let origin = origin(presentation);
    let stream = open(&origin, presentation, VariantChoice::Auto);
    let space = stream.space();
    let count = stream.segments(None).unwrap().entries().len();
    assert_eq!(stream.virtual_len(), Some(count as u64 * space.stride()));
    // Plaintext of a transport stream: packets of 188 bytes that begin with 0x47.
    for index in [1, 0] {
        for packet in [0_u64, 1, 7] {
            let mut byte = [0];
            let offset = space.offset_of(index, packet * 188).unwrap();
            assert_eq!(stream.read_at(offset, &mut byte).unwrap(), 1);
            assert_eq!(byte, [0x47], "segment {index}, packet {packet}");
        }
        let beyond = space.offset_of(index, space.stride() - 1).unwrap();
        assert_eq!(stream.read_at(beyond, &mut [0]).unwrap(), 0, "the segment's end");
    }
}

#[test]
fn what_is_a_presentation_is_told_by_its_handle() {
    let presentation = named("ladder");
    let origin = origin(presentation);
    let stream = open(&origin, presentation, VariantChoice::Auto);
    let handle = stream.handle();
    assert_eq!(handle.variants().len(), presentation.variants.len());
    let duration = handle.duration().unwrap();
    assert!(
        duration.abs_diff(Duration::from_secs(12)) < Duration::from_millis(200),
        "{duration:?}"
    );
    let error = handle.set_variant(VariantChoice::Fixed(99)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Caller);
    handle.close();
    let mut stream = stream;
    assert_eq!(stream.next_run().unwrap_err().kind(), ErrorKind::Closed);
}

#[test]
fn a_playlist_opened_as_a_file_names_the_way() {
    let presentation = named("ladder");
    let origin = origin(presentation);
    let error = Client::new().unwrap().open(origin.url(&at(presentation.entry))).unwrap_err();
    assert!(matches!(error.cause(), Cause::Unsupported(_)));
    assert!(error.to_string().contains("open_hls"), "{error}");
}
