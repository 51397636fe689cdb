//! The first page: what waits for an operator, with buttons for him, and the replacements.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use intercom_wire::BoardName;
use maud::{Markup, html};

use super::layout::{self, Tab};
use super::visitor::{Operator, Visitor};
use crate::http::body::Form;
use crate::http::decisions;
use crate::operations::{Billing, Decision, Question, Refusal, Waits};
use crate::store::history::{Entry, Shown};

/// How many requests are shown.
const SHOWN: i64 = 50;

/// GET /.
pub(super) async fn show(
    visitor: Visitor,
    State(billing): State<Billing>,
) -> Result<Response, Refusal> {
    let questions = billing.questions().await?;
    let entries = billing.history(None, SHOWN).await?;
    let content = html! {
        @if !questions.is_empty() { (waiting(&questions, visitor.is_operator())?) }
        (replacements(&entries))
    };
    Ok(layout::document("Doors", Tab::Doors, Some(&visitor), &content))
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

fn waiting(questions: &[Question], is_operator: bool) -> serde_json::Result<Markup> {
    Ok(html! {
        h1 { "Waits for an operator" }
        @for question in questions {
            section.card.asks {
                p { (question.what) }
                @if is_operator {
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
    html! {
        form method="post" action="/" {
            input type="hidden" name="decision" value="accept_by_hand";
            input type="hidden" name="board" value=(board);
            label { "It is the panel of intercom " input name="id" inputmode="numeric" size="6" required; }
            " " button { "Accept" }
        }
    }
}

fn replacements(entries: &[Entry]) -> Markup {
    html! {
        h1 { "Replacements" }
        @if entries.is_empty() {
            p { "Nothing has been asked for yet. A PATCH with a new MAC address or a new serial \
                 number appears here." }
        } @else {
            table {
                thead { tr {
                    th { "Intercom" } th { "From" } th { "To" } th { "State" } th { "Asked" }
                } }
                tbody { @for entry in entries { (row(entry)) } }
            }
        }
    }
}

fn row(entry: &Entry) -> Markup {
    html! {
        tr {
            td { (entry.intercom_id) @if let Some(title) = &entry.title { " " (title) } }
            td { (identity(&entry.from)) }
            td { (identity(&entry.to)) }
            td {
                span class=(entry.state) { (entry.state) }
                " " (age(entry))
                @if let Some(board) = &entry.board { br; small { "by " (board) } }
                @if let Some(reason) = &entry.reason { br; (reason) }
                @if let Some(whom) = &entry.waits_for { br; "waits for " (whom) }
                @for board in &entry.offered_to { br; small { "offered to " (board) } }
            }
            td { (entry.asked_at) br; small { (entry.request_id) } }
        }
    }
}

fn identity(shown: &Shown) -> Markup {
    html! {
        (shown.mac)
        @if let Some(serial_number) = &shown.serial_number { br; (serial_number) }
        @if let Some(model) = &shown.model { br; small { (model) } }
    }
}

fn age(entry: &Entry) -> String {
    let word = if entry.ended_at.is_some() { "after" } else { "for" };
    match entry.age_seconds {
        seconds @ 0..120 => format!("{word} {seconds} s"),
        seconds @ 120..7200 => format!("{word} {} min", seconds / 60),
        seconds @ 7200..172_800 => format!("{word} {} h", seconds / 3600),
        seconds => format!("{word} {} days", seconds / 86_400),
    }
}
