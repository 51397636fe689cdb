//! Request bodies: bounded in size and time. Errors are answered in the documented shape.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use futures_util::StreamExt;
use intercom_wire::Errors;
use serde_json::{Map, Value};

use super::answer;

/// The largest body that is read, but for a file.
const MAX_BYTES: usize = 256 * 1024;
/// How much of a larger body is read and discarded, so that its sender gets the answer and not a
/// broken connection.
const MAX_IGNORED_BYTES: usize = 64 * 1024 * 1024;
/// A sender that takes longer is gone, faulty or hostile.
const TIME_LIMIT: Duration = Duration::from_secs(30);

/// A body that is JSON.
pub(super) struct Json(pub(super) Value);

/// A body that is a JSON object.
pub(super) struct Object(pub(super) Map<String, Value>);

impl<S: Send + Sync> FromRequest<S> for Json {
    type Rejection = Response;

    async fn from_request(request: Request, _: &S) -> Result<Self, Response> {
        if !is_of_type(request.headers(), "application/json") {
            return Err(answer::message(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "The body must be sent as `Content-Type: application/json`.",
            ));
        }
        let bytes = bytes_of(request.into_body(), MAX_BYTES).await?;
        serde_json::from_slice(&bytes).map(Json).map_err(|why| {
            Unreadable::invalid(format!("The body must be valid JSON: {why}.")).into()
        })
    }
}

impl<S: Send + Sync> FromRequest<S> for Object {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        match Json::from_request(request, state).await? {
            Json(Value::Object(object)) => Ok(Object(object)),
            Json(_) => Err(Unreadable::invalid("The body must be a JSON object.").into()),
        }
    }
}

/// The fields of a form on our own page. A browser says which page sends it.
pub(super) struct Form(pub(super) Map<String, Value>);

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Response;

    async fn from_request(request: Request, _: &S) -> Result<Self, Response> {
        if !is_from_a_page(request.headers()) {
            return Err(not_from_a_page());
        }
        let bytes = bytes_of(request.into_body(), MAX_BYTES).await?;
        let fields = url::form_urlencoded::parse(&bytes);
        Ok(Form(fields.map(|(name, value)| (name.into(), Value::String(value.into()))).collect()))
    }
}

/// Whether a form says which page it comes from. Whether that is our own, `site` has seen to.
pub(super) fn is_from_a_page(headers: &HeaderMap) -> bool {
    headers.contains_key(header::ORIGIN)
}

/// Says that a form is refused for that.
pub(super) fn not_from_a_page() -> Response {
    answer::message(StatusCode::FORBIDDEN, "A form is only taken from the page of this service.")
}

/// A page of another site may send a body of another type without asking first.
pub(super) fn is_of_type(headers: &HeaderMap, expected: &str) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default();
    kind.trim().eq_ignore_ascii_case(expected)
}

/// Why a body cannot be read: an answer of the API, or a text for a page.
#[derive(Debug)]
pub(super) struct Unreadable {
    status: StatusCode,
    pub(super) errors: Errors,
}

impl Unreadable {
    fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Unreadable { status, errors: Errors::on("body", text) }
    }

    pub(super) fn invalid(text: impl Into<String>) -> Self {
        Unreadable::new(StatusCode::UNPROCESSABLE_ENTITY, text)
    }
}

impl From<Unreadable> for Response {
    fn from(Unreadable { status, errors }: Unreadable) -> Self {
        answer::errors(status, &errors)
    }
}

/// A body of at most so many bytes.
pub(super) async fn bytes_of(body: Body, max: usize) -> Result<Bytes, Unreadable> {
    match tokio::time::timeout(TIME_LIMIT, read(body, max)).await {
        Ok(read) => read,
        Err(_) => {
            let text = "The body did not arrive in time.";
            Err(Unreadable::new(StatusCode::REQUEST_TIMEOUT, text))
        }
    }
}

async fn read(body: Body, max: usize) -> Result<Bytes, Unreadable> {
    let mut chunks = body.into_data_stream();
    let mut kept = Vec::new();
    let mut size = 0;
    while let Some(chunk) = chunks.next().await {
        let chunk =
            chunk.map_err(|why| Unreadable::invalid(format!("The body broke off: {why}.")))?;
        size += chunk.len();
        if size > MAX_IGNORED_BYTES {
            break;
        }
        if size <= max {
            kept.extend_from_slice(&chunk);
        }
    }
    if size > max {
        let text = format!("The body must not be greater than {max} bytes.");
        return Err(Unreadable::new(StatusCode::PAYLOAD_TOO_LARGE, text));
    }
    Ok(kept.into())
}
