//! The files of the page that are the same for everybody.

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};

/// A new version of the service brings new files, which must count at once.
const REVALIDATED: (HeaderName, HeaderValue) =
    (header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
const CSS: (HeaderName, HeaderValue) =
    (header::CONTENT_TYPE, HeaderValue::from_static("text/css; charset=utf-8"));

const JAVASCRIPT: (HeaderName, HeaderValue) =
    (header::CONTENT_TYPE, HeaderValue::from_static("text/javascript; charset=utf-8"));

/// GET /live.js.
pub(super) async fn live() -> Response {
    ([JAVASCRIPT, REVALIDATED], include_str!("live.js")).into_response()
}

/// GET /scan.js.
pub(super) async fn scan() -> Response {
    ([JAVASCRIPT, REVALIDATED], include_str!("scan.js")).into_response()
}

/// GET /style.css.
pub(super) async fn style() -> Response {
    ([CSS, REVALIDATED], include_str!("style.css")).into_response()
}
