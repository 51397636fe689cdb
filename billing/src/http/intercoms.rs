//! The documented API: `/api/v1/billing/intercoms`.

use axum::extract::{FromRequest, RawQuery, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use intercom_wire::{Errors, Fields};
use serde_json::{Map, Value};

use super::answer::json_answer;
use super::auth::{Authenticated, Operator};
use super::body::Object;
use super::query;
use crate::audit::Actor;
use crate::operations::{Billing, Refusal};
use crate::principal::{Principal, Role};
use crate::store::intercoms::Name;

/// PATCH: changes billing data, or asks for another identity. From a panel it is a report.
pub(super) async fn update(
    Authenticated { principal, call }: Authenticated,
    State(billing): State<Billing>,
    Object(body): Object,
) -> Result<Response, Refusal> {
    let shown = match principal {
        Principal::Anybody | Principal::Holder { role: Role::Operator, .. } => {
            billing.patch(body, Actor::Caller { principal, call }).await?
        }
        Principal::Holder { role: Role::Panel(ref board), .. } => {
            let board = board.clone();
            billing.report_by_patch(board, body, Actor::Caller { principal, call }).await?
        }
        Principal::Holder { role: Role::Viewer | Role::Camera, .. } => {
            tracing::warn!("{principal} may not PATCH: refused");
            return Err(Refusal::Forbidden);
        }
    };
    Ok(json_answer(StatusCode::OK, &shown))
}

/// POST: creates the intercom of a panel that belongs to no place yet.
pub(super) async fn create(
    Operator(by): Operator,
    State(billing): State<Billing>,
    Object(body): Object,
) -> Result<Response, Refusal> {
    let shown = billing.create(&body, by).await?;
    Ok(json_answer(StatusCode::CREATED, &shown))
}

/// GET …/show: by `id`, `mac` or `external_id`. A panel is shown the intercom that it is.
pub(super) async fn show(
    Authenticated { principal, .. }: Authenticated,
    State(billing): State<Billing>,
    query: RawQuery,
) -> Result<Response, Refusal> {
    let name = one_name(&query::object(query), true)?;
    let shown = match principal {
        Principal::Anybody | Principal::Holder { role: Role::Operator | Role::Viewer, .. } => {
            billing.show(name).await?
        }
        Principal::Holder { role: Role::Panel(board), .. } => {
            billing.show_to_panel(name, board).await?
        }
        Principal::Holder { role: Role::Camera, .. } => {
            tracing::warn!("{principal} may not see intercoms: refused");
            return Err(Refusal::Forbidden);
        }
    };
    Ok(json_answer(StatusCode::OK, &shown))
}

/// DELETE: by `id` or `mac`, in the query or in a JSON body.
pub(super) async fn delete(
    Operator(by): Operator,
    State(billing): State<Billing>,
    request: Request,
) -> Response {
    let named = match request.uri().query() {
        Some(query) => query::object(RawQuery(Some(query.to_owned()))),
        None if !has_body(&request) => Map::new(),
        None => match Object::from_request(request, &()).await {
            Ok(Object(body)) => body,
            Err(refusal) => return refusal,
        },
    };
    let deleted = match one_name(&named, false) {
        Ok(name) => billing.delete(name, by).await,
        Err(wrong) => Err(wrong.into()),
    };
    match deleted {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

fn has_body(request: &Request) -> bool {
    let headers = request.headers();
    headers.contains_key(header::TRANSFER_ENCODING)
        || headers.get(header::CONTENT_LENGTH).is_some_and(|length| length != "0")
}

/// Exactly one of `id`, `mac` and, for `show`, `external_id`.
pub(super) fn one_name(named: &Map<String, Value>, or_external_id: bool) -> Result<Name, Errors> {
    let mut fields = Fields::new(named);
    let names: Vec<Name> = [
        fields.id("id").map(Name::Id),
        fields.mac("mac").map(Name::Mac),
        fields
            .string("external_id")
            .filter(|_| or_external_id)
            .map(|text| Name::ExternalId(text.to_owned())),
    ]
    .into_iter()
    .flatten()
    .collect();
    let given = fields.has("id") as u8
        + fields.has("mac") as u8
        + (or_external_id && fields.has("external_id")) as u8;
    if given != 1 {
        let which = if or_external_id {
            "Exactly one of id, mac and external id is required."
        } else {
            "Exactly one of id and mac is required."
        };
        fields.error("id", which);
    }
    fields.finish(names.into_iter().next())
}
