//! Positional reads and writes: several threads, one file, no shared cursor.

use std::fs::File;
use std::io::{self, ErrorKind};

#[cfg(unix)]
fn read_some_at(file: &File, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buf, offset)
}

#[cfg(windows)]
fn read_some_at(file: &File, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
    // Moves the file's cursor, which nobody uses.
    std::os::windows::fs::FileExt::seek_read(file, buf, offset)
}

#[cfg(unix)]
fn write_some_at(file: &File, offset: u64, buf: &[u8]) -> io::Result<usize> {
    std::os::unix::fs::FileExt::write_at(file, buf, offset)
}

#[cfg(windows)]
fn write_some_at(file: &File, offset: u64, buf: &[u8]) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_write(file, buf, offset)
}

/// Reads until `buf` is full or the file ends.
pub(crate) fn read_full_at(file: &File, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
    let len = buf.len();
    to_the_end(len, |done| read_some_at(file, offset + done as u64, &mut buf[done..]))
}

/// Writes all of `bytes`.
pub(crate) fn write_all_at(file: &File, offset: u64, bytes: &[u8]) -> io::Result<()> {
    let write = |done| write_some_at(file, offset + done as u64, &bytes[done..]);
    if to_the_end(bytes.len(), write)? < bytes.len() {
        return Err(ErrorKind::WriteZero.into());
    }
    Ok(())
}

/// Calls `step` with how much is done, until all is or it does nothing more. A signal is no reason to stop, and neither
/// is a call that does less than it was asked for (FAULTS D4).
fn to_the_end(len: usize, mut step: impl FnMut(usize) -> io::Result<usize>) -> io::Result<usize> {
    let mut done = 0;
    while done < len {
        match step(done) {
            Ok(0) => break,
            Ok(count) => done += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plays these results, and says what it was called with.
    fn play(len: usize, results: Vec<io::Result<usize>>) -> (io::Result<usize>, Vec<usize>) {
        let (mut results, mut calls) = (results.into_iter(), Vec::new());
        let done = to_the_end(len, |done| {
            calls.push(done);
            results.next().expect("no more calls")
        });
        (done, calls)
    }

    #[test]
    fn d4_goes_on_after_a_part_and_after_a_signal() {
        let signal = || Err(io::Error::from(ErrorKind::Interrupted));
        let (done, calls) = play(10, vec![Ok(3), signal(), Ok(1), signal(), Ok(6)]);
        assert_eq!((done.unwrap(), calls), (10, vec![0, 3, 3, 4, 4]));
    }

    #[test]
    fn d4_ends_where_nothing_more_is_done_and_at_an_error() {
        assert_eq!(play(10, vec![Ok(3), Ok(0)]).0.unwrap(), 3);
        let full = || Err(io::Error::from(ErrorKind::StorageFull));
        assert_eq!(play(10, vec![Ok(3), full()]).0.unwrap_err().kind(), ErrorKind::StorageFull);
    }
}
