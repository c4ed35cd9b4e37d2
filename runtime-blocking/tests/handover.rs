//! The hand-over between readers and the engine under a model checker: the very files that the library is built from,
//! with shuttle's primitives beneath them.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(dead_code, unreachable_pub, reason = "the files are compiled as they are")]

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;
use infill_core::{
    Answer, ByteRange, Change, ErrorKind, Event, ReaderId, RequestId, ResourceId, TrackId,
};
use shuttle::sync::{Condvar, Mutex};
use shuttle::{check_random, future, thread};

mod sync {
    pub(crate) use shuttle::sync::atomic::{AtomicU64, Ordering};
    pub(crate) use shuttle::sync::{Mutex, MutexGuard};

    pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
#[path = "../src/engine/blob.rs"]
mod blob;
#[path = "../src/engine/inbox.rs"]
mod inbox;
#[path = "../src/engine/resource.rs"]
mod resource;
#[path = "../src/engine/slot.rs"]
mod slot;

use blob::Blob;
use inbox::Inbox;
use resource::{Copied, Found, Resource};
use slot::{Post, Slot};

/// Interleavings that each test tries.
const ITERATIONS: usize = 3000;

/// A driver that sleeps as the real one does: a wake that comes before is remembered.
#[derive(Default)]
struct Sleeper {
    woken: Mutex<bool>,
    changed: Condvar,
}

impl Sleeper {
    fn wake(&self) {
        *self.woken.lock().unwrap() = true;
        self.changed.notify_one();
    }

    fn sleep(&self) {
        let mut woken = self.woken.lock().unwrap();
        while !*woken {
            woken = self.changed.wait(woken).unwrap();
        }
        *woken = false;
    }
}

struct World {
    sleeper: Arc<Sleeper>,
    inbox: Arc<Inbox<Arc<Slot>>>,
}

impl World {
    fn new() -> Self {
        let sleeper: Arc<Sleeper> = Arc::default();
        let wake = Arc::clone(&sleeper);
        Self { inbox: Arc::new(Inbox::new(move || wake.wake())), sleeper }
    }

    /// An engine that does `answer` with every request until its inbox is closed; gives the events that it saw.
    fn engine(
        &self,
        mut answer: impl FnMut(&Slot, RequestId, ByteRange) + Send + 'static,
    ) -> thread::JoinHandle<Vec<Event>> {
        let (sleeper, inbox) = (Arc::clone(&self.sleeper), Arc::clone(&self.inbox));
        thread::spawn(move || {
            let (mut seen, mut letters) = (Vec::new(), VecDeque::new());
            loop {
                inbox.take_all(&mut letters);
                for slot in letters.drain(..) {
                    for event in slot.take().into_events(slot.track(), slot.reader()) {
                        if let Event::ReadRequest { request, range, .. } = event {
                            answer(&slot, request, range);
                        }
                        seen.push(event);
                    }
                }
                if inbox.is_closed() {
                    return seen;
                }
                sleeper.sleep();
            }
        })
    }

    fn post(&self, slot: &Arc<Slot>, post: Post) {
        post_to(&self.inbox, slot, post);
    }

