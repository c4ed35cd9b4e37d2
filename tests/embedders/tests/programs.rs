//! The programs, run against an origin, and what they need of the types.

use std::io::Cursor;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use infill_blocking::audio::Audio;
use infill_blocking::{Cause, Client, Error, ErrorKind, FileStream, StreamHandle};
use infill_embedders::bar::Bar;
use infill_embedders::{podcast, ranges, rodio_player};
use infill_tests::fixtures::{self, Fixture};
use infill_tests::origin::{Origin, Resource};
use rodio::Source as _;

/// What rodio makes of the bytes when they are all there.
fn local(fixture: &Fixture) -> rodio::Decoder<Cursor<&'static [u8]>> {
    rodio::Decoder::builder()
        .with_byte_len(fixture.bytes.len() as u64)
        .with_data(Cursor::new(fixture.bytes))
        .build()
        .expect("rodio decodes every fixture that is used here")
}

/// An origin that closes the first answer at half, and its URL for the fixture.
fn half_closing(fixture: &Fixture) -> (Origin, String) {
    let origin = Origin::builder().latency(Duration::from_millis(2)).start();
    let path = format!("/{}", fixture.name);
    let resource = Resource::new(fixture.bytes).content_type(fixture.content_type);
    origin.put(&path, resource);
    origin.on(&path).nth(0).cut_at(fixture.bytes.len() as u64 / 2);
    let url = origin.url(&path);
    (origin, url)
}

#[test]
fn rodio_decodes_what_it_decodes_from_memory() {
    for name in ["tone-cbr.mp3", "tone-end.m4a", "tone.flac", "tone.ogg", "tone.wav"] {
        let fixture = fixtures::named(name);
        let (_origin, url) = half_closing(fixture);
        let stream = Client::new().unwrap().open(url.as_str()).unwrap();
        let handle = stream.handle();
        let decoder = rodio_player::decoder(stream).unwrap();
        let same = decoder.eq(local(fixture));
        assert!(same, "{name} sounds different");
        assert_eq!(handle.error().map(|error| error.to_string()), None);
    }
}

#[test]
fn rodio_seeks_where_it_seeks_in_memory() {
    for name in ["tone-cbr.mp3", "tone-end.m4a", "tone.flac", "tone.wav"] {
        let fixture = fixtures::named(name);
        let (_origin, url) = half_closing(fixture);
        let stream = Client::new().unwrap().open(url.as_str()).unwrap();
        let mut remote = rodio_player::decoder(stream).unwrap();
        let mut local = local(fixture);
        let half = local.total_duration().unwrap() / 2;
        for to in [half + half / 2, half / 2] {
            local.try_seek(to).unwrap();
            remote.try_seek(to).unwrap();
            let ahead = remote.by_ref().take(5_000);
            assert!(ahead.eq(local.by_ref().take(5_000)), "{name} at {to:?}");
        }
    }
}

#[test]
fn a_player_without_a_device_plays_to_the_end() {
    let fixture = fixtures::named("tone-cbr.mp3");
    let (_origin, url) = half_closing(fixture);
    let (player, queue) = rodio::Player::new();
    let (stop, stopped) = mpsc::channel::<()>();
    // Takes the samples that a device would take.
    let device = thread::spawn(move || {
        let going = |_: &f32| stopped.try_recv() == Err(mpsc::TryRecvError::Empty);
        queue.take_while(going).filter(|sample| *sample != 0.0).count()
    });
    rodio_player::play(&url, &player).unwrap();
    drop(stop);
    let heard = device.join().unwrap();
    let all = local(fixture).filter(|sample| *sample != 0.0).count();
    assert_eq!(heard, all);
}

