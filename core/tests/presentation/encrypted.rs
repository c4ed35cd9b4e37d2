//! Keys: fetched once, given to readers, and checked.

use infill_core::{Answer, Config, Entry, HlsOptions};

use crate::world::World;

fn playlist(key: &str) -> String {
    format!(
        "#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXT-X-MEDIA-SEQUENCE:7\n\
         #EXT-X-KEY:METHOD=AES-128,URI=\"{key}\"\n#EXTINF:6,\na0.ts\n#EXTINF:6,\na1.ts\n#EXT-X-ENDLIST\n"
    )
}

fn world(key: &[u8]) -> World {
    let mut world = World::new(Config::default());
    world.put("/a.m3u8", playlist("k.bin"));
    world.put("/k.bin", key.to_vec());
    world.put("/a0.ts", vec![0x3C; 1600]);
    world.put("/a1.ts", vec![b'<'; 1600]);
    world
}

#[test]
fn a_key_is_fetched_once_and_its_vector_is_the_sequence_number() {
    let mut world = world(&[9; 16]);
    world.open("/a.m3u8", HlsOptions::default());
    world.serve("/a.m3u8");
    let request = world.enter(Entry::Start);
    assert_eq!(world.answer_to(request), None, "without the key nothing can be read");
    world.serve("/k.bin");
    let Some(Answer::Entered(first)) = world.answer_to(request).cloned() else {
        panic!("{:?}", world.answer_to(request));
    };
    let cipher = first.media.as_ref().unwrap().cipher.unwrap();
    assert_eq!(cipher.key, [9; 16]);
    assert_eq!(cipher.iv, 7_u128.to_be_bytes(), "c7: the media sequence number");
    assert!(!format!("{first:?}").contains("9, 9"), "keys stay out of logs");
    world.serve_all();
    let second = world.next(&first);
    assert_eq!(second.media.unwrap().cipher.unwrap().iv, 8_u128.to_be_bytes());
    assert_eq!(world.log.iter().filter(|asked| asked.starts_with("/k.bin")).count(), 1);
}

#[test]
fn c11_a_key_of_another_length_is_an_error() {
    for key in [&[1; 15][..], &[1; 17], b"<html>sign in</html>"] {
        let mut world = world(key);
        world.open("/a.m3u8", HlsOptions::default());
        world.serve("/a.m3u8");
        let request = world.enter(Entry::Start);
        world.serve("/k.bin");
        let Some(Answer::Failed(error)) = world.answer_to(request) else {
            panic!("{:?}", world.answer_to(request));
        };
        let shown = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
        assert!(shown.contains("instead of 16"), "{error}: {shown}");
    }
}

#[test]
fn a_key_that_is_refused_is_asked_for_again_by_whoever_reads_again() {
    let mut world = world(&[9; 16]);
    world.open("/a.m3u8", HlsOptions::default());
    world.serve("/a.m3u8");
    let request = world.enter(Entry::Start);
    world.refuse("/k.bin", 403);
    assert!(matches!(world.answer_to(request), Some(Answer::Failed(_))));
    let request = world.enter(Entry::Start);
    world.serve("/k.bin");
    assert!(matches!(world.answer_to(request), Some(Answer::Entered(_))));
}