    /// Asks, and waits for the answer.
    fn ask(&self, slot: &Arc<Slot>, range: ByteRange) -> Answer {
        let (mut asked, inbox, slot) = (false, Arc::clone(&self.inbox), Arc::clone(slot));
        future::block_on(poll_fn(move |cx| {
            if !asked {
                asked = true;
                let post = slot.ask(None, range, cx.waker());
                post_to(&inbox, &slot, post);
            }
            slot.poll(cx.waker())
        }))
    }
}

fn post_to(inbox: &Inbox<Arc<Slot>>, slot: &Arc<Slot>, post: Post) {
    if post == Post::Needed && inbox.post(Arc::clone(slot)).is_err() {
        slot.close();
    }
}

fn slot(reader: u64) -> Arc<Slot> {
    Arc::new(Slot::new(TrackId(1), ReaderId(reader), 0))
}

fn is_closed(answer: &Answer) -> bool {
    matches!(answer, Answer::Failed(error) if error.kind() == ErrorKind::Closed)
}

#[test]
fn no_wake_up_is_lost() {
    check_random(
        || {
            let world = Arc::new(World::new());
            let engine = world.engine(|slot, request, _| slot.answer(request, Answer::Readable));
            let readers: Vec<_> = (0..2)
                .map(|reader| {
                    let world = Arc::clone(&world);
                    thread::spawn(move || {
                        let slot = slot(reader);
                        for at in 0..2 {
                            let answer = world.ask(&slot, ByteRange::at(at, 1));
                            assert_eq!(answer, Answer::Readable);
                        }
                    })
                })
                .collect();
            for reader in readers {
                reader.join().unwrap();
            }
            world.inbox.close();
            let requests = engine.join().unwrap().into_iter();
            let requests = requests.filter(|event| matches!(event, Event::ReadRequest { .. }));
            assert_eq!(requests.count(), 4, "each request is seen once");
        },
        ITERATIONS,
    );
}

#[test]
fn an_answer_to_an_earlier_request_is_no_answer() {
    check_random(
        || {
            let world = World::new();
            let engine = world.engine(|slot, request, range| {
                let answer = if range.start == 1 { Answer::End } else { Answer::Readable };
                slot.answer(request, answer);
            });
            let slot = slot(1);
            // A read that is dropped while it waits, and another one at once.
            let first = Arc::clone(&slot);
            let inbox = Arc::clone(&world.inbox);
            future::block_on(poll_fn(move |cx| {
                let post = first.ask(None, ByteRange::at(0, 1), cx.waker());
                post_to(&inbox, &first, post);
                Poll::Ready(())
            }));
            slot.withdraw();
            assert_eq!(world.ask(&slot, ByteRange::at(1, 1)), Answer::End);
            world.inbox.close();
            engine.join().unwrap();
        },
        ITERATIONS,
    );
}

#[test]
fn interrupt_and_close_end_a_wait_that_nobody_answers() {
    for close in [false, true] {
        check_random(
            move || {
                let world = World::new();
                let engine = world.engine(|_, _, _| ());
                let slot = slot(1);
                let ended = Arc::clone(&slot);
                let other = thread::spawn(move || match close {
                    true => ended.close(),
                    false => ended.interrupt(),
                });
                let answer = world.ask(&slot, ByteRange::at(0, 1));
                match close {
                    true => assert!(is_closed(&answer), "{answer:?}"),
                    false => assert_eq!(answer, Answer::Superseded),
                }
                other.join().unwrap();
                world.inbox.close();
                engine.join().unwrap();
            },
            ITERATIONS,
        );
    }
}

#[test]
fn a_blocked_reader_can_be_dropped_at_any_time() {
    check_random(
        || {
            let world = World::new();
            let engine = world.engine(|slot, request, _| slot.answer(request, Answer::Readable));
            let slot = slot(1);
            // So that the engine has met it: a reader that came and went unseen was never there.
            let post = slot.seek(5);
            world.post(&slot, post);
            let (waiting, inbox) = (Arc::clone(&slot), Arc::clone(&world.inbox));
            let _ = future::block_on(poll_fn(move |cx| {
                let post = waiting.ask(None, ByteRange::at(0, 1), cx.waker());
                post_to(&inbox, &waiting, post);
                Poll::Ready(waiting.poll(cx.waker()))
            }));
            let post = slot.detach();
            world.post(&slot, post);
            world.inbox.close();
            let seen = engine.join().unwrap();
            let attached = matches!(seen.first(), Some(Event::Attach { .. }));
            let detached = matches!(seen.last(), Some(Event::Detach { .. }));
            assert_eq!(attached, detached, "{seen:?}");
            assert!(attached || seen.is_empty(), "{seen:?}");
        },
        ITERATIONS,
    );
}

#[test]
fn an_engine_that_goes_away_leaves_nobody_waiting() {
    check_random(
        || {
            let world = World::new();
            let inbox = Arc::clone(&world.inbox);
            let engine = thread::spawn(move || {
                for slot in inbox.die() {
                    slot.close();
                }
            });
            let answer = world.ask(&slot(1), ByteRange::at(0, 1));
            assert!(is_closed(&answer), "{answer:?}");
            engine.join().unwrap();
        },
        ITERATIONS,
    );
}

/// Two bytes that are read one after the other: what is written in between tears.
#[derive(Default)]
struct Pair([Mutex<u8>; 2]);

impl Blob for Pair {
    fn write_at(&self, offset: u64, bytes: &Bytes) -> io::Result<()> {
        for (at, byte) in bytes.iter().enumerate() {
            *self.0[offset as usize + at].lock().unwrap() = *byte;
        }
        Ok(())
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        for (at, byte) in buf.iter_mut().enumerate() {
            *byte = *self.0[offset as usize + at].lock().unwrap();
        }
        Ok(buf.len())
    }

    fn discard(&self, _range: ByteRange) {
        let _ = self.write_at(0, &Bytes::from_static(&[0, 0]));
    }
}

#[test]
fn a_retraction_during_a_copy_is_seen() {
    check_random(
        || {
            let range = ByteRange::new(0, 2);
            let pair = Arc::new(Pair::default());
            let blob: Arc<dyn Blob> = Arc::clone(&pair) as _;
            let resource = Arc::new(Resource::new(ResourceId(1), Some(blob)));
            pair.write_at(0, &Bytes::from_static(b"aa")).unwrap();
            resource.publish(&Change::Present(range));
            let engine = {
                let resource = Arc::clone(&resource);
                thread::spawn(move || {
                    resource.publish(&Change::Retracted(range));
                    pair.discard(range);
                    pair.write_at(0, &Bytes::from_static(b"bb")).unwrap();
                    resource.publish(&Change::Present(range));
                })
            };
            let mut buf = [0; 2];
            if let Found::Stored(stored) = resource.find(0)
                && let Copied::Good(count) = resource.copy(&stored, 0, &mut buf)
            {
                assert_eq!(count, 2);
                assert!(&buf == b"aa" || &buf == b"bb", "torn: {buf:?}");
            }
            engine.join().unwrap();
            assert!(matches!(resource.find(0), Found::Stored(_)));
        },
        ITERATIONS,
    );
}

#[test]
fn a_reader_that_misses_reads_what_is_published_later() {
    check_random(
        || {
            let world = World::new();
            let pair = Arc::new(Pair::default());
            let blob: Arc<dyn Blob> = Arc::clone(&pair) as _;
            let resource = Arc::new(Resource::new(ResourceId(1), Some(blob)));
            let published = Arc::clone(&resource);
            let engine = world.engine(move |slot, request, range| {
                pair.write_at(0, &Bytes::from_static(b"aa")).unwrap();
                published.publish(&Change::Present(range));
                slot.answer(request, Answer::Readable);
            });
            let reader = slot(1);
            let mut buf = [0; 2];
            loop {
                match resource.find(0) {
                    Found::Stored(stored) => {
                        let copied = resource.copy(&stored, 0, &mut buf);
                        assert!(matches!(copied, Copied::Good(2)), "{copied:?}");
                        break;
                    }
                    _ => {
                        let answer = world.ask(&reader, ByteRange::new(0, 2));
                        assert_eq!(answer, Answer::Readable);
                    }
                }
            }
            assert_eq!(&buf, b"aa");
            world.inbox.close();
            engine.join().unwrap();
        },
        ITERATIONS,
    );
}
