//! What a webhook was told or is to be told.

use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use crate::http::page::layout::{self, Tab};
use crate::http::page::shown;
use crate::http::page::visitor::Visitor;
use crate::http::query;
use crate::operations::{Billing, Delivery, DeliveryPage, Refusal};
use crate::store::delivery_log::Entry;

/// GET /settings/webhooks/{id}, with the `cursor` that the API takes, too.
pub(in crate::http::page) async fn show(
    visitor: Visitor,
    State(billing): State<Billing>,
    Path(id): Path<String>,
    query: RawQuery,
) -> Result<Response, Refusal> {
    // No webhook has the number 0.
    let id = id.parse().unwrap_or_default();
    let (cursor, limit) = query::page(query)?;
    match billing.deliveries(id, cursor, limit).await {
        Ok(page) => Ok(document(&visitor, id, &page)),
        Err(Refusal::NotFound) => Ok(none(&visitor)),
        Err(refusal) => Err(refusal),
    }
}

fn document(visitor: &Visitor, id: i64, page: &DeliveryPage) -> Response {
    let content = html! {
        p { a href="/settings" { "Settings" } }
        h1 { "Deliveries of webhook " (id) }
        div.card #deliveries data-live { (list(&page.deliveries)) }
        @if let Some(next) = &page.next {
            p { a.button href={ "/settings/webhooks/" (id) "?cursor=" (next) } { "Older" } }
        }
    };
    layout::document("Deliveries", Tab::Settings, Some(visitor), &content)
}

fn none(visitor: &Visitor) -> Response {
    let content = html! {
        h1 { "No such webhook" }
        p { "It was removed, or there never was one with this number." }
        p { a.button href="/settings" { "Settings" } }
    };
    let document = layout::document("No such webhook", Tab::Settings, Some(visitor), &content);
    (StatusCode::NOT_FOUND, document).into_response()
}

pub(super) fn list(deliveries: &[Delivery]) -> Markup {
    html! {
        @if deliveries.is_empty() { p.quiet { "Nothing was to be delivered." } }
        ul.lines { @for delivery in deliveries { li { (one(&delivery.entry)) } } }
    }
}

fn one(entry: &Entry) -> Markup {
    html! {
        div.head {
            span {
                strong { (entry.event.replace('_', " ")) }
                @if let Some(id) = entry.intercom_id {
                    " · " a href={ "/door?id=" (id) } { "Intercom " (id) }
                }
                " · " (shown::time(&entry.at))
            }
            @match (&entry.delivered_at, entry.attempts) {
                (Some(_), _) => span.state.good { "delivered" },
                (None, 0) => span.state.wait { "waiting" },
                (None, _) => span.state.bad { "failed" },
            }
        }
        p.quiet {
            @match entry.attempts {
                1 => "1 attempt",
                attempts => { (attempts) " attempts" }
            }
            @if let Some(at) = &entry.attempted_at { ", the last one " (shown::time(at)) }
            @match (&entry.trouble, entry.status) {
                (Some(trouble), _) => { ": " (trouble) }
                (None, Some(status)) => { ": answered with " (status) }
                (None, None) => {}
            }
            @if let Some(next) = &entry.next_attempt_at { " · next attempt " (shown::time(next)) }
        }
    }
}
