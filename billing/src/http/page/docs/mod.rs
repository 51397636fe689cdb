//! The documentation of the API for people, made from `openapi.json`: each call and each schema on one
//! page, which can be read without scripts and without a network.
//!
//! ```text
//! document (what is read of the file) ─► call, schema (one section each) ─► this page
//! ```

mod call;
mod document;
mod schema;

use std::sync::OnceLock;

use axum::response::Response;
use maud::{Markup, html};

use super::layout::{self, Tab};
use crate::http::openapi;
use crate::operations::Refusal;
use call::Call;
use document::Document;
use schema::words;

/// GET /docs, for everybody. It is made once.
pub(super) async fn show() -> Result<Response, Refusal> {
    static CONTENT: OnceLock<Markup> = OnceLock::new();
    let content = match CONTENT.get() {
        Some(content) => content,
        None => {
            let made = content(&serde_json::from_str(openapi::FILE)?);
            CONTENT.get_or_init(|| made)
        }
    };
    Ok(layout::document("API", Tab::None, None, content))
}

fn content(document: &Document) -> Markup {
    let calls = |tag| Call::tagged(document, tag);
    html! {
        h1 { (document.info.title) " " (document.info.version) ": the API" }
        p { (words(&document.info.description)) }
        p {
            "The same for programs, such as generators of clients, as OpenAPI 3.1: "
            a href="/openapi.json" { code { "openapi.json" } } ". The page for people: "
            a href="/" { "doors" } "."
        }
        h2 { "Tokens" }
        @for scheme in document.components.security_schemes.values() {
            p { (words(&scheme.description)) }
        }
        p {
            "A token goes into the header " code { "Authorization: Bearer TOKEN" } ". The examples take \
             it and the service's URL from the shell:"
        }
        pre { "BILLING=http://127.0.0.1:8080\nTOKEN=$(cat token)" }
        nav.card aria-label="Calls" {
            @for tag in &document.tags {
                h3 { a href={ "#" (tag.name) } { (tag.description) } }
                ul { @for call in calls(&tag.name) { li { (call.link()) } } }
            }
            h3 { a href="#schemas" { "Schemas" } }
        }
        @for tag in &document.tags {
            h2 #(tag.name) { (tag.description) }
            @for call in calls(&tag.name) { (call.section()) }
        }
        h2 #schemas { "Schemas" }
        @for (name, described) in &document.components.schemas { (schema::section(name, described)) }
    }
}
