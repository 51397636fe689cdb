//! A door gets back the hardware that it had before.

use intercom_wire::{Identity, NamedBy};

use super::patch::{ask_for, fresh_request_id};
use super::requests::{RequestShown, shown};
use super::{Billing, Conflict, Refusal, find, next_seq};
use crate::audit::{Action, Actor, Subject};
use crate::replacement::{Carried, IdentityRequest, State};
use crate::store::intercoms::{Name, Record};
use crate::store::requests::{self, Cause, Queued};
use crate::store::{Transaction, audit, hardware, owners};

impl Billing {
    /// Asks for the identity that the intercom had before: of its earlier panel if that is on the
    /// wall again, else of the panel that is there.
    ///
    /// # Errors
    /// There is no such intercom, nothing was there before, a request is pending, another door has
    /// that identity, or the database fails.
    pub async fn undo(&self, intercom_id: i64, asked_by: Actor) -> Result<RequestShown, Refusal> {
        let rule = self.rule();
        let (asked, shown) = self
            .store
            .write(move |transaction| {
                let record = find(transaction, &Name::Id(intercom_id))?;
                let asked = go_back(transaction, &record, &asked_by.to_string())?;
                let detail = format!("to {}", asked.to.identity);
                let subject = Subject {
                    intercom_id: Some(intercom_id),
                    request_id: Some(&asked.request_id),
                    detail: Some(&detail),
                    ..Subject::default()
                };
                audit::add(transaction, &asked_by, Action::Undo, &subject)?;
                let shown = shown(transaction, rule, &asked.request_id)?;
                Ok::<_, Refusal>((asked, shown))
            })
            .await?;
        let IdentityRequest { request_id, to, .. } = asked;
        tracing::info!("intercom {intercom_id}: back to {}: request {request_id}", to.identity);
        Ok(shown)
    }
}

fn go_back(
    transaction: &Transaction<'_>,
    record: &Record,
    asked_by: &str,
) -> Result<IdentityRequest, Refusal> {
    if let Some(newest) = requests::newest(transaction, record.id)?
        && newest.state == State::Pending
    {
        return Err(Refusal::Conflict(Conflict::IsPending(newest.request_id)));
    }
    let before = hardware::before(transaction, record.id)?;
    let before = before.ok_or(Refusal::Conflict(Conflict::NothingBefore))?;
    refuse_anothers(transaction, record.id, &before.identity)?;
    let model = before.model.or_else(|| record.confirmed.model.clone());
    let change = IdentityRequest {
        request_id: fresh_request_id(transaction)?,
        from: record.confirmed.clone(),
        new_mac: Some(before.identity.mac),
        new_serial_number: before.identity.serial_number.clone(),
        to: Carried { identity: before.identity, model },
        state: State::Pending,
    };
    let queued = Queued {
        intercom_id: record.id,
        seq: next_seq(transaction, record.seq),
        named_by: NamedBy::Id(record.id),
        change: &change,
        log_extra: None,
        asked_ms: transaction.now_ms(),
        asked_by,
        cause: Cause::Undo,
    };
    ask_for(transaction, record, &queued)?;
    Ok(change)
}

/// Another door may have the identity by now. A spare may have it: that is the earlier panel.
pub(super) fn refuse_anothers(
    transaction: &Transaction<'_>,
    id: i64,
    identity: &Identity,
) -> Result<(), Refusal> {
    let mut owner = owners::of_mac(transaction, identity.mac, id)?;
    if let (None, Some(serial_number)) = (owner, &identity.serial_number) {
        owner = owners::of_serial_number(transaction, serial_number, id)?;
    }
    match owner {
        None => Ok(()),
        Some(intercom_id) => {
            let identity = identity.clone();
            Err(Refusal::Conflict(Conflict::IsTaken { identity, intercom_id }))
        }
    }
}
