//! The requests and how they ended: all of them, or those in one state.

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Redirect, Response};
use intercom_wire::Fields;
use maud::html;
use serde_json::Value;

use super::layout::{self, Tab};
use super::request;
use super::visitor::{Operator, Visitor};
use crate::http::body::Form;
use crate::http::query;
use crate::operations::{Billing, Refusal, RequestQuery};
use crate::store::request_list::{Filter, RequestState};

/// How many are on one page.
const SHOWN: usize = 50;

/// The states that can be chosen.
const STATES: [&str; 8] = [
    "pending",
    "installed",
    "rejected",
    "rolled_back",
    "failed",
    "cancelled",
    "superseded",
    "withdrawn",
];

/// GET /requests, with a `state` and the `cursor` of an earlier page.
pub(super) async fn show(
    visitor: Visitor,
    State(billing): State<Billing>,
    query: RawQuery,
) -> Result<Response, Refusal> {
    let named = query::object(query);
    let mut fields = Fields::new(&named);
    let state = query::word(&mut fields, "state", RequestState::of);
    let cursor = fields.string("cursor").and_then(|cursor| cursor.parse().ok());
    let state = fields.finish(Some(state))?;
    let chosen = named.get("state").and_then(Value::as_str);
    let page = billing
        .requests(RequestQuery {
            filter: Filter { state, ..Filter::default() },
            cursor,
            limit: SHOWN,
        })
        .await?;
    let content = html! {
        h1 { "Requests" }
        form.search method="get" action="/requests" {
            label for="state" { "Which" }
            div.joined {
                select #state name="state" {
                    option value="" { "all" }
                    @for state in STATES {
                        option value=(state) selected[chosen == Some(state)] { (state.replace('_', " ")) }
                    }
                }
                button { "Show" }
            }
        }
        div #requests data-live {
            @if page.requests.is_empty() { p.card { "None." } }
            (request::list(&visitor, &page.requests)?)
        }
        @if let Some(next) = &page.next {
            p { a.button href={ "/requests?state=" (chosen.unwrap_or_default()) "&cursor=" (next) } { "Older" } }
        }
    };
    Ok(layout::document("Requests", Tab::Requests, Some(&visitor), &content))
}

/// POST /requests/cancel; then the door again.
pub(super) async fn cancel(
    Operator(visitor): Operator,
    State(billing): State<Billing>,
    Form(fields): Form,
) -> Result<Response, Refusal> {
    let text = |name| fields.get(name).and_then(Value::as_str).unwrap_or_default();
    // What is no ID is no request's.
    let Ok(request_id) = text("request_id").parse() else { return Ok(layout::too_late(&visitor)) };
    match billing.cancel(request_id, visitor.actor()).await {
        Ok(cancelled) => {
            let door = format!("/door?id={}", cancelled.entry.intercom_id);
            Ok(Redirect::to(&door).into_response())
        }
        Err(Refusal::NotFound) => Ok(layout::too_late(&visitor)),
        Err(Refusal::Conflict(conflict)) => Ok(layout::conflict(&visitor, &conflict)),
        Err(refusal) => Err(refusal),
    }
}
