//! A change that nobody asked for, such as an installer's `apply` at the board.
//!
//! The record of a door follows its own board, to an identity that is nobody else's. Any other change
//! waits for an operator's yes: any board can say that it stands in for a door, or that it carries what
//! another has.

use intercom_wire::{BoardName, Identity, MAX_TEXT_CHARS, Outcome, Report};

use super::{Refusal, swap, withdraw};
use crate::replacement::{Carried, State};
use crate::store::by_hand::{self, ByHand};
use crate::store::disputes::Dispute;
use crate::store::intercoms::{self, Name, Record, RecordState};
use crate::store::macs::Believed;
use crate::store::taken::{self, Among};
use crate::store::{Snapshot, Transaction, doors, macs};

/// What has become of a change by hand.
pub(super) enum Taken {
    /// The record of the door follows it.
    Moved,
    /// It waits for an operator.
    Waits,
    /// Nothing differs, or the board kept its identity.
    Nothing,
}

/// An operator says that a change by hand counts: its board is the panel of that intercom now.
pub(super) fn accept(
    transaction: &Transaction<'_>,
    board: &BoardName,
    name: &Name,
    believed: Believed,
) -> Result<(), Refusal> {
    let change = by_hand::of_board(transaction, board)?.ok_or(Refusal::NotFound)?;
    give(transaction, &super::find(transaction, name)?, &change, believed)?;
    Ok(by_hand::remove(transaction, board)?)
}

/// An operator says that what a door's board carries is right, although nobody asked for it.
pub(super) fn follow_claim(
    transaction: &Transaction<'_>,
    dispute: &Dispute,
    believed: Believed,
) -> Result<(), Refusal> {
    let door = dispute.door.as_ref().ok_or(Refusal::NotFound)?;
    let change = ByHand {
        board: dispute.board.clone(),
        identity: dispute.claim.clone(),
        model: None,
        previous_mac: door.confirmed_mac,
    };
    give(transaction, &super::find(transaction, &Name::Id(door.intercom_id))?, &change, believed)
}

/// The board is the intercom's panel, with what it carries now.
fn give(
    transaction: &Transaction<'_>,
    record: &Record,
    change: &ByHand,
    believed: Believed,
) -> Result<(), Refusal> {
    if !follow(transaction, record, change)? {
        return Err(Refusal::NotFound);
    }
    Ok(doors::give(
        transaction,
        &change.board,
        record.id,
        change.identity.mac,
        believed,
        transaction.now_ms(),
    )?)
}

/// Whether a door's board may have an identity that nobody asked it to take: no other record has any
/// of it, not even a spare's, and the MAC address is no other board's.
pub(super) fn is_nobody_elses(
    snapshot: &Snapshot<'_>,
    record: &Record,
    board: &BoardName,
    identity: &Identity,
) -> Result<bool, Refusal> {
    let taken = taken::by_another(snapshot, Among::Others(record.id), identity, None)?;
    let owner = macs::owner(snapshot, identity.mac)?;
    Ok(!taken.mac && !taken.serial_number && owner.is_none_or(|(owner, _)| owner == *board))
}

/// Takes a report about a change by hand.
pub(super) fn take(
    transaction: &Transaction<'_>,
    report: &Report,
    outcome: Outcome,
    believed: Believed,
) -> Result<Taken, Refusal> {
    let has_changed = matches!(outcome, Outcome::Installed | Outcome::RolledBack);
    let Some(identity) = report.carried().filter(|_| has_changed) else {
        return Ok(Taken::Nothing);
    };
    let change = ByHand {
        board: report.board.clone(),
        identity,
        model: report.intercom.model.clone().filter(|model| is_short(model)),
        previous_mac: report.previous.mac,
    };
    if let Some(door) = doors::of_board(transaction, &change.board)?
        && let Some(record) = intercoms::find(transaction, &Name::Id(door.intercom_id))?
    {
        if record.confirmed.identity == change.identity {
            return Ok(Taken::Nothing);
        }
        if is_nobody_elses(transaction, &record, &change.board, &change.identity)?
            && follow(transaction, &record, &change)?
        {
            let (board, mac) = (&change.board, change.identity.mac);
            doors::give(transaction, board, record.id, mac, believed, transaction.now_ms())?;
            macs::give_back(transaction, mac, board)?;
            return Ok(Taken::Moved);
        }
    }
    by_hand::keep(transaction, &change, transaction.now_ms())?;
    Ok(Taken::Waits)
}

/// Whether the documented API would take this text.
fn is_short(text: &str) -> bool {
    text.chars().count() <= MAX_TEXT_CHARS
}

/// The record has what the board carries now, unless another intercom has it.
fn follow(
    transaction: &Transaction<'_>,
    record: &Record,
    change: &ByHand,
) -> Result<bool, Refusal> {
    let among = Among::OthersButSpares(record.id);
    let taken = taken::by_another(transaction, among, &change.identity, None)?;
    if taken.mac || taken.serial_number {
        return Ok(false);
    }
    swap::break_off(transaction, record.id)?;
    intercoms::delete_spares(transaction, &change.identity, transaction.now_ms())?;
    let model = record.confirmed.model.clone().or_else(|| change.model.clone());
    let carried = Carried { identity: change.identity.clone(), model };
    if record.desired.identity == carried.identity {
        // By hand is what was asked for.
        withdraw(transaction, record, &State::Superseded)?;
    }
    let is_pending =
        record.desired != record.confirmed && record.desired.identity != carried.identity;
    let desired = if is_pending { &record.desired } else { &carried };
    let status = match is_pending {
        true => intercoms::PENDING,
        false => intercoms::INSTALLED,
    };
    intercoms::set_state(
        transaction,
        record.id,
        &RecordState {
            confirmed: &carried,
            desired,
            status,
            source: record.shown.source.as_deref().unwrap_or_default(),
        },
    )?;
    tracing::info!("intercom {}: its board carries {} by hand", record.id, carried.identity);
    Ok(true)
}
