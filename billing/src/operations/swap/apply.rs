//! A panel reports about its half of a swap.

use intercom_wire::{BoardName, Outcome, SOURCE_AUTO_REPLACE};

use super::super::{Refusal, find};
use super::{break_off, end, end_other, pending_half, show};
use crate::replacement::{IdentityRequest, Ignored, ReportedOutcome, State};
use crate::store::intercoms::{self, INSTALLED, Name, Record, RecordState};
use crate::store::macs::Believed;
use crate::store::{Snapshot, Transaction, boards, credentials, doors, hardware, requests, swaps};

/// What a report about a half has come to.
pub(in crate::operations) enum Step {
    /// The other half is awaited.
    Confirmed,
    /// Both records have changed.
    Exchanged,
    /// Both requests have ended, and nothing has changed.
    BrokenOff,
    /// Nothing.
    Ignored(Ignored),
}

/// Applies a report about a half that has not been installed. The board was offered it.
pub(in crate::operations) fn apply(
    transaction: &Transaction<'_>,
    record: &Record,
    reported: &IdentityRequest,
    report: &ReportedOutcome,
    reason: Option<&str>,
    believed: Believed,
) -> Result<Step, Refusal> {
    if reported.state != State::Pending {
        return Ok(Step::Ignored(Ignored::Ended));
    }
    let Some(board) = &report.board else { return Ok(Step::Ignored(Ignored::NotOffered)) };
    if report.outcome != Outcome::Installed {
        let ended = State::Ended { outcome: report.outcome, board: Some(board.clone()) };
        end(transaction, record.id, &reported.request_id, &ended, reason)?;
        show(transaction, record, report.outcome.as_str())?;
        end_other(transaction, &reported.request_id)?;
        return Ok(Step::BrokenOff);
    }
    let carries_another = |mac| mac != reported.to.identity.mac;
    let carried_mac = report.carried.as_ref().map(|carried| carried.mac);
    if report.mac.is_some_and(carries_another) || carried_mac.is_some_and(carries_another) {
        return Ok(Step::Ignored(Ignored::CarriesAnother));
    }
    swaps::confirm(transaction, &reported.request_id, board)?;
    match both_confirmed(transaction, record.id)? {
        Some(both) => exchange(transaction, &both, believed),
        None => Ok(Step::Confirmed),
    }
}

/// A door, its request, and the board that has confirmed it.
struct Confirmed {
    record: Record,
    request: IdentityRequest,
    board: BoardName,
}

fn both_confirmed(snapshot: &Snapshot<'_>, id: i64) -> Result<Option<[Confirmed; 2]>, Refusal> {
    let Some((request, half)) = pending_half(snapshot, id)? else { return Ok(None) };
    let Some((others, others_half)) = pending_half(snapshot, half.with)? else { return Ok(None) };
    let (Some(board), Some(others_board)) = (half.confirmed_by, others_half.confirmed_by) else {
        return Ok(None);
    };
    let (record, other) = (find(snapshot, &Name::Id(id))?, find(snapshot, &Name::Id(half.with))?);
    Ok(Some([
        Confirmed { record, request, board },
        Confirmed { record: other, request: others, board: others_board },
    ]))
}

/// Both records change, unless something has changed since the boards confirmed.
fn exchange(
    transaction: &Transaction<'_>,
    both: &[Confirmed; 2],
    believed: Believed,
) -> Result<Step, Refusal> {
    let [one, other] = both;
    let still = |door: &Confirmed, other: &Confirmed| -> Result<bool, Refusal> {
        let identity = &door.request.to.identity;
        let claim = boards::claim(transaction, &door.board)?;
        Ok(other.record.confirmed.identity == *identity
            && claim.is_none_or(|claim| claim.mac == identity.mac))
    };
    if !still(one, other)? || !still(other, one)? {
        break_off(transaction, one.record.id)?;
        return Ok(Step::BrokenOff);
    }
    swaps::let_go(transaction, one.record.id)?;
    swaps::let_go(transaction, other.record.id)?;
    let now_ms = transaction.now_ms();
    for (door, carried) in [(one, &other.record.confirmed), (other, &one.record.confirmed)] {
        let state = RecordState {
            confirmed: carried,
            desired: carried,
            status: INSTALLED,
            source: SOURCE_AUTO_REPLACE,
        };
        intercoms::set_state(transaction, door.record.id, &state)?;
        let ended = State::Ended { outcome: Outcome::Installed, board: Some(door.board.clone()) };
        requests::end(transaction, &door.request.request_id, &ended, None, now_ms)?;
    }
    credentials::exchange(transaction, one.record.id, other.record.id)?;
    for door in both {
        let mac = door.request.to.identity.mac;
        doors::give(transaction, &door.board, door.record.id, mac, believed, now_ms)?;
        hardware::put_in_place(transaction, door.record.id, &door.request.request_id)?;
    }
    tracing::info!(
        "intercoms {} and {} have exchanged their panels",
        one.record.id,
        other.record.id
    );
    Ok(Step::Exchanged)
}
