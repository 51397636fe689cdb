//! Who is told what happens, and how it stands with each.

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};
use serde_json::Value;

use super::deliveries;
use crate::http::body::Form;
use crate::http::page::form::{Field, Kind, Typed};
use crate::http::page::shown;
use crate::http::page::visitor::{Operator, Visitor};
use crate::http::webhooks;
use crate::operations::{Billing, Delivery, Refusal};
use crate::store::webhooks::Listed;
use crate::webhooks::OFFLINE_AFTER_SECONDS;
use crate::webhooks::secret::Secret;

/// How many of the newest deliveries are shown of each.
const SHOWN: usize = 5;

/// POST /settings/webhooks: adds one with a new secret, which is shown this once.
pub(in crate::http::page) async fn add(
    Operator(visitor): Operator,
    State(billing): State<Billing>,
    Form(mut fields): Form,
) -> Result<Response, Refusal> {
    let secret = Secret::random()?.text();
    fields.insert("secret".to_owned(), Value::String(secret.clone()));
    let added = match webhooks::read(&fields) {
        Ok(new) => billing.add_webhook(new, visitor.actor()).await,
        Err(errors) => Err(errors.into()),
    };
    match added {
        Ok(_) => super::document(&visitor, &billing, &Typed::nothing(), Some(&secret)).await,
        Err(refusal) => super::answer(&visitor, &billing, fields, Err(refusal)).await,
    }
}

/// POST /settings/webhooks/remove.
pub(in crate::http::page) async fn remove(
    Operator(visitor): Operator,
    State(billing): State<Billing>,
    Form(fields): Form,
) -> Result<Response, Refusal> {
    let id = super::number(&fields, "id");
    super::removed(billing.remove_webhook(id, visitor.actor()).await)
}

/// Every webhook with its newest deliveries.
pub(super) async fn read(billing: &Billing) -> Result<Vec<(Listed, Vec<Delivery>)>, Refusal> {
    let mut all = Vec::new();
    for webhook in billing.webhooks().await? {
        match billing.deliveries(webhook.id, None, SHOWN).await {
            Ok(page) => all.push((webhook, page.deliveries)),
            // It was removed meanwhile.
            Err(Refusal::NotFound) => {}
            Err(refusal) => return Err(refusal),
        }
    }
    Ok(all)
}

pub(super) fn section(visitor: &Visitor, all: &[(Listed, Vec<Delivery>)], typed: &Typed) -> Markup {
    let usual = OFFLINE_AFTER_SECONDS.to_string();
    html! {
        section #webhooks data-live {
            h2 { "Webhooks" }
            p { "Each event is posted to every webhook, signed with its secret." }
            @if all.is_empty() { p.card { "There is no webhook." } }
            ul.rows {
                @for (webhook, newest) in all { li.card { (one(visitor, webhook, newest)) } }
            }
        }
        @if visitor.is_operator() {
            form.card method="post" action="/settings/webhooks" {
                h3 { "Add a webhook" }
                (typed.field(&Field {
                    name: "url", label: "Where events are posted", kind: Kind::Url,
                    ..Field::default()
                }))
                (typed.field(&Field {
                    name: "offline_after_seconds",
                    label: "How long a panel is away before that is an event",
                    hint: Some("In seconds."), usual: Some(&usual), kind: Kind::Digits,
                }))
                button.primary { "Add" }
            }
        }
    }
}

fn one(visitor: &Visitor, webhook: &Listed, newest: &[Delivery]) -> Markup {
    html! {
        div.head {
            h3 { (webhook.url) " " small { (webhook.id) } }
            @match webhook.trouble {
                Some(_) => span.state.bad { "in trouble" },
                None => span.state.good { "works" },
            }
        }
        @if let Some(trouble) = &webhook.trouble {
            p {
                "The last attempt failed: " (trouble)
                @if let Some(next) = &webhook.next_attempt_at { ". The next one: " (shown::time(next)) }
            }
        }
        p.quiet {
            (webhook.waiting) " waiting · " (webhook.delivered) " delivered · " (webhook.lost) " lost · made "
            (shown::time(&webhook.made_at)) " · a panel is told to be away after "
            (shown::duration(webhook.offline_after_seconds))
        }
        (deliveries::list(newest))
        div.actions {
            a.button href={ "/settings/webhooks/" (webhook.id) } { "All deliveries" }
            @if visitor.is_operator() {
                form method="post" action="/settings/webhooks/remove" {
                    input type="hidden" name="id" value=(webhook.id);
                    button.danger { "Remove" }
                }
            }
        }
    }
}
