//! A [`FileStream`] as a source of audio.

use infill_core::Error;

use super::source::{AudioSource, SourceControl};
use crate::{FileStream, StreamHandle};

impl AudioSource for FileStream {
    fn byte_len(&self) -> Option<u64> {
        Self::byte_len(self)
    }

    fn is_seekable(&self) -> bool {
        Self::is_seekable(self)
    }

    fn control(&self) -> Box<dyn SourceControl> {
        Box::new(self.handle())
    }
}

impl SourceControl for StreamHandle {
    fn interrupt(&self) {
        Self::interrupt(self);
    }

    fn clear_interrupt(&self) {
        Self::clear_interrupt(self);
    }

    fn close(&self) {
        Self::close(self);
    }

    fn error(&self) -> Option<Error> {
        Self::error(self)
    }
}
