//! POST …/swaps: two panels have changed places.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use intercom_wire::{Errors, Fields};
use serde_json::{Map, Value, json};

use super::answer::json_answer;
use super::auth::Operator;
use super::body::Object;
use crate::operations::{Billing, Refusal};

/// Asks both panels to confirm it.
pub(super) async fn ask(
    Operator(by): Operator,
    State(billing): State<Billing>,
    Object(body): Object,
) -> Result<Response, Refusal> {
    let (id, with_id) = read(&body)?;
    let requests = billing.swap(id, with_id, by).await?;
    Ok(json_answer(StatusCode::ACCEPTED, &json!({"requests": requests})))
}

fn read(body: &Map<String, Value>) -> Result<(i64, i64), Errors> {
    let mut fields = Fields::new(body);
    let ids = fields.id("id").zip(fields.id("with_id"));
    fields.require("id");
    fields.require("with_id");
    fields.finish(ids)
}
