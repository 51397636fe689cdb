//! `…/retention`: how long ended requests are kept.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use intercom_wire::{Errors, Fields};
use serde_json::{Map, Value, json};

use super::answer::json_answer;
use super::auth::{Operator, Reader};
use super::body::Object;
use crate::operations::{Billing, Refusal};
use crate::retention::DAYS;

/// GET: in days.
pub(super) async fn show(_: Reader, State(billing): State<Billing>) -> Result<Response, Refusal> {
    let days = billing.retention_days().await?;
    Ok(json_answer(StatusCode::OK, &json!({"ended_requests_days": days})))
}

/// POST: sets it.
pub(super) async fn set(
    Operator(by): Operator,
    State(billing): State<Billing>,
    Object(body): Object,
) -> Result<StatusCode, Refusal> {
    billing.set_retention_days(read(&body)?, by).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) fn read(body: &Map<String, Value>) -> Result<i64, Errors> {
    let field = "ended_requests_days";
    let mut fields = Fields::new(body);
    let days = fields.integer(field);
    fields.require(field);
    if days.is_some_and(|days| !DAYS.contains(&days)) {
        let (least, most) = (DAYS.start(), DAYS.end());
        fields.error(
            field,
            format!("The ended requests days field must be between {least} and {most}."),
        );
    }
    fields.finish(days)
}
