//! How long ended requests are kept.

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};

use crate::http::body::Form;
use crate::http::page::form::{Field, Kind, Typed};
use crate::http::page::visitor::{Operator, Visitor};
use crate::http::retention;
use crate::operations::{Billing, Refusal};

/// POST /settings/retention.
pub(in crate::http::page) async fn set(
    Operator(visitor): Operator,
    State(billing): State<Billing>,
    Form(fields): Form,
) -> Result<Response, Refusal> {
    let set = match retention::read(&fields) {
        Ok(days) => billing.set_retention_days(days, visitor.actor()).await,
        Err(errors) => Err(errors.into()),
    };
    super::answer(&visitor, &billing, fields, set).await
}

pub(super) fn section(visitor: &Visitor, days: i64, typed: &Typed) -> Markup {
    let now = days.to_string();
    html! {
        section #retention data-live {
            h2 { "How long requests are kept" }
            p {
                "Requests that have ended are deleted after " strong { (days) " days" } ". Those that were \
                 installed and the newest one of each intercom are kept."
            }
        }
        @if visitor.is_operator() {
            form.card method="post" action="/settings/retention" {
                (typed.field(&Field {
                    name: "ended_requests_days", label: "Days", usual: Some(&now),
                    kind: Kind::Digits, ..Field::default()
                }))
                button.primary { "Set" }
            }
        }
    }
}
