//! Which board is a door's: the one that was first seen with the door's MAC address, until a request
//! puts another one in its place. A spare's own record is no door. And whose claims are believed: a
//! door's board is believed only with a MAC address that somebody asked it to take.

use intercom_wire::{BoardName, Mac};

use super::boards::Conflict;
use super::changes::Changed;
use super::column::{parsed, parsed_or_null};
use super::engine::params;
use super::macs::Believed;
use super::statement::statements;
use super::{Result, Snapshot, Transaction, boards, hardware, macs, requests};

/// A live intercom that is in its place, by the board in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Door {
    /// The intercom.
    pub intercom_id: i64,
    /// Its confirmed MAC address.
    pub confirmed_mac: Mac,
}

statements! {
    OF_A_BOARD = "
        SELECT id, confirmed_mac FROM intercoms
        WHERE deleted_ms IS NULL AND board = ?1 AND status <> 'empty'";
    BOARD_OF = "SELECT board FROM intercoms WHERE id = ?1";
    OTHERS_OF = "SELECT id FROM intercoms WHERE deleted_ms IS NULL AND board = ?1 AND id <> ?2";
    SET_BOARD = "UPDATE intercoms SET board = ?2 WHERE id = ?1 AND board IS DISTINCT FROM ?2";
    WITHOUT_A_BOARD = "
        SELECT id, confirmed_mac FROM intercoms
        WHERE deleted_ms IS NULL AND confirmed_mac = ?1 AND board IS NULL AND status <> 'empty'";
}

/// The door that a board belongs to.
pub fn of_board(snapshot: &Snapshot<'_>, board: &BoardName) -> Result<Option<Door>> {
    snapshot.first(OF_A_BOARD, [board.as_str()], |row| {
        Ok(Door { intercom_id: row.get("id")?, confirmed_mac: parsed(row, "confirmed_mac")? })
    })
}

/// A board is this intercom's panel now, with this MAC address, and no other's. The one in its place
/// until now is believed as any other without a door.
pub fn give(
    transaction: &Transaction<'_>,
    board: &BoardName,
    intercom_id: i64,
    mac: Mac,
    believed: Believed,
    now_ms: i64,
) -> Result<()> {
    let replaced: Option<BoardName> =
        transaction.one(BOARD_OF, [intercom_id], |row| parsed_or_null(row, "board"))?;
    let replaced = replaced.filter(|replaced| replaced != board);
    if let Some(replaced) = &replaced {
        boards::set_stranger(transaction, replaced, true)?;
    }
    let others: Vec<i64> =
        transaction.all(OTHERS_OF, params![board.as_str(), intercom_id], |row| row.get(0))?;
    let none = others.into_iter().map(|id| (id, None));
    for (id, board) in none.chain([(intercom_id, Some(board.as_str()))]) {
        if transaction.execute(SET_BOARD, params![id, board])? > 0 {
            transaction.changed(Changed::Intercom(id));
            hardware::follow(transaction, id)?;
        }
    }
    macs::give(transaction, mac, board, now_ms)?;
    macs::is_of_a_door(transaction, board)?;
    boards::set_stranger(transaction, board, false)?;
    match replaced {
        Some(replaced) => judge_anew(transaction, &replaced, believed),
        None => Ok(()),
    }
}

/// The door at this MAC address gets the board whose it is, if it has none yet and that one counts.
pub fn adopt_at(transaction: &Transaction<'_>, mac: Mac, believed: Believed) -> Result<()> {
    let door = transaction.first(WITHOUT_A_BOARD, [mac.to_string()], |row| row.get(0))?;
    let (Some(intercom_id), Some((board, enrolled))) = (door, macs::owner(transaction, mac)?)
    else {
        return Ok(());
    };
    let counts = enrolled || believed == Believed::FirstSight;
    if !counts || of_board(transaction, &board)?.is_some() {
        return Ok(());
    }
    transaction.execute(SET_BOARD, params![intercom_id, board.as_str()])?;
    transaction.changed(Changed::Intercom(intercom_id));
    hardware::follow(transaction, intercom_id)?;
    macs::is_of_a_door(transaction, &board)?;
    boards::set_stranger(transaction, &board, false)
}

/// Why a board's claim of a MAC address is not believed, if it is not. `door` is the door that it
/// belongs to.
pub(super) fn conflict(
    snapshot: &Snapshot<'_>,
    believed: Believed,
    board: &BoardName,
    mac: Mac,
    door: Option<&Door>,
) -> Result<Option<Conflict>> {
    let is_asked = match door {
        Some(door) if door.confirmed_mac == mac => true,
        Some(door) => requests::asked_for(snapshot, door.intercom_id, mac)?,
        None => false,
    };
    if is_asked {
        return Ok(None);
    }
    let owner = macs::owner(snapshot, mac)?;
    if let Some((owner, _)) = &owner
        && owner != board
    {
        return Ok(Some(Conflict::OfAnother(owner.clone())));
    }
    if let Some(door) = door {
        return Ok(Some(Conflict::Unasked(door.confirmed_mac)));
    }
    let is_enrolled = owner.is_some_and(|(_, enrolled)| enrolled);
    Ok((believed == Believed::Known && !is_enrolled).then_some(Conflict::NotEnrolled))
}

/// A board has lost its door: what it was only believed because of that door counts no more, and what
/// it carries unasked may be its own.
pub(super) fn judge_anew(
    transaction: &Transaction<'_>,
    board: &BoardName,
    believed: Believed,
) -> Result<()> {
    let Some(claim) = boards::claim(transaction, board)? else { return Ok(()) };
    let door = of_board(transaction, board)?;
    let conflict = conflict(transaction, believed, board, claim.mac, door.as_ref())?;
    if boards::set_conflict(transaction, board, conflict.as_ref())? {
        transaction.changed(Changed::Mac(claim.mac));
    }
    Ok(())
}
