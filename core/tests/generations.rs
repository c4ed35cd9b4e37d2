//! No generation is used twice with one cache, whatever was lost of its journal.

use infill_core::catalog::Generation;
use infill_core::http::ResponseHead;
use infill_core::{
    Action, Config, Event, Instant, Machine, OpenOptions, Restored, SourceSpec, TrackId,
};

fn actions(machine: &mut Machine, event: Event) -> Vec<Action> {
    machine.handle(Instant::ZERO, event);
    std::iter::from_fn(|| machine.poll_action()).collect()
}

/// The generation that a session begins for a file that no record knows.
fn begun(salt: u32) -> Generation {
    let mut machine = Machine::new(Config::default());
    let restored = Restored { salt, ..Restored::default() };
    actions(&mut machine, Event::Restored(Box::new(restored)));
    let url = "http://origin.example/a.mp3".parse().expect("a URL");
    let source = Box::new(SourceSpec::new(url));
    let (track, options) = (TrackId(1), OpenOptions::default());
    let asked = actions(&mut machine, Event::Open { track, source, options });
    let fetch = asked.iter().find_map(|action| match action {
        Action::FetchRange { request, .. } => Some(request.fetch),
        _ => None,
    });
    let fetch = fetch.expect("nothing is there, so it is asked for");
    let head = Box::new(ResponseHead::new(206).with_field("Content-Range", b"bytes 0-9/10"));
    actions(&mut machine, Event::ResponseStarted { fetch, head });
    let bytes = bytes::Bytes::from_static(b"0123456789");
    let asked = actions(&mut machine, Event::BytesReceived { fetch, bytes });
    let place = asked.iter().find_map(|action| match action {
        Action::Place { place, .. } => Some(place.generation),
        _ => None,
    });
    place.expect("it goes to the cache")
}

#[test]
fn a_session_that_finds_no_record_uses_no_number_of_an_earlier_one() {
    let (first, second) = (begun(1), begun(2));
    assert_ne!(first, second, "or records that turn up late would name other bytes");
    assert_eq!((first.salt(), second.salt()), (1, 2), "what a sweep tells its own files by");
}
