//! The files of the page that are the same for everybody.

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};

/// A new version of the service brings new files, which must count at once.
const REVALIDATED: (HeaderName, HeaderValue) =
    (header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
const CSS: (HeaderName, HeaderValue) =
    (header::CONTENT_TYPE, HeaderValue::from_static("text/css; charset=utf-8"));

pub(super) async fn style() -> Response {
    ([CSS, REVALIDATED], include_str!("style.css")).into_response()
}
