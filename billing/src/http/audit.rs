//! `…/audit`: who has changed what.

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use intercom_wire::{Errors, Fields};
use serde_json::{Map, Value};

use super::answer::json_answer;
use super::auth::Reader;
use super::query;
use crate::audit::Action;
use crate::operations::{AuditQuery, Billing, Refusal};
use crate::store::audit::Filter;

/// GET: the entries that a filter leaves, one page at a time.
pub(super) async fn list(
    _: Reader,
    State(billing): State<Billing>,
    query: RawQuery,
) -> Result<Response, Refusal> {
    let page = billing.audit(read(&query::object(query))?).await?;
    Ok(json_answer(StatusCode::OK, &page))
}

/// What a query string asks for.
pub(super) fn read(named: &Map<String, Value>) -> Result<AuditQuery, Errors> {
    let mut fields = Fields::new(named);
    let filter = Filter {
        intercom_id: fields.id("intercom"),
        actor: fields.string("actor").map(str::to_owned),
        action: query::word(&mut fields, "action", Action::of),
        since_ms: query::word(&mut fields, "since", query::time),
    };
    let cursor = fields.id("cursor");
    let read = AuditQuery { filter, cursor, limit: query::limit(&mut fields) };
    fields.finish(Some(read))
}
