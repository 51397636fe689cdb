//! The first page: the search, what needs somebody, and the newest requests.

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Redirect, Response};
use intercom_wire::{BoardName, IntercomBody};
use maud::{Markup, html};

use super::layout::{self, Tab};
use super::visitor::{Operator, Visitor};
use super::{request, shown};
use crate::http::body::Form;
use crate::http::{decisions, query};
use crate::operations::{Billing, Found, IntercomShown, Question, Refusal, Waits};

/// How many of the newest requests are shown.
const SHOWN: usize = 10;

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
    if let Some(Found { intercoms, .. }) = &found
        && let [IntercomShown { shown: IntercomBody { id: Some(id), .. }, .. }] = &intercoms[..]
    {
        return Ok(Redirect::to(&format!("/door?id={id}")).into_response());
    }
    let questions = billing.questions().await?;
    let old = billing.pending_for_long().await?;
    let newest = billing.newest_requests(SHOWN).await?;
    let content = html! {
        h1 { "Doors" }
        form.search role="search" method="get" action="/" {
            label for="q" { "Find a door" }
            div.joined {
                input #q type="search" name="q" value=(word) autocapitalize="none" spellcheck="false"
                    placeholder="MAC address, serial number, name …";
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
                (request::list(&visitor, &old)?)
            }
        }
        section #newest data-live {
            h2 { "Newest requests" }
            @if newest.is_empty() {
                p.card { "Nothing has been asked for yet. A PATCH with a new MAC address or a new serial \
                          number appears here." }
            } @else {
                (request::list(&visitor, &newest)?)
                p { a href="/requests" { "All requests" } }
            }
        }
    };
    Ok(layout::document("Doors", Tab::Doors, Some(&visitor), &content))
}

fn results(word: &str, found: &Found) -> Markup {
    html! {
        section aria-label="Found" {
            @if found.intercoms.is_empty() {
                p.card role="status" {
                    "No intercom has " strong { (word) } "."
                    @if let Some((_, board)) = &found.owner {
                        " The MAC address was seen on board " (board) ", which is no door's."
                    }
                }
            }
            ul.rows { @for intercom in &found.intercoms { li.card { (result(intercom)) } } }
            @if found.may_be_more {
                p.quiet { "There may be more: write more of the word, or another one." }
            }
        }
    }
}

fn result(intercom: &IntercomShown) -> Markup {
    let shown = &intercom.shown;
    let id = shown.id.unwrap_or_default();
    html! {
        div.head {
            h3 {
                a href={ "/door?id=" (id) } { (shown.title.as_deref().unwrap_or("Intercom")) }
                " " small { (id) }
            }
            (shown::state(shown.status.as_deref().unwrap_or_default()))
        }
        p.quiet {
            span.mac { (intercom.confirmed.mac) }
            @if let Some(group) = &shown.group { " · group " (group.name) }
            @if intercom.online { " · on line" } @else { " · off line" }
        }
    }
}

/// POST /: a button.
pub(super) async fn press(
    Operator(visitor): Operator,
    State(billing): State<Billing>,
    Form(fields): Form,
) -> Result<Response, Refusal> {
    match billing.decide(decisions::read(&fields)?, visitor.actor()).await {
        Ok(()) => Ok(Redirect::to("/").into_response()),
        Err(Refusal::NotFound) => Ok(layout::too_late(&visitor)),
        Err(refusal) => Err(refusal),
    }
}

fn asks(question: &Question, is_operator: bool) -> serde_json::Result<Markup> {
    Ok(html! {
        div.card.asks {
            p { (question.what) }
            @if is_operator {
                div.actions {
                    @for answer in &question.answers { (shown::decision(answer)?) }
                    @if let Waits::ByHand(change) = &question.what { (number(&change.board)) }
                }
            }
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
