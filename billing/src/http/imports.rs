//! `…/imports`: replacements from a file.

use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use intercom_import::File;
use intercom_wire::{Errors, Fields};
use serde_json::{Map, Value};

use super::answer::json_answer;
use super::auth::Operator;
use super::import_file::Csv;
use super::query;
use crate::operations::{Billing, ImportQuery, Refusal};
use crate::store::imports::State as ImportState;

/// GET: the imports, one page at a time.
pub(super) async fn list(
    _: Operator,
    State(billing): State<Billing>,
    query: RawQuery,
) -> Result<Response, Refusal> {
    let named = query::object(query);
    let mut fields = Fields::new(&named);
    let page = (fields.id("cursor"), query::limit(&mut fields));
    let (cursor, limit) = fields.finish(Some(page))?;
    Ok(json_answer(StatusCode::OK, &billing.imports(cursor, limit).await?))
}

/// POST: every row is checked, and none is run.
pub(super) async fn add(
    Operator(by): Operator,
    State(billing): State<Billing>,
    Csv(text): Csv,
) -> Result<Response, Refusal> {
    let import = billing.add_import(read(&text)?, by).await?;
    let page = billing.import(first_page(import.id)).await?;
    Ok(json_answer(StatusCode::CREATED, &page))
}

/// A text as an import file.
pub(super) fn read(text: &str) -> Result<File, Errors> {
    intercom_import::read(text).map_err(|why| Errors::on("body", why.to_string()))
}

fn first_page(id: i64) -> ImportQuery {
    ImportQuery { id, only_wrong: false, cursor: None, limit: query::PAGE }
}

/// GET …/{id}: how far it has come, and one page of its rows.
pub(super) async fn show(
    _: Operator,
    State(billing): State<Billing>,
    Path(id): Path<String>,
    query: RawQuery,
) -> Result<Response, Refusal> {
    let page = billing.import(rows(number(&id)?, &query::object(query))?).await?;
    Ok(json_answer(StatusCode::OK, &page))
}

/// Which rows a query string asks for.
pub(super) fn rows(id: i64, named: &Map<String, Value>) -> Result<ImportQuery, Errors> {
    let mut fields = Fields::new(named);
    let only_wrong = query::word(&mut fields, "wrong", |text| text.parse().ok());
    let cursor = fields.id("cursor");
    let limit = query::limit(&mut fields);
    let only_wrong = only_wrong.unwrap_or(false);
    fields.finish(Some(ImportQuery { id, only_wrong, cursor, limit }))
}

/// POST …/{id}/run: the rows are run.
pub(super) async fn run(
    Operator(by): Operator,
    State(billing): State<Billing>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let import = billing.run_import(number(&id)?, by).await?;
    let status = match import.state {
        ImportState::Finished => StatusCode::OK,
        ImportState::Checking | ImportState::Checked | ImportState::Running => StatusCode::ACCEPTED,
    };
    Ok(json_answer(status, &import))
}

/// GET …/{id}/result: the result file.
pub(super) async fn result(
    _: Operator,
    State(billing): State<Billing>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let id = number(&id)?;
    Ok(result_file(id, billing.import_result(id).await?))
}

/// A result file, which a browser keeps and does not show.
pub(super) fn result_file(id: i64, bytes: Vec<u8>) -> Response {
    const NOSNIFF: (HeaderName, &str) = (header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    let kind = (header::CONTENT_TYPE, "text/csv; charset=utf-8");
    let name = format!("attachment; filename=\"import-{id}.csv\"");
    ([kind, NOSNIFF], [(header::CONTENT_DISPOSITION, name)], bytes).into_response()
}

/// What is no number is no import's.
fn number(id: &str) -> Result<i64, Refusal> {
    id.parse().map_err(|_| Refusal::NotFound)
}
