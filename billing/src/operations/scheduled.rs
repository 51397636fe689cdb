//! When requests may be offered: what a PATCH says about it, the quiet hours of the groups, and the
//! end of a request that nobody has ended in time.

use intercom_wire::{Errors, Fields, Outcome, RequestId};
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{Billing, Refusal, find};
use crate::audit::{Action, Actor, Subject};
use crate::replacement::State;
use crate::schedule::Schedule;
use crate::store::intercoms::{self, Name, RecordState};
use crate::store::quiet_hours::{self, OfAGroup};
use crate::store::{Transaction, audit, requests};

/// The reason of a request that ends so.
const EXPIRED: &str = "it has expired";

/// What a PATCH says besides the documented fields: `not_before` and `expires`.
pub(super) fn read(body: &Map<String, Value>, now_ms: i64) -> Result<Schedule, Errors> {
    let mut fields = Fields::new(body);
    let [not_before_ms, expires_ms] = ["not_before", "expires"].map(|field| {
        let time = fields.string(field)?.parse::<Timestamp>();
        if time.is_err() {
            let name = field.replace('_', " ");
            fields.error(
                field,
                format!("The {name} field must be a time such as 2026-11-27T06:00:00Z."),
            );
        }
        time.ok().map(Timestamp::as_millisecond)
    });
    if let Some(expires_ms) = expires_ms
        && expires_ms <= not_before_ms.unwrap_or(now_ms).max(now_ms)
    {
        fields.error("expires", "The expires field must be a time after now and after not before.");
    }
    fields.finish(Some(Schedule { not_before_ms, expires_ms, quiet: None }))
}

/// Nobody has ended a request in time. What a board has begun counts when it is installed.
pub(crate) fn expire(transaction: &Transaction<'_>, request_id: &RequestId) -> Result<(), Refusal> {
    let Some((intercom_id, _)) = requests::by_id(transaction, request_id)? else { return Ok(()) };
    let record = find(transaction, &Name::Id(intercom_id))?;
    let ended = State::Ended { outcome: Outcome::Rejected, board: None };
    requests::end(transaction, request_id, &ended, Some(EXPIRED), transaction.now_ms())?;
    let state = RecordState {
        confirmed: &record.confirmed,
        desired: &record.confirmed,
        status: intercoms::status_after(transaction, intercom_id, Outcome::Rejected.as_str())?,
        source: record.shown.source.as_deref().unwrap_or_default(),
    };
    intercoms::set_state(transaction, intercom_id, &state)?;
    tracing::info!("request {request_id}: {EXPIRED}");
    Ok(())
}

impl Billing {
    /// Sets the quiet hours of a group.
    ///
    /// # Errors
    /// There is no such group, or the database fails.
    pub async fn set_quiet_hours(&self, of: OfAGroup, by: Actor) -> Result<(), Refusal> {
        self.store.write(move |transaction| set_quiet_hours(transaction, &of, &by)).await
    }

    /// A group has no quiet hours any more.
    ///
    /// # Errors
    /// It had none, or the database fails.
    pub async fn remove_quiet_hours(&self, group_id: i64, by: Actor) -> Result<(), Refusal> {
        self.store.write(move |transaction| remove_quiet_hours(transaction, group_id, &by)).await
    }

    /// The quiet hours of all groups that have some.
    ///
    /// # Errors
    /// The database fails.
    pub async fn quiet_hours(&self) -> Result<Vec<OfAGroup>, Refusal> {
        Ok(self.store.read(quiet_hours::list).await?)
    }
}

pub(crate) fn set_quiet_hours(
    transaction: &Transaction<'_>,
    of: &OfAGroup,
    by: &Actor,
) -> Result<(), Refusal> {
    if !quiet_hours::set(transaction, of)? {
        return Err(Errors::on("group_id", "The selected group id is invalid.").into());
    }
    let detail = format!("group {}: {}", of.group_id, of.hours);
    let subject = Subject { detail: Some(&detail), ..Subject::default() };
    Ok(audit::add(transaction, by, Action::SetQuietHours, &subject)?)
}

pub(crate) fn remove_quiet_hours(
    transaction: &Transaction<'_>,
    group_id: i64,
    by: &Actor,
) -> Result<(), Refusal> {
    if !quiet_hours::remove(transaction, group_id)? {
        return Err(Refusal::NotFound);
    }
    let detail = format!("group {group_id}");
    let subject = Subject { detail: Some(&detail), ..Subject::default() };
    Ok(audit::add(transaction, by, Action::RemoveQuietHours, &subject)?)
}
