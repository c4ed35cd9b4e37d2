//! Both stores against a plain array.

use std::io::ErrorKind;
use std::sync::Arc;

use bytes::Bytes;
use infill_core::{ByteRange, ResourceId};

use super::{BLOCK_BYTES, MemoryStore, TempDirStore};
use crate::engine::{Blob, Store};

fn stores() -> Vec<Arc<dyn Store>> {
    vec![Arc::new(MemoryStore::new(1 << 20)), Arc::new(TempDirStore::new(None, None).unwrap())]
}

fn blob(store: &dyn Store) -> Arc<dyn Blob> {
    store.create(ResourceId(1)).unwrap()
}

/// Numbers that look like chance, the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) % bound
    }
}

#[test]
fn what_was_written_is_read_back() {
    const LEN: u64 = 40 * BLOCK_BYTES;
    for store in stores() {
        let blob = blob(&*store);
        // Around a file's end, so that writes and reads go over it.
        let base = (16 << 20) - LEN / 2;
        let mut model = vec![None; LEN as usize];
        let mut numbers = Numbers(7);
        for round in 0..100u32 {
            let at = numbers.below(LEN);
            let len = numbers.below(3 * BLOCK_BYTES).min(LEN - at);
            let written = vec![round as u8; len as usize];
            blob.write_at(base + at, &Bytes::from(written)).unwrap();
            model[at as usize..(at + len) as usize].fill(Some(round as u8));
            if round % 10 == 9 {
                let first = numbers.below(40);
                let range = ByteRange::at(first * BLOCK_BYTES, 3 * BLOCK_BYTES);
                let range = range.intersect(ByteRange::new(0, LEN));
                blob.discard(ByteRange::new(base + range.start, base + range.end));
                model[range.start as usize..range.end as usize].fill(None);
            }
            let at = numbers.below(LEN) as usize;
            let run = model[at..].iter().take_while(|byte| byte.is_some()).count();
            let mut read = vec![0; run.min(100_000)];
            assert_eq!(blob.read_at(base + at as u64, &mut read).unwrap(), read.len());
            let expected = model[at..at + read.len()].iter().map(|byte| byte.unwrap());
            assert!(read.into_iter().eq(expected), "round {round}");
        }
    }
}

#[test]
fn nothing_is_read_where_nothing_is() {
    for store in stores() {
        let blob = blob(&*store);
        let mut some = [1; 10];
        assert_eq!(blob.read_at(0, &mut some).unwrap(), 0);
        assert_eq!(blob.read_at(u64::MAX - 20, &mut some).unwrap(), 0);
        blob.write_at(100, &Bytes::from_static(b"abc")).unwrap();
        assert_eq!(blob.read_at(101, &mut some).unwrap(), 2);
        assert_eq!(&some[..2], b"bc");
        blob.discard(ByteRange::new(1, u64::MAX));
        assert_eq!(blob.read_at(101, &mut some).unwrap(), 2, "no whole block");
        blob.discard(ByteRange::new(0, BLOCK_BYTES));
        assert_eq!(blob.read_at(101, &mut some).unwrap(), 0);
    }
}

#[test]
fn a_directory_that_can_not_be_written_to_is_said_at_once() {
    let nowhere = std::env::temp_dir().join("infill-there-is-no-such-directory");
    let error = TempDirStore::new(Some(nowhere), None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn files_have_no_names() {
    let dir = tempfile::tempdir().unwrap();
    let store = TempDirStore::new(Some(dir.path().to_owned()), None).unwrap();
    let blob = blob(&store);
    blob.write_at(0, &Bytes::from_static(b"abc")).unwrap();
    let names = std::fs::read_dir(dir.path()).unwrap().count();
    assert!(names == 0 || cfg!(not(unix)), "a crash would leave {names} behind");
}
