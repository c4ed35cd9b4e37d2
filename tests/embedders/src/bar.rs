//! Program 3: a progress bar in a frame loop.

use std::time::Duration;

use infill_blocking::StreamHandle;
use infill_blocking::audio::Control;

/// A bar that shows what is here; a click on it seeks.
pub struct Bar {
    /// Of the stream that is played.
    pub handle: StreamHandle,
    /// Of the output that plays it.
    pub control: Control,
}

impl Bar {
    /// Draws the parts that are here, from 0 to 1; whether to show that it is waiting for the network.
    pub fn frame(&self, mut draw: impl FnMut(f32, f32)) -> bool {
        let progress = self.handle.progress();
        let len = progress.byte_len.unwrap_or(1) as f32;
        for range in &progress.buffered {
            draw(range.start as f32 / len, range.end as f32 / len);
        }
        self.control.starving()
    }

    /// Plays on from another time.
    pub fn clicked(&self, to: Duration) {
        self.control.seek(to);
    }
}
