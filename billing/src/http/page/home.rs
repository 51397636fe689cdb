//! The first page: the search, what needs somebody, and the newest requests.

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use intercom_wire::BoardName;
use maud::{Markup, html};

use super::layout::{self, Tab};
use super::visitor::{Operator, Visitor};
use super::{request, shown};
use crate::http::body::Form;
use crate::http::{decisions, query};
use crate::operations::{Billing, Decision, Found, Question, Refusal, Waits};

/// How many of the newest requests are shown.
const SHOWN: i64 = 10;

/// GET /, with the word that is searched for as `q`.
pub(super) async fn show(
    visitor: Visitor,
    State(billing): State<Billing>,
    query: RawQuery,
) -> Result<Response, Refusal> {
    let named = query::object(query);
    let word = named.get("q").and_then(|word| word.as_str()).unwrap_or_default().trim();
    let found = match word {
        "" => None,
        word => Some(billing.search(word).await?),
    };
    if let Some(Found { records, .. }) = &found
        && let [only] = &records[..]
    {
        return Ok(Redirect::to(&format!("/door?id={}", only.id)).into_response());
    }
    let questions = billing.questions().await?;
    let old = billing.pending_for_long().await?;
    let newest = billing.history(None, SHOWN).await?;
    let content = html! {
        h1 { "Doors" }
        form.search role="search" method="get" action="/" {
            label for="q" { "Find a door" }
            div.joined {
                input #q type="search" name="q" value=(word) autocapitalize="none" spellcheck="false"
                    placeholder="MAC address, number or external ID";
                button.primary { "Find" }
            }
        }
        @if let Some(found) = &found { (results(word, found)) }
        section #needed data-live {
            h2 { "Needs somebody" }
            @if questions.is_empty() && old.is_empty() {
                p.card { "Nothing waits for you." }
            }
            @for question in &questions { (asks(question, visitor.is_operator())?) }
            @if !old.is_empty() {
                h3 { "Pending for long" }
                (request::list(&old))
            }
        }
        section #newest data-live {
            h2 { "Newest requests" }
            @if newest.is_empty() {
                p.card { "Nothing has been asked for yet. A PATCH with a new MAC address or a new serial \
                          number appears here." }
            } @else {
                (request::list(&newest))
                p { a href="/requests" { "All requests" } }
            }
        }
    };
    Ok(layout::document("Doors", Tab::Doors, Some(&visitor), &content))
}

fn results(word: &str, found: &Found) -> Markup {
    html! {
        section aria-label="Found" {
            @if found.records.is_empty() {
                p.card role="status" {
                    "No intercom has " strong { (word) } "."
                    @if let Some((_, board)) = &found.owner {
                        " The MAC address was seen on board " (board) ", which is no door's."
                    }
                }
            }
            ul.rows {
                @for record in &found.records {
                    li.card {
                        a href={ "/door?id=" (record.id) } {
                            (record.shown.title.as_deref().unwrap_or("Intercom")) " " (record.id)
                        }
                        " " (shown::state(record.shown.status.as_deref().unwrap_or_default()))
                    }
                }
            }
        }
    }
}

/// POST /: a button.
pub(super) async fn press(
    Operator(visitor): Operator,
    State(billing): State<Billing>,
    Form(fields): Form,
) -> Result<Response, Refusal> {
    match billing.decide(decisions::read(&fields)?).await {
        Ok(()) => Ok(Redirect::to("/").into_response()),
        Err(Refusal::NotFound) => {
            let content = html! {
                h1 { "Not done" }
                p { "This does not wait any more, there is no such intercom, or another intercom has \
                     that identity." }
                p { a.button href="/" { "Back" } }
            };
            let document = layout::document("Not done", Tab::None, Some(&visitor), &content);
            Ok((StatusCode::NOT_FOUND, document).into_response())
        }
        Err(refusal) => Err(refusal),
    }
}

fn asks(question: &Question, is_operator: bool) -> serde_json::Result<Markup> {
    Ok(html! {
        div.card.asks {
            p { (question.what) }
            @if is_operator {
                div.actions {
                    @for answer in &question.answers { (button(answer)?) }
                    @if let Waits::ByHand(change) = &question.what { (number(&change.board)) }
                }
            }
        }
    })
}

/// A form with the decision as it is sent to the API, too.
fn button(decision: &Decision) -> serde_json::Result<Markup> {
    let fields = serde_json::to_value(decision)?;
    Ok(html! {
        form method="post" action="/" {
            @for (name, value) in fields.as_object().into_iter().flatten() {
                input type="hidden" name=(name) value=(value.as_str().map_or_else(|| value.to_string(), str::to_owned));
            }
            button { (decision) }
        }
    })
}

/// For an intercom that nobody has guessed.
fn number(board: &BoardName) -> Markup {
    let id = format!("intercom-of-{board}");
    html! {
        form method="post" action="/" {
            input type="hidden" name="decision" value="accept_by_hand";
            input type="hidden" name="board" value=(board);
            label for=(id) { "It is the panel of intercom" }
            div.joined {
                input id=(id) name="id" inputmode="numeric" pattern="[0-9]+" size="6" required;
                button { "Accept" }
            }
        }
    }
}
