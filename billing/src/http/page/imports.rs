//! Replacements from a file: the form to send one, and the files that were sent.

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use intercom_import::{COLUMNS, Column, MAX_ROWS};
use intercom_wire::{Errors, Fields};
use maud::{Markup, html};

use super::layout::{self, Tab};
use super::shown;
use super::visitor::{Operator, Visitor};
use crate::http::import_file::{PASTED, Upload};
use crate::http::{imports, query};
use crate::operations::{Billing, Imports, Refusal};
use crate::store::imports::{Import, State as ImportState};

/// How many files are shown at a time.
const SHOWN: usize = 20;

/// GET /imports, with the `cursor` that the API takes, too.
pub(super) async fn show(
    Operator(visitor): Operator,
    State(billing): State<Billing>,
    query: RawQuery,
) -> Result<Response, Refusal> {
    let named = query::object(query);
    let mut fields = Fields::new(&named);
    let cursor = fields.id("cursor");
    let cursor = fields.finish(Some(cursor))?;
    Ok(document(&visitor, &billing.imports(cursor, SHOWN).await?, None, ""))
}

/// POST /imports: the rows are checked, and shown on a page of their own.
pub(super) async fn add(
    Operator(visitor): Operator,
    State(billing): State<Billing>,
    Upload { text, is_pasted }: Upload,
) -> Result<Response, Refusal> {
    match text.as_deref().map_err(Errors::clone).and_then(imports::read) {
        Ok(file) => {
            let import = billing.add_import(file, visitor.actor()).await?;
            Ok(Redirect::to(&format!("/import?id={}", import.id)).into_response())
        }
        Err(errors) => {
            // A file is chosen again; what was pasted is corrected in place.
            let pasted = text.ok().filter(|_| is_pasted).unwrap_or_default();
            let page = billing.imports(None, SHOWN).await?;
            let document = document(&visitor, &page, Some(&errors), &pasted);
            Ok((StatusCode::UNPROCESSABLE_ENTITY, document).into_response())
        }
    }
}

fn document(visitor: &Visitor, page: &Imports, errors: Option<&Errors>, pasted: &str) -> Response {
    let content = html! {
        h1 { "Imports" }
        (form(errors, pasted))
        section #imports data-live {
            h2 { "Files that were sent" }
            @if page.imports.is_empty() { p.card { "None." } }
            ul.rows { @for import in &page.imports { li.card { (one(import)) } } }
        }
        @if let Some(next) = &page.next {
            p { a.button href={ "/imports?cursor=" (next) } { "Older" } }
        }
    };
    layout::document("Imports", Tab::Imports, Some(visitor), &content)
}

fn form(errors: Option<&Errors>, pasted: &str) -> Markup {
    let names: Vec<&str> = COLUMNS.iter().copied().map(Column::name).collect();
    html! {
        form.card method="post" action="/imports" enctype="multipart/form-data" {
            @for (_, texts) in errors.into_iter().flat_map(Errors::fields) {
                @for text in texts { p.error role="alert" { (text) } }
            }
            p {
                "Many replacements from one table. Every row is checked first; nothing is asked of any \
                 panel before you say so."
            }
            label for="file" { "CSV file" }
            input #file type="file" name="file" accept=".csv,text/csv" aria-describedby="columns";
            label for="text" { "Or the table itself, pasted" }
            textarea #text name=(PASTED) rows="5" autocapitalize="none" autocomplete="off" spellcheck="false"
                placeholder="mac,new_mac,new_serial_number" aria-describedby="columns" { (pasted) }
            p.quiet #columns {
                "The first row has the names of the columns: " (names.join(", ")) ". One of id and mac, and \
                 one of new_mac and new_serial_number are needed. At most " (MAX_ROWS) " rows."
            }
            button.primary { "Check" }
        }
    }
}

fn one(import: &Import) -> Markup {
    html! {
        div.head {
            h3 { a href={ "/import?id=" (import.id) } { "Import " (import.id) } }
            (state(import))
        }
        p.quiet {
            (rows(import.total)) " · sent " (shown::time(&import.made_at)) " by " (import.made_by)
        }
    }
}

/// How far it has come, in words and colour.
pub(super) fn state(import: &Import) -> Markup {
    let (kind, words) = match import.state {
        ImportState::Checking => ("wait", "is checked".to_owned()),
        ImportState::Checked if import.wrong > 0 => ("bad", format!("{} wrong", import.wrong)),
        ImportState::Checked => ("plain", "not run".to_owned()),
        ImportState::Running => ("wait", format!("{} of {}", import.done, import.total)),
        ImportState::Finished if import.failed > 0 => ("bad", format!("{} failed", import.failed)),
        ImportState::Finished => ("good", "done".to_owned()),
    };
    html! { span class={ "state " (kind) } { (words) } }
}

/// So many rows.
pub(super) fn rows(count: i64) -> String {
    match count {
        1 => "1 row".to_owned(),
        count => format!("{count} rows"),
    }
}
