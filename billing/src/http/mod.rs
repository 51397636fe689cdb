//! The HTTP routes: the documented API for callers, two routes for panels, and a page for people.

mod agent;
mod answer;
mod audit;
mod auth;
mod body;
mod calls;
mod cameras;
mod decisions;
mod doors;
mod health;
mod import_file;
mod imports;
mod intercoms;
mod metrics;
mod openapi;
mod page;
mod query;
mod quiet_hours;
mod requests;
mod retention;
mod server;
mod site;
mod swaps;
mod webhooks;

pub use health::Work;
pub use server::serve;
pub use site::Hosts;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};

use crate::operations::Billing;
use auth::Reader;

/// Every route, for calls to one of these hosts. Who may call one, its handler says: see `auth`. The
/// API's description and the health of the service are for everybody.
pub fn router(billing: Billing, work: Work, hosts: Hosts) -> Router {
    let health = health::router(&billing, work.clone());
    let measured = metrics::Calls::new();
    let metrics = Arc::new(metrics::Metrics::new(&billing.store, &measured, work));
    let show = move |_: Reader, State(billing): State<Billing>| {
        let metrics = metrics.clone();
        async move { metrics.show(&billing).await }
    };
    let intercoms = post(intercoms::create).patch(intercoms::update).delete(intercoms::delete);
    Router::new()
        .route("/api/v1/billing/intercoms", intercoms)
        .route("/api/v1/billing/intercoms/show", get(intercoms::show))
        .route("/api/v1/agent/pending", get(agent::pending))
        .route("/api/v1/agent/status", post(agent::status))
        .route("/api/v1/agent/requests", get(agent::requests))
        .route("/api/v1/agent/decisions", get(decisions::list).post(decisions::decide))
        .route("/api/v1/intercoms", get(doors::list))
        .route("/api/v1/intercoms/{id}/history", get(doors::history))
        .route("/api/v1/intercoms/{id}/undo", post(doors::undo))
        .route("/api/v1/requests", get(requests::list).post(requests::create))
        .route("/api/v1/requests/{id}/cancel", post(requests::cancel))
        .route("/api/v1/imports", get(imports::list).post(imports::add))
        .route("/api/v1/imports/{id}", get(imports::show))
        .route("/api/v1/imports/{id}/run", post(imports::run))
        .route("/api/v1/imports/{id}/result", get(imports::result))
        .route("/api/v1/audit", get(audit::list))
        .route("/api/v1/webhooks", get(webhooks::list).post(webhooks::add).delete(webhooks::remove))
        .route("/api/v1/webhooks/{id}/deliveries", get(webhooks::deliveries))
        .route(
            "/api/v1/quiet-hours",
            get(quiet_hours::list).post(quiet_hours::set).delete(quiet_hours::remove),
        )
        .route("/api/v1/camera/credentials", get(cameras::credentials))
        .route("/api/v1/retention", get(retention::show).post(retention::set))
        .route("/api/v1/swaps", post(swaps::ask))
        .merge(page::routes())
        .route("/openapi.json", get(openapi::file))
        .route("/metrics", get(show))
        .fallback(answer::not_found)
        .method_not_allowed_fallback(answer::method_not_allowed)
        .with_state(billing)
        .merge(health)
        .layer(from_fn_with_state(Arc::new(hosts), site::require_own))
        .layer(from_fn_with_state(measured, metrics::measure))
        .layer(from_fn(calls::log))
}
