//! Who waits for whom where few files may be open.

use std::io::{self, ErrorKind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use infill_core::ByteRange;

use super::scene;
use crate::cache::DiskFile;
use crate::cache::chunk::Chunk;
use crate::cache::handles::{Handles, Opener};

/// Long enough for a thread that does not wait to come through.
const SOON: Duration = Duration::from_millis(50);

/// Long enough for anything.
const LATE: Duration = Duration::from_secs(20);

/// A file without bytes; what is done when it is synced.
struct NoFile(Box<dyn Fn() + Send + Sync>);

impl DiskFile for NoFile {
    fn write_at(&self, _: u64, _: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn read_at(&self, _: u64, _: &mut [u8]) -> io::Result<usize> {
        Ok(0)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(0)
    }

    fn truncate(&self, _: u64) -> io::Result<()> {
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        (self.0)();
        Ok(())
    }

    fn identity(&self) -> io::Result<Option<(u64, u64)>> {
        Ok(None)
    }
}

/// Counts its opens; closing takes as long as a test wants.
struct Counted {
    opens: Mutex<u32>,
    fails: bool,
    closing: Sender<()>,
    may_close: Mutex<Receiver<()>>,
}

/// A file; what tells of its closing; what lets it close.
fn counted(fails: bool) -> (Arc<Counted>, Arc<dyn Opener>, Receiver<()>, Sender<()>) {
    let ((closing, told), (lets, may_close)) = (channel(), channel());
    let opens = Mutex::default();
    let opener = Arc::new(Counted { opens, fails, closing, may_close: Mutex::new(may_close) });
    (Arc::clone(&opener), opener, told, lets)
}

impl Opener for Counted {
    fn open(&self, _: bool) -> io::Result<Arc<dyn DiskFile>> {
        *self.opens.lock().unwrap() += 1;
        if self.fails {
            Err(ErrorKind::Other.into())
        } else {
            Ok(Arc::new(NoFile(Box::new(|| {}))))
        }
    }

    fn before_close(&self, _: &dyn DiskFile) {
        let _ = self.closing.send(());
        let _ = self.may_close.lock().unwrap().recv_timeout(LATE);
    }
}

#[test]
fn a_file_that_cannot_be_opened_takes_no_place() {
    let handles = Handles::new(1);
    let (bad, opener, ..) = counted(true);
    for _ in 0..3 {
        assert!(handles.get((1, 0), &opener, true).is_err());
    }
    assert_eq!((handles.open_files(), *bad.opens.lock().unwrap()), (0, 3));
    let (_, good, ..) = counted(false);
    assert!(handles.get((2, 0), &good, true).is_ok());
}

#[test]
fn d6_whoever_asks_for_a_file_that_is_being_closed_waits_until_it_is() {
    let handles = &Handles::new(1);
    let (first, opener, closing, lets) = counted(false);
    let (_, other, _, other_lets) = counted(false);
    let (opener, other) = (&opener, &other);
    drop(handles.get((1, 0), opener, true).unwrap());
    let (sender, receiver) = channel();
    thread::scope(|scope| {
        scope.spawn(move || drop(handles.get((2, 0), other, true).unwrap()));
        closing.recv_timeout(LATE).unwrap();
        other_lets.send(()).unwrap();
        scope.spawn(move || {
            drop(handles.get((1, 0), opener, false).unwrap());
            sender.send(()).unwrap();
        });
        assert_eq!(receiver.recv_timeout(SOON), Err(RecvTimeoutError::Timeout));
        lets.send(()).unwrap();
        receiver.recv_timeout(LATE).unwrap();
    });
    assert_eq!(*first.opens.lock().unwrap(), 2);
}

#[test]
fn d6_a_file_is_dirty_until_the_sync_before_its_closing_is_over() {
    let (_dir, disk) = scene();
    let chunk = Arc::new(Chunk::new(disk, "x".into(), ByteRange::at(0, 9)));
    chunk.begin_write();
    let (watched, seen) = (Arc::clone(&chunk), Arc::new(Mutex::new(None)));
    let sees = Arc::clone(&seen);
    let file = NoFile(Box::new(move || *sees.lock().unwrap() = Some(watched.needs_sync())));
    chunk.before_close(&file);
    assert_eq!((*seen.lock().unwrap(), chunk.needs_sync()), (Some(true), false));
}

#[test]
fn a_file_in_use_is_neither_closed_for_another_nor_by_its_owner() {
    let handles = &Handles::new(1);
    let (_, opener, ..) = counted(false);
    let (_, other, _, lets) = counted(false);
    let other = &other;
    let pinned = handles.get((1, 0), &opener, true).unwrap();
    let (sender, receiver) = channel();
    let another = sender.clone();
    thread::scope(|scope| {
        scope.spawn(move || {
            handles.close_all_of(1);
            sender.send(()).unwrap();
        });
        assert_eq!(receiver.recv_timeout(SOON), Err(RecvTimeoutError::Timeout));
        drop(pinned);
        receiver.recv_timeout(LATE).unwrap();
        let pinned = handles.get((1, 1), &opener, true).unwrap();
        scope.spawn(move || {
            drop(handles.get((2, 0), other, true).unwrap());
            another.send(()).unwrap();
        });
        assert_eq!(receiver.recv_timeout(SOON), Err(RecvTimeoutError::Timeout));
        assert_eq!(handles.open_files(), 1);
        drop(pinned);
        handles.close((1, 1));
        receiver.recv_timeout(LATE).unwrap();
    });
    lets.send(()).unwrap();
    assert_eq!(handles.open_files(), 1);
}
