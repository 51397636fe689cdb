//! What went wrong on the way to the HTTP service: in words, and whether asking again helps.

use std::io::{self, Read};
use std::time::Duration;

use serde_json::Value;
use ureq::http::header::LOCATION;
use ureq::http::{HeaderMap, Response, StatusCode};
use ureq::{Body, Error, Timeout};

use super::elements::ListError;
use super::retry_after::retry_after;
use crate::upstream::{network_error, tls};

/// How much of an answer is looked at for what the service has to say.
const MAX_ANSWER: u64 = 2048;
/// How much of foreign text is shown, in characters.
const MAX_SHOWN: usize = 200;

/// Why a poll or a report did not succeed.
#[derive(Debug)]
pub(super) struct Trouble {
    /// A clause that follows "… failed:".
    pub(super) text: String,
    pub(super) kind: Kind,
    /// What the service said.
    pub(super) retry_after: Option<Duration>,
}

/// Whether asking again helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It may pass at any moment: the line, the load, a restart.
    Passing,
    /// Somebody has to set something right, here or there.
    Lasting,
    /// The service understood what it was sent and does not want it.
    Refused,
}

impl Trouble {
    pub(super) fn new(kind: Kind, text: impl Into<String>) -> Self {
        Trouble { text: text.into(), kind, retry_after: None }
    }

    /// An answer that is not the one hoped for.
    pub(super) fn answer(response: Response<Body>) -> Self {
        let (head, body) = response.into_parts();
        let status = head.status;
        let (kind, meaning) = meaning(status, &head.headers);
        let mut text = format!("{}: {meaning}", status.as_u16());
        // The service's own words, where it has any: they name what it does not like.
        if status.is_client_error()
            && let Some(said) = said(body)
        {
            text.push_str(&format!(" (it says: {said})"));
        }
        Trouble { text, kind, retry_after: retry_after(&head.headers) }
    }
}

/// What a status means to a panel, and what to do.
fn meaning(status: StatusCode, headers: &HeaderMap) -> (Kind, String) {
    let (kind, text) = match status.as_u16() {
        300..=399 => {
            let to = headers.get(LOCATION).map(|to| shown(&String::from_utf8_lossy(to.as_bytes())));
            let to = to.map_or_else(|| "elsewhere".to_owned(), |to| format!("to {to}"));
            let text = format!(
                "it redirects {to}, which a panel does not follow: set `http.url` to the service itself"
            );
            return (Kind::Lasting, text);
        }
        400 | 413 | 422 => (Kind::Refused, "it does not accept what this panel sent"),
        401 => (Kind::Lasting, "it does not know this panel: check the token in `http.token_file`"),
        403 => (Kind::Lasting, "it knows this panel and does not let it do this: ask its operator"),
        404 => (Kind::Lasting, "there is nothing at that address: check `http.url` and the paths"),
        407 | 511 => (Kind::Lasting, "the network wants a login first"),
        408 => (Kind::Passing, "the request took too long to reach it"),
        429 => (Kind::Passing, "it is asked too often"),
        400..=499 => (Kind::Lasting, "it does not accept the request"),
        500 | 501 | 505..=599 => (Kind::Passing, "it has an error of its own"),
        502..=504 => (Kind::Passing, "it is not available now"),
        _ => (Kind::Lasting, "that is no answer to this request: check `http.url`"),
    };
    (kind, text.to_owned())
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        let (kind, text) = match &error {
            Error::Io(why) => io_text(why),
            Error::Other(why) => match tls::tls_failure(why.as_ref()) {
                Some(failure) => (Kind::Lasting, tls::explain(failure)),
                None => (Kind::Lasting, why.to_string()),
            },
            Error::HostNotFound => (
                Kind::Passing,
                "the name of its host is not known: check the panel's DNS and `http.url`"
                    .to_owned(),
            ),
            Error::Timeout(phase) => (Kind::Passing, too_long(*phase)),
            Error::LargeResponseHeader(..) => {
                (Kind::Passing, "the head of its answer is too long".to_owned())
            }
            Error::Protocol(why) => {
                (Kind::Passing, format!("it does not speak HTTP rightly: {why}"))
            }
            Error::ConnectProxyFailed(why) => (
                Kind::Lasting,
                format!(
                    "the way through the proxy is closed ({why}): check `proxy`, and whether the proxy lets panels CONNECT to the service's port"
                ),
            ),
            Error::ConnectionFailed => (Kind::Passing, "it cannot be reached".to_owned()),
            other => (Kind::Lasting, other.to_string()),
        };
        Trouble::new(kind, text)
    }
}

impl From<ListError> for Trouble {
    fn from(error: ListError) -> Self {
        match error {
            // The client wraps its own errors: a time limit shall be told as one.
            ListError::Read(why) => Trouble::from(Error::from(why)),
            ListError::NotAList => Trouble::new(Kind::Lasting, ListError::NotAList.to_string()),
            other => Trouble::new(Kind::Passing, other.to_string()),
        }
    }
}

fn io_text(why: &io::Error) -> (Kind, String) {
    if let Some(failure) = tls::tls_failure(why) {
        return (Kind::Lasting, tls::explain(failure));
    }
    (Kind::Passing, network_error::in_words(why))
}

fn too_long(phase: Timeout) -> String {
    let what = match phase {
        Timeout::Resolve => "the name lookup",
        Timeout::Connect => "connecting",
        Timeout::SendRequest | Timeout::SendBody | Timeout::PerWrite => "sending",
        Timeout::RecvResponse => "waiting for its answer",
        Timeout::RecvBody | Timeout::PerRead => "reading its answer",
        _ => "the exchange",
    };
    format!("{what} took too long")
}

/// The `message` of a JSON answer, as the API's own errors have it.
fn said(body: Body) -> Option<String> {
    let mut bytes = Vec::new();
    body.into_reader().take(MAX_ANSWER).read_to_end(&mut bytes).ok()?;
    let answer: Value = serde_json::from_slice(&bytes).ok()?;
    Some(shown(answer.get("message")?.as_str()?))
}

/// Foreign text, in one short line.
fn shown(text: &str) -> String {
    text.escape_debug().take(MAX_SHOWN).collect()
}
