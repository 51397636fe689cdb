//! Why a poll or a report did not succeed, and whether asking again helps.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use ureq::http::Response;
use ureq::{Body, Error, Timeout};

use super::answer::Answer;
use super::elements::{ListError, Malformed};
use super::kind::Kind;
use super::retry_after::retry_after;
use crate::config::Unfilled;
use crate::random::NoRandomNumbers;
use crate::record::Route;
use crate::upstream::network_error::NetworkError;
use crate::upstream::tls::{self, TlsFileError};

/// Why a poll or a report did not succeed.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) cause: Cause,
    /// When the service wants to be asked again at the earliest.
    pub(super) retry_after: Option<Duration>,
}

/// What went wrong. In words, it is a clause that follows "… failed:".
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cause {
    /// The service's answer reports no success.
    Answer(Answer),
    /// Billing answers 404 to a PATCH: it need not know the intercom by that name any more.
    UnknownIntercom(Answer),
    /// The list of pending requests is not JSON.
    Malformed(Malformed),
    /// The list of pending requests is compressed, although the panel did not ask for that.
    Compressed,
    /// The network has failed.
    Network(NetworkError),
    /// TLS has failed.
    Tls(Box<rustls::Error>),
    /// A phase of the exchange has reached its time limit.
    TooLong(Timeout),
    /// The head of the answer is longer than the panel reads.
    HeadTooLong,
    /// The answer is not HTTP, as the library describes it.
    NotHttp(String),
    /// The proxy does not connect the panel, as the library describes it.
    Proxy(String),
    /// There is no connection, for no reason that the library gives.
    NotConnected,
    /// A path of the configuration asks for something that the board does not know.
    Path { path: String, why: Unfilled },
    /// A file of the configuration cannot be used, as its error describes it.
    File(String),
    /// The token in this file cannot stand in a header.
    Token(PathBuf),
    /// The report cannot be written as JSON.
    Report(String),
    /// A poll needs a random number.
    NoRandomNumbers(NoRandomNumbers),
    /// The system has no thread for the exchange.
    NoThread(String),
    /// The agent wants another connection.
    GivenUp,
    /// Anything else, as the library describes it.
    Other(String),
}

impl Trouble {
    /// From an answer that reports no success, on this route.
    pub(super) fn answer(response: Response<Body>, route: Route) -> Self {
        let retry_after = retry_after(response.headers());
        Trouble { cause: Cause::Answer(Answer::read(response, route)), retry_after }
    }

    pub(super) fn kind(&self) -> Kind {
        self.cause.kind()
    }
}

impl Cause {
    fn kind(&self) -> Kind {
        match self {
            Cause::Answer(answer) => answer.kind(),
            Cause::UnknownIntercom(_) | Cause::Report(_) => Kind::Refused,
            Cause::Malformed(Malformed::CutShort | Malformed::Misplaced(_))
            | Cause::Network(_)
            | Cause::TooLong(_)
            | Cause::HeadTooLong
            | Cause::NotHttp(_)
            | Cause::NotConnected
            | Cause::NoRandomNumbers(_)
            | Cause::NoThread(_)
            | Cause::GivenUp => Kind::Passing,
            Cause::Malformed(Malformed::NotAList)
            | Cause::Compressed
            | Cause::Tls(_)
            | Cause::Proxy(_)
            | Cause::Path { .. }
            | Cause::File(_)
            | Cause::Token(_)
            | Cause::Other(_) => Kind::Lasting,
        }
    }
}

impl From<Cause> for Trouble {
    fn from(cause: Cause) -> Self {
        Trouble { cause, retry_after: None }
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        let cause = match error {
            Error::Io(why) => io_cause(&why),
            Error::Other(why) => match tls::tls_failure(why.as_ref()) {
                Some(failure) => Cause::Tls(Box::new(failure.clone())),
                None if why.is::<TlsFileError>() => Cause::File(why.to_string()),
                None => Cause::Other(why.to_string()),
            },
            Error::HostNotFound => Cause::Network(NetworkError::UnknownHost),
            Error::Timeout(phase) => Cause::TooLong(phase),
            Error::LargeResponseHeader(..) => Cause::HeadTooLong,
            Error::Protocol(why) => Cause::NotHttp(why.to_string()),
            Error::ConnectProxyFailed(why) => Cause::Proxy(why),
            Error::ConnectionFailed => Cause::NotConnected,
            other => Cause::Other(other.to_string()),
        };
        Trouble::from(cause)
    }
}

impl From<ListError> for Trouble {
    fn from(error: ListError) -> Self {
        match error {
            // The client wraps its own errors: a time limit must be told as one.
            ListError::Read(why) => Trouble::from(Error::from(why)),
            ListError::Malformed(why) => Trouble::from(Cause::Malformed(why)),
        }
    }
}

fn io_cause(why: &io::Error) -> Cause {
    match tls::tls_failure(why) {
        Some(failure) => Cause::Tls(Box::new(failure.clone())),
        None => Cause::Network(NetworkError::from(why)),
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cause.fmt(f)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::Answer(answer) => answer.fmt(f),
            Cause::UnknownIntercom(answer) => {
                write!(f, "{answer}; or billing does not know the intercom by that name")
            }
            Cause::Malformed(why) => why.fmt(f),
            Cause::Compressed => f.write_str(
                "its list is compressed (Content-Encoding), although this panel did not ask for that: \
                 switch compression off there for the panels' routes",
            ),
            Cause::Network(why) => why.fmt(f),
            Cause::Tls(failure) => f.write_str(&tls::explain(failure)),
            Cause::TooLong(phase) => write!(f, "{} took too long", in_words(*phase)),
            Cause::HeadTooLong => f.write_str("the head of its answer is too long"),
            Cause::NotHttp(why) => write!(f, "its answer is not valid HTTP: {why}"),
            Cause::Proxy(why) => write!(
                f,
                "the proxy does not connect the panel ({why}): check `proxy`, and whether the proxy allows CONNECT to the service's port"
            ),
            Cause::NotConnected => f.write_str("it cannot be reached"),
            Cause::Path { path, why } => write!(f, "its path {path} cannot be filled in: {why}"),
            Cause::File(why) | Cause::Other(why) => f.write_str(why),
            Cause::Token(file) => write!(
                f,
                "the token in {} has a line break or control character in it",
                file.display()
            ),
            Cause::Report(why) => write!(f, "the report is not JSON: {why}"),
            Cause::NoRandomNumbers(why) => why.fmt(f),
            Cause::NoThread(why) => write!(f, "no thread can be started for it: {why}"),
            Cause::GivenUp => f.write_str("the exchange was given up"),
        }
    }
}

fn in_words(phase: Timeout) -> &'static str {
    match phase {
        Timeout::Resolve => "the name lookup",
        Timeout::Connect => "connecting",
        Timeout::SendRequest | Timeout::SendBody | Timeout::PerWrite => "sending",
        Timeout::RecvResponse => "waiting for its answer",
        Timeout::RecvBody | Timeout::PerRead => "reading its answer",
        _ => "the exchange",
    }
}
