//! One file with replacements: what is wrong with it, what its rows would do, how far its run has come.

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde_json::{Map, Value};

use super::imports::{rows, state};
use super::layout::{self, Tab};
use super::shown;
use super::visitor::{Operator, Visitor};
use crate::http::body::Form;
use crate::http::{imports, query};
use crate::operations::{Billing, ImportPage, ImportQuery, ImportRow, Refusal};
use crate::store::import_rows::{Came, Planned, Verdict, Wrong};
use crate::store::imports::{Import, State as ImportState};

/// How many wrong rows are shown above the others.
const WRONG_SHOWN: usize = 50;

/// GET /import?id=…, with the `cursor` that the API takes, too.
pub(super) async fn show(
    Operator(visitor): Operator,
    State(billing): State<Billing>,
    query: RawQuery,
) -> Result<Response, Refusal> {
    let named = query::object(query);
    let id = number(&named);
    let wrong = ImportQuery { id, only_wrong: true, cursor: None, limit: WRONG_SHOWN };
    let page = match billing.import(imports::rows(id, &named)?).await {
        Ok(page) => page,
        Err(Refusal::NotFound) => return Ok(none(&visitor)),
        Err(refusal) => return Err(refusal),
    };
    Ok(document(&visitor, &page, &billing.import(wrong).await?))
}

/// POST /imports/run: the button.
pub(super) async fn run(
    Operator(visitor): Operator,
    State(billing): State<Billing>,
    Form(fields): Form,
) -> Result<Response, Refusal> {
    let id = fields.get("id").and_then(Value::as_str).and_then(|id| id.parse().ok());
    let id: i64 = id.unwrap_or_default();
    match billing.run_import(id, visitor.actor()).await {
        Ok(_) => Ok(Redirect::to(&format!("/import?id={id}")).into_response()),
        Err(Refusal::NotFound) => Ok(none(&visitor)),
        Err(Refusal::Conflict(conflict)) => Ok(layout::conflict(&visitor, &conflict)),
        Err(refusal) => Err(refusal),
    }
}

/// GET /imports/result?id=…: the result file.
pub(super) async fn result(
    Operator(visitor): Operator,
    State(billing): State<Billing>,
    query: RawQuery,
) -> Result<Response, Refusal> {
    let id = number(&query::object(query));
    match billing.import_result(id).await {
        Ok(bytes) => Ok(imports::result_file(id, bytes)),
        Err(Refusal::NotFound) => Ok(none(&visitor)),
        Err(refusal) => Err(refusal),
    }
}

/// No import has the number 0.
fn number(named: &Map<String, Value>) -> i64 {
    named.get("id").and_then(Value::as_i64).unwrap_or_default()
}

fn none(visitor: &Visitor) -> Response {
    let content = html! {
        h1 { "No such import" }
        p { "It was deleted, or there never was one with this number." }
        p { a.button href="/imports" { "All imports" } }
    };
    let document = layout::document("No such import", Tab::Imports, Some(visitor), &content);
    (StatusCode::NOT_FOUND, document).into_response()
}

fn document(visitor: &Visitor, page: &ImportPage, wrong: &ImportPage) -> Response {
    let ImportPage { import, .. } = page;
    let title = format!("Import {}", import.id);
    let content = html! {
        p { a href="/imports" { "Imports" } }
        section #import data-live {
            div.head { h1 { (title) } (state(import)) }
            (summary(import))
            @if !wrong.rows.is_empty() { (errors(import, wrong)) }
        }
        section #rows data-live {
            h2 { @if import.run_at.is_some() { "What came of each row" } @else { "What each row does" } }
            ul.rows { @for row in &page.rows { li.card { (one(row)) } } }
        }
        @if let Some(next) = &page.next {
            p { a.button href={ "/import?id=" (import.id) "&cursor=" (next) } { "Further rows" } }
        }
    };
    layout::document(&title, Tab::Imports, Some(visitor), &content)
}

