//! How long records are in the journal, by arithmetic: to know when it holds more of the past than of the present.

use super::{Download, Record};

/// Digest and length, before each record.
const HEAD: u64 = 8 + 2;

/// Which record it is.
const TAG: u64 = HEAD + 4;

const KEY: u64 = 20;
const NUMBER: u64 = 8;
/// Start, digest, length.
const EXTENT: u64 = 8 + 8 + 4;
/// Two keys, the generation, the exponent.
const PLACE: u64 = 2 * KEY + NUMBER + 1;
/// Whether there is a length, a `Content-Type`, an `ETag`, a `Last-Modified`, a `Date`, and two answers.
const FACTS: u64 = 5 + 2;

/// [`Record::Pin`].
pub(super) const PIN: u64 = TAG + KEY + 1;

/// [`Record::Use`].
pub(super) const USE: u64 = TAG + KEY + NUMBER;

/// [`Record::Remove`].
pub(super) const REMOVE: u64 = TAG + NUMBER;

const COMMIT: u64 = TAG + NUMBER + NUMBER;

/// The records of one download.
pub(super) fn of_download(download: &Download) -> u64 {
    let (fields, letters) = download.texts().extent();
    let total = if download.total().is_some() { NUMBER } else { 0 };
    // Each text has its length before it; the label is one more.
    let open = TAG + PLACE + FACTS + total + (fields + 1) * NUMBER + letters;
    let extents = download.extents_slice().len() as u64;
    let records = extents.div_ceil(Record::MAX_EXTENTS as u64);
    let commit = if download.final_len().is_some() { COMMIT } else { 0 };
    open + records * (TAG + NUMBER + NUMBER) + extents * EXTENT + commit
}
