//! Playing without blocking: one thread decodes ahead, an iterator hands out samples.
//!
//! Blocks travel through a channel that the iterator only ever tries; what both sides need to know of each other is in
//! atomics, and the one lock is taken by the thread and by [`Control`]s alone, never by the iterator. A seek begins a
//! new *epoch*: blocks and ends of earlier ones are dropped where they are met, so nothing has to be emptied.

use core::time::Duration;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, Thread};

use infill_core::{Cause, Error, ErrorKind};

use super::Audio;
use super::block::{Block, frame_at, time_of};
use super::source::SourceControl;

/// The samples, interleaved: an iterator for a sound card's callback.
///
/// It never blocks. While there is nothing to play it gives silence, whole frames of it. `None` is the true end or a
/// failure, [`Control::ended`] says which; after a seek it goes on. Dropping it ends the thread.
pub struct Output {
    shared: Arc<Shared>,
    messages: Receiver<Message>,
    samples: std::vec::IntoIter<f32>,
    /// The frame that `samples` goes on with.
    frame: u64,
    epoch: u64,
    /// How many samples are left of the frame that was begun, and whether it is silence.
    left: u16,
    silent: bool,
    ended: bool,
}

/// Steers an [`Output`] from anywhere. Every call returns at once.
#[derive(Clone)]
pub struct Control(Arc<Shared>);

struct Shared {
    rate: u32,
    channels: u16,
    ahead_frames: u64,
    source: Box<dyn SourceControl>,
    thread: OnceLock<Thread>,
    /// The newest epoch: one more with every seek.
    epoch: AtomicU64,
    /// The epoch that the output plays.
    played_epoch: AtomicU64,
    /// The frame that the output plays next.
    played_frame: AtomicU64,
    /// Frames that were sent and not yet taken.
    queued_frames: AtomicU64,
    starving: AtomicBool,
    /// The epoch whose end the output met, plus one.
    ended_epoch: AtomicU64,
    stopped: AtomicBool,
    wanted: Mutex<Wanted>,
}

/// What the controls ask of the thread, and how it ended.
#[derive(Default)]
struct Wanted {
    seek: Option<(u64, Duration)>,
    /// Where the newest seek went.
    target: Duration,
    end: Option<Result<(), Error>>,
    /// Why there is no thread any more, though nobody stopped it.
    broken: Option<Error>,
}

enum Message {
    Block { epoch: u64, block: Block },
    End { epoch: u64 },
}

impl Audio {
    /// Decodes in a thread of its own, up to `ahead` of what is played.
    ///
    /// If no thread can be started, the output ends at once and [`Control::ended`] says so.
    pub fn spawn(self, ahead: Duration) -> (Output, Control) {
        let (sender, messages) = channel();
        let shared = Arc::new(Shared {
            rate: self.rate(),
            channels: self.channels(),
            ahead_frames: frame_at(ahead, self.rate()).max(1),
            source: self.source.control(),
            thread: OnceLock::new(),
            epoch: AtomicU64::new(0),
            played_epoch: AtomicU64::new(0),
            played_frame: AtomicU64::new(self.next),
            queued_frames: AtomicU64::new(0),
            starving: AtomicBool::new(false),
            ended_epoch: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
            wanted: Mutex::default(),
        });
        let worker = Worker { audio: self, shared: shared.clone(), sender, epoch: 0 };
        let started = thread::Builder::new().name("infill-audio".into()).spawn(|| worker.run());
        match started {
            Ok(handle) => {
                let _ = shared.thread.set(handle.thread().clone());
            }
            Err(error) => {
                let why = format!("no thread could be started for decoding: {error}");
                shared.wanted().broken = Some(Error::new(Cause::Store(why)).with_source(error));
            }
        }
        let output = Output {
            frame: shared.played_frame.load(Ordering::Relaxed),
            shared: shared.clone(),
            messages,
            samples: Vec::new().into_iter(),
            epoch: 0,
            left: 0,
            silent: true,
            ended: false,
        };
        (output, Control(shared))
    }
}

impl Output {
    /// Frames a second, from start to end.
    pub fn rate(&self) -> u32 {
        self.shared.rate
    }

    /// Samples a frame, from start to end.
    pub fn channels(&self) -> u16 {
        self.shared.channels
    }

    /// At the boundary of two frames: what the next one is made of. False is the end.
    fn begin_frame(&mut self) -> bool {
        self.follow_seek();
        while self.samples.len() == 0 && !self.ended {
            match self.messages.try_recv() {
                Ok(Message::Block { epoch, block }) => self.take(epoch, block),
                Ok(Message::End { epoch }) => self.ended = epoch == self.epoch,
                // There is no thread: no more will come.
                Err(TryRecvError::Disconnected) => self.ended = true,
                Err(TryRecvError::Empty) => break,
            }
        }
        self.silent = self.samples.len() == 0;
        self.shared.starving.store(self.silent && !self.ended, Ordering::Relaxed);
        if self.ended && self.silent {
            self.shared.ended_epoch.store(self.epoch + 1, Ordering::Release);
            return false;
        }
        if !self.silent {
            self.frame += 1;
            self.shared.played_frame.store(self.frame, Ordering::Relaxed);
        }
        true
    }

    fn follow_seek(&mut self) {
        let epoch = self.shared.epoch.load(Ordering::Acquire);
        if epoch != self.epoch {
            self.epoch = epoch;
            self.samples = Vec::new().into_iter();
            self.ended = false;
        }
    }

