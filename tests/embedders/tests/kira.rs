//! kira decodes a stream as it decodes the same bytes from memory, and plays one, rendered without a device.

use std::io::Cursor;
use std::time::{Duration, Instant};

use infill_embedders::kira_player::{self, Media};
use infill_tests::fixtures::{self, Fixture};
use infill_tests::origin::{Origin, Resource};
use kira::backend::{Backend, Renderer};
use kira::sound::PlaybackState;
use kira::sound::static_sound::StaticSoundData;
use kira::{AudioManager, AudioManagerSettings};

/// Renders when it is told to.
struct Manual {
    renderer: Option<Renderer>,
}

impl Backend for Manual {
    type Settings = u32;
    type Error = ();

    fn setup(rate: u32, _buffer: usize) -> Result<(Self, u32), ()> {
        Ok((Self { renderer: None }, rate))
    }

    fn start(&mut self, renderer: Renderer) -> Result<(), ()> {
        self.renderer = Some(renderer);
        Ok(())
    }
}

fn manager(fixture: &Fixture) -> AudioManager<Manual> {
    let settings =
        AudioManagerSettings { backend_settings: fixture.rate, ..AudioManagerSettings::default() };
    AudioManager::new(settings).expect("the backend takes any settings")
}

/// Renders until the sound ends; whether anything but silence was heard.
fn heard(manager: &mut AudioManager<Manual>, state: impl Fn() -> PlaybackState) -> bool {
    let started = Instant::now();
    let mut heard = false;
    let mut block = [0.0; 256];
    while state() != PlaybackState::Stopped {
        assert!(started.elapsed() < Duration::from_secs(30), "it does not end");
        let renderer = manager.backend_mut().renderer.as_mut();
        let renderer = renderer.expect("the manager has started its backend");
        renderer.on_start_processing();
        renderer.process(&mut block, 2);
        heard |= block.iter().any(|sample| *sample != 0.0);
    }
    heard
}

/// An origin that closes the first answer at half.
fn half_closing(fixture: &Fixture) -> Origin {
    let origin = Origin::start();
    let resource = Resource::new(fixture.bytes).content_type(fixture.content_type);
    origin.put("/a", resource);
    origin.on("/a").nth(0).cut_at(fixture.bytes.len() as u64 / 2);
    origin
}

#[test]
fn kira_decodes_what_it_decodes_from_memory() {
    for name in ["tone-cbr.mp3", "tone.flac", "tone.ogg", "tone.wav"] {
        let fixture = fixtures::named(name);
        let origin = half_closing(fixture);
        let stream = infill_blocking::Client::new().unwrap().open(origin.url("/a")).unwrap();
        let remote = StaticSoundData::from_media_source(Media(stream)).unwrap();
        let local = StaticSoundData::from_cursor(Cursor::new(fixture.bytes)).unwrap();
        assert!(local.frames.len() > 10_000);
        assert_eq!(remote.sample_rate, local.sample_rate);
        assert!(remote.frames == local.frames, "{name} sounds different");
    }
}

#[test]
fn kira_streams_to_the_end() {
    let fixture = fixtures::named("tone-cbr.mp3");
    let origin = half_closing(fixture);
    let mut manager = manager(fixture);
    let mut sound = kira_player::play(&origin.url("/a"), &mut manager).unwrap();
    // Not a number: kira loses frames when it is rendered faster than it decodes.
    assert!(heard(&mut manager, || sound.state()));
    assert!(sound.pop_error().is_none());
    let asked = origin.requests("/a").len();
    assert!(asked >= 2, "it was to be asked again for the second half");
}

#[test]
fn kira_says_what_went_wrong() {
    let origin = Origin::start();
    let mut manager = manager(fixtures::named("tone.wav"));
    let error = kira_player::play(&origin.url("/none"), &mut manager).err().unwrap();
    let error = error.downcast_ref::<infill_blocking::Error>().unwrap();
    assert_eq!(error.http_status(), Some(404));
}
