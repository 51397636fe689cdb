//! What waits for an operator, and what is decided, as JSON.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use intercom_wire::{BoardName, Errors, Fields};
use serde_json::{Map, Value};
use std::str::FromStr;

use super::answer::json_answer;
use super::auth::{Operator, Reader};
use super::body::Object;
use crate::operations::{Billing, Decision, Refusal};

/// GET …/decisions: what waits.
pub(super) async fn list(_: Reader, State(billing): State<Billing>) -> Result<Response, Refusal> {
    Ok(json_answer(StatusCode::OK, &billing.questions().await?))
}

/// POST …/decisions.
pub(super) async fn decide(
    Operator(by): Operator,
    State(billing): State<Billing>,
    Object(body): Object,
) -> Result<StatusCode, Refusal> {
    billing.decide(read(&body)?, by).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A decision as its fields say it.
pub(super) fn read(body: &Map<String, Value>) -> Result<Decision, Errors> {
    let mut fields = Fields::new(body);
    let decision = decision(&mut fields);
    fields.finish(decision)
}

fn decision(fields: &mut Fields<'_>) -> Option<Decision> {
    fields.require("decision");
    let decision = fields.string("decision")?;
    if decision == "offer_to_the_door" {
        let request_id = required(fields, "request_id")?;
        return Some(Decision::OfferToTheDoor { request_id });
    }
    let board: Option<BoardName> = required(fields, "board");
    match decision {
        "enrol" => {
            let mac = fields.mac("mac");
            fields.require("mac");
            Some(Decision::Enrol { board: board?, mac: mac? })
        }
        "accept_by_hand" => {
            let id = fields.id("id");
            fields.require("id");
            Some(Decision::AcceptByHand { board: board?, id: id? })
        }
        "dismiss_by_hand" => Some(Decision::DismissByHand { board: board? }),
        "ask_again" => Some(Decision::AskAgain { board: board? }),
        "follow" => Some(Decision::Follow { board: board? }),
        "no_twins" => Some(Decision::NoTwins { board: board? }),
        _ => {
            fields.error("decision", "The selected decision is invalid.");
            None
        }
    }
}

fn required<T: FromStr>(fields: &mut Fields<'_>, field: &str) -> Option<T> {
    fields.require(field);
    let value = fields.string(field)?.parse().ok();
    if value.is_none() {
        let name = field.replace('_', " ");
        fields.error(field, format!("The {name} field format is invalid."));
    }
    value
}
