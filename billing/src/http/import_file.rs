//! Import files as they arrive: as a body, or in a form of the page.

use std::string::FromUtf8Error;

use axum::body::Body;
use axum::extract::multipart::{Multipart, MultipartError};
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use intercom_wire::Errors;

use super::body::Unreadable;
use super::{answer, body};

/// The largest file, in bytes.
const MAX_BYTES: usize = 2 * 1024 * 1024 - MAX_FORM_BYTES;
/// What a form has around the file at most.
const MAX_FORM_BYTES: usize = 4096;

/// A body that is CSV, as text.
pub(super) struct Csv(pub(super) String);

impl<S: Send + Sync> FromRequest<S> for Csv {
    type Rejection = Response;

    async fn from_request(request: Request, _: &S) -> Result<Self, Response> {
        if !body::is_of_type(request.headers(), "text/csv") {
            return Err(answer::message(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "The body must be sent as `Content-Type: text/csv`.",
            ));
        }
        let bytes = body::bytes_of(request.into_body(), MAX_BYTES).await?;
        Ok(Csv(String::from_utf8(bytes.into()).map_err(no_text)?))
    }
}

/// The file that a form has, or the text that was pasted in its place. What cannot be read is told on
/// the page that has the form.
pub(super) struct Upload {
    pub(super) text: Result<String, Errors>,
    pub(super) is_pasted: bool,
}

/// The form's field for the table itself.
pub(super) const PASTED: &str = "text";

impl<S: Send + Sync> FromRequest<S> for Upload {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        if !body::is_from_a_page(request.headers()) {
            return Err(body::not_from_a_page());
        }
        let (head, form) = request.into_parts();
        let form = match body::bytes_of(form, MAX_BYTES + MAX_FORM_BYTES).await {
            Ok(form) => Request::from_parts(head, Body::from(form)),
            Err(why) => return Ok(Upload { text: Err(why.errors), is_pasted: false }),
        };
        let form = Multipart::from_request(form, state).await;
        let mut form = form.map_err(IntoResponse::into_response)?;
        let mut kept = Vec::new();
        let mut is_pasted = false;
        while let Some(field) = form.next_field().await.map_err(no_form)? {
            let names_text = field.name() == Some(PASTED);
            let bytes = field.bytes().await.map_err(no_form)?;
            if kept.is_empty() {
                (kept, is_pasted) = (bytes.into(), names_text);
            }
        }
        let text = String::from_utf8(kept).map_err(|why| no_text(why).errors);
        Ok(Upload { text, is_pasted })
    }
}

fn no_form(why: MultipartError) -> Unreadable {
    Unreadable::invalid(format!("The form cannot be read: {}.", why.body_text()))
}

fn no_text(_: FromUtf8Error) -> Unreadable {
    Unreadable::invalid("The file must be text in UTF-8: save it as \"CSV UTF-8\".")
}
