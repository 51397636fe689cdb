//! Who is let in: by the session that a browser has, or by a token as a script sends it. A browser that
//! is not is asked to sign in.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::cookie;
use super::layout::{self, Tab};
use super::sign_in::{self, LocalPath};
use super::visitor::{Operator, Visitor};
use crate::http::auth::{Authenticated, Denied, forbidden};
use crate::http::calls;
use crate::logging;
use crate::operations::Billing;
use crate::principal::{Principal, Role};

/// Why somebody is not let in.
pub(super) struct TurnedAway {
    why: Denied,
    /// A browser shows a page; where it is to go once its user has signed in.
    browser: Option<LocalPath>,
}

impl FromRequestParts<Billing> for Visitor {
    type Rejection = TurnedAway;

    async fn from_request_parts(parts: &mut Parts, billing: &Billing) -> Result<Self, TurnedAway> {
        let turned_away = |why, parts: &Parts| TurnedAway { why, browser: browser(parts) };
        let visitor = match who(parts, billing).await {
            Ok(visitor) => visitor,
            Err(why) => return Err(turned_away(why, parts)),
        };
        match &visitor.principal {
            Principal::Holder { role: Role::Panel(_) | Role::Camera, .. } => {
                Err(turned_away(forbidden(&visitor.principal, parts), parts))
            }
            Principal::Anybody | Principal::Holder { role: Role::Operator | Role::Viewer, .. } => {
                Ok(visitor)
            }
        }
    }
}

impl FromRequestParts<Billing> for Operator {
    type Rejection = TurnedAway;

    async fn from_request_parts(parts: &mut Parts, billing: &Billing) -> Result<Self, TurnedAway> {
        let visitor = Visitor::from_request_parts(parts, billing).await?;
        match visitor.is_operator() {
            true => Ok(Operator(visitor)),
            false => Err(TurnedAway {
                why: forbidden(&visitor.principal, parts),
                browser: browser(parts),
            }),
        }
    }
}

async fn who(parts: &mut Parts, billing: &Billing) -> Result<Visitor, Denied> {
    if parts.headers.contains_key(header::AUTHORIZATION) {
        let Authenticated { principal, call } =
            Authenticated::from_request_parts(parts, billing).await?;
        return Ok(Visitor { principal, call, has_session: false });
    }
    let principal =
        billing.signed_in(cookie::session(&parts.headers)).await.map_err(Denied::Refused)?;
    let principal = principal.ok_or(Denied::Unauthenticated)?;
    logging::is_by(&principal.to_string());
    let has_session = principal != Principal::Anybody;
    Ok(Visitor { principal, call: calls::id(&parts.extensions), has_session })
}

/// Where the call comes from a browser that is to show its answer: the place that it asks for, or
/// the first page for a button, which cannot be pressed again by itself.
fn browser(parts: &Parts) -> Option<LocalPath> {
    let mut accepted = parts.headers.get_all(header::ACCEPT).iter();
    let is_browser =
        accepted.any(|value| value.to_str().is_ok_and(|value| value.contains("text/html")));
    let asked_for = match parts.method {
        Method::GET => parts.uri.path_and_query().map(|path| path.as_str()),
        _ => None,
    };
    is_browser.then(|| LocalPath::new(asked_for.unwrap_or_default()))
}

impl IntoResponse for TurnedAway {
    fn into_response(self) -> Response {
        match (self.browser, self.why) {
            (Some(next), Denied::Unauthenticated) => sign_in::ask(&next, None),
            (Some(_), Denied::Refused(crate::operations::Refusal::Forbidden)) => {
                let content = maud::html! {
                    h1 { "Not allowed" }
                    p { "Your token does not allow this. Sign in with an operator's." }
                    p { a.button href="/sign-in" { "Sign in with another token" } }
                };
                (StatusCode::FORBIDDEN, layout::document("Not allowed", Tab::None, None, &content))
                    .into_response()
            }
            (_, why) => why.into_response(),
        }
    }
}
