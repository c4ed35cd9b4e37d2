//! Where encoded bytes come from, and what goes wrong with them.
//!
//! Symphonia owns the reader that it is given, hides its errors in places (a failed read while it looks for the format
//! is 'unsupported format', one while it bisects an Ogg file is a wrong turn) and loses bytes after one. So it gets a
//! [`Tap`]: a view of the shared source that remembers its first error and from then on delivers nothing. Whoever calls
//! Symphonia asks for that error afterwards, whatever Symphonia made of it, and starts again with a new tap.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use infill_core::{Cause, Error};
use symphonia::core::errors::Error as MediaError;
use symphonia::core::io::MediaSource;

/// Encoded audio that can be read and sought: a `FileStream`, or anything else that behaves like one.
///
/// A read that can't be served yet blocks. One that fails returns an [`io::Error`] made from an [`Error`], and may
/// succeed when it is tried again. `is_seekable` is true only if the length is known.
pub trait AudioSource: Read + Seek + Send + Sync + 'static {
    /// The whole length, as soon as it is known.
    fn byte_len(&self) -> Option<u64>;

    /// Whether any position can be read next.
    fn is_seekable(&self) -> bool;

    /// What another thread needs while this one is blocked in a read.
    fn control(&self) -> Box<dyn SourceControl>;
}

/// Reaches a source that another thread is reading.
pub trait SourceControl: Send + Sync {
    /// Ends a read that is blocked now, or else the next that would be, with [`Cause::Superseded`]. Returns at once.
    fn interrupt(&self);

    /// Takes back an interrupt that has ended no read yet.
    fn clear_interrupt(&self);

    /// Ends a read that is blocked now, and all later ones, with [`Cause::Closed`]. Returns at once.
    fn close(&self);

    /// The last cause, until a read succeeds.
    fn error(&self) -> Option<Error>;
}

/// The source, shared by the taps that are made of it one after the other.
#[derive(Clone)]
pub(super) struct Shared(Arc<Mutex<State>>);

struct State {
    source: Box<dyn AudioSource>,
    /// Where the source is; unknown after an error.
    position: Option<u64>,
    /// The first error since the newest tap was made.
    failure: Option<Error>,
}

impl Shared {
    pub(super) fn new(source: impl AudioSource) -> Self {
        Self(Arc::new(Mutex::new(State {
            source: Box::new(source),
            position: None,
            failure: None,
        })))
    }

    pub(super) fn control(&self) -> Box<dyn SourceControl> {
        self.state().source.control()
    }

    /// The length, if every position can be read.
    pub(super) fn seekable_len(&self) -> Option<u64> {
        let state = self.state();
        state.source.byte_len().filter(|_| state.source.is_seekable())
    }

    /// A view that begins at byte `base`. Forgets the failure of the tap before it, which must not be used any more.
    pub(super) fn tap(&self, base: u64) -> Tap {
        self.state().failure = None;
        Tap {
            shared: self.clone(),
            base,
            position: 0,
            len: self.seekable_len().map(|len| len.saturating_sub(base)),
        }
    }

    /// The result of a call into Symphonia, unless the current tap met an error meanwhile: then that, whatever became of
    /// it.
    pub(super) fn judge<T>(
        &self,
        result: Result<T, MediaError>,
    ) -> Result<Result<T, MediaError>, Error> {
        match &self.state().failure {
            Some(error) => Err(error.clone()),
            None => Ok(result),
        }
    }

    /// Reads up to `len` bytes at `offset`; fewer only at the end.
    pub(super) fn read_at(&self, offset: u64, len: usize) -> Result<Vec<u8>, Error> {
        let mut bytes = vec![0; len];
        let mut filled = 0;
        let mut state = self.state();
        while filled < len {
            match state.read(offset + filled as u64, &mut bytes[filled..])? {
                0 => break,
                count => filled += count,
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }

    /// A panic under the lock leaves nothing half done that a new tap does not set anew.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn read(&mut self, offset: u64, buf: &mut [u8]) -> Result<usize, Error> {
        if self.position != Some(offset) {
            self.position = None;
            self.source.seek(SeekFrom::Start(offset)).map_err(|error| self.cause_of(error))?;
            self.position = Some(offset);
        }
        loop {
            match self.source.read(buf) {
                Ok(count) => {
                    self.position = Some(offset + count as u64);
                    return Ok(count);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.position = None;
                    return Err(self.cause_of(error));
                }
            }
        }
    }

    fn cause_of(&self, error: io::Error) -> Error {
        Error::from_io(&error).cloned().or_else(|| self.source.control().error()).unwrap_or_else(
            || {
                Error::new(Cause::Store(format!("the audio can't be read: {error}")))
                    .with_source(error)
            },
        )
    }
}

/// What Symphonia reads.
pub(super) struct Tap {
    shared: Shared,
    /// The byte of the source that this view calls 0.
    base: u64,
    /// Where this view is. The source follows at the next read, so a seek costs nothing.
    position: u64,
    /// Asked once: Symphonia asks often.
    len: Option<u64>,
}

impl Read for Tap {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let mut state = self.shared.state();
        if let Some(error) = &state.failure {
            return Err(error.clone().into());
        }
        match state.read(self.base + self.position, buf) {
            Ok(count) => {
                self.position += count as u64;
                Ok(count)
            }
            Err(error) => {
                state.failure = Some(error.clone());
                Err(error.into())
            }
        }
    }
}

impl Seek for Tap {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(delta) => self.position.checked_add_signed(delta),
            SeekFrom::End(delta) => self.len.and_then(|len| len.checked_add_signed(delta)),
        };
        self.position = target.ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidInput, "a seek to before the start")
        })?;
        Ok(self.position)
    }
}

impl MediaSource for Tap {
    fn is_seekable(&self) -> bool {
        self.len.is_some()
    }

    fn byte_len(&self) -> Option<u64> {
        self.len
    }
}
