//! What happens on each input, whatever route it came by: read it by the contract, ask the pure
//! rules, change the database in one transaction, wake whoever publishes.

mod create;
mod patch;
mod presence;
mod report;
mod report_by_patch;

use std::sync::Arc;

use intercom_wire::signature::SigningKey;
use intercom_wire::{Errors, IntercomBody, RequestBody};
use rusqlite::Connection;
use tokio::sync::Notify;

use crate::clock::now_ms;
use crate::offer::{LINGERS_MS, Rule};
use crate::replacement::State;
use crate::store::history::Entry;
use crate::store::intercoms::{Name, Record};
use crate::store::pending::Caller;
use crate::store::{Store, boards, history, intercoms, pending, requests};

/// The service behind its routes. Cheap to clone.
#[derive(Clone)]
pub struct Billing {
    pub(crate) store: Store,
    pub(crate) rule: Rule,
    signing_key: Option<SigningKey>,
    /// Told whenever the set of offers may have changed.
    pub(crate) wake: Arc<Notify>,
}

/// Why a call gets no answer of its own.
#[derive(Debug)]
pub enum Refusal {
    /// 422.
    Invalid(Errors),
    /// 404.
    NotFound,
    /// 500: the database failed; what it says is for the log.
    Broken(String),
}

impl Billing {
    /// Takes the database over: boards that were connected when it was last used have a while to
    /// come back before they count as gone.
    ///
    /// # Errors
    /// The database fails.
    pub async fn start(
        store: Store,
        grace_ms: i64,
        signing_key: Option<SigningKey>,
    ) -> Result<Self, Refusal> {
        let started_ms = now_ms();
        let until_ms = started_ms.saturating_add(LINGERS_MS);
        store.run(move |tx| Ok::<_, Refusal>(boards::linger(tx, until_ms)?)).await?;
        let rule = Rule { grace_ms, started_ms };
        Ok(Billing { store, rule, signing_key, wake: Arc::new(Notify::new()) })
    }

    /// The live intercom of that name, as the API shows it.
    ///
    /// # Errors
    /// Not found, or the database fails.
    pub async fn show(&self, name: Name) -> Result<IntercomBody, Refusal> {
        self.store.run(move |tx| Ok(find(tx, &name)?.shown)).await
    }

    /// Deletes an intercom softly and withdraws its pending request.
    ///
    /// # Errors
    /// Not found, or the database fails.
    pub async fn delete(&self, name: Name) -> Result<(), Refusal> {
        self.store
            .run(move |tx| {
                let record = find(tx, &name)?;
                withdraw(tx, &record, &State::Withdrawn)?;
                Ok::<_, Refusal>(intercoms::delete(tx, record.id, now_ms())?)
            })
            .await?;
        self.wake.notify_one();
        Ok(())
    }

    /// The pending requests that a polling board may hear. The poll shows that it is present.
    ///
    /// # Errors
    /// The database fails.
    pub async fn pending_for(&self, caller: Caller) -> Result<Vec<RequestBody>, Refusal> {
        let rule = self.rule;
        let (news, bodies) = self
            .store
            .run(move |tx| {
                let now = now_ms();
                let until = now.saturating_add(LINGERS_MS);
                let news = boards::present(tx, caller.mac, caller.board.as_ref(), until, now)?;
                let heard = pending::heard_by(tx, &caller)?
                    .into_iter()
                    .filter(|pending| {
                        rule.replacement(&pending.waiting) == Some(caller.mac)
                            || rule
                                .hearers(&pending.waiting, now)
                                .contains(&pending.waiting.confirmed_mac)
                    })
                    .map(|pending| pending.body)
                    .collect();
                Ok::<_, Refusal>((news, heard))
            })
            .await?;
        if news {
            self.wake.notify_one();
        }
        Ok(bodies)
    }

    /// A request as it goes over the wire, on every route: a JSON object, or with a signing key a
    /// JSON string in its place.
    ///
    /// # Errors
    /// It cannot be written as JSON.
    pub fn payload(&self, request: &RequestBody) -> serde_json::Result<Vec<u8>> {
        let object = serde_json::to_vec(request)?;
        Ok(match &self.signing_key {
            // What a JWS is made of needs no escapes.
            Some(key) => format!("\"{}\"", key.sign(&object)).into_bytes(),
            None => object,
        })
    }

    /// What became of the newest requests, of one intercom or of all.
    ///
    /// # Errors
    /// The database fails.
    pub async fn history(
        &self,
        intercom_id: Option<i64>,
        limit: i64,
    ) -> Result<Vec<Entry>, Refusal> {
        self.store.run(move |tx| Ok(history::list(tx, intercom_id, now_ms(), limit)?)).await
    }
}

fn find(connection: &Connection, name: &Name) -> Result<Record, Refusal> {
    intercoms::find(connection, name)?.ok_or(Refusal::NotFound)
}

/// Ends the pending request of a record, if it has one, without an outcome.
fn withdraw(connection: &Connection, record: &Record, state: &State) -> Result<(), Refusal> {
    if let Some(newest) = requests::newest(connection, record.id)?
        && newest.state == State::Pending
    {
        requests::end(connection, &newest.request_id, state, None, now_ms())?;
    }
    Ok(())
}

/// The next `seq` of a record: it rises with every change, and also above what panels have seen if
/// the database is lost or put back from a backup, since it never falls behind the clock's seconds.
fn next_seq(seq: i64) -> i64 {
    seq.saturating_add(1).max(now_ms() / 1000)
}

impl From<Errors> for Refusal {
    fn from(errors: Errors) -> Self {
        Refusal::Invalid(errors)
    }
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        Refusal::Broken(format!("the database failed: {error}"))
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Refusal::Invalid(errors) => errors.fmt(f),
            Refusal::NotFound => f.write_str("not found"),
            Refusal::Broken(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Refusal {}
