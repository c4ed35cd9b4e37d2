//! One reader's core, for both runtimes: hits without the engine, misses by one request at a time.
//!
//! Invariants: bytes are given only after the view was looked at before and after the copy; all bytes of a family (a
//! stream with its `read_at`s) are of one version; every wait ends by an answer, an interrupt, or a close.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::task::{Context, Poll, Waker, ready};

use infill_core::{Answer, ByteRange, Cause, Entry, Error, StoreFailure};

use super::Letter;
use super::block::Block;
use super::fill::Fill;
use super::hub::{Hub, Link};
use super::resource::{Copied, Found, Resource, Stored};
use super::slot::{Post, Slot};
use super::track::Track;

/// How a reader comes to stored bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// On the thread that reads.
    Inline,
    /// By the store's workers, a block at a time, where a disk may have to be waited for; else inline.
    Hop,
}

/// A reading position in a track. Dropping it ends what it asked for; dropping the last one closes the track.
pub struct Reader {
    slot: Arc<Slot>,
    family: Arc<Family>,
    access: Access,
    block: Block,
    /// The position of the request that is out.
    waiting: Option<u64>,
    fill: Option<Fill>,
    /// The engine has heard of it.
    posted: bool,
    /// Only for one `read_at`.
    guest: bool,
    failed: bool,
    // After the slot's last mail: dropping it may close the track.
    link: Arc<Link>,
}

/// What one stream and its `read_at`s have in common.
pub struct Family {
    /// The version that it reads, from its first byte on.
    latch: OnceLock<Arc<Resource>>,
    host: Arc<Slot>,
    /// Of reads beside the stream's own.
    guests: Mutex<Vec<Weak<Slot>>>,
    /// Of readers that the stream itself reads with: those of a presentation's parts.
    helpers: Mutex<Vec<Weak<Slot>>>,
}

impl Reader {
    pub(super) fn new(link: Arc<Link>, position: u64, access: Access) -> Self {
        let id = link.hub.next_reader();
        let slot = Arc::new(Slot::new(link.track.id(), id, position));
        let family = Family {
            latch: OnceLock::new(),
            host: Arc::clone(&slot),
            guests: Mutex::default(),
            helpers: Mutex::default(),
        };
        Self::of(link, Arc::new(family), slot, access, false)
    }

    fn of(
        link: Arc<Link>,
        family: Arc<Family>,
        slot: Arc<Slot>,
        access: Access,
        guest: bool,
    ) -> Self {
        Self {
            slot,
            family,
            access,
            block: Block::new(guest),
            waiting: None,
            fill: None,
            posted: false,
            guest,
            failed: false,
            link,
        }
    }

    /// A reader of a part of the presentation that this one is attached to. Interrupting the one ends what the other
    /// waits for.
    pub(super) fn part(&self, part: Arc<Track>) -> Self {
        let mut reader = Self::new(self.link.part(part), 0, self.access);
        reader.attach();
        let slots = if self.guest { &self.family.guests } else { &self.family.helpers };
        add(slots, &reader.slot);
        reader
    }

    /// Its slot.
    pub(super) fn slot(&self) -> &Slot {
        &self.slot
    }

    /// Has the presentation enter a segment; the answer comes to the slot.
    pub(super) fn enter(&mut self, entry: Entry, waker: &Waker) {
        self.introduce();
        let post = self.slot.enter(entry, waker);
        self.post(post);
    }

    /// Tells the engine that there is such a reader.
    pub(super) fn attach(&mut self) {
        let position = self.slot.position();
        let post = self.slot.seek(position);
        self.post(post);
    }

    /// Another reader of the same track, with a position and a version of its own.
    pub fn fork(&self, position: u64, access: Access) -> Self {
        let mut fork = Self::new(Arc::clone(&self.link), position, access);
        fork.attach();
        fork
    }

    /// A reader for one `read_at` beside this one, of the same version. Unknown to the engine until it misses.
    pub fn guest(&self, position: u64) -> Self {
        let id = self.link.hub.next_reader();
        let slot = Arc::new(Slot::new(self.link.track.id(), id, position));
        Self::of(Arc::clone(&self.link), Arc::clone(&self.family), slot, self.access, true)
    }

    /// The track that it reads.
    pub fn track(&self) -> &Arc<Track> {
        &self.link.track
    }

    /// The version that it reads, or would read now.
    pub fn resource(&self) -> Option<Arc<Resource>> {
        self.family.resource(&self.link.track)
    }

    /// Whose engine it is.
    pub(super) fn hub(&self) -> &Hub {
        &self.link.hub
    }

    /// What its handles need.
    pub fn family(&self) -> &Arc<Family> {
        &self.family
    }

    /// Changes how it comes to stored bytes.
    pub fn set_access(&mut self, access: Access) {
        self.access = access;
    }

