//! `…/webhooks`: who is told what happens. No answer has a secret.

use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use intercom_wire::{Errors, Fields};
use serde_json::{Map, Value};

use super::answer::json_answer;
use super::auth::{Operator, Reader};
use super::body::Object;
use super::query;
use crate::operations::{Billing, Refusal};
use crate::store::webhooks::New;
use crate::webhooks::address::{Address, MAX_CHARS};
use crate::webhooks::secret::Secret;
use crate::webhooks::{
    MAX_OFFLINE_AFTER_SECONDS, MIN_OFFLINE_AFTER_SECONDS, OFFLINE_AFTER_SECONDS,
};

/// GET: all of them, with what waits.
pub(super) async fn list(_: Reader, State(billing): State<Billing>) -> Result<Response, Refusal> {
    Ok(json_answer(StatusCode::OK, &billing.webhooks().await?))
}

/// POST: adds one.
pub(super) async fn add(
    Operator(by): Operator,
    State(billing): State<Billing>,
    Object(body): Object,
) -> Result<Response, Refusal> {
    let added = billing.add_webhook(read(&body)?, by).await?;
    Ok(json_answer(StatusCode::CREATED, &added))
}

/// DELETE: removes the one with this `id`.
pub(super) async fn remove(
    Operator(by): Operator,
    State(billing): State<Billing>,
    query: RawQuery,
) -> Result<StatusCode, Refusal> {
    billing.remove_webhook(query::id(query)?, by).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// GET …/{id}/deliveries: what it was told or is to be told, one page at a time.
pub(super) async fn deliveries(
    _: Reader,
    State(billing): State<Billing>,
    Path(id): Path<String>,
    query: RawQuery,
) -> Result<Response, Refusal> {
    // What is no number is no webhook's ID.
    let id = id.parse().map_err(|_| Refusal::NotFound)?;
    let (cursor, limit) = query::page(query)?;
    Ok(json_answer(StatusCode::OK, &billing.deliveries(id, cursor, limit).await?))
}

pub(super) fn read(body: &Map<String, Value>) -> Result<New, Errors> {
    let mut fields = Fields::new(body);
    let url = fields.string_up_to(MAX_CHARS, "url").map(str::parse::<Address>);
    let secret = fields.string("secret").map(str::parse::<Secret>);
    let seconds = fields.integer("offline_after_seconds").unwrap_or(OFFLINE_AFTER_SECONDS);
    fields.require("url");
    fields.require("secret");
    if let Some(Err(why)) = &url {
        fields.error("url", format!("The url field {why}."));
    }
    if let Some(Err(why)) = &secret {
        fields.error("secret", format!("The secret field {why}."));
    }
    if !(MIN_OFFLINE_AFTER_SECONDS..=MAX_OFFLINE_AFTER_SECONDS).contains(&seconds) {
        let text = format!(
            "The offline after seconds field must be between {MIN_OFFLINE_AFTER_SECONDS} and \
             {MAX_OFFLINE_AFTER_SECONDS}."
        );
        fields.error("offline_after_seconds", text);
    }
    let new = match (url, secret) {
        (Some(Ok(url)), Some(Ok(secret))) => {
            let url = url.as_str().to_owned();
            Some(New { url, secret, offline_after_ms: seconds * 1000 })
        }
        _ => None,
    };
    fields.finish(new)
}
