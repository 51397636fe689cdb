//! What happens on each input, whichever route it came by: read it by the contract, ask the pure
//! rules, change the database in one transaction. The store tells the link what has changed.

mod audit;
mod by_hand;
mod cancel;
mod create;
mod credentials;
mod decisions;
mod delivery_log;
mod door;
mod forgotten;
mod imports;
mod intercom_list;
mod patch;
mod plan;
mod poll;
mod presence;
mod questions;
mod report;
mod report_by_patch;
mod requests;
mod retention;
mod scheduled;
mod sessions;
mod silence;
mod swap;
mod timeline;
mod tokens;
mod undo;
mod updated;
mod wait;
mod webhooks;

pub use audit::AuditQuery;
pub use decisions::Decision;
pub(crate) use decisions::enrol;
pub use delivery_log::{Delivery, DeliveryPage};
pub use door::{Door, Found};
pub use imports::{ImportPage, ImportQuery, ImportRow, Imports};
pub use intercom_list::{IntercomPage, IntercomQuery, IntercomShown, Pending};
use patch::fresh_request_id;
pub use plan::{Panel, Plan, Taken};
pub use poll::Poll;
pub use questions::{Question, Waits};
pub use requests::{RequestPage, RequestQuery, RequestShown};
pub(crate) use retention::set_days as set_retention_days;
pub(crate) use scheduled::{expire, remove_quiet_hours, set_quiet_hours};
pub(crate) use sessions::SESSION_MS;
pub use sessions::SignInCall;
pub(crate) use silence::{Silence, end_if_unanswered};
pub use swap::Swapped;
pub use timeline::Timeline;
pub(crate) use tokens::add as keep_token;
pub use tokens::revoke_token;
pub use wait::Wait;
pub use webhooks::{Attempt, Planned, When};
pub(crate) use webhooks::{add as add_webhook, remove as remove_webhook};

use std::fmt;
use std::io;
use std::sync::Arc;

use axum::http::header::InvalidHeaderValue;
use intercom_wire::signature::SigningKey;
use intercom_wire::{
    BoardName, Errors, Identity, IntercomBody, InvalidIssuer, InvalidRequestId, Issuer, Report,
    RequestBody, RequestId,
};
use tokio::sync::Notify;

use crate::audit::{Action, Actor, Subject};
use crate::credentials::{CredentialError, CredentialKey};
use crate::offer::Rule;
use crate::principal::NoRandomBytes;
use crate::replacement::State;
use crate::store::history::Entry;
use crate::store::intercoms::{Name, Record};
use crate::store::macs::Believed;
use crate::store::{
    self, Lead, Location, Snapshot, Store, Transaction, boards, history, intercoms, offers,
};

/// The service behind its routes. Cheap to clone.
#[derive(Clone)]
pub struct Billing {
    pub(crate) store: Store,
    grace_ms: i64,
    believed: Believed,
    issuer: Issuer,
    signing_key: Option<SigningKey>,
    credential_key: Option<CredentialKey>,
    /// Notified when the rows of an import are to be run.
    import_waits: Arc<Notify>,
}

/// Why a call has no result.
#[derive(Debug)]
pub enum Refusal {
    /// 422.
    Invalid(Errors),
    /// 403.
    Forbidden,
    /// 404.
    NotFound,
    /// 409.
    Conflict(Conflict),
    /// 500. The reason is for the log.
    Failed(Failure),
}

/// Why a call does not fit what there is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Conflict {
    /// This request is not pending any more.
    HasEnded(RequestId),
    /// This request of the intercom is pending.
    IsPending(RequestId),
    /// The intercom had no other hardware.
    NothingBefore,
    /// Another intercom has what it would have.
    IsTaken {
        /// What it would have.
        identity: Identity,
        /// The other intercom.
        intercom_id: i64,
    },
    /// So many rows of the import are wrong, so that none is run.
    HasWrongRows(i64),
    /// The rows of the import are still being written.
    IsBeingChecked,
    /// The row would do something else now than what the check has shown.
    HasChanged,
}

