//! Whether the service lives, and whether it can do its work. For whoever asks, so nothing here is
//! secret.

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use serde::Serialize;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::timeout;

use super::answer::json_answer;
use crate::operations::Billing;
use crate::store::{Error, Snapshot, Store, Transaction, tokens};

/// A database that takes longer counts as one that does not answer.
const DATABASE_WITHIN: Duration = Duration::from_secs(2);

#[derive(Clone)]
struct Parts {
    store: Store,
    broker: watch::Receiver<bool>,
}

/// What the work needs, and in which state each part is.
#[derive(Serialize)]
struct Readiness {
    database: &'static str,
    broker: &'static str,
}

pub(super) fn router(billing: &Billing, broker: watch::Receiver<bool>) -> Router {
    Router::new()
        .route("/healthz", get(lives))
        .route("/readyz", get(is_ready))
        .with_state(Parts { store: billing.store.clone(), broker })
}

/// GET /healthz: it answers, so it lives.
async fn lives() -> Response {
    json_answer(StatusCode::OK, &json!({"status": "ok"}))
}

/// GET /readyz: 503 where a part is missing.
async fn is_ready(State(parts): State<Parts>) -> Response {
    let database = timeout(DATABASE_WITHIN, works(&parts.store)).await;
    let broker = *parts.broker.borrow();
    let status = match (&database, broker) {
        (Ok(Ok(())), true) => StatusCode::OK,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    let database = match database {
        Ok(Ok(())) => "ok",
        Ok(Err(why)) => {
            tracing::error!("not ready: the database failed: {why}");
            "failed"
        }
        Err(_) => "no answer",
    };
    let broker = if broker { "ok" } else { "not connected" };
    json_answer(status, &Readiness { database, broker })
}

/// Both ways into the database, without a change: a commit without one does not wait for the disk.
async fn works(store: &Store) -> Result<(), Error> {
    store.read(|snapshot: &Snapshot<'_>| tokens::any(snapshot)).await?;
    store.write(|_: &Transaction<'_>| Ok(())).await
}
