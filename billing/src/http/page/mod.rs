//! The page for people: what needs an operator, the doors, the requests, imports, the tokens, the audit log
//! and the settings. It is written on the server, loads nothing from elsewhere and can be read without
//! scripts.
//!
//! ```text
//! admission (who?) ─► home, door, requests, imports, tokens, audit, settings
//!       │                      └─► request, shown, form (the same things everywhere) ─► layout
//!       └─► sign_in ─► cookie                live: tells an open page that something has changed
//! ```
//!
//! Beside it, for everybody: docs, the documentation of the API.

mod admission;
mod asset;
mod audit;
mod cookie;
mod docs;
mod door;
mod form;
mod home;
mod import;
mod imports;
mod layout;
mod live;
mod request;
mod requests;
mod settings;
mod shown;
mod sign_in;
mod tokens;
mod visitor;

use axum::Router;
use axum::routing::{get, post};

use crate::operations::Billing;

/// The routes of the page. Who may see one, its handler says: see `admission`.
pub(super) fn routes() -> Router<Billing> {
    Router::new()
        .route("/", get(home::show).post(home::press))
        .route("/door", get(door::show).post(door::replace))
        .route("/door/undo", post(door::undo))
        .route("/requests", get(requests::show))
        .route("/requests/cancel", post(requests::cancel))
        .route("/imports", get(imports::show).post(imports::add))
        .route("/imports/run", post(import::run))
        .route("/imports/result", get(import::result))
        .route("/import", get(import::show))
        .route("/tokens", get(tokens::show).post(tokens::add))
        .route("/tokens/revoke", post(tokens::revoke))
        .route("/audit", get(audit::show))
        .route("/settings", get(settings::show))
        .route("/settings/quiet-hours", get(settings::show).post(settings::quiet_hours::set))
        .route("/settings/quiet-hours/remove", post(settings::quiet_hours::remove))
        .route("/settings/retention", get(settings::show).post(settings::retention::set))
        .route("/settings/webhooks", get(settings::show).post(settings::webhooks::add))
        .route("/settings/webhooks/remove", post(settings::webhooks::remove))
        .route("/settings/webhooks/{id}", get(settings::deliveries::show))
        .route("/sign-in", get(sign_in::form).post(sign_in::sign_in))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/docs", get(docs::show))
        .route("/events", get(live::events))
        .route("/live.js", get(asset::live))
        .route("/scan.js", get(asset::scan))
        .route("/style.css", get(asset::style))
}
