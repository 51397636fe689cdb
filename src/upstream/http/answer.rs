//! An answer: the JSON of one that reports success, and what the status of any other means to a panel.

use std::io::Read;

use serde_json::Value;
use ureq::Body;
use ureq::http::header::LOCATION;
use ureq::http::{Response, StatusCode, Uri};

use super::Service;
use crate::upstream::cause::{Cause, HttpCause, Said, shown};

/// How much of an answer is read for the service's own words.
const MAX_WORDS: u64 = 2048;
/// The longest JSON that is read of an answer that reports success.
const MAX_JSON: u64 = 64 * 1024;

/// The JSON of an answer that reports success; `None` if it has no body.
///
/// # Errors
/// Its body is anything else. A captive portal and a web application answer each request with
/// success and a page.
pub(super) fn json(response: Response<Body>) -> Result<Option<Value>, Cause> {
    let status = response.status();
    let mut bytes = Vec::new();
    let read = response.into_body().into_reader().take(MAX_JSON).read_to_end(&mut bytes);
    read.map_err(ureq::Error::from)?;
    if bytes.is_empty() {
        return Ok(None);
    }
    let json = serde_json::from_slice(&bytes);
    json.map(Some).map_err(|_| HttpCause::OddStatus { status: status.as_u16() }.into())
}

/// What an answer that reports no success means.
pub(super) fn cause(service: &Service, response: Response<Body>) -> HttpCause {
    let (head, body) = response.into_parts();
    if head.status.is_redirection() {
        let to = head.headers.get(LOCATION).and_then(|to| to.to_str().ok()).and_then(bare_address);
        let to = to.and_then(|to| service.without_token(&to));
        let to = to.map_or_else(|| "another address".to_owned(), |to| shown(&to));
        return HttpCause::Redirect { status: head.status.as_u16(), to };
    }
    // The words name what the service does not accept.
    let message = head.status.is_client_error().then(|| message(body)).flatten();
    let message = message.and_then(|message| service.without_token(&message));
    of_status(head.status, Said::new(message.as_deref()))
}

/// Scheme, host, port and path of a redirect: the user and the query may be secrets.
fn bare_address(location: &str) -> Option<String> {
    let uri: Uri = location.parse().ok()?;
    let Some((scheme, host)) = uri.scheme_str().zip(uri.host()) else {
        // What begins with two slashes has an authority too.
        let is_path = location.starts_with('/') && !location.starts_with("//");
        return is_path.then(|| uri.path().to_owned());
    };
    let port = uri.port().map_or_else(String::new, |port| format!(":{port}"));
    Some(format!("{scheme}://{host}{port}{}", uri.path()))
}

/// What a status means, with the service's own words.
pub(super) fn of_status(status: StatusCode, said: Said) -> HttpCause {
    match status.as_u16() {
        401 => HttpCause::Unauthorized { said },
        403 => HttpCause::Forbidden { said },
        404 => HttpCause::NotFound { said },
        405 => HttpCause::Method { said },
        status @ (407 | 511) => HttpCause::PortalLogin { status },
        408 => HttpCause::RequestTooSlow,
        421 => HttpCause::Misdirected { said },
        429 => HttpCause::TooOften,
        status @ (400 | 413 | 422) => HttpCause::NotAccepted { status, said },
        status @ 400..=499 => HttpCause::ClientError { status, said },
        status @ 502..=504 => HttpCause::Unavailable { status },
        status @ 500..=599 => HttpCause::ServerError { status },
        status => HttpCause::OddStatus { status },
    }
}

/// The `message` of a JSON answer, as the API's own errors have it.
fn message(body: Body) -> Option<String> {
    let mut bytes = Vec::new();
    body.into_reader().take(MAX_WORDS).read_to_end(&mut bytes).ok()?;
    let answer: Value = serde_json::from_slice(&bytes).ok()?;
    answer.get("message")?.as_str().map(str::to_owned)
}
