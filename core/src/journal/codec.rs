//! How a record becomes bytes. The only file that knows with what: the crate is finished and will not change, and what
//! it writes is small enough to be written by hand, should it ever have to go.

use bincode::{DefaultOptions, Options};

use super::MAX_PAYLOAD;
use crate::catalog::Record;

/// Numbers of fixed size, so that a record's length follows from what it holds.
fn options() -> impl Options {
    DefaultOptions::new().with_fixint_encoding().reject_trailing_bytes()
}

/// How long its payload is; `None` if it can't be written at all.
pub(super) fn len(record: &Record) -> Option<u64> {
    options().serialized_size(record).ok()
}

/// Appends its payload.
pub(super) fn write(record: &Record, out: &mut Vec<u8>) -> Option<()> {
    options().serialize_into(out, record).ok()
}

/// What a payload says. Its texts stay where they are.
pub(super) fn read(payload: &[u8]) -> Option<Record<&str>> {
    // What it claims of its own lengths is bounded by its own: a limit of the options does not count for slices.
    if payload.len() > MAX_PAYLOAD {
        return None;
    }
    options().deserialize(payload).ok()
}
