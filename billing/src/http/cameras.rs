//! GET …/camera/credentials: what the cameras' software logs in with.

use axum::extract::{RawQuery, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

use super::answer::json_answer;
use super::auth::Camera;
use super::intercoms::one_name;
use super::query;
use crate::operations::{Billing, Refusal};

/// Those of the intercom with this `id` or `mac`.
pub(super) async fn credentials(
    Camera(caller): Camera,
    State(billing): State<Billing>,
    query: RawQuery,
) -> Result<Response, Refusal> {
    let name = one_name(&query::object(query), false)?;
    let kept = billing.credentials(name, &caller).await?;
    let mut answer = json_answer(StatusCode::OK, &kept);
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(answer)
}
