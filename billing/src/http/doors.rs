//! The intercoms as an operator looks at them: `/api/v1/intercoms`.

use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use intercom_wire::{Errors, Fields, Outcome};
use serde_json::{Map, Value};

use super::answer::json_answer;
use super::auth::{Operator, Reader};
use super::query;
use crate::operations::{Billing, IntercomQuery, Refusal};
use crate::store::intercom_list::{Filter, Search};
use crate::store::intercoms::{CANCELLED, EMPTY, PENDING};

/// What can be searched for.
const TERMS: [&str; 5] = ["mac", "serial_number", "external_id", "external_id_prefix", "title"];

/// GET: the intercoms that a search finds, one page at a time.
pub(super) async fn list(
    _: Reader,
    State(billing): State<Billing>,
    query: RawQuery,
) -> Result<Response, Refusal> {
    let page = billing.intercoms(search(&query::object(query))?).await?;
    Ok(json_answer(StatusCode::OK, &page))
}

fn search(named: &Map<String, Value>) -> Result<IntercomQuery, Errors> {
    let mut fields = Fields::new(named);
    let text = |text: &str| text.to_owned();
    let searches: Vec<Search> = [
        fields.mac("mac").map(Search::Mac),
        fields.serial_number("serial_number").map(Search::SerialNumber),
        fields.string("external_id").map(text).map(Search::ExternalId),
        fields.string("external_id_prefix").map(text).map(Search::ExternalIdPrefix),
        fields.string("title").map(text).map(Search::Title),
    ]
    .into_iter()
    .flatten()
    .collect();
    if TERMS.iter().filter(|term| fields.has(term)).count() > 1 {
        for term in TERMS.iter().filter(|term| named.contains_key(**term)) {
            fields.error(term, "Only one thing can be searched for at a time.");
        }
    }
    let search = searches.into_iter().next().unwrap_or(Search::All);
    let filter = Filter {
        status: query::word(&mut fields, "state", |word| is_state(word).then(|| word.to_owned())),
        online: query::word(&mut fields, "online", |text| text.parse().ok()),
    };
    let cursor = match search {
        Search::ExternalIdPrefix(_) => fields.string("cursor").map(text),
        _ => fields.id("cursor").map(|id| id.to_string()),
    };
    let limit = query::limit(&mut fields);
    fields.finish(Some(IntercomQuery { search, filter, cursor, limit }))
}

/// Whether an intercom can have this status.
fn is_state(word: &str) -> bool {
    [EMPTY, PENDING, CANCELLED].contains(&word) || word.parse::<Outcome>().is_ok()
}

/// GET …/{id}/history: the hardware that was there, and what was asked of it.
pub(super) async fn history(
    _: Reader,
    State(billing): State<Billing>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    Ok(json_answer(StatusCode::OK, &billing.timeline(number(&id)?).await?))
}

/// POST …/{id}/undo: the hardware that was there before is asked for.
pub(super) async fn undo(
    Operator(by): Operator,
    State(billing): State<Billing>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let asked = billing.undo(number(&id)?, by).await?;
    Ok(json_answer(StatusCode::CREATED, &asked))
}

/// What is no number is no intercom's ID.
fn number(id: &str) -> Result<i64, Refusal> {
    id.parse().map_err(|_| Refusal::NotFound)
}
