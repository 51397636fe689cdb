//! A door's board that has forgotten its identity, because its record was lost: it is asked to take
//! that identity again.
//!
//! It is asked without an operator if it says that its record is new, or if it claims what it carried
//! before it was ever changed while its door's identity has been silent for a day: until then another
//! board of that name may have the identity. After a change or a rollback by hand nobody knows better
//! than who did it.

use intercom_wire::{NamedBy, Outcome, RequestId};

use super::patch::ask_for;
use super::{Refusal, fresh_request_id, next_seq};
use crate::replacement::{IdentityRequest, State};
use crate::store::intercoms::{self, Name, Record};
use crate::store::requests::{self, Cause, Queued};
use crate::store::seen::Seen;
use crate::store::{Snapshot, Transaction, doors, factories, macs};

/// How long the identity of a door is silent before its board counts as one that has forgotten it.
const SILENT_MS: i64 = 24 * 3_600_000;
/// Who asks where nobody has.
pub(super) const BILLING: &str = "billing";

/// The record of the door whose board has forgotten its identity beyond doubt.
pub(super) fn of(
    snapshot: &Snapshot<'_>,
    seen: &Seen,
    new_record: bool,
    now_ms: i64,
) -> Result<Option<Record>, Refusal> {
    let (Some(claim), Some(door)) = (&seen.claim, doors::of_board(snapshot, &seen.board)?) else {
        return Ok(None);
    };
    if claim.mac == door.confirmed_mac {
        return Ok(None);
    }
    if !new_record {
        let is_factory = factories::mac(snapshot, &seen.board)? == Some(claim.mac);
        let last_ms = macs::seen_ms(snapshot, door.confirmed_mac)?.unwrap_or(0);
        if !is_factory || now_ms.saturating_sub(last_ms) < SILENT_MS {
            return Ok(None);
        }
    }
    let (Some(record), Some(newest)) = (
        intercoms::find(snapshot, &Name::Id(door.intercom_id))?,
        requests::newest(snapshot, door.intercom_id)?,
    ) else {
        return Ok(None);
    };
    let is_installed = matches!(newest.state, State::Ended { outcome: Outcome::Installed, .. });
    // A board that says so again and again would have requests made without end.
    if !is_installed
        || newest.to != record.confirmed
        || requests::are_many(snapshot, record.id, now_ms)?
    {
        return Ok(None);
    }
    Ok(Some(record))
}

/// Asks the door's board for the confirmed identity, by a new request.
pub(super) fn ask_again(
    transaction: &Transaction<'_>,
    record: &Record,
    asked_by: &str,
) -> Result<RequestId, Refusal> {
    let intercom_id = record.id;
    let seq = next_seq(transaction, record.seq);
    let change = IdentityRequest {
        request_id: fresh_request_id(transaction)?,
        from: record.confirmed.clone(),
        to: record.confirmed.clone(),
        new_mac: Some(record.confirmed.identity.mac),
        new_serial_number: record.confirmed.identity.serial_number.clone(),
        state: State::Pending,
    };
    let queued = Queued {
        intercom_id,
        seq,
        named_by: NamedBy::Id(intercom_id),
        change: &change,
        log_extra: None,
        asked_ms: transaction.now_ms(),
        asked_by,
        cause: Cause::Forgotten,
    };
    ask_for(transaction, record, &queued)?;
    tracing::warn!(
        "intercom {intercom_id}: its board has forgotten {}: request {}",
        record.confirmed.identity,
        change.request_id
    );
    Ok(change.request_id)
}
