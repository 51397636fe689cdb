//! Why a poll or a report did not succeed, and when the service wants to be asked again.

use std::sync::Arc;
use std::time::Duration;

use ureq::http::Response;
use ureq::{Body, Error, Timeout};

use super::Service;
use super::answer;
use super::elements::{ListError, Malformed};
use super::kind::Kind;
use super::retry_after::retry_after;
use crate::upstream::cause::{Cause, HttpCause, NetworkCause, PanelCause, TlsCause, tls_failure};
use crate::upstream::tls::TlsFileError;

/// Why a poll or a report did not succeed.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) cause: Arc<Cause>,
    /// When the service wants to be asked again at the earliest.
    pub(super) retry_after: Option<Duration>,
}

impl Trouble {
    /// From an answer of `service` that reports no success.
    pub(super) fn answer(service: &Service, response: Response<Body>) -> Self {
        let retry_after = retry_after(response.headers());
        Trouble { cause: Arc::new(answer::cause(service, response).into()), retry_after }
    }

    pub(super) fn kind(&self) -> Kind {
        Kind::from(&*self.cause)
    }
}

impl<C: Into<Cause>> From<C> for Trouble {
    fn from(cause: C) -> Self {
        Trouble { cause: Arc::new(cause.into()), retry_after: None }
    }
}

/// What the library's error means. Errors of this route's own connectors are wrapped in it.
impl From<Error> for Cause {
    fn from(error: Error) -> Self {
        match error {
            Error::Io(why) => Cause::from(&why),
            Error::Other(why) => {
                let why = match why.downcast::<CauseError>() {
                    Ok(own) => return own.0,
                    Err(why) => why,
                };
                match tls_failure(why.as_ref()) {
                    Some(failure) => TlsCause::from(failure).into(),
                    None if why.is::<TlsFileError>() => PanelCause::file(why).into(),
                    None => HttpCause::Other { why: why.to_string() }.into(),
                }
            }
            Error::HostNotFound | Error::ConnectionFailed => HttpCause::NotConnected.into(),
            Error::Timeout(Timeout::Connect) => NetworkCause::Silent.into(),
            Error::Timeout(phase) => HttpCause::TooSlow { phase: in_words(phase) }.into(),
            Error::LargeResponseHeader(..) => HttpCause::HeadTooLong.into(),
            Error::Protocol(why) => HttpCause::NotHttp { why: why.to_string() }.into(),
            other => HttpCause::Other { why: other.to_string() }.into(),
        }
    }
}

impl From<ListError> for Cause {
    fn from(error: ListError) -> Self {
        match error {
            // The client wraps its own errors: a time limit must be told as one.
            ListError::Read(why) => Error::from(why).into(),
            ListError::Malformed(Malformed::NotAList) => HttpCause::NotAList.into(),
            ListError::Malformed(Malformed::CutShort) => HttpCause::ListCut.into(),
            ListError::Malformed(Malformed::Misplaced(byte)) => {
                HttpCause::ListMisplaced { byte: byte.escape_ascii().to_string() }.into()
            }
        }
    }
}

/// A cause on its way through the library.
#[derive(Debug)]
pub(super) struct CauseError(pub(super) Cause);

impl From<CauseError> for Error {
    fn from(cause: CauseError) -> Self {
        Error::Other(Box::new(cause))
    }
}

impl std::fmt::Display for CauseError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for CauseError {}

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