/// Why the service cannot do what it should.
#[derive(Debug)]
pub enum Failure {
    /// The database fails.
    Database(store::Error),
    /// An answer or a request cannot be written as JSON.
    Json(serde_json::Error),
    /// A new request's ID is none.
    RequestId(InvalidRequestId),
    /// An entity tag is no header.
    Header(InvalidHeaderValue),
    /// The metrics cannot be written.
    Text(fmt::Error),
    /// A result file cannot be written.
    ResultFile(io::Error),
    /// The database's own name is no issuer.
    Issuer(InvalidIssuer),
    /// No secret can be made.
    Secret(NoRandomBytes),
    /// Credentials cannot be encrypted, or be read again.
    Credentials(CredentialError),
}

impl Billing {
    /// Takes the database over. Where this service has it alone, boards that were connected when it was last
    /// used have some time to come back before they count as gone.
    ///
    /// # Errors
    /// The database fails.
    pub async fn start(
        store: Store,
        grace_ms: i64,
        believed: Believed,
        signing_key: Option<SigningKey>,
    ) -> Result<Self, Refusal> {
        let issuer = store.read(offers::issuer).await?;
        let issuer = issuer.parse().map_err(|why| Refusal::Failed(Failure::Issuer(why)))?;
        let billing = Billing {
            store,
            grace_ms,
            believed,
            issuer,
            signing_key,
            credential_key: None,
            import_waits: Arc::default(),
        };
        match billing.store.location() {
            Location::File(_) => billing.on_connect().await?,
            // Whoever leads says since when boards can show themselves.
            Location::Postgres(_) => {
                billing.store.set_since_ms(billing.store.read(boards::since).await?);
            }
        }
        Ok(billing)
    }

    /// The same service, whose writes are refused once another process leads.
    pub(crate) fn led(&self, lead: &Lead) -> Self {
        Billing { store: self.store.led(lead), ..self.clone() }
    }

    /// The rule that decides who is offered a request.
    pub(crate) fn rule(&self) -> Rule {
        Rule { grace_ms: self.grace_ms, since_ms: self.store.since_ms() }
    }

    /// The name of this database in what it sends.
    pub fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// Whether a report is about a request of this database, or of none: it is answered.
    pub(crate) fn answers(&self, report: &Report) -> bool {
        report.issuer.as_ref().is_none_or(|issuer| *issuer == self.issuer)
    }

    /// The live intercom of that name, as the API shows it.
    ///
    /// # Errors
    /// Not found, or the database fails.
    pub async fn show(&self, name: Name) -> Result<IntercomBody, Refusal> {
        self.store.read(move |snapshot| Ok(find(snapshot, &name)?.shown)).await
    }

    /// The same, to the panel that the intercom has. To any other the intercom is not found.
    ///
    /// # Errors
    /// Not found, or the database fails.
    pub async fn show_to_panel(
        &self,
        name: Name,
        board: BoardName,
    ) -> Result<IntercomBody, Refusal> {
        self.store
            .read(move |snapshot| {
                let record = find(snapshot, &name)?;
                if intercoms::board(snapshot, record.id)?.as_ref() != Some(&board) {
                    tracing::warn!("panel {board} asks for intercom {}: refused", record.id);
                    return Err(Refusal::NotFound);
                }
                Ok(record.shown)
            })
            .await
    }

    /// Deletes an intercom softly and withdraws its pending request.
    ///
    /// # Errors
    /// Not found, or the database fails.
    pub async fn delete(&self, name: Name, by: Actor) -> Result<(), Refusal> {
        let believed = self.believed;
        self.store
            .write(move |transaction| {
                let record = find(transaction, &name)?;
                withdraw(transaction, &record, &State::Withdrawn)?;
                let subject = Subject { intercom_id: Some(record.id), ..Subject::default() };
                store::audit::add(transaction, &by, Action::Delete, &subject)?;
                Ok(intercoms::delete(transaction, record.id, believed, transaction.now_ms())?)
            })
            .await
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

    /// The newest requests and how they ended, of one intercom or of all.
    ///
    /// # Errors
    /// The database fails.
    pub async fn history(
        &self,
        intercom_id: Option<i64>,
        limit: i64,
    ) -> Result<Vec<Entry>, Refusal> {
        let rule = self.rule();
        let listed = move |snapshot: &Snapshot<'_>| {
            let now = snapshot.now_ms();
            wait::with_turns(snapshot, rule, history::list(snapshot, intercom_id, now, limit)?)
        };
        self.store.read(listed).await
    }
}

