//! The HTTP routes: the documented API for callers, two routes for panels, and a page for people.

mod agent;
mod answer;
mod auth;
mod body;
mod intercoms;
mod openapi;
mod page;
mod query;
mod server;

pub use auth::Token;
pub use server::serve;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use crate::operations::Billing;

/// Every route. If there is a token, all but the API's description require it.
pub fn router(billing: Billing, token: Option<Token>) -> Router {
    let intercoms = post(intercoms::create).patch(intercoms::update).delete(intercoms::delete);
    Router::new()
        .route("/api/v1/billing/intercoms", intercoms)
        .route("/api/v1/billing/intercoms/show", get(intercoms::show))
        .route("/api/v1/agent/pending", get(agent::pending))
        .route("/api/v1/agent/status", post(agent::status))
        .route("/api/v1/agent/requests", get(agent::requests))
        .route("/", get(page::page))
        .layer(from_fn_with_state(Arc::new(token), auth::require))
        .route("/openapi.json", get(openapi::file))
        .fallback(answer::not_found)
        .method_not_allowed_fallback(answer::method_not_allowed)
        .with_state(billing)
}
