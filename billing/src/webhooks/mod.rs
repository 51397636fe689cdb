//! Webhooks: what happens is posted to whoever wants to know, signed, at least once, and for each door
//! in the order in which it happened.
//!
//! ```text
//! what happens ─► store::deliveries (in the same transaction) ─► run ─► post ─► the receiver
//!                        ▲                                                │
//!                        └──────────── delivered, or due again ◄──────────┘
//! ```
//!
//! A receiver that is not reached gets nothing until it is tried again, with back-off. One that
//! refuses a delivery gets those of other doors meanwhile.

pub mod address;
pub mod secret;

mod post;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use tokio::task::JoinSet;

use crate::operations::{Billing, Planned, Refusal, When};
use post::Client;

/// How long a door's panel is away before it is an event, unless another time is given, in seconds.
pub const OFFLINE_AFTER_SECONDS: i64 = 900;
/// The longest such time: a board that has been gone for an hour may be forgotten.
pub const MAX_OFFLINE_AFTER_SECONDS: i64 = 3_000;
/// The shortest one: a panel that connects again is not away.
pub const MIN_OFFLINE_AFTER_SECONDS: i64 = 60;
/// Another process may add a webhook; what waits for it is seen within this time.
const LOOKS_EVERY: Duration = Duration::from_secs(10);
/// When another process has just taken what was due, this one looks again, in milliseconds.
const TAKEN_BY_ANOTHER_MS: i64 = 200;
/// The pause after the database has failed.
const PAUSE: Duration = Duration::from_secs(5);

/// Delivers until it is dropped.
pub struct Sender {
    billing: Billing,
    client: Arc<Client>,
    /// One attempt at a time for each webhook.
    busy: BTreeSet<i64>,
    attempts: JoinSet<i64>,
}

impl Sender {
    /// One that is to run.
    ///
    /// # Errors
    /// The TLS library has no usable settings.
    pub fn new(billing: &Billing) -> Result<Self> {
        let client = Arc::new(Client::new()?);
        let (busy, attempts) = (BTreeSet::new(), JoinSet::new());
        Ok(Sender { billing: billing.clone(), client, busy, attempts })
    }

    /// Delivers what is due, for ever.
    pub async fn run(mut self) {
        loop {
            let wait = match self.begin_due().await {
                Ok(wait) => wait.min(LOOKS_EVERY),
                Err(why) => {
                    tracing::error!("webhooks: {why}");
                    PAUSE
                }
            };
            let changes = self.billing.store.changes();
            tokio::select! {
                ended = self.attempts.join_next(), if !self.attempts.is_empty() => {
                    match ended {
                        Some(Ok(webhook)) => drop(self.busy.remove(&webhook)),
                        // It has panicked, and which one it was is not known.
                        Some(Err(_)) | None => self.begin_anew(),
                    }
                }
                () = changes.committed() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    fn begin_anew(&mut self) {
        self.attempts.abort_all();
        self.attempts = JoinSet::new();
        self.busy.clear();
    }

    /// Begins what is due, and returns how long until something else is.
    async fn begin_due(&mut self) -> Result<Duration, Refusal> {
        let planned = self.billing.planned_deliveries().await?;
        let mut next_ms = self.billing.next_offline_ms().await?.unwrap_or(i64::MAX);
        for Planned { receiver, when } in planned {
            if self.busy.contains(&receiver.id) {
                continue;
            }
            match when {
                When::Never => {}
                When::At(at_ms) => next_ms = next_ms.min(at_ms),
                When::Now(due) if !self.billing.take_delivery(&due).await? => {
                    // What is due after it may be this process's.
                    next_ms = next_ms
                        .min(self.billing.store.now_ms().saturating_add(TAKEN_BY_ANOTHER_MS));
                }
                When::Now(due) => {
                    let (billing, client) = (self.billing.clone(), self.client.clone());
                    let webhook = receiver.id;
                    self.busy.insert(webhook);
                    self.attempts.spawn(async move {
                        let attempt = client.post(&billing, &receiver, &due).await;
                        if let Err(why) = billing.attempted(&receiver, &due, attempt).await {
                            tracing::error!("webhook {webhook}: {why}");
                        }
                        webhook
                    });
                }
            }
        }
        let left_ms = next_ms.saturating_sub(self.billing.store.now_ms());
        Ok(Duration::from_millis(u64::try_from(left_ms).unwrap_or(0)))
    }
}

#[cfg(test)]
mod tests;
