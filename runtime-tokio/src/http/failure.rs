//! What reqwest's errors mean.

use std::error::Error;
use std::io;

use infill_core::{FailureKind, FetchFailure};

/// What is found at the bottom of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ground {
    /// The connection was closed in the middle of a message.
    Ended,
    /// It broke.
    Broken,
    /// It was closed before the request was written, or the origin says that it did nothing.
    Unprocessed,
    /// That is not HTTP.
    Syntax,
}

/// An error before a response head. `pooled`: the connection may have been an idle one, dead unnoticed.
pub(super) fn head_failure(error: reqwest::Error, pooled: bool) -> FetchFailure {
    let kind = if error.is_connect() {
        FailureKind::Connect
    } else if error.is_builder() || error.is_redirect() {
        FailureKind::Protocol
    } else {
        match ground(&error) {
            Some(Ground::Ended | Ground::Broken) if pooled => FailureKind::NotProcessed,
            Some(Ground::Unprocessed) => FailureKind::NotProcessed,
            Some(Ground::Syntax) => FailureKind::Protocol,
            // Time-outs are among these: there are none but an embedder's.
            Some(Ground::Ended | Ground::Broken) | None => FailureKind::Reset,
        }
    };
    FetchFailure::new(kind, describe(&error.without_url()))
}

/// An error in a body.
pub(super) fn body_failure(error: reqwest::Error) -> FetchFailure {
    let kind = match ground(&error) {
        Some(Ground::Ended) => FailureKind::Truncated,
        Some(Ground::Syntax) => FailureKind::Protocol,
        Some(Ground::Broken | Ground::Unprocessed) | None => FailureKind::Reset,
    };
    FetchFailure::new(kind, describe(&error.without_url()))
}

/// An error and what is beneath it, in one line.
pub(super) fn describe(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let said = cause.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        source = cause.source();
    }
    text
}

/// The first thing in the chain that says what happened.
fn ground(error: &(dyn Error + 'static)) -> Option<Ground> {
    let mut next = Some(error);
    while let Some(error) = next {
        let found = if let Some(error) = error.downcast_ref::<hyper::Error>() {
            of_hyper(error)
        } else if let Some(error) = error.downcast_ref::<io::Error>() {
            of_io(error)
        } else {
            of_h2(error)
        };
        if found.is_some() {
            return found;
        }
        next = error.source();
    }
    None
}

fn of_hyper(error: &hyper::Error) -> Option<Ground> {
    if error.is_parse() {
        Some(Ground::Syntax)
    } else if error.is_incomplete_message() {
        Some(Ground::Ended)
    } else if error.is_canceled() || error.is_closed() {
        Some(Ground::Unprocessed)
    } else {
        None
    }
}

fn of_io(error: &io::Error) -> Option<Ground> {
    use io::ErrorKind::*;
    match error.kind() {
        UnexpectedEof => Some(Ground::Ended),
        BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected | WriteZero => {
            Some(Ground::Broken)
        }
        InvalidData | InvalidInput => Some(Ground::Syntax),
        _ => None,
    }
}

/// Streams that the origin refused, or that came after its farewell, were not processed (RFC 9113, section 8.7).
#[cfg(feature = "http2")]
fn of_h2(error: &(dyn Error + 'static)) -> Option<Ground> {
    let error = error.downcast_ref::<h2::Error>()?;
    let refused = error.reason() == Some(h2::Reason::REFUSED_STREAM);
    let farewell = error.is_go_away() && error.reason() == Some(h2::Reason::NO_ERROR);
    (refused || farewell).then_some(Ground::Unprocessed)
}

#[cfg(not(feature = "http2"))]
fn of_h2(_error: &(dyn Error + 'static)) -> Option<Ground> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;

    fn client() -> reqwest::Client {
        crate::reqwest_builder().unwrap().no_proxy().build().unwrap()
    }

    /// What reqwest says about a server that answers `answer` and closes.
    async fn meet(answer: &'static [u8]) -> Result<reqwest::Response, reqwest::Error> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/?secret", listener.local_addr().unwrap());
        let server = std::thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            let _ = socket.read(&mut [0; 1024]).unwrap();
            socket.write_all(answer).unwrap();
        });
        let response = client().get(url).send().await;
        server.join().unwrap();
        response
    }

    #[tokio::test]
    async fn an_answer_that_never_came() {
        let gone = || async { meet(b"").await.unwrap_err() };
        assert_eq!(head_failure(gone().await, true).kind, FailureKind::NotProcessed);
        let failure = head_failure(gone().await, false);
        assert_eq!(failure.kind, FailureKind::Reset);
        assert!(!failure.detail.contains("secret"), "{}", failure.detail);
        let noise = meet(b"\x16\x03\x01 what is this\r\n\r\n").await.unwrap_err();
        assert_eq!(head_failure(noise, true).kind, FailureKind::Protocol);
        let differ = meet(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc");
        assert_eq!(head_failure(differ.await.unwrap_err(), false).kind, FailureKind::Protocol);
    }

    #[tokio::test]
    async fn who_was_not_reached_answered_nothing() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        drop(listener);
        let error = client().get(url).send().await.unwrap_err();
        assert_eq!(head_failure(error, true).kind, FailureKind::Connect);
    }

    #[tokio::test]
    async fn bodies_that_break_off() {
        for (answer, kind) in [
            (&b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"[..], FailureKind::Truncated),
            (
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc",
                FailureKind::Truncated,
            ),
            (
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc",
                FailureKind::Protocol,
            ),
        ] {
            let mut response = meet(answer).await.unwrap();
            let error = loop {
                match response.chunk().await {
                    Ok(part) => assert!(part.is_some(), "an end that is none"),
                    Err(error) => break error,
                }
            };
            assert_eq!(body_failure(error).kind, kind, "{answer:?}");
        }
    }
}
