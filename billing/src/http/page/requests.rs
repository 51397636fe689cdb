//! The requests and how they ended.

use axum::extract::State;
use axum::response::Response;
use maud::html;

use super::layout::{self, Tab};
use super::request;
use super::visitor::Visitor;
use crate::operations::{Billing, Refusal};

/// How many are shown.
const SHOWN: i64 = 100;

/// GET /requests.
pub(super) async fn show(
    visitor: Visitor,
    State(billing): State<Billing>,
) -> Result<Response, Refusal> {
    let entries = billing.history(None, SHOWN).await?;
    let content = html! {
        h1 { "Requests" }
        div #requests data-live {
            @if entries.is_empty() {
                p.card { "Nothing has been asked for yet. A PATCH with a new MAC address or a new serial \
                          number appears here." }
            }
            (request::list(&entries))
        }
    };
    Ok(layout::document("Requests", Tab::Requests, Some(&visitor), &content))
}
