//! The settings: quiet hours, how long requests are kept, and webhooks. Operators change them, and viewers
//! read them.

pub(super) mod deliveries;
pub(super) mod quiet_hours;
pub(super) mod retention;
pub(super) mod webhooks;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::html;
use serde_json::{Map, Value};

use super::form::Typed;
use super::layout::{self, Tab};
use super::visitor::Visitor;
use crate::operations::{Billing, Refusal};

/// GET /settings, and the path of each form: an open page asks for its own path again.
pub(super) async fn show(
    visitor: Visitor,
    State(billing): State<Billing>,
) -> Result<Response, Refusal> {
    document(&visitor, &billing, &Typed::nothing(), None).await
}

/// The page after a form: as it is now, or with what is wrong.
async fn answer(
    visitor: &Visitor,
    billing: &Billing,
    fields: Map<String, Value>,
    done: Result<(), Refusal>,
) -> Result<Response, Refusal> {
    match done {
        Ok(()) => Ok(again()),
        Err(Refusal::Invalid(errors)) => {
            let typed = Typed::wrong(fields, errors);
            let document = document(visitor, billing, &typed, None).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, document).into_response())
        }
        Err(refusal) => Err(refusal),
    }
}

/// The page after something was removed. What was removed meanwhile is what was wanted, too.
fn removed(done: Result<(), Refusal>) -> Result<Response, Refusal> {
    match done {
        Ok(()) | Err(Refusal::NotFound) => Ok(again()),
        Err(refusal) => Err(refusal),
    }
}

fn again() -> Response {
    Redirect::to("/settings").into_response()
}

/// The number in a field of a button; 0, which nothing has, where it is none.
fn number(fields: &Map<String, Value>, name: &str) -> i64 {
    let text = fields.get(name).and_then(Value::as_str).unwrap_or_default();
    text.parse().unwrap_or_default()
}

/// The whole page, with the secret of a webhook that was just added.
async fn document(
    visitor: &Visitor,
    billing: &Billing,
    typed: &Typed,
    secret: Option<&str>,
) -> Result<Response, Refusal> {
    let hours = billing.quiet_hours().await?;
    let days = billing.retention_days().await?;
    let webhooks = webhooks::read(billing).await?;
    let content = html! {
        h1 { "Settings" }
        @if let Some(secret) = secret {
            div.card.made role="status" {
                p { strong { "This is the secret of the new webhook. It is shown this once." } }
                p.mac { (secret) }
                p.quiet { "The receiver checks each delivery with it." }
            }
        }
        (quiet_hours::section(visitor, &hours, typed))
        (retention::section(visitor, days, typed))
        (webhooks::section(visitor, &webhooks, typed))
    };
    Ok(layout::document("Settings", Tab::Settings, Some(visitor), &content))
}
