//! What only an operator decides: whose a MAC address is, whether a change by hand counts, and whether
//! a request goes to the door's board although a known spare has the MAC address.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use intercom_wire::{BoardName, Errors, Fields, Mac, RequestId};
use serde_json::{Map, Value};
use std::str::FromStr;

use super::answer::json_answer;
use super::auth::{Operator, Reader};
use super::body::Object;
use crate::operations::{Billing, Refusal};
use crate::store::intercoms::Name;

/// GET …/by-hand: the changes by hand that wait.
pub(super) async fn by_hand(
    _: Reader,
    State(billing): State<Billing>,
) -> Result<Response, Refusal> {
    Ok(json_answer(StatusCode::OK, &billing.changes_by_hand().await?))
}

/// POST …/by-hand: the board is the panel of that intercom now.
pub(super) async fn accept(
    _: Operator,
    State(billing): State<Billing>,
    Object(body): Object,
) -> Result<StatusCode, Refusal> {
    let (board, id) = read(&body, |fields| {
        let board = required(fields, "board");
        let id = fields.id("id");
        if !fields.has("id") {
            fields.error("id", "The id field is required.");
        }
        board.zip(id)
    })?;
    billing.accept_by_hand(board, Name::Id(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// POST …/for-the-door: nobody waits for the spare any more.
pub(super) async fn for_the_door(
    _: Operator,
    State(billing): State<Billing>,
    Object(body): Object,
) -> Result<StatusCode, Refusal> {
    let request_id: RequestId = read(&body, |fields| required(fields, "request_id"))?;
    billing.offer_to_the_door(request_id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// POST …/boards: a MAC address is that board's.
pub(super) async fn enrol(
    _: Operator,
    State(billing): State<Billing>,
    Object(body): Object,
) -> Result<StatusCode, Refusal> {
    let (board, mac): (BoardName, Mac) = read(&body, |fields| {
        let board = required(fields, "board");
        let mac = fields.mac("mac");
        if !fields.has("mac") {
            fields.error("mac", "The mac field is required.");
        }
        board.zip(mac)
    })?;
    billing.enrol(board, mac).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn read<T>(
    body: &Map<String, Value>,
    read: impl FnOnce(&mut Fields<'_>) -> Option<T>,
) -> Result<T, Errors> {
    let mut fields = Fields::new(body);
    let value = read(&mut fields);
    fields.finish(value)
}

fn required<T: FromStr>(fields: &mut Fields<'_>, field: &str) -> Option<T> {
    let name = field.replace('_', " ");
    let Some(text) = fields.string(field) else {
        fields.error(field, format!("The {name} field is required."));
        return None;
    };
    let value = text.parse().ok();
    if value.is_none() {
        fields.error(field, format!("The {name} field format is invalid."));
    }
    value
}
