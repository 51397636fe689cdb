//! A read-only page that shows the replacements.

use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};

use super::auth::Reader;
use crate::operations::{Billing, Refusal};
use crate::store::history::{Entry, Shown};

/// How many requests are shown.
const SHOWN: i64 = 50;
const REFRESH_SECONDS: u32 = 3;

const STYLE: &str = "
body { font: 16px/1.4 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .4rem .8rem .4rem 0;
         border-bottom: 1px solid #8884 }
small { opacity: .7 } .pending { color: #b60 } .installed { color: #080 }
.rejected, .rolled_back, .failed { color: #c00 }
";

/// The page loads nothing; only its own style is allowed.
const POLICY: (HeaderName, HeaderValue) = (
    header::CONTENT_SECURITY_POLICY,
    HeaderValue::from_static(
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    ),
);
const HTML: (HeaderName, HeaderValue) =
    (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));

pub(super) async fn page(_: Reader, State(billing): State<Billing>) -> Result<Response, Refusal> {
    let entries = billing.history(None, SHOWN).await?;
    Ok(([HTML, POLICY], document(&entries).into_string()).into_response())
}

fn document(entries: &[Entry]) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="refresh" content=(REFRESH_SECONDS);
                title { "Replacements" }
                style { (maud::PreEscaped(STYLE)) }
            }
            body {
                h1 { "Replacements" }
                @if entries.is_empty() {
                    p { "Nothing has been asked for yet. A PATCH with a new MAC address or a new "
                        "serial number appears here." }
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
