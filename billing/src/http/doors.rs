//! The intercoms as an operator looks at them: `/api/v1/intercoms`.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::answer::json_answer;
use super::auth::Reader;
use crate::operations::{Billing, Refusal};

/// GET …/{id}/history: the hardware that was there, and what was asked of it.
pub(super) async fn history(
    _: Reader,
    State(billing): State<Billing>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    Ok(json_answer(StatusCode::OK, &billing.timeline(number(&id)?).await?))
}

/// What is no number is no intercom's ID.
fn number(id: &str) -> Result<i64, Refusal> {
    id.parse().map_err(|_| Refusal::NotFound)
}
