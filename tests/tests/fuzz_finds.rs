//! What the fuzzer found in the machine, one test for each, named after what went wrong.

use bytes::Bytes;
use infill_core::http::ResponseHead;
use infill_core::{
    Action, ByteRange, Config, Event, FetchId, Instant, Machine, OpenOptions, ReaderId, RequestId,
    SourceSpec, TrackId,
};

/// A machine with an open track, and its first request.
fn opened(config: Config, options: OpenOptions) -> (Machine, FetchId) {
    let mut machine = Machine::new(config);
    let source = Box::new(SourceSpec {
        url: "http://origin.example/a.mp3".parse().expect("a URL"),
        cache_key: None,
        headers: [].into(),
        renewable: false,
    });
    let track = TrackId(1);
    machine.handle(Instant::ZERO, Event::Open { track, source, options });
    let fetch = std::iter::from_fn(|| machine.poll_action()).find_map(|action| match action {
        Action::FetchRange { request, .. } => Some(request.fetch),
        _ => None,
    });
    (machine, fetch.expect("the first request goes out at once"))
}

#[test]
fn opening_with_a_bounded_request_size_hung_while_the_length_was_unknown() {
    let options = OpenOptions { max_request_bytes: Some(1), ..OpenOptions::default() };
    opened(Config::default(), options);
}

#[test]
fn more_bytes_than_there_are_positions_overflowed() {
    let (mut machine, fetch) = opened(Config::default(), OpenOptions::default());
    let range = b"bytes 18446744073709551613-18446744073709551613/18446744073709551615";
    let head = Box::new(ResponseHead::new(206).with_field("Content-Range", range));
    machine.handle(Instant::ZERO, Event::ResponseStarted { fetch, head });
    let bytes = Bytes::from_static(&[7; 64]);
    machine.handle(Instant::ZERO, Event::BytesReceived { fetch, bytes });
    let writes: Vec<_> = std::iter::from_fn(|| machine.poll_action())
        .filter_map(|action| match action {
            Action::Write { offset, bytes, .. } => Some((offset, bytes.len())),
            _ => None,
        })
        .collect();
    assert_eq!(writes, [(u64::MAX - 2, 1)], "no more than was announced");
}

#[test]
fn a_fetch_at_the_end_of_time_was_due_without_end() {
    let (mut machine, _) = opened(Config::default(), OpenOptions::default());
    let end = Instant::from_nanos(u64::MAX);
    machine.handle(end, Event::Tick);
    machine.handle(end, Event::Tick);
    assert_eq!(machine.poll_timeout(), None, "no later moment can come");
}

#[test]
fn a_reader_of_a_closing_track_was_taken_in_and_never_answered() {
    let (mut machine, fetch) = opened(Config::default(), OpenOptions::default());
    let (track, reader) = (TrackId(1), ReaderId(1));
    let head = Box::new(ResponseHead::new(200));
    let bytes = Bytes::from_static(b"ID3");
    let range = ByteRange::at(0, 1);
    let read =
        |request| Event::ReadRequest { reader, request: RequestId(request), latched: None, range };
    // The write is not answered, so that the track goes on closing.
    for event in [
        Event::ResponseStarted { fetch, head },
        Event::BytesReceived { fetch, bytes },
        Event::Close { track },
        Event::Attach { track, reader, position: 0 },
        read(1),
        read(2),
    ] {
        machine.handle(Instant::ZERO, event);
    }
    let woken = std::iter::from_fn(|| machine.poll_action())
        .any(|action| matches!(action, Action::WakeReader { .. }));
    assert!(!woken, "a reader that came too late is not known");
}