fn summary(import: &Import) -> Markup {
    html! {
        div.card {
            p role="status" { (what_now(import)) }
            @if import.run_at.is_some() {
                progress max=(import.total) value=(import.done) aria-label="Rows that were run" {}
            }
            div.actions {
                @if import.state == ImportState::Checked && import.wrong == 0 {
                    form method="post" action="/imports/run" {
                        input type="hidden" name="id" value=(import.id);
                        button.primary { "Run " (rows(import.total)) }
                    }
                }
                a.button href={ "/imports/result?id=" (import.id) } { "Result file" }
            }
            p.quiet {
                "Sent " (shown::time(&import.made_at)) " by " (import.made_by)
                @if let (Some(at), Some(by)) = (&import.run_at, &import.run_by) {
                    " · run " (shown::time(at)) " by " (by)
                }
                @if let Some(at) = &import.finished_at { " · done " (shown::time(at)) }
            }
        }
    }
}

fn what_now(import: &Import) -> String {
    let Import { total, wrong, done, failed, .. } = import;
    match import.state {
        ImportState::Checking => "The rows are still being checked.".to_owned(),
        ImportState::Checked if *wrong > 0 => format!(
            "{} of {total} cannot be run. Correct the file, or the result file, which says what is \
             wrong with each row, and send it again.",
            rows(*wrong)
        ),
        ImportState::Checked => "Nothing is wrong with any row. None was run yet.".to_owned(),
        ImportState::Running => format!("Running: {done} of {}.", rows(*total)),
        ImportState::Finished if *failed > 0 => {
            format!("Every row was run; {failed} of {total} failed. The result file says why.")
        }
        ImportState::Finished => {
            "Every row was run. What the panels say is on the page of each door.".to_owned()
        }
    }
}

fn errors(import: &Import, wrong: &ImportPage) -> Markup {
    html! {
        h2 { "What is wrong" }
        ul.rows {
            @for row in &wrong.rows {
                li.card { h3 { "Line " (row.listed.checked.line) } (why(row)) }
            }
        }
        @if wrong.next.is_some() {
            p.quiet { "These are the first of " (import.wrong.max(import.failed)) "." }
        }
    }
}

fn why(row: &ImportRow) -> Markup {
    html! {
        @match &row.listed.checked.verdict {
            Verdict::Errors(wrong) => {
                ul { @for wrong in wrong { li { (error(wrong)) } } }
            }
            Verdict::Plan(_) => {
                @if let Some(Came::Failed { error }) = &row.listed.came { p { (error) } }
            }
        }
    }
}

fn error(wrong: &Wrong) -> Markup {
    html! {
        strong { (wrong.field) } ": " (wrong.text)
        @if let Some(id) = wrong.intercom_id {
            " " a href={ "/door?id=" (id) } { "Intercom " (id) } " has it."
        }
    }
}

fn one(row: &ImportRow) -> Markup {
    let line = row.listed.checked.line;
    html! {
        @match &row.listed.checked.verdict {
            Verdict::Plan(plan) => (does(line, plan, row.listed.came.as_ref())),
            Verdict::Errors(_) => {
                div.head { h3 { "Line " (line) } span.state.bad { "wrong" } }
                p.mac { (cells(row)) }
                (why(row))
            }
        }
    }
}

fn does(line: i64, plan: &Planned, came: Option<&Came>) -> Markup {
    let id = plan.intercom_id;
    html! {
        div.head {
            h3 {
                a href={ "/door?id=" (id) } {
                    @match &plan.title { Some(title) => (title), None => { "Intercom " (id) } }
                }
                " " small { "line " (line) }
            }
            @match came {
                Some(Came::Failed { .. }) => span.state.bad { "failed" },
                Some(came) => span.state.good { (came.word()) },
                None if plan.online => span.state.plain { "on line" },
                None => span.state.plain { "off line" },
            }
        }
        div.change {
            div { small { "From" } br; (shown::identity(&plan.from)) }
            div { small { "To" } br; (shown::identity(&plan.to)) }
        }
        @match (came, &plan.waits_for) {
            (Some(Came::Failed { error }), _) => p { (error) },
            (None, Some(whom)) => p.quiet { "Will wait for " (whom) "." },
            _ => {}
        }
        @if let (None, Some(request_id)) = (came, &plan.supersedes) {
            p.quiet { "Takes the place of request " (request_id) ", which is pending." }
        }
    }
}

fn cells(row: &ImportRow) -> String {
    let cells: Vec<&str> = row.cells.values().filter_map(Value::as_str).collect();
    cells.join(" · ")
}