    /// Notes that the position is another now. The engine is told only where that makes a difference: inside the known
    /// length, at bytes that are not here.
    pub fn seek(&mut self, to: u64) {
        self.withdraw();
        self.note(to);
        let Some(resource) = self.resource() else {
            return;
        };
        let inside = resource.with_view(|view| view.len().is_some_and(|len| to < len));
        if inside && !resource.is_present(to) && !self.link.track.is_closed() {
            let post = self.slot.seek(to);
            self.post(post);
        }
    }

    /// Gives up a read that was pending. It has moved nothing.
    pub fn withdraw(&mut self) {
        if self.waiting.take().is_some() {
            self.slot.withdraw();
        }
    }

    /// Reads at `offset` if the bytes are held here already: the cheapest of all hits.
    pub fn read_held(&mut self, offset: u64, buf: &mut [u8]) -> Option<usize> {
        if self.waiting.is_some() || buf.is_empty() || self.link.track.is_closed() {
            return None;
        }
        let count = self.block.copy(offset, buf)?;
        self.read(offset + count as u64);
        Some(count)
    }

    /// Reads at `offset`: some bytes, or 0 at the true end, or the cause why not.
    pub fn poll_read_at(
        &mut self,
        cx: &mut Context<'_>,
        offset: u64,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let result = ready!(self.poll_read(cx, offset, buf));
        // Whatever it has come to, nothing is waited for any more.
        self.withdraw();
        Poll::Ready(match result {
            Ok(count) => {
                self.read(offset + count as u64);
                Ok(count)
            }
            Err(error) => {
                self.failed = true;
                self.family.host.set_error(Some(error.clone()));
                Err(error.into())
            }
        })
    }

    /// Keeps the books of a read that succeeded and ended at `position`.
    fn read(&mut self, position: u64) {
        if core::mem::take(&mut self.failed) {
            self.family.host.set_error(None);
        }
        self.note(position);
    }

    /// Notes where it is; the engine hears of it when that passes its mark.
    fn note(&mut self, position: u64) {
        if self.slot.note_position(position) {
            let post = self.slot.advanced(position);
            self.post(post);
        }
    }

    fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        offset: u64,
        buf: &mut [u8],
    ) -> Poll<Result<usize, Error>> {
        if buf.is_empty() && !self.link.track.is_closed() {
            return Poll::Ready(Ok(0));
        }
        loop {
            // Each time: what is found may be another track's, too, and go on.
            if self.link.track.is_closed() {
                // No answer will come to what it waits for.
                self.withdraw();
                return Poll::Ready(Err(Cause::Closed.into()));
            }
            if let Some(count) = self.block.copy(offset, buf) {
                return Poll::Ready(Ok(count));
            }
            if let Some(fill) = &mut self.fill {
                ready!(fill.poll(cx.waker()));
                if let Err(error) = self.take_fill(cx, offset, buf.len()) {
                    return Poll::Ready(Err(error));
                }
                continue;
            }
            if self.waiting == Some(offset) {
                let answer = ready!(self.slot.poll(cx.waker()));
                self.waiting = None;
                match answer {
                    Answer::Readable | Answer::Entered(_) => {}
                    Answer::End => return Poll::Ready(Ok(0)),
                    Answer::Failed(error) => return Poll::Ready(Err(error)),
                    Answer::Superseded => return Poll::Ready(Err(Cause::Superseded.into())),
                }
            }
            match self.look(cx, offset, buf) {
                Ok(None) => {}
                Ok(Some(count)) => return Poll::Ready(Ok(count)),
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    /// Looks at the view; reads, or begins what leads to reading.
    fn look(
        &mut self,
        cx: &mut Context<'_>,
        offset: u64,
        buf: &mut [u8],
    ) -> Result<Option<usize>, Error> {
        let resource = self.resource();
        let found = resource.as_ref().map(|resource| resource.find(offset));
        match (found, resource) {
            (Some(Found::Chunk(bytes)), Some(resource)) => {
                if self.latch(&resource) {
                    self.block.hold_chunk(offset, bytes);
                }
            }
            (Some(Found::Stored(stored)), Some(resource)) => match self.access {
                Access::Hop if stored.blob.may_block() => {
                    let wanted = self.block.hop_len(stored.end - offset, buf.len());
                    let into = self.block.lend();
                    let pool = self.link.hub.pool();
                    self.fill = Some(Fill::start(pool, resource, stored, offset, wanted, into));
                }
                _ => return self.read_inline(cx, &resource, &stored, offset, buf),
            },
            (Some(Found::End), _) => return Ok(Some(0)),
            _ => self.ask(cx, offset, buf.len()),
        }
        Ok(None)
    }

    fn read_inline(
        &mut self,
        cx: &mut Context<'_>,
        resource: &Arc<Resource>,
        stored: &Stored,
        offset: u64,
        buf: &mut [u8],
    ) -> Result<Option<usize>, Error> {
        let run = usize::try_from(stored.end - offset).unwrap_or(usize::MAX);
        let window = self.block.window(offset);
        let direct = buf.len() >= window;
        let wanted = run.min(if direct { buf.len() } else { window });
        let copied = if direct {
            resource.copy(stored, offset, &mut buf[..wanted])
        } else {
            resource.copy(stored, offset, self.block.space(wanted))
        };
        match copied {
            Copied::Good(count) => {
                if !self.latch(resource) {
                    return Ok(None);
                }
                if direct {
                    self.block.passed(offset + count as u64);
                    return Ok(Some(count));
                }
                self.block.hold_own(offset, count);
            }
            Copied::Stale => {}
            Copied::Failed(failure) => {
                let range = ByteRange::at(offset, wanted as u64);
                self.report(resource, range, failure)?;
                self.ask(cx, offset, buf.len());
            }
        }
        Ok(None)
    }

    /// Takes over what the store's workers have read.
    fn take_fill(&mut self, cx: &mut Context<'_>, offset: u64, wanted: usize) -> Result<(), Error> {
        let Some(done) = self.fill.take().and_then(Fill::finish) else {
            return Ok(());
        };
        match done.copied {
            Copied::Good(count) => {
                self.block.give_back(done.bytes);
                if self.latch(&done.resource) {
                    self.block.hold_own(done.offset, count);
                }
            }
            Copied::Stale => self.block.give_back(done.bytes),
            Copied::Failed(failure) => {
                let range = ByteRange::at(done.offset, done.bytes.len() as u64);
                self.report(&done.resource, range, failure)?;
                self.ask(cx, offset, wanted);
            }
        }
        Ok(())
    }

    /// Latches the version; false when the family reads another one.
    fn latch(&self, resource: &Arc<Resource>) -> bool {
        let latched = self.family.latch.get_or_init(|| Arc::clone(resource));
        latched.id() == resource.id()
    }

    fn ask(&mut self, cx: &mut Context<'_>, offset: u64, wanted: usize) {
        self.introduce();
        let latched = self.family.latch.get().map(|resource| resource.id());
        let range = ByteRange::at(offset, wanted as u64);
        // Many readers may wait at once, and what this one holds is in the store.
        self.block.free();
        self.waiting = Some(offset);
        let post = self.slot.ask(latched, range, cx.waker());
        self.post(post);
    }

    /// Where the engine is about to hear of a guest, whoever interrupts the family must find it.
    fn introduce(&self) {
        if self.guest && !self.posted {
            add(&self.family.guests, &self.slot);
        }
    }

    /// Tells the engine that stored bytes could not be read: they will be fetched again. What is local can't be.
    fn report(
        &mut self,
        resource: &Resource,
        range: ByteRange,
        failure: StoreFailure,
    ) -> Result<(), Error> {
        tracing::warn!(?range, detail = failure.detail, "stored bytes can't be read");
        if self.link.track.is_local() {
            let error = Error::new(Cause::Store(failure.detail));
            return Err(error.with_offset(range.start));
        }
        let post = self.slot.read_failed(resource.id(), range, failure);
        self.post(post);
        Ok(())
    }

    fn post(&mut self, post: Post) {
        self.posted = true;
        if post == Post::Needed && !self.link.track.post(Letter::Reader(Arc::clone(&self.slot))) {
            // No engine: nobody would ever answer.
            self.slot.close();
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if self.posted {
            let post = self.slot.detach();
            self.post(post);
        }
        if self.guest {
            slots(&self.family.guests).retain(|guest| guest.strong_count() > 1);
        }
    }
}

impl Family {
    /// The stream's own slot.
    pub(crate) fn host(&self) -> &Slot {
        &self.host
    }

    /// The version that the family reads, or would read now.
    pub(crate) fn resource(&self, track: &Track) -> Option<Arc<Resource>> {
        self.latch.get().cloned().or_else(|| track.current())
    }

    /// Whether the stream itself waits for something.
    pub(crate) fn is_waiting(&self) -> bool {
        let waits = |slot: &Weak<Slot>| slot.upgrade().is_some_and(|slot| slot.is_waiting());
        self.host.is_waiting() || slots(&self.helpers).iter().any(waits)
    }

    /// Ends the reads that wait; without any, the stream's next one that would.
    pub(crate) fn interrupt(&self) {
        let mut guests: Vec<_> = slots(&self.guests).iter().filter_map(Weak::upgrade).collect();
        guests.extend(slots(&self.helpers).iter().filter_map(Weak::upgrade));
        let waiting: Vec<_> = guests.iter().filter(|guest| guest.is_waiting()).collect();
        if waiting.is_empty() || self.host.is_waiting() {
            self.host.interrupt();
        }
        waiting.into_iter().for_each(|guest| guest.interrupt());
    }
}

fn add(to: &Mutex<Vec<Weak<Slot>>>, slot: &Arc<Slot>) {
    let mut slots = slots(to);
    slots.retain(|old| old.strong_count() > 0);
    slots.push(Arc::downgrade(slot));
}

fn slots(of: &Mutex<Vec<Weak<Slot>>>) -> MutexGuard<'_, Vec<Weak<Slot>>> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
