//! What all pages share: the head, the way between them, and what a browser may load for them.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};

use super::visitor::Visitor;
use crate::operations::Conflict;

/// Nothing from elsewhere, and nothing that stands in the page itself.
const POLICY: (HeaderName, HeaderValue) = (
    header::CONTENT_SECURITY_POLICY,
    HeaderValue::from_static(
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
         form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    ),
);
const HTML: (HeaderName, HeaderValue) =
    (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
/// Who has signed out finds nothing by going back.
const NOT_KEPT: (HeaderName, HeaderValue) =
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
const NO_GUESSED_TYPE: (HeaderName, HeaderValue) =
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
/// Not `no-referrer`: the browser would then send forms without their origin.
const REFERRER: (HeaderName, HeaderValue) =
    (header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));

/// The entries of the menu.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tab {
    Doors,
    Requests,
    Imports,
    Tokens,
    Audit,
    Settings,
    /// It is on none of them.
    None,
}

/// Says that a button came too late.
pub(super) fn too_late(visitor: &Visitor) -> Response {
    let why = "This does not wait any more, there is no such intercom, or another intercom has that \
               identity.";
    (StatusCode::NOT_FOUND, not_done(visitor, why)).into_response()
}

/// Says what a button does not fit.
pub(super) fn conflict(visitor: &Visitor, conflict: &Conflict) -> Response {
    (StatusCode::CONFLICT, not_done(visitor, &conflict.to_string())).into_response()
}

fn not_done(visitor: &Visitor, why: &str) -> Response {
    let content = html! {
        h1 { "Not done" }
        p { (why) }
        p { a.button href="/" { "Back" } }
    };
    document("Not done", Tab::None, Some(visitor), &content)
}

/// A whole page. Without a visitor it has no menu.
pub(super) fn document(
    title: &str,
    tab: Tab,
    visitor: Option<&Visitor>,
    content: &Markup,
) -> Response {
    let document = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Intercoms" }
                link rel="stylesheet" href="/style.css";
                @if visitor.is_some() { script src="/live.js" defer {} }
            }
            body {
                a.skip href="#content" { "Skip to the content" }
                @if let Some(visitor) = visitor { (header(tab, visitor)) }
                main #content { (content) }
            }
        }
    };
    ([HTML, POLICY, NOT_KEPT, NO_GUESSED_TYPE, REFERRER], document.into_string()).into_response()
}

fn header(tab: Tab, visitor: &Visitor) -> Markup {
    html! {
        header.bar {
            nav aria-label="Pages" {
                (link("/", "Doors", tab == Tab::Doors))
                (link("/requests", "Requests", tab == Tab::Requests))
                @if visitor.is_operator() {
                    (link("/imports", "Imports", tab == Tab::Imports))
                    (link("/tokens", "Tokens", tab == Tab::Tokens))
                }
                (link("/audit", "Audit", tab == Tab::Audit))
                (link("/docs", "API", false))
                (link("/settings", "Settings", tab == Tab::Settings))
            }
            @if visitor.has_session {
                form method="post" action="/sign-out" { button { "Sign out" } }
            }
        }
        @if visitor.is_anybody() {
            p.notice {
                "No token has been made: whoever reaches this page may do everything. After the first \
                 one, everybody needs one."
            }
        }
    }
}

fn link(path: &str, text: &str, is_current: bool) -> Markup {
    html! { a href=(path) aria-current=[is_current.then_some("page")] { (text) } }
}
