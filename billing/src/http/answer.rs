//! Answers: JSON throughout, errors in the documented shape.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use intercom_wire::Errors;
use serde::Serialize;
use serde_json::json;

use crate::operations::Refusal;

/// A JSON answer.
pub(super) fn json_answer(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => (status, [JSON], bytes).into_response(),
        Err(why) => Refusal::from(why).into_response(),
    }
}

/// The header of every JSON answer.
pub(super) const JSON: (HeaderName, HeaderValue) =
    (header::CONTENT_TYPE, HeaderValue::from_static("application/json"));

/// An answer that says what went wrong in one sentence.
pub(super) fn message(status: StatusCode, message: &str) -> Response {
    json_answer(status, &json!({"message": message}))
}

/// The documented 422 body.
#[derive(Serialize)]
struct Wrong<'a> {
    message: String,
    errors: &'a Errors,
}

/// Errors by field, with the status given.
pub(super) fn errors(status: StatusCode, errors: &Errors) -> Response {
    json_answer(status, &Wrong { message: errors.message(), errors })
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Refusal::Invalid(wrong) => errors(StatusCode::UNPROCESSABLE_ENTITY, &wrong),
            Refusal::Forbidden => message(StatusCode::FORBIDDEN, "This action is unauthorized."),
            Refusal::NotFound => message(StatusCode::NOT_FOUND, "Not found"),
            Refusal::Conflict(conflict) => message(StatusCode::CONFLICT, &conflict.to_string()),
            Refusal::Failed(failure) => {
                tracing::error!("{failure}");
                message(StatusCode::INTERNAL_SERVER_ERROR, "Server Error")
            }
        }
    }
}

pub(super) async fn not_found() -> Response {
    Refusal::NotFound.into_response()
}

pub(super) async fn method_not_allowed() -> Response {
    message(StatusCode::METHOD_NOT_ALLOWED, "The method is not supported for this route.")
}
