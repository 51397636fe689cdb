//! Signing in with a token, and out again.

use axum::extract::State;
use axum::http::{Extensions, HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use maud::html;

use super::cookie;
use super::layout::{self, Tab};
use crate::http::auth::CHALLENGE;
use crate::http::body::Form;
use crate::http::{calls, server};
use crate::operations::{Billing, Refusal, SESSION_MS, SignInCall};
use crate::principal::SecretDigest;

/// A place on this page. Nobody can make a link that signs in here and leads elsewhere.
pub(super) struct LocalPath(String);

impl LocalPath {
    /// The first page, where the text is no path of this site. A browser takes `//` and `/\` for the
    /// beginning of another site's name.
    pub(super) fn new(text: &str) -> Self {
        let plain = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        let is_local = plain && text.starts_with('/') && !text.starts_with("//");
        LocalPath(if is_local { text } else { "/" }.to_owned())
    }
}

/// GET /sign-in.
pub(super) async fn form() -> Response {
    let next = LocalPath::new("/");
    layout::document("Sign in", Tab::None, None, &content(&next, None))
}

/// A 401 with the form.
pub(super) fn ask(next: &LocalPath, wrong: Option<&str>) -> Response {
    let document = layout::document("Sign in", Tab::None, None, &content(next, wrong));
    (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, CHALLENGE)], document).into_response()
}

fn content(next: &LocalPath, wrong: Option<&str>) -> maud::Markup {
    html! {
        form.card.narrow method="post" action="/sign-in" {
            h1 { "Sign in" }
            @if let Some(wrong) = wrong { p.error role="alert" { (wrong) } }
            input type="hidden" name="next" value=(next.0);
            label for="token" { "Token" }
            input #token type="password" name="token" required autofocus autocomplete="current-password"
                autocapitalize="none" spellcheck="false";
            p.quiet { "An operator's or a viewer's, as " code { "intercom-billing token add" } " prints it." }
            button.primary { "Sign in" }
        }
    }
}

/// POST /sign-in.
pub(super) async fn sign_in(
    State(billing): State<Billing>,
    headers: HeaderMap,
    extensions: Extensions,
    Form(fields): Form,
) -> Result<Response, Refusal> {
    let field = |name| fields.get(name).and_then(serde_json::Value::as_str).unwrap_or_default();
    let next = LocalPath::new(field("next"));
    let token = SecretDigest::of(field("token").trim().as_bytes());
    let from = SignInCall { address: server::address(&extensions), call: calls::id(&extensions) };
    Ok(match billing.sign_in(token, from).await? {
        Some(session) => {
            let set = cookie::set(session.expose(), SESSION_MS / 1000, &headers);
            ([(header::SET_COOKIE, set)], Redirect::to(&next.0)).into_response()
        }
        None => ask(&next, Some("This is no token of an operator or a viewer that is in force.")),
    })
}

/// POST /sign-out.
pub(super) async fn sign_out(
    State(billing): State<Billing>,
    headers: HeaderMap,
    extensions: Extensions,
    _: Form,
) -> Result<Response, Refusal> {
    if let Some(session) = cookie::session(&headers) {
        billing.sign_out(session, calls::id(&extensions)).await?;
    }
    let forget = cookie::set("", 0, &headers);
    Ok(([(header::SET_COOKIE, forget)], Redirect::to("/sign-in")).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_path_of_this_site_is_a_local_one() {
        for (text, expected) in [
            ("/", "/"),
            ("/requests?state=pending", "/requests?state=pending"),
            ("", "/"),
            ("//evil.example", "/"),
            ("/\\evil.example", "/"),
            ("https://evil.example", "/"),
            ("/a\r\nSet-Cookie: x", "/"),
        ] {
            assert_eq!(LocalPath::new(text).0, expected, "{text}");
        }
    }
}
