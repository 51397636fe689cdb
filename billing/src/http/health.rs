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
use crate::store::{Error, Snapshot, Standing, Store, Transaction, tokens};

/// A database that takes longer counts as one that does not answer.
const DATABASE_WITHIN: Duration = Duration::from_secs(2);

/// What this process does for all that share the database.
#[derive(Clone)]
pub struct Work {
    /// Whether reports arrive over MQTT here.
    pub up: watch::Receiver<bool>,
    /// Who leads; `None`: this process has the database alone.
    pub standing: Option<watch::Receiver<Standing>>,
}

#[derive(Clone)]
struct Parts {
    store: Store,
    work: Work,
}

#[derive(Debug, Clone, Copy)]
enum Leader {
    This,
    Another,
    Unknown,
}

impl Leader {
    fn word(self) -> &'static str {
        match self {
            Leader::This => "this process",
            Leader::Another => "another process",
            Leader::Unknown => "not known",
        }
    }
}

impl Work {
    fn leader(&self) -> Option<Leader> {
        self.standing.as_ref().map(|standing| match &*standing.borrow() {
            Standing::Leads(lead) if lead.holds() => Leader::This,
            Standing::Follows => Leader::Another,
            Standing::Leads(_) | Standing::Unknown => Leader::Unknown,
        })
    }

    /// Whether this process leads those that share the database; `None`: it has it alone.
    pub(super) fn leads(&self) -> Option<bool> {
        self.leader().map(|leader| matches!(leader, Leader::This))
    }
}

/// What the work needs, and in which state each part is.
#[derive(Serialize)]
struct Readiness {
    database: &'static str,
    broker: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    leader: Option<&'static str>,
}

pub(super) fn router(billing: &Billing, work: Work) -> Router {
    Router::new()
        .route("/healthz", get(lives))
        .route("/readyz", get(is_ready))
        .with_state(Parts { store: billing.store.clone(), work })
}

/// GET /healthz: it answers, so it lives.
async fn lives() -> Response {
    json_answer(StatusCode::OK, &json!({"status": "ok"}))
}

/// GET /readyz: 503 where a part is missing.
async fn is_ready(State(parts): State<Parts>) -> Response {
    let database = timeout(DATABASE_WITHIN, works(&parts.store)).await;
    let leader = parts.work.leader();
    // Only the leader speaks to the broker.
    let (broker, panels_are_reached) = match (leader, *parts.work.up.borrow()) {
        (Some(Leader::Another), _) => ("the leader's", true),
        (None | Some(Leader::This), true) => ("ok", true),
        (None | Some(Leader::This | Leader::Unknown), _) => ("not connected", false),
    };
    let status = match (&database, panels_are_reached) {
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
    let leader = leader.map(Leader::word);
    json_answer(status, &Readiness { database, broker, leader })
}

/// Both ways into the database, without a change: a commit without one does not wait for the disk.
async fn works(store: &Store) -> Result<(), Error> {
    store.read(|snapshot: &Snapshot<'_>| tokens::any(snapshot)).await?;
    store.write(|_: &Transaction<'_>| Ok(())).await
}