#[test]
fn a_player_says_what_went_wrong() {
    let origin = Origin::start();
    let (player, _queue) = rodio::Player::new();
    let error = rodio_player::play(&origin.url("/none.mp3"), &player).unwrap_err();
    let error = error.downcast_ref::<Error>().unwrap();
    assert_eq!(error.http_status(), Some(404));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_async_application_reads_ranges() {
    let fixture = fixtures::named("tone.flac");
    let origin = Origin::start();
    origin.put("/e", Resource::new(fixture.bytes));
    let (head, tail, half) = ranges::ends_and_half(&origin.url("/e")).await.unwrap();
    let len = fixture.bytes.len();
    assert_eq!(head, fixture.bytes[..16]);
    assert_eq!(tail, fixture.bytes[len - 128..]);
    assert_eq!(half, (len - len / 2) as u64);
    let asked = origin.requests("/e");
    let with_key = |name: &str| asked.iter().all(|each| each.request.headers.value(name).is_some());
    assert!(with_key("authorization"));
}

#[test]
fn a_bar_shows_what_is_here_and_a_click_seeks() {
    let fixture = fixtures::named("tone-plain.mp3");
    let (_origin, url) = half_closing(fixture);
    let stream = Client::new().unwrap().open(url.as_str()).unwrap();
    let handle = stream.handle();
    let audio = Audio::open(stream).unwrap();
    let length = audio.duration().unwrap();
    let (mut output, control) = audio.spawn(Duration::from_millis(200));
    let bar = Bar { handle, control };
    bar.clicked(length / 2);
    assert!(bar.control.position() >= length / 2);
    let after = output.by_ref().count();
    assert!(after > 0);
    assert_eq!(bar.control.ended(), Some(Ok(())));
    let mut drawn = Vec::new();
    let starving = bar.frame(|from, to| drawn.push((from, to)));
    assert!(!starving);
    assert_eq!(drawn.last().map(|(_, to)| *to), Some(1.0));
    assert!(drawn.iter().all(|(from, to)| from < to));
}

#[test]
fn a_podcast_goes_on_where_it_was_left_and_without_a_network() {
    let fixture = fixtures::named("tone.flac");
    let (origin, url) = half_closing(fixture);
    let mut audio = Audio::open_source(&Client::new().unwrap(), url.as_str()).unwrap();
    let at = audio.duration().unwrap() / 2;
    audio.seek(at).unwrap();
    let mut expected = Vec::new();
    while let Some(block) = audio.next_block().unwrap() {
        expected.extend_from_slice(block.samples());
    }
    // While it starves it plays silence, which may come anywhere.
    expected.retain(|sample| *sample != 0.0);
    assert!(!expected.is_empty());
    let dir = tempfile::tempdir().unwrap();
    let heard = || {
        let mut heard = Vec::new();
        podcast::resume(dir.path(), "ep-17", &url, at, |sample| heard.push(sample)).unwrap();
        heard.retain(|sample| *sample != 0.0);
        heard
    };
    let online = heard();
    assert!(online == expected, "{} samples instead of {}", online.len(), expected.len());
    // Another life, in which nobody answers.
    drop(origin);
    let offline = heard();
    assert!(offline == expected, "{} samples instead of {}", offline.len(), expected.len());
}

#[test]
fn a_playlist_is_not_played_as_a_file() {
    let origin = Origin::start();
    let playlist = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\na.ts\n";
    let client = Client::new().unwrap();
    let types = ["application/vnd.apple.mpegurl", "audio/x-mpegurl", "application/octet-stream"];
    for media_type in types {
        origin.put("/list", Resource::new(playlist).content_type(media_type));
        let error = Audio::open_source(&client, origin.url("/list")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{media_type}: {error}");
        assert!(error.to_string().contains("HLS"), "{error}");
    }
}

#[test]
fn streams_go_where_decoders_want_them() {
    fn anywhere<T: Send + Sync + 'static>() {}
    fn sent<T: Send>(_: &T) {}
    anywhere::<FileStream>();
    anywhere::<StreamHandle>();
    anywhere::<Client>();
    anywhere::<infill_tokio::FileStream>();
    anywhere::<infill_tokio::Client>();
    anywhere::<Error>();
    anywhere::<Cause>();
    sent(&ranges::ends_and_half("http://127.0.0.1:9/"));
}
