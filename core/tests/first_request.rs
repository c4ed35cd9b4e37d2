//! What the first request of a file asks for.

#![allow(clippy::unwrap_used, clippy::field_reassign_with_default)] // The settings can't be built otherwise.

use infill_core::http::ResponseHead;
use infill_core::{Action, Config, Event, Instant, Machine, OpenOptions, SourceSpec, TrackId};

fn opened(config: Config, options: OpenOptions) -> Machine {
    let mut machine = Machine::new(config);
    let track = TrackId(1);
    let source = Box::new(SourceSpec {
        url: "http://origin.example/a.mp3".parse().unwrap(),
        cache_key: None,
        headers: [].into(),
        renewable: false,
        slice: None,
    });
    machine.handle(Instant::ZERO, Event::Open { track, source, options });
    machine
}

fn first_range(config: Config, options: OpenOptions) -> Option<String> {
    let mut machine = opened(config, options);
    core::iter::from_fn(|| machine.poll_action()).find_map(|action| match action {
        Action::FetchRange { request, .. } => request.range_field(),
        _ => None,
    })
}

#[test]
fn it_asks_for_everything() {
    let range = first_range(Config::default(), OpenOptions::default());
    assert_eq!(range.as_deref(), Some("bytes=0-"));
}

#[test]
fn a_bounded_store_does_not_bound_it_for_most_files_fit() {
    let mut config = Config::default();
    config.store_limit_bytes = Some(64 << 20);
    let range = first_range(config, OpenOptions::default());
    assert_eq!(range.as_deref(), Some("bytes=0-"), "it was bytes=0-50331647");
}

#[test]
fn a_read_ahead_and_a_largest_request_do_bound_it() {
    let mut options = OpenOptions::default();
    options.read_ahead_bytes = Some(1000);
    let range = first_range(Config::default(), options);
    assert_eq!(range.as_deref(), Some("bytes=0-999"));
    options.max_request_bytes = Some(100);
    let range = first_range(Config::default(), options);
    assert_eq!(range.as_deref(), Some("bytes=0-99"));
}

#[test]
fn the_first_transfer_is_kept_between_the_opening_and_the_first_reader() {
    let mut config = Config::default();
    config.store_limit_bytes = Some(64 << 20);
    let mut machine = opened(config, OpenOptions::default());
    let fetch = core::iter::from_fn(|| machine.poll_action()).find_map(|action| match action {
        Action::FetchRange { request, .. } => Some(request.fetch),
        _ => None,
    });
    let fetch = fetch.unwrap();
    let head = Box::new(ResponseHead::new(200));
    machine.handle(Instant::ZERO, Event::ResponseStarted { fetch, head });
    let bytes = "fLaC".into();
    machine.handle(Instant::ZERO, Event::BytesReceived { fetch, bytes });
    let actions: Vec<Action> = core::iter::from_fn(|| machine.poll_action()).collect();
    let opened = |action: &Action| matches!(action, Action::Opened { result: Ok(()), .. });
    let cancelled = |action: &Action| matches!(action, Action::CancelFetch { .. });
    assert!(actions.iter().any(opened), "{actions:?}");
    assert!(!actions.iter().any(cancelled), "{actions:?}");
}
