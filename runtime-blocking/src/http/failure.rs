//! What ureq's errors mean.

use std::error::Error as _;
use std::io::{self, ErrorKind};

use infill_core::{FailureKind, FetchFailure};

/// Where in an exchange it happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Before a response head.
    Head {
        /// The lane had a connection to this origin, which may have died unnoticed.
        reused: bool,
    },
    /// In the body.
    Body,
}

/// An error in the core's terms.
pub(super) fn failure(error: &ureq::Error, stage: Stage) -> FetchFailure {
    FetchFailure::new(kind(error, stage), describe(error))
}

/// An error of a body's reader in the core's terms.
pub(super) fn body_failure(error: &io::Error) -> FetchFailure {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    match inner {
        Some(inner) => failure(inner, Stage::Body),
        None => FetchFailure::new(io_kind(error, Stage::Body), error.to_string()),
    }
}

fn kind(error: &ureq::Error, stage: Stage) -> FailureKind {
    use ureq::{Error, Timeout};
    match error {
        Error::Io(error) => io_kind(error, stage),
        Error::HostNotFound
        | Error::ConnectionFailed
        | Error::ConnectProxyFailed(_)
        | Error::InvalidProxyUrl
        | Error::Tls(_)
        | Error::TlsRequired
        | Error::RequireHttpsOnly(_)
        | Error::Timeout(Timeout::Connect | Timeout::Resolve) => FailureKind::Connect,
        // Time-outs other than that for connecting are off, but an embedder's agent may know more of them.
        Error::Timeout(_) => FailureKind::Reset,
        #[cfg(feature = "rustls")]
        Error::Rustls(_) => FailureKind::Connect,
        _ => FailureKind::Protocol,
    }
}

fn io_kind(error: &io::Error, stage: Stage) -> FailureKind {
    let broken = matches!(
        error.kind(),
        ErrorKind::BrokenPipe
            | ErrorKind::ConnectionAborted
            | ErrorKind::ConnectionReset
            | ErrorKind::NotConnected
            | ErrorKind::UnexpectedEof
            | ErrorKind::WriteZero
    );
    match stage {
        // ureq doesn't tell a reset from an end here.
        Stage::Body if error.kind() == ErrorKind::UnexpectedEof => FailureKind::Truncated,
        Stage::Body => FailureKind::Reset,
        Stage::Head { reused: true } if broken => FailureKind::NotProcessed,
        Stage::Head { reused: false } if broken => FailureKind::Reset,
        Stage::Head { .. } if error.kind() == ErrorKind::InvalidData && !is_tls(error) => {
            FailureKind::Protocol
        }
        Stage::Head { .. } => FailureKind::Connect,
    }
}

/// rustls wraps its errors as invalid data.
fn is_tls(error: &io::Error) -> bool {
    let text = error.get_ref().map(ToString::to_string);
    text.is_some_and(|text| text.contains("certificate") || text.contains("handshake"))
}

fn describe(error: &ureq::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_pooled_connection_has_processed_nothing() {
        let gone = || ureq::Error::from(io::Error::from(ErrorKind::ConnectionReset));
        let kind = |stage| failure(&gone(), stage).kind;
        assert_eq!(kind(Stage::Head { reused: true }), FailureKind::NotProcessed);
        assert_eq!(kind(Stage::Head { reused: false }), FailureKind::Reset);
        assert_eq!(kind(Stage::Body), FailureKind::Reset);
        let cut = io::Error::from(ErrorKind::UnexpectedEof);
        assert_eq!(body_failure(&cut).kind, FailureKind::Truncated);
    }

    #[test]
    fn who_was_not_reached_answered_nothing() {
        let head = Stage::Head { reused: true };
        for error in [
            ureq::Error::HostNotFound,
            ureq::Error::from(io::Error::from(ErrorKind::ConnectionRefused)),
            ureq::Error::from(io::Error::from(ErrorKind::NetworkUnreachable)),
            ureq::Error::Timeout(ureq::Timeout::Connect),
        ] {
            assert_eq!(failure(&error, head).kind, FailureKind::Connect, "{error}");
        }
        let bad = ureq::Error::LargeResponseHeader(9, 8);
        assert_eq!(failure(&bad, head).kind, FailureKind::Protocol);
    }
}
