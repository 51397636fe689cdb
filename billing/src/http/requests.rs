//! The requests as an operator looks at them: `/api/v1/requests`.

use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use intercom_wire::{Errors, Fields};
use serde_json::{Map, Value};

use super::answer::json_answer;
use super::auth::{Operator, Reader};
use super::body::Object;
use super::query;
use crate::operations::{Billing, Refusal, RequestQuery};
use crate::store::request_list::{Filter, RequestState};

/// GET: the requests that a filter leaves, one page at a time.
pub(super) async fn list(
    _: Reader,
    State(billing): State<Billing>,
    query: RawQuery,
) -> Result<Response, Refusal> {
    let page = billing.requests(filter(&query::object(query))?).await?;
    Ok(json_answer(StatusCode::OK, &page))
}

/// POST: an identity is asked for with the documented body. With `dry_run` nothing is changed.
pub(super) async fn create(
    Operator(by): Operator,
    State(billing): State<Billing>,
    Object(body): Object,
) -> Result<Response, Refusal> {
    let plan = match is_dry_run(&body)? {
        true => billing.dry_run(body).await?,
        false => billing.request(body, by).await?,
    };
    let status = match plan.is_new && !plan.dry_run {
        true => StatusCode::CREATED,
        false => StatusCode::OK,
    };
    Ok(json_answer(status, &plan))
}

fn is_dry_run(body: &Map<String, Value>) -> Result<bool, Errors> {
    match body.get("dry_run") {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(is_dry)) => Ok(*is_dry),
        Some(_) => Err(Errors::on("dry_run", "The dry run field must be true or false.")),
    }
}

/// POST …/{id}/cancel: the request is taken back.
pub(super) async fn cancel(
    Operator(by): Operator,
    State(billing): State<Billing>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    // What is no ID is no request's.
    let request_id = id.parse().map_err(|_| Refusal::NotFound)?;
    Ok(json_answer(StatusCode::OK, &billing.cancel(request_id, by).await?))
}

fn filter(named: &Map<String, Value>) -> Result<RequestQuery, Errors> {
    let mut fields = Fields::new(named);
    let filter = Filter {
        state: query::word(&mut fields, "state", RequestState::of),
        intercom_id: fields.id("intercom"),
        board: query::word(&mut fields, "board", |text| text.parse().ok()),
        since_ms: query::word(&mut fields, "since", query::time),
    };
    let cursor = fields.id("cursor");
    let read = RequestQuery { filter, cursor, limit: query::limit(&mut fields) };
    fields.finish(Some(read))
}