    fn take(&mut self, epoch: u64, block: Block) {
        self.shared.queued_frames.fetch_sub(block.frames() as u64, Ordering::AcqRel);
        self.shared.wake_thread();
        if epoch == self.epoch {
            self.frame = block.frame();
            self.samples = block.into_samples().into_iter();
            self.shared.played_frame.store(self.frame, Ordering::Relaxed);
            self.shared.played_epoch.store(epoch, Ordering::Release);
        }
    }
}

impl Iterator for Output {
    type Item = f32;

    fn next(&mut self) -> Option<f32> {
        if self.left == 0 {
            if !self.begin_frame() {
                return None;
            }
            self.left = self.shared.channels;
        }
        self.left -= 1;
        if self.silent {
            return Some(0.0);
        }
        // Blocks hold whole frames.
        Some(self.samples.next().unwrap_or(0.0))
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Release);
        self.shared.source.close();
        self.shared.wake_thread();
    }
}

impl Control {
    /// Goes on at another time. What is queued is dropped, and a read that waits is superseded. After the end or a
    /// failure it starts again.
    pub fn seek(&self, to: Duration) {
        let mut wanted = self.0.wanted();
        let epoch = self.0.epoch.load(Ordering::Relaxed) + 1;
        wanted.seek = Some((epoch, to));
        wanted.target = to;
        wanted.end = None;
        // All under the lock, so that the newest epoch and target belong together, and the thread, which takes both the
        // seek and the interrupt back under it, can miss neither.
        self.0.epoch.store(epoch, Ordering::Release);
        self.0.source.interrupt();
        drop(wanted);
        self.0.wake_thread();
    }

    /// The presentation time of the next sample; from a seek on, where it goes.
    pub fn position(&self) -> Duration {
        let wanted = self.0.wanted();
        let played = self.0.played_epoch.load(Ordering::Acquire);
        if played == self.0.epoch.load(Ordering::Acquire) {
            time_of(self.0.played_frame.load(Ordering::Relaxed), self.0.rate)
        } else {
            wanted.target
        }
    }

    /// Whether silence is played for want of data.
    pub fn starving(&self) -> bool {
        self.0.starving.load(Ordering::Relaxed)
    }

    /// None while there is more to play; then whether that was the true end, or why not.
    pub fn ended(&self) -> Option<Result<(), Error>> {
        let wanted = self.0.wanted();
        let epoch = self.0.epoch.load(Ordering::Acquire);
        if self.0.ended_epoch.load(Ordering::Acquire) != epoch + 1 {
            return None;
        }
        match &wanted.broken {
            Some(error) => Some(Err(error.clone())),
            None => wanted.end.clone(),
        }
    }
}

impl Shared {
    /// What is in there stays whole whenever a panic might come.
    fn wanted(&self) -> MutexGuard<'_, Wanted> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake_thread(&self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }
}

/// The thread.
struct Worker {
    audio: Audio,
    shared: Arc<Shared>,
    sender: Sender<Message>,
    epoch: u64,
}

impl Worker {
    fn run(mut self) {
        while !self.shared.is_stopped() {
            let next = match self.take_seek() {
                Some((epoch, to)) => {
                    self.epoch = epoch;
                    self.audio.seek(to).and_then(|()| self.audio.next_block())
                }
                None if self.is_ahead() => {
                    thread::park();
                    continue;
                }
                None => self.audio.next_block(),
            };
            match next {
                Ok(Some(block)) => self.send(block),
                Ok(None) => self.rest(Ok(())),
                // Interrupted: for a seek, or for nothing that is known here; then it goes on where it was.
                Err(error) if error.kind() == ErrorKind::Superseded => {}
                Err(error) => self.rest(Err(error)),
            }
        }
    }

    fn take_seek(&self) -> Option<(u64, Duration)> {
        let mut wanted = self.shared.wanted();
        let seek = wanted.seek.take();
        if seek.is_some() {
            self.shared.source.clear_interrupt();
        }
        seek
    }

    fn is_ahead(&self) -> bool {
        self.shared.queued_frames.load(Ordering::Acquire) >= self.shared.ahead_frames
    }

    fn send(&self, block: Block) {
        let frames = block.frames() as u64;
        self.shared.queued_frames.fetch_add(frames, Ordering::AcqRel);
        // Fails when the output is gone: the loop will see that it is stopped.
        let _ = self.sender.send(Message::Block { epoch: self.epoch, block });
    }

    /// Says how it ended, and waits for a seek.
    fn rest(&self, end: Result<(), Error>) {
        let mut wanted = self.shared.wanted();
        if wanted.seek.is_some() {
            return;
        }
        wanted.end = Some(end);
        drop(wanted);
        let _ = self.sender.send(Message::End { epoch: self.epoch });
        while self.shared.wanted().seek.is_none() && !self.shared.is_stopped() {
            thread::park();
        }
    }
}

impl Drop for Worker {
    /// If this is a panic, whoever listens must not wait for ever: with the sender gone the output ends.
    fn drop(&mut self) {
        if thread::panicking() {
            let why = "the decoding thread panicked: please report this".to_owned();
            self.shared.wanted().broken = Some(Error::new(Cause::Unsupported(why)));
        }
    }
}

impl core::fmt::Debug for Output {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Output")
            .field("rate", &self.rate())
            .field("channels", &self.channels())
            .finish_non_exhaustive()
    }
}

impl core::fmt::Debug for Control {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Control")
            .field("position", &self.position())
            .field("starving", &self.starving())
            .field("ended", &self.ended())
            .finish()
    }
}
