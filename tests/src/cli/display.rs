//! The progress display: one line on standard error, in place, a few times a second.
//!
//! ```text
//! [############+...........|####..............................] 31% of 9.5 MB, 1.2 MB/s, downloading
//! ```
//! `#` is present, `+` in part, `.` missing, `|` where the reader is.

use std::io::Write;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use infill_blocking::{Progress, State};

const CELLS: usize = 60;

const INTERVAL: Duration = Duration::from_millis(100);

/// A thread that draws, until it is told that all is over.
pub(super) struct Display {
    end: Sender<bool>,
    thread: JoinHandle<()>,
}

impl Display {
    /// Begins to draw what `look` finds.
    pub(super) fn start(look: impl Fn() -> Option<Progress> + Send + 'static) -> Self {
        let (end, ended) = channel();
        let thread = thread::spawn(move || {
            let line = || line(look().as_ref().map(Look::of).as_ref());
            loop {
                draw(&line());
                match ended.recv_timeout(INTERVAL) {
                    Err(RecvTimeoutError::Timeout) => {}
                    Ok(true) => return keep(&line()),
                    Ok(false) | Err(RecvTimeoutError::Disconnected) => return draw(""),
                }
            }
        });
        Self { end, thread }
    }

    /// Draws no more. What was drawn stays if all went well, else it makes room for the failure.
    pub(super) fn end(self, well: bool) {
        // Fails only if the thread is gone, and then nothing is drawn any more.
        let _ = self.end.send(well);
        let _ = self.thread.join();
    }
}

/// What a look at a stream finds.
struct Look {
    len: Option<u64>,
    present: Vec<core::ops::Range<u64>>,
    position: u64,
    rate: u64,
    starving: bool,
    state: State,
}

impl Look {
    fn of(progress: &Progress) -> Self {
        Self {
            len: progress.byte_len,
            present: progress.buffered.clone(),
            position: progress.position,
            rate: progress.rate,
            starving: progress.starving,
            state: progress.state,
        }
    }
}

/// In place; a line that is too long for the terminal is cut, not wrapped.
fn draw(line: &str) {
    let mut err = std::io::stderr().lock();
    let home = if line.is_empty() { "\r" } else { "" };
    // Without a terminal any more there is nothing to show.
    let _ = write!(err, "\r\x1b[?7l{line}\x1b[K\x1b[?7h{home}");
    let _ = err.flush();
}

fn keep(line: &str) {
    draw(line);
    let _ = writeln!(std::io::stderr().lock());
}

fn line(look: Option<&Look>) -> String {
    let Some(look) = look else {
        return "opening".into();
    };
    let present: u64 = look.present.iter().map(|run| run.end - run.start).sum();
    // Without a length, the bar is as long as what is known to exist.
    let known = look.present.last().map_or(0, |run| run.end);
    let bar = bar(look, look.len.unwrap_or(known.max(look.position)));
    let amount = match look.len {
        // Not 100% before it is.
        Some(len) => format!("{}% of {}", present * 100 / len.max(1), size(len)),
        None => size(present),
    };
    let waits = if look.starving { ", reader waits" } else { "" };
    format!("[{bar}] {amount}, {}/s, {}{waits}", size(look.rate), state(look.state))
}

fn bar(look: &Look, len: u64) -> String {
    let edge = |cell: usize| (u128::from(len) * cell as u128 / CELLS as u128) as u64;
    let reader = (0..CELLS).rev().find(|&cell| edge(cell) <= look.position).unwrap_or(0);
    let cell = |cell: usize| {
        let (start, end) = (edge(cell), edge(cell + 1));
        let overlap =
            |run: &core::ops::Range<u64>| run.end.min(end).saturating_sub(run.start.max(start));
        let present: u64 = look.present.iter().map(overlap).sum();
        match present {
            _ if cell == reader => '|',
            0 => '.',
            _ if present < end - start => '+',
            _ => '#',
        }
    };
    (0..CELLS).map(cell).collect()
}

fn state(state: State) -> String {
    match state {
        State::Connecting => "connecting".into(),
        State::Downloading => "downloading".into(),
        State::Waiting { retry_in } => format!("next try in {:.1} s", retry_in.as_secs_f64()),
        State::Idle => "idle".into(),
        State::Complete => "complete".into(),
        State::Failed => "failed".into(),
        _ => "closed".into(),
    }
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look() -> Look {
        Look {
            len: Some(6_000),
            present: vec![0..1_250, 3_000..3_600],
            position: 2_950,
            rate: 1_234_567,
            starving: true,
            state: State::Downloading,
        }
    }

    #[test]
    fn shows_what_is_present_and_where_the_reader_is() {
        let (present, hole) = ("#".repeat(12), ".".repeat(16));
        let (ahead, missing) = ("#".repeat(6), ".".repeat(24));
        assert_eq!(
            line(Some(&look())),
            format!(
                "[{present}+{hole}|{ahead}{missing}] 30% of 6.0 kB, 1.2 MB/s, downloading, reader waits"
            )
        );
        assert_eq!(line(None), "opening");
    }

    #[test]
    fn any_state_of_a_stream_makes_a_bar_of_one_length() {
        let run = |range: core::ops::Range<u64>| Vec::from([range]);
        for (len, present, position) in [
            (None, Vec::new(), 0),
            (Some(0), Vec::new(), 0),
            (Some(1), run(0..1), 1),
            (Some(59), run(0..59), 59),
            (None, run(5..9), 700),
            (Some(10), run(0..10), u64::MAX),
            (Some(u64::MAX), run(0..u64::MAX / 100), 0),
        ] {
            let look = Look { len, present, position, ..look() };
            let bar = bar(&look, len.unwrap_or(700));
            assert_eq!(bar.chars().count(), CELLS, "{bar}");
            assert_eq!(bar.matches('|').count(), 1, "{bar}");
        }
    }

    #[test]
    fn it_ends_when_it_is_told() {
        let display = Display::start(|| None);
        display.end(false);
    }
}
