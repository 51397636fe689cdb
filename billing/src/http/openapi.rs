//! The API's description, as OpenAPI 3.1.

use axum::response::IntoResponse;

use super::answer::JSON;

/// The file.
pub(super) const FILE: &str = include_str!("../../openapi.json");

pub(super) async fn file() -> impl IntoResponse {
    ([JSON], FILE)
}
