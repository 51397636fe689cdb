//! An answer that reports no success: what its status means to a panel, and what to do.

use std::fmt;
use std::io::Read;

use serde_json::Value;
use ureq::Body;
use ureq::http::header::LOCATION;
use ureq::http::{Response, StatusCode};

use super::kind::Kind;
use crate::record::Route;

/// How much of an answer is read for the service's own words.
const MAX_ANSWER: u64 = 2048;
/// How much of foreign text is shown, in characters.
const MAX_SHOWN: usize = 200;

/// An answer that reports no success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    status: StatusCode,
    /// Whose settings have to be checked.
    route: Route,
    /// Where a redirect leads.
    location: Option<String>,
    /// The service's own words. They name what it does not accept.
    message: Option<String>,
}

impl Answer {
    pub(super) fn read(response: Response<Body>, route: Route) -> Self {
        let (head, body) = response.into_parts();
        let location = head.headers.get(LOCATION);
        Answer {
            location: location.map(|to| shown(&String::from_utf8_lossy(to.as_bytes()))),
            message: head.status.is_client_error().then(|| message(body)).flatten(),
            ..Answer::without_words(head.status, route)
        }
    }

    /// An answer that says nothing but its status.
    pub(super) fn without_words(status: StatusCode, route: Route) -> Self {
        Answer { status, route, location: None, message: None }
    }

    pub(super) fn kind(&self) -> Kind {
        match self.status.as_u16() {
            400 | 413 | 422 => Kind::Refused,
            408 | 429 | 500..=510 | 512..=599 => Kind::Passing,
            _ => Kind::Lasting,
        }
    }

    fn meaning(&self) -> String {
        let section = section(self.route);
        let text = match self.status.as_u16() {
            300..=399 => {
                let to = match &self.location {
                    Some(location) => format!("to {location}"),
                    None => "elsewhere".to_owned(),
                };
                return format!(
                    "it redirects {to}, which a panel does not follow: set `{section}.url` to the service itself"
                );
            }
            401 => {
                return format!(
                    "it does not know this panel: check the token in `{section}.token_file`"
                );
            }
            404 => {
                return format!(
                    "there is nothing at that address: check `{section}.url` and the paths"
                );
            }
            400 | 413 | 422 => "it does not accept what this panel sent",
            403 => "it knows this panel and does not let it do this: ask its operator",
            407 | 511 => "the network wants a login first",
            408 => "the request took too long to reach it",
            429 => "it is asked too often",
            400..=499 => "it does not accept the request",
            502..=504 => "it is not available now",
            500..=599 => "it has an internal error",
            _ => return format!("that is no answer to this request: check `{section}.url`"),
        };
        text.to_owned()
    }
}

/// A clause that follows "… failed:".
impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.status.as_u16(), self.meaning())?;
        match &self.message {
            Some(message) => write!(f, " (it says: {message})"),
            None => Ok(()),
        }
    }
}

/// The section of the configuration with a route's settings.
fn section(route: Route) -> &'static str {
    match route {
        Route::Mqtt => "mqtt",
        Route::Http => "http",
        Route::Billing => "billing",
    }
}

/// The `message` of a JSON answer, as the API's own errors have it.
fn message(body: Body) -> Option<String> {
    let mut bytes = Vec::new();
    body.into_reader().take(MAX_ANSWER).read_to_end(&mut bytes).ok()?;
    let answer: Value = serde_json::from_slice(&bytes).ok()?;
    Some(shown(answer.get("message")?.as_str()?))
}

/// Foreign text, in one short line.
fn shown(text: &str) -> String {
    text.escape_debug().take(MAX_SHOWN).collect()
}
