//! `…/quiet-hours`: the hours in which no panel of a group changes.

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use intercom_wire::{Errors, Fields};
use serde_json::{Map, Value};
use std::fmt::Display;
use std::str::FromStr;

use super::answer::json_answer;
use super::auth::{Operator, Reader};
use super::body::Object;
use super::query;
use crate::operations::{Billing, Refusal};
use crate::schedule::QuietHours;
use crate::store::quiet_hours::OfAGroup;

/// GET: those of all groups.
pub(super) async fn list(_: Reader, State(billing): State<Billing>) -> Result<Response, Refusal> {
    Ok(json_answer(StatusCode::OK, &billing.quiet_hours().await?))
}

/// POST: sets those of a group.
pub(super) async fn set(
    Operator(by): Operator,
    State(billing): State<Billing>,
    Object(body): Object,
) -> Result<StatusCode, Refusal> {
    billing.set_quiet_hours(read(&body)?, by).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// DELETE: the group with this `id` has none any more.
pub(super) async fn remove(
    Operator(by): Operator,
    State(billing): State<Billing>,
    query: RawQuery,
) -> Result<StatusCode, Refusal> {
    billing.remove_quiet_hours(query::id(query)?, by).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) fn read(body: &Map<String, Value>) -> Result<OfAGroup, Errors> {
    let mut fields = Fields::new(body);
    let group_id = fields.id("group_id");
    for field in ["group_id", "time_zone", "begins", "ends"] {
        fields.require(field);
    }
    let time_zone = word(&mut fields, "time_zone");
    let (begins, ends) = (word(&mut fields, "begins"), word(&mut fields, "ends"));
    let hours = match (time_zone, begins, ends) {
        (Some(time_zone), Some(begins), Some(ends)) => {
            let hours = QuietHours::new(time_zone, begins, ends);
            hours.map_err(|why| fields.error("ends", format!("The ends field {why}."))).ok()
        }
        _ => None,
    };
    fields.finish(group_id.zip(hours).map(|(group_id, hours)| OfAGroup { group_id, hours }))
}

fn word<T: FromStr<Err: Display>>(fields: &mut Fields<'_>, field: &str) -> Option<T> {
    match fields.string(field)?.parse() {
        Ok(word) => Some(word),
        Err(why) => {
            let name = field.replace('_', " ");
            fields.error(field, format!("The {name} field {why}."));
            None
        }
    }
}
