//! Who has changed what: one list.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use maud::{Markup, html};
use serde_json::{Map, Value};

use super::layout::{self, Tab};
use super::shown;
use super::visitor::Visitor;
use crate::audit::Action;
use crate::http::{audit, query};
use crate::operations::{Billing, Refusal};
use crate::store::audit::Entry;

/// GET /audit, with the filters and the `cursor` that the API takes, too.
pub(super) async fn show(
    visitor: Visitor,
    State(billing): State<Billing>,
    query: RawQuery,
) -> Result<Response, Refusal> {
    let named = query::object(query);
    let page = billing.audit(audit::read(&named)?).await?;
    let content = html! {
        h1 { "Audit" }
        (filters(&named))
        div #audit data-live {
            @if page.entries.is_empty() { p.card { "None." } }
            ul.rows { @for entry in &page.entries { li.card { (one(entry)) } } }
        }
        @if let Some(next) = &page.next { p { a.button href=(older(&named, next)) { "Older" } } }
    };
    Ok(layout::document("Audit", Tab::Audit, Some(&visitor), &content))
}

fn filters(named: &Map<String, Value>) -> Markup {
    let given = |name: &str| named.get(name).and_then(Value::as_str).unwrap_or_default();
    html! {
        form.card method="get" action="/audit" {
            label for="action" { "What" }
            select #action name="action" {
                option value="" { "all" }
                @for action in Action::EVERY {
                    option value=(action.word()) selected[given("action") == action.word()] {
                        (words(action.word()))
                    }
                }
            }
            label for="intercom" { "Intercom" }
            input #intercom name="intercom" value=(given("intercom")) inputmode="numeric"
                pattern="[0-9]+";
            label for="actor" { "Who: token 1, command line …" }
            input #actor name="actor" value=(given("actor")) autocapitalize="none" spellcheck="false";
            button { "Show" }
        }
    }
}

/// The next page with the same filters.
fn older(named: &Map<String, Value>, next: &str) -> String {
    let kept = named.iter().filter(|(name, _)| *name != "cursor");
    let kept = kept.filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)));
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    format!("/audit?{}", query.extend_pairs(kept).append_pair("cursor", next).finish())
}

fn one(entry: &Entry) -> Markup {
    html! {
        div.head { h3 { (words(&entry.action)) } (shown::time(&entry.at)) }
        p { "By " (entry.who) }
        @if let Some(detail) = &entry.detail { p { (detail) } }
        @let subject = subject(entry);
        @if !subject.is_empty() {
            p.quiet {
                @for (index, part) in subject.iter().enumerate() {
                    @if index > 0 { " · " }
                    (part)
                }
            }
        }
    }
}

/// What it was on, and by which call.
fn subject(entry: &Entry) -> Vec<Markup> {
    let parts = [
        entry.intercom_id.map(|id| html! { a href={ "/door?id=" (id) } { "Intercom " (id) } }),
        entry.board.as_ref().map(|board| html! { "board " (board) }),
        entry.token.map(|token| html! { "token " (token) }),
        entry.request_id.as_ref().map(|id| html! { "request " (id) }),
        entry.call.as_ref().map(|call| html! { "call " (call) }),
    ];
    parts.into_iter().flatten().collect()
}

/// An action as people read it.
fn words(action: &str) -> String {
    action.replace('_', " ")
}
