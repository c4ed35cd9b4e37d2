//! What the fuzzer found in the machine, one test for each, named after what went wrong.

use bytes::Bytes;
use infill_core::http::ResponseHead;
use infill_core::{
    Action, Config, Event, FetchId, Instant, Machine, OpenOptions, SourceSpec, TrackId,
};

/// A machine with an open track, and its first request.
fn opened(config: Config, options: OpenOptions) -> (Machine, FetchId) {
    let mut machine = Machine::new(config);
    let source = Box::new(SourceSpec {
        url: "http://origin.example/a.mp3".parse().unwrap(),
        headers: [].into(),
        renewable: false,
    });
    let track = TrackId(1);
    machine.handle(
        Instant::ZERO,
        Event::Open {
            track,
            source,
            options,
        },
    );
    let fetch = std::iter::from_fn(|| machine.poll_action()).find_map(|action| match action {
        Action::FetchRange { request, .. } => Some(request.fetch),
        _ => None,
    });
    (machine, fetch.expect("the first request goes out at once"))
}

#[test]
fn opening_with_a_bounded_request_size_hung_while_the_length_was_unknown() {
    let options = OpenOptions {
        max_request_bytes: Some(1),
        ..OpenOptions::default()
    };
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
