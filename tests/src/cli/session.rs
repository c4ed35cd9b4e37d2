//! One run being measured: when things began, how long they took, what the stream says of itself.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use infill_blocking::{Progress, ResourceStatus, StreamHandle};

use super::args::Options;
use super::display::Display;
use super::failure::Failure;
use super::report::{Position, Report, Sought, Status, shown};
use super::watched::{Opened, Watched};

/// How long the last bytes may take from the reader, who has them, to the books.
const COMMIT_TIME: Duration = Duration::from_secs(1);

/// A run. Clones are the same run.
#[derive(Clone, Debug)]
pub struct Session(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    report: Report,
    began: Instant,
    opened: bool,
    read: bool,
    handle: Option<StreamHandle>,
    /// What was to be seen before the stream was closed.
    last: Option<Progress>,
}

/// A seek that is under way.
#[derive(Debug)]
pub struct Seeking {
    to: Position,
    began: Instant,
    session: Session,
}

impl Session {
    pub(super) fn new(options: &Options) -> Self {
        let report = Report { url: shown(&options.source.to_string_lossy()), ..Report::default() };
        Self(Arc::new(Mutex::new(State {
            report,
            began: Instant::now(),
            opened: false,
            read: false,
            handle: None,
            last: None,
        })))
    }

    /// The next thing done is to open the stream.
    pub fn opens(&self) {
        self.state().began = Instant::now();
    }

    /// The stream is open. What is returned is the stream, with an eye on it.
    pub fn watch<S: Opened>(&self, stream: S) -> Watched<S> {
        let mut state = self.state();
        state.report.open_ms = ms_since(state.began);
        state.opened = true;
        state.handle = Some(stream.handle());
        drop(state);
        Watched::new(stream, self.clone())
    }

    /// The next thing done is a seek, with a read there.
    pub fn seeks(&self, to: Position) -> Seeking {
        Seeking { to, began: Instant::now(), session: self.clone() }
    }

    pub(super) fn display(&self) -> Display {
        let session = self.clone();
        Display::start(move || session.progress())
    }

    fn progress(&self) -> Option<Progress> {
        let state = self.state();
        let now = || state.handle.as_ref().map(StreamHandle::progress);
        state.last.clone().or_else(now)
    }

    /// A read has ended.
    pub(super) fn note_read(&self) {
        let mut state = self.state();
        if !state.read {
            state.read = true;
            state.report.first_byte_ms = ms_since(state.began);
        }
    }

    /// What the audio is, as far as it is known.
    pub(super) fn note_audio(&self, duration: Option<Duration>, frames: Option<u64>) {
        let mut state = self.state();
        state.report.duration_s = duration.map(|time| time.as_secs_f64());
        state.report.frames = frames;
    }

    /// Takes down what the stream has come to: once it is closed, it has forgotten.
    pub(super) fn note_stream(&self) {
        let Some(handle) = self.state().handle.clone() else {
            return;
        };
        let status = settled(&handle);
        let (progress, stats) = (handle.progress(), handle.stats());
        let mut state = self.state();
        let report = &mut state.report;
        report.len = progress.byte_len;
        report.status = Status::from(&status);
        report.downloaded = progress.buffered.iter().map(|run| run.end - run.start).sum();
        report.requests = stats.requests;
        report.bytes_fetched = stats.bytes_fetched;
        report.bytes_from_cache = stats.bytes_from_cache;
        report.retries = stats.retries;
        report.stalls = stats.stalls;
        state.last = Some(progress);
    }

    /// The report, when all is over.
    pub(super) fn report(&self, failure: Option<&Failure>) -> Report {
        let state = self.state();
        let mut report = state.report.clone();
        let Some(failure) = failure else {
            return report;
        };
        report.error = Some(failure.to_string());
        if !state.read {
            report.first_byte_ms = ms_since(state.began);
        }
        if !state.opened {
            report.status = Status::Failed;
            report.open_ms = report.first_byte_ms;
            if let Failure::Stream(error) = failure {
                // There is no stream to ask, but its last words count the attempts.
                report.requests = error.attempt().unwrap_or(0).into();
                report.retries = report.requests.saturating_sub(1);
            }
        }
        report
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seeking {
    /// The seek is over: these bytes were read there.
    pub fn read(self, bytes: &[u8]) {
        let sought = Sought::new(self.to, ms_since(self.began), bytes);
        self.session.state().report.seeks.push(sought);
    }
}

/// The status; if all bytes are there, the one after that was noticed.
fn settled(handle: &StreamHandle) -> ResourceStatus {
    let began = Instant::now();
    loop {
        let status = handle.status();
        match status {
            ResourceStatus::Active { downloaded, expected: Some(expected) }
                if downloaded == expected && began.elapsed() < COMMIT_TIME =>
            {
                std::thread::sleep(Duration::from_millis(1));
            }
            _ => return status,
        }
    }
}

/// To the microsecond.
fn ms_since(began: Instant) -> f64 {
    began.elapsed().as_micros() as f64 / 1e3
}
