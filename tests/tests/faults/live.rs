//! B26-B28: radio where a file was expected.

use std::io::{Seek as _, SeekFrom};

use infill_tests::runtime::{Cause, ErrorKind, Runtime, State, StoreKind, of_infill};

use crate::case::{Case, LEN, SEED, eventually};

both! {
    b26_an_icy_status_line_is_a_clear_error,
    b27_metadata_in_the_audio_is_a_clear_error,
    b27_metadata_is_not_asked_for,
    b28_a_stream_without_end_has_no_length,
    b28_a_faked_range_of_a_stream_is_no_length,
}

fn b26_an_icy_status_line_is_a_clear_error(runtime: Runtime) {
    let case = Case::new(runtime).impatient();
    case.on().icy_status_line();
    let error = case.refused();
    assert!(matches!(error.cause(), Cause::Protocol(_)), "{error}");
    assert_eq!(error.kind(), ErrorKind::Origin);
    assert!(case.requests().len() <= 12, "{}", case.story());
}

fn b27_metadata_in_the_audio_is_a_clear_error(runtime: Runtime) {
    let case = Case::new(runtime).impatient();
    case.on().ignore_range().icy_metadata(8192, "A song");
    let error = case.refused();
    assert_eq!(error.cause(), &Cause::Icy, "{error}");
    assert_eq!(case.requests().len(), 1, "{}", case.story());
}

fn b27_metadata_is_not_asked_for(runtime: Runtime) {
    let case = Case::new(runtime);
    case.on().nth(0).cut_at(100_000);
    case.plays_with(2);
    for request in case.requests() {
        assert_eq!(request.request.headers.value("Icy-MetaData"), None);
    }
}

/// Reads a good part of a stream that repeats the resource, through a store that holds less.
fn plays_through(mut case: Case) {
    case.settings = case.settings.clone().store(StoreKind::memory(1 << 20));
    let mut stream = case.open();
    assert_eq!((stream.byte_len(), stream.is_seekable()), (None, false));
    for round in 0..12 {
        let mut part = vec![0; LEN as usize];
        std::io::Read::read_exact(&mut stream, &mut part).unwrap();
        let wrong = infill_tests::origin::first_difference(SEED, 0, &part);
        assert_eq!(wrong, None, "in round {round}");
    }
    let handle = stream.handle();
    let held: u64 = handle.progress().buffered.iter().map(|r| r.end - r.start).sum();
    assert!(held <= 1 << 20, "{held}");
    let error = of_infill(&stream.seek(SeekFrom::End(0)).unwrap_err());
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(case.requests().len() <= 2, "{}", case.story());
    drop(stream);
    assert_eq!(handle.progress().state, State::Closed);
    eventually("no connection", || case.origin.open_connections() == 0);
}

fn b28_a_stream_without_end_has_no_length(runtime: Runtime) {
    let case = Case::new(runtime);
    case.on().endless();
    plays_through(case);
}

fn b28_a_faked_range_of_a_stream_is_no_length(runtime: Runtime) {
    let case = Case::new(runtime);
    case.on().fake_range(u64::MAX / 4);
    plays_through(case);
}
