//! A door's board that has forgotten its identity, because its record was lost: it is asked to take
//! that identity again.

use intercom_wire::{NamedBy, Outcome, SOURCE_AUTO_REPLACE};

use super::{Refusal, fresh_request_id, next_seq};
use crate::replacement::{IdentityRequest, State};
use crate::store::boards::Seen;
use crate::store::doors::Door;
use crate::store::intercoms::{self, Name, PENDING, RecordState};
use crate::store::requests::{self, Queued};
use crate::store::{Transaction, doors};

/// Asks the board for the confirmed identity, if it claims another one and the last request of its
/// door was installed. After a change or a rollback by hand nobody knows better than who did it.
pub(super) fn ask_again(transaction: &Transaction<'_>, seen: &Seen) -> Result<(), Refusal> {
    let door = doors::of_board(transaction, &seen.board)?;
    let (Some(Door { intercom_id, confirmed_mac }), Some(claim)) = (door, &seen.claim) else {
        return Ok(());
    };
    let (Some(record), Some(newest)) = (
        intercoms::find(transaction, &Name::Id(intercom_id))?,
        requests::newest(transaction, intercom_id)?,
    ) else {
        return Ok(());
    };
    let is_installed = matches!(newest.state, State::Ended { outcome: Outcome::Installed, .. });
    if !is_installed || newest.to != record.confirmed || claim.mac == confirmed_mac {
        return Ok(());
    }
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
    };
    requests::queue(transaction, &queued)?;
    intercoms::set_seq(transaction, intercom_id, seq)?;
    let state = RecordState {
        confirmed: &record.confirmed,
        desired: &record.confirmed,
        status: PENDING,
        source: SOURCE_AUTO_REPLACE,
    };
    intercoms::set_state(transaction, intercom_id, &state)?;
    log::warn!(
        "intercom {intercom_id}: its board {} has forgotten {} and carries {claim}: request {}",
        seen.board,
        record.confirmed.identity,
        change.request_id
    );
    Ok(())
}
