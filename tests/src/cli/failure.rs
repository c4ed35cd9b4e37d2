//! Why a run failed, in one line.

use core::fmt;
use std::io;
use std::path::Path;

use infill_blocking::Error;

/// Why a run failed.
#[derive(Debug)]
pub enum Failure {
    /// What was to be played could not be.
    Stream(Error),
    /// What came of it could not be written, or there is something else wrong on this side.
    Output(String),
}

impl Failure {
    /// For errors of writing to a place.
    pub fn output(place: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Output(format!("can't write {}: {error}", place.as_ref().display()))
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Stream(error)
    }
}

impl From<io::Error> for Failure {
    /// Of a read or a seek: what infill says is in it.
    fn from(error: io::Error) -> Self {
        match Error::from_io(&error) {
            Some(error) => Self::Stream(error.clone()),
            None => Self::Output(error.to_string()),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stream(error) => error.fmt(f),
            // Names of files may hold anything.
            Self::Output(what) => f.write_str(&what.replace(['\n', '\r'], " ")),
        }
    }
}