fn find(snapshot: &Snapshot<'_>, name: &Name) -> Result<Record, Refusal> {
    intercoms::find(snapshot, name)?.ok_or(Refusal::NotFound)
}

/// Ends the pending request of a record, if it has one, without an outcome.
fn withdraw(transaction: &Transaction<'_>, record: &Record, state: &State) -> Result<(), Refusal> {
    if let Some(newest) = store::requests::newest(transaction, record.id)?
        && newest.state == State::Pending
    {
        store::requests::end(transaction, &newest.request_id, state, None, transaction.now_ms())?;
        swap::end_other(transaction, &newest.request_id)?;
    }
    Ok(())
}

/// The next `seq` of a record. It rises with every change and is at least the Unix time in seconds,
/// so that it is above what panels have seen even after the database was lost or restored.
fn next_seq(transaction: &Transaction<'_>, seq: i64) -> i64 {
    seq.saturating_add(1).max(transaction.now_ms() / 1000)
}

impl From<Errors> for Refusal {
    fn from(errors: Errors) -> Self {
        Refusal::Invalid(errors)
    }
}

impl From<store::Error> for Refusal {
    fn from(error: store::Error) -> Self {
        Refusal::Failed(Failure::Database(error))
    }
}

impl From<serde_json::Error> for Refusal {
    fn from(error: serde_json::Error) -> Self {
        Refusal::Failed(Failure::Json(error))
    }
}

impl From<NoRandomBytes> for Refusal {
    fn from(error: NoRandomBytes) -> Self {
        Refusal::Failed(Failure::Secret(error))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Invalid(errors) => errors.fmt(f),
            Refusal::Forbidden => f.write_str("not allowed"),
            Refusal::NotFound => f.write_str("not found"),
            Refusal::Conflict(conflict) => conflict.fmt(f),
            Refusal::Failed(failure) => failure.fmt(f),
        }
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Conflict::HasEnded(request_id) => write!(f, "Request {request_id} has ended."),
            Conflict::IsPending(request_id) => {
                write!(f, "Request {request_id} is pending: cancel it first.")
            }
            Conflict::NothingBefore => f.write_str("The intercom had no other hardware before."),
            Conflict::IsTaken { identity, intercom_id } => {
                write!(f, "Intercom {intercom_id} has {identity}, or a part of it.")
            }
            Conflict::HasWrongRows(1) => {
                f.write_str("A row is wrong, so none is run: correct the file and send it again.")
            }
            Conflict::HasWrongRows(rows) => write!(
                f,
                "{rows} rows are wrong, so none is run: correct the file and send it again."
            ),
            Conflict::IsBeingChecked => f.write_str("The rows are still being checked."),
            Conflict::HasChanged => {
                f.write_str("The intercom or its request has changed since the file was checked.")
            }
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Database(error) => write!(f, "the database failed: {error}"),
            Failure::Json(error) => write!(f, "JSON cannot be written: {error}"),
            Failure::RequestId(error) => write!(f, "a new request ID {error}"),
            Failure::Text(error) => write!(f, "the metrics cannot be written: {error}"),
            Failure::ResultFile(error) => write!(f, "the result file cannot be written: {error}"),
            Failure::Issuer(error) => write!(f, "the name of this database {error}"),
            Failure::Secret(error) => write!(f, "a secret cannot be made: {error}"),
            Failure::Credentials(error) => error.fmt(f),
            Failure::Header(error) => write!(f, "the entity tag cannot be sent: {error}"),
        }
    }
}

impl std::error::Error for Refusal {}
