//! Where a seek leads.

use std::io::SeekFrom;

use infill_core::{Cause, Error};

/// The position that `to` means for a stream at `position`, of a file of `len` bytes if that is known. Fails for one
/// before the beginning, past the last position there is, or relative to an end that is not known.
pub fn seek_target(to: SeekFrom, position: u64, len: Option<u64>) -> Result<u64, Error> {
    let target = match to {
        SeekFrom::Start(to) => Some(to),
        SeekFrom::Current(by) => position.checked_add_signed(by),
        SeekFrom::End(by) => match len {
            Some(len) => len.checked_add_signed(by),
            None => {
                let what = "seeking from the end, of a file whose length is not known";
                return Err(Cause::Unsupported(what.into()).into());
            }
        },
    };
    target.ok_or_else(|| {
        let what = "a seek to before the beginning, or past the last position there is";
        Cause::Caller(what.into()).into()
    })
}
