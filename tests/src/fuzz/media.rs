//! Any bytes as segments: what comes out, and every time, is the same however they arrive.

use infill_core::hls::{Container, Filter, MediaTime};

/// What a filter made of a run.
#[derive(Debug, PartialEq)]
struct Outcome {
    out: Vec<u8>,
    container: Option<Container>,
    times: Vec<(Option<MediaTime>, Option<MediaTime>, u64)>,
    failed: Option<String>,
}

/// Runs one input: its first two bytes say where the init section ends, and where the second segment begins.
///
/// # Panics
/// For a broken promise.
pub fn run(data: &[u8]) {
    let [first, second, rest @ ..] = data else {
        return;
    };
    let (init, rest) = rest.split_at(usize::from(*first) * 8 % (rest.len() + 1));
    let init = (!init.is_empty()).then_some(init);
    let (one, two) = rest.split_at(usize::from(*second) * rest.len() / 256);
    let whole = filter(init, [one, two], usize::MAX);
    for piece in [1, 7, 188, 1000] {
        let split = filter(init, [one, two], piece);
        if whole.failed.is_none() || split.failed.is_none() {
            assert_eq!(split, whole, "in pieces of {piece}");
        }
    }
    assert!(whole.out.len() <= data.len() * 2 + 64, "nothing is made up");
}

fn filter(init: Option<&[u8]>, segments: [&[u8]; 2], piece: usize) -> Outcome {
    let mut outcome = Outcome { out: Vec::new(), container: None, times: vec![], failed: None };
    let mut filter = match Filter::new(init) {
        Ok(filter) => filter,
        Err(error) => {
            outcome.failed = Some(error.to_string());
            return outcome;
        }
    };
    for segment in segments {
        filter.begin();
        let mut result = Ok(());
        for piece in segment.chunks(piece.min(segment.len().max(1))) {
            result = filter.push(piece, &mut outcome.out);
            if result.is_err() {
                break;
            }
        }
        let result = result.and_then(|()| filter.end(&mut outcome.out));
        if let Err(error) = result {
            outcome.failed = Some(error.to_string());
            return outcome;
        }
        outcome.times.push((filter.media_start(), filter.media_end(), filter.frames()));
    }
    outcome.container = filter.container();
    outcome
}
