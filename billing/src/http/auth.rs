//! Who calls, by the token that is sent: `Authorization: Bearer …`, or as the password of
//! `Authorization: Basic …`. What a handler takes as its first argument says who may call it; the
//! handlers of the page have [`page::admission`](super::page).

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use intercom_wire::BoardName;
use uuid::Uuid;

use super::{answer, calls};
use crate::audit::Actor;
use crate::logging;
use crate::operations::{Billing, Refusal};
use crate::principal::{Principal, Role, SecretDigest};

/// What an agent's `User-Agent` begins with.
const AGENT: &str = "intercom-agent/";
/// How a 401 asks for a token. A browser asks nobody for a password then.
pub(super) const CHALLENGE: HeaderValue = HeaderValue::from_static("Bearer");

/// A caller, whoever it is.
pub(super) struct Authenticated {
    /// Who it is.
    pub(super) principal: Principal,
    /// The ID of the call.
    pub(super) call: Option<Uuid>,
}

/// A caller that may change everything.
pub(super) struct Operator(pub(super) Actor);

/// A caller that may read everything.
pub(super) struct Reader;

/// A caller that may read the credentials of the cameras. Nobody may without a token of that role, also
/// where there are no tokens.
pub(super) struct Camera(pub(super) Principal);

/// A caller of the routes for panels: the board that its token is bound to; `None` where there are
/// no tokens, and everybody may speak as any board.
pub(super) struct Panel(pub(super) Option<BoardName>);

/// Why a call is not let through.
pub(super) enum Denied {
    /// 401.
    Unauthenticated,
    /// 403: without tokens only an agent may poll.
    NotAnAgent,
    /// 403, 500.
    Refused(Refusal),
}

impl FromRequestParts<Billing> for Authenticated {
    type Rejection = Denied;

    async fn from_request_parts(parts: &mut Parts, billing: &Billing) -> Result<Self, Denied> {
        let digest = secret(parts).map(|secret| SecretDigest::of(&secret));
        let principal = billing.principal(digest).await.map_err(Denied::Refused)?;
        if let Some(principal) = &principal {
            logging::is_by(&principal.to_string());
        }
        let principal = principal.ok_or(Denied::Unauthenticated)?;
        Ok(Authenticated { principal, call: calls::id(&parts.extensions) })
    }
}

impl FromRequestParts<Billing> for Operator {
    type Rejection = Denied;

    async fn from_request_parts(parts: &mut Parts, billing: &Billing) -> Result<Self, Denied> {
        let Authenticated { principal, call } =
            Authenticated::from_request_parts(parts, billing).await?;
        match principal {
            Principal::Anybody | Principal::Holder { role: Role::Operator, .. } => {
                Ok(Operator(Actor::Caller { principal, call }))
            }
            Principal::Holder { role: Role::Viewer | Role::Panel(_) | Role::Camera, .. } => {
                Err(forbidden(&principal, parts))
            }
        }
    }
}

impl FromRequestParts<Billing> for Reader {
    type Rejection = Denied;

    async fn from_request_parts(parts: &mut Parts, billing: &Billing) -> Result<Self, Denied> {
        let Authenticated { principal, .. } =
            Authenticated::from_request_parts(parts, billing).await?;
        match principal {
            Principal::Anybody | Principal::Holder { role: Role::Operator | Role::Viewer, .. } => {
                Ok(Reader)
            }
            Principal::Holder { role: Role::Panel(_) | Role::Camera, .. } => {
                Err(forbidden(&principal, parts))
            }
        }
    }
}

impl FromRequestParts<Billing> for Camera {
    type Rejection = Denied;

    async fn from_request_parts(parts: &mut Parts, billing: &Billing) -> Result<Self, Denied> {
        let Authenticated { principal, .. } =
            Authenticated::from_request_parts(parts, billing).await?;
        match principal {
            Principal::Holder { role: Role::Camera, .. } => Ok(Camera(principal)),
            Principal::Anybody
            | Principal::Holder { role: Role::Operator | Role::Viewer | Role::Panel(_), .. } => {
                Err(forbidden(&principal, parts))
            }
        }
    }
}

impl FromRequestParts<Billing> for Panel {
    type Rejection = Denied;

    async fn from_request_parts(parts: &mut Parts, billing: &Billing) -> Result<Self, Denied> {
        let Authenticated { principal, .. } =
            Authenticated::from_request_parts(parts, billing).await?;
        match principal {
            Principal::Anybody if parts.method != Method::POST && !is_agent(parts) => {
                Err(Denied::NotAnAgent)
            }
            Principal::Anybody => Ok(Panel(None)),
            Principal::Holder { role: Role::Panel(board), .. } => Ok(Panel(Some(board))),
            Principal::Holder { role: Role::Operator | Role::Viewer | Role::Camera, .. } => {
                Err(forbidden(&principal, parts))
            }
        }
    }
}

impl Panel {
    /// The board that the call is from, where it is known. The call may name it, and no other one.
    pub(super) fn speaks_as(&self, named: Option<BoardName>) -> Result<Option<BoardName>, Refusal> {
        match (&self.0, named) {
            (Some(own), Some(other)) if *own != other => {
                tracing::warn!("the token of panel {own} is used in the name of {other}: refused");
                Err(Refusal::Forbidden)
            }
            (Some(own), _) => Ok(Some(own.clone())),
            (None, named) => Ok(named),
        }
    }
}

pub(super) fn forbidden(principal: &Principal, parts: &Parts) -> Denied {
    tracing::warn!("{principal} may not {} {}: refused", parts.method, parts.uri.path());
    Denied::Refused(Refusal::Forbidden)
}

/// A page that a browser shows can make it poll, by an image's address, but cannot set this header.
fn is_agent(parts: &Parts) -> bool {
    let value = parts.headers.get(header::USER_AGENT);
    value.is_some_and(|value| value.as_bytes().starts_with(AGENT.as_bytes()))
}

fn secret(parts: &Parts) -> Option<Vec<u8>> {
    let value = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, rest) = value.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.trim().as_bytes().to_vec());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = BASE64_STANDARD.decode(rest.trim()).ok()?;
    let colon = pair.iter().position(|byte| *byte == b':')?;
    Some(pair.get(colon + 1..)?.to_vec())
}

impl IntoResponse for Denied {
    fn into_response(self) -> Response {
        match self {
            Denied::Unauthenticated => {
                let mut answer = answer::message(StatusCode::UNAUTHORIZED, "Unauthenticated.");
                answer.headers_mut().insert(header::WWW_AUTHENTICATE, CHALLENGE);
                answer
            }
            Denied::NotAnAgent => answer::message(
                StatusCode::FORBIDDEN,
                "Without tokens a poll needs the header `User-Agent: intercom-agent/VERSION`.",
            ),
            Denied::Refused(refusal) => refusal.into_response(),
        }
    }
}
