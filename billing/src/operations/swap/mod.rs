//! A swap: two panels have changed places. Each keeps its identity, and the records follow.
//!
//! Each intercom has a request for the identity that the other one has, offered to the board that
//! carries it already. When both boards have said so, both records change in one transaction. No panel
//! changes its identity for a swap: two that did so while they are in use could end with one MAC
//! address.

mod apply;
mod ask;

pub(in crate::operations) use apply::{Step, apply};
pub use ask::Swapped;

use intercom_wire::{RequestId, SOURCE_AUTO_REPLACE};

use super::{Refusal, find};
use crate::replacement::{IdentityRequest, State};
use crate::store::intercoms::{self, INSTALLED, Name, Record, RecordState};
use crate::store::swaps::{self, Half};
use crate::store::{Snapshot, Transaction, requests};

/// The reason of a request whose other half has ended.
const OTHER_HALF_ENDED: &str = "the other request of the swap has ended without an exchange";
/// The reason of both if a panel or a record has changed.
const CHANGED_MEANWHILE: &str = "a panel of the swap has changed its identity meanwhile";

/// Ends the swap of an intercom, if it has one that is pending, since its panel or its record has
/// changed.
pub(in crate::operations) fn break_off(
    transaction: &Transaction<'_>,
    id: i64,
) -> Result<bool, Refusal> {
    let Some((request, _)) = pending_half(transaction, id)? else { return Ok(false) };
    end(transaction, id, &request.request_id, &State::Withdrawn, Some(CHANGED_MEANWHILE))?;
    show(transaction, &find(transaction, &Name::Id(id))?, INSTALLED)?;
    end_other(transaction, &request.request_id)?;
    Ok(true)
}

/// A request has ended. If it was a half of a swap, so does the other one.
pub(in crate::operations) fn end_other(
    transaction: &Transaction<'_>,
    request_id: &RequestId,
) -> Result<(), Refusal> {
    let Some(half) = swaps::of(transaction, request_id)? else { return Ok(()) };
    let Some((other, _)) = pending_half(transaction, half.with)? else { return Ok(()) };
    end(transaction, half.with, &other.request_id, &State::Withdrawn, Some(OTHER_HALF_ENDED))?;
    show(transaction, &find(transaction, &Name::Id(half.with))?, INSTALLED)
}

fn end(
    transaction: &Transaction<'_>,
    id: i64,
    request_id: &RequestId,
    state: &State,
    reason: Option<&str>,
) -> Result<(), Refusal> {
    tracing::info!(
        "intercom {id}: its swap has ended without an exchange: {}",
        reason.unwrap_or("-")
    );
    Ok(requests::end(transaction, request_id, state, reason, transaction.now_ms())?)
}

/// A record keeps its identity, and shows this status.
fn show(transaction: &Transaction<'_>, record: &Record, status: &str) -> Result<(), Refusal> {
    let state = RecordState {
        confirmed: &record.confirmed,
        desired: &record.confirmed,
        status,
        source: SOURCE_AUTO_REPLACE,
    };
    Ok(intercoms::set_state(transaction, record.id, &state)?)
}

/// The pending request of an intercom, if it is a half of a swap.
fn pending_half(
    snapshot: &Snapshot<'_>,
    id: i64,
) -> Result<Option<(IdentityRequest, Half)>, Refusal> {
    let newest = requests::newest(snapshot, id)?;
    let Some(newest) = newest.filter(|newest| newest.state == State::Pending) else {
        return Ok(None);
    };
    Ok(swaps::of(snapshot, &newest.request_id)?.map(|half| (newest, half)))
}
