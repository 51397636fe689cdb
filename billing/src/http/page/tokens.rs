//! The tokens: made, listed and revoked by an operator.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use intercom_wire::BoardName;
use maud::{Markup, html};
use serde_json::{Map, Value};

use super::layout::{self, Tab};
use super::shown;
use super::visitor::{Operator, Visitor};
use crate::http::body::Form;
use crate::operations::{Billing, Refusal};
use crate::principal::{Role, Secret, holder_name};
use crate::store::tokens::Listed;

/// What has come of a form, above the list.
enum Note {
    Made(Secret),
    Wrong(String),
    Nothing,
}

/// GET /tokens.
pub(super) async fn show(
    Operator(visitor): Operator,
    State(billing): State<Billing>,
) -> Result<Response, Refusal> {
    Ok(document(&visitor, &billing.tokens().await?, &Note::Nothing))
}

/// POST /tokens.
pub(super) async fn add(
    Operator(visitor): Operator,
    State(billing): State<Billing>,
    Form(fields): Form,
) -> Result<Response, Refusal> {
    let name = text(&fields, "name").map(|name| holder_name(&name)).transpose();
    let wrong = match (role(&fields), name) {
        // Everybody needs a token after the first one, and only an operator can make another here.
        (Ok(Role::Viewer | Role::Panel(_)), _) if visitor.is_anybody() => {
            "The first token is an operator's.".to_owned()
        }
        (Ok(role), Ok(name)) => {
            let secret = billing.add_token(role, name, visitor.actor()).await?;
            return Ok(document(&visitor, &billing.tokens().await?, &Note::Made(secret)));
        }
        (Err(wrong), _) => wrong.to_owned(),
        (_, Err(wrong)) => wrong.to_string(),
    };
    let document = document(&visitor, &billing.tokens().await?, &Note::Wrong(wrong));
    Ok((StatusCode::UNPROCESSABLE_ENTITY, document).into_response())
}

/// POST /tokens/revoke.
pub(super) async fn revoke(
    Operator(visitor): Operator,
    State(billing): State<Billing>,
    Form(fields): Form,
) -> Result<Response, Refusal> {
    let number = text(&fields, "number").and_then(|number| number.parse().ok());
    match billing.revoke_token(number.unwrap_or_default(), visitor.actor()).await {
        // One that was revoked meanwhile is what was wanted, too.
        Ok(()) | Err(Refusal::NotFound) => Ok(Redirect::to("/tokens").into_response()),
        Err(refusal) => Err(refusal),
    }
}

fn text(fields: &Map<String, Value>, name: &str) -> Option<String> {
    let text = fields.get(name)?.as_str()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn role(fields: &Map<String, Value>) -> Result<Role, &'static str> {
    match (text(fields, "role").as_deref(), text(fields, "board")) {
        (Some("operator"), None) => Ok(Role::Operator),
        (Some("viewer"), None) => Ok(Role::Viewer),
        (Some("panel"), Some(board)) => board.parse::<BoardName>().map(Role::Panel).map_err(
            |_| "This is no board's name: letters, digits, _ and -, and no word of the topics.",
        ),
        (Some("panel"), None) => Err("A panel's token needs the name of its board."),
        (Some("operator" | "viewer"), Some(_)) => Err("Only a panel's token has a board."),
        _ => Err("Choose a role."),
    }
}

fn document(visitor: &Visitor, tokens: &[Listed], note: &Note) -> Response {
    let content = html! {
        h1 { "Tokens" }
        @match note {
            Note::Made(secret) => {
                div.card.made role="status" {
                    p { strong { "This is the new token. It is shown this once." } }
                    p.mac { (secret.expose()) }
                }
            }
            Note::Wrong(wrong) => { p.error role="alert" { (wrong) } }
            Note::Nothing => {}
        }
        ul.rows { @for token in tokens { li.card { (one(token)) } } }
        h2 { "Make a token" }
        form.card method="post" action="/tokens" {
            label for="role" { "What its holder may do" }
            select #role name="role" {
                option value="operator" { "operator: everything here" }
                option value="viewer" { "viewer: read" }
                option value="panel" { "panel: speak as one board" }
            }
            label for="board" { "Board, of a panel's token alone" }
            input #board name="board" autocomplete="off" autocapitalize="none" spellcheck="false";
            label for="name" { "Who holds it" }
            input #name name="name" autocomplete="off";
            button.primary { "Make" }
        }
    };
    layout::document("Tokens", Tab::Tokens, Some(visitor), &content)
}

fn one(token: &Listed) -> Markup {
    html! {
        div.head {
            h3 { (token.name.as_deref().unwrap_or("Without a name")) " " small { (token.number) } }
            @match &token.revoked_at {
                Some(_) => span.state.plain { "revoked" },
                None => span.state.good { (token.role.word()) },
            }
        }
        p.quiet {
            "Made " (shown::time(&token.made_at))
            @if let Some(board) = token.role.board() { " · board " (board) }
            @if let Some(at) = &token.revoked_at { " · " (token.role.word()) ", revoked " (shown::time(at)) }
        }
        @if token.revoked_at.is_none() {
            form method="post" action="/tokens/revoke" {
                input type="hidden" name="number" value=(token.number);
                button.danger { "Revoke" }
            }
        }
    }
}
