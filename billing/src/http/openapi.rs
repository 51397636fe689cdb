//! The API's description, as OpenAPI 3.1.

use axum::response::IntoResponse;

use super::answer::JSON;

pub(super) async fn file() -> impl IntoResponse {
    ([JSON], include_str!("../../openapi.json"))
}
