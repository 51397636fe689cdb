//! One line in the log for each call: its ID, who called what, and how it was answered.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::{Extensions, HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument;
use uuid::Uuid;

use crate::logging;

/// The answer names the call, so that a caller can quote it.
const CALL_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The ID of the call that is being answered.
#[derive(Clone, Copy)]
struct CallId(Uuid);

/// The ID of the call with these extensions.
pub(super) fn id(extensions: &Extensions) -> Option<Uuid> {
    extensions.get::<CallId>().map(|CallId(id)| *id)
}

/// Neither paths nor queries are written, since they can have anything in them: the route is.
pub(super) async fn log(mut request: Request, next: Next) -> Response {
    let id = Uuid::new_v4();
    request.extensions_mut().insert(CallId(id));
    let only_reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str);
    let span = logging::call(id, request.method(), route);
    let begun = Instant::now();
    let mut answer = next.run(request).instrument(span.clone()).await;
    let status = answer.status().as_u16();
    let ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    span.in_scope(|| match only_reads && status < 400 {
        true => tracing::debug!(status, ms, "answered"),
        false => tracing::info!(status, ms, "answered"),
    });
    if let Ok(id) = HeaderValue::from_str(&id.to_string()) {
        answer.headers_mut().insert(CALL_ID, id);
    }
    answer
}
