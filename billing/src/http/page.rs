//! A page that shows what waits for an operator, with buttons for him, and the replacements.

use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use intercom_wire::BoardName;
use maud::{DOCTYPE, Markup, html};

use super::auth::Reader;
use crate::operations::{Billing, Decision, Question, Refusal, Waits};
use crate::store::history::{Entry, Shown};

/// How many requests are shown.
const SHOWN: i64 = 50;
const REFRESH_SECONDS: u32 = 3;

const STYLE: &str = "
body { font: 16px/1.4 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .4rem .8rem .4rem 0;
         border-bottom: 1px solid #8884 }
section { border-left: 4px solid #b60; padding-left: .8rem }
form { display: inline-block; margin: 0 .8rem .8rem 0 } button, input { font: inherit }
small { opacity: .7 } .pending { color: #b60 } .installed { color: #080 }
.rejected, .rolled_back, .failed { color: #c00 }
";

/// The page loads nothing; only its own style is allowed.
const POLICY: (HeaderName, HeaderValue) = (
    header::CONTENT_SECURITY_POLICY,
    HeaderValue::from_static(
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
    ),
);
const HTML: (HeaderName, HeaderValue) =
    (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));

pub(super) async fn page(
    Reader { is_operator }: Reader,
    State(billing): State<Billing>,
) -> Result<Response, Refusal> {
    let questions = billing.questions().await?;
    let entries = billing.history(None, SHOWN).await?;
    let content = html! {
        @if !questions.is_empty() { (waiting(&questions, is_operator)?) }
        (replacements(&entries))
    };
    // Who types a number must not lose it.
    let is_typed = is_operator && questions.iter().any(takes_a_number);
    Ok(document((!is_typed).then_some(REFRESH_SECONDS), &content))
}

/// Says that a button came too late.
pub(super) fn too_late() -> Response {
    let content = html! {
        h1 { "Not done" }
        p { "This does not wait any more, there is no such intercom, or another intercom has that \
             identity." }
        p { a href="/" { "Back" } }
    };
    document(None, &content)
}

fn document(refresh_seconds: Option<u32>, content: &Markup) -> Response {
    let document = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                @if let Some(seconds) = refresh_seconds {
                    meta http-equiv="refresh" content=(seconds);
                }
                title { "Replacements" }
                style { (maud::PreEscaped(STYLE)) }
            }
            body { (content) }
        }
    };
    ([HTML, POLICY], document.into_string()).into_response()
}

fn waiting(questions: &[Question], is_operator: bool) -> serde_json::Result<Markup> {
    Ok(html! {
        h1 { "Waits for an operator" }
        @for question in questions {
            section {
                p { (question.what) }
                @if is_operator {
                    @for answer in &question.answers { (button(answer)?) }
                    @if let Waits::ByHand(change) = &question.what { (number(&change.board)) }
                }
            }
        }
    })
}

fn takes_a_number(question: &Question) -> bool {
    matches!(question.what, Waits::ByHand(_))
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
