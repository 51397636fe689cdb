//! The boards that are there and whose claim is not believed, and the names that two boards have.

use intercom_wire::{BoardName, Identity};

use super::boards::Conflict;
use super::column::{parsed, parsed_or_null};
use super::doors::{self, Door};
use super::engine::{Row, params};
use super::macs::Believed;
use super::statement::statements;
use super::{Result, Snapshot, Transaction, changes::Changed};

/// A claim that is not believed.
#[derive(Debug, Clone)]
pub struct Dispute {
    /// The board.
    pub board: BoardName,
    /// What it claims to carry.
    pub claim: Identity,
    /// Why that is not believed.
    pub conflict: Conflict,
    /// The door that the board belongs to.
    pub door: Option<Door>,
}

statements! {
    DISPUTED = "
        SELECT board, mac, serial_number FROM boards
        WHERE conflict IS NOT NULL AND present_until_ms > ?1 ORDER BY board LIMIT ?2";
    OF_A_BOARD = "
        SELECT board, mac, serial_number FROM boards WHERE conflict IS NOT NULL AND board = ?1";
    TWINS = "SELECT board FROM boards WHERE twins_until_ms > ?1 ORDER BY twins_until_ms LIMIT ?2";
    NO_TWINS = "UPDATE boards SET twins_until_ms = NULL WHERE board = ?1";
}

/// The claims that are not believed, of boards that are there; at most `limit`.
pub fn all(
    snapshot: &Snapshot<'_>,
    believed: Believed,
    now_ms: i64,
    limit: i64,
) -> Result<Vec<Dispute>> {
    let claims = snapshot.all(DISPUTED, [now_ms, limit], claim)?;
    let disputes =
        claims.into_iter().map(|(board, claim)| dispute(snapshot, believed, board, claim));
    disputes.filter_map(Result::transpose).collect()
}

/// The claim of this board, if it is not believed.
pub fn of_board(
    snapshot: &Snapshot<'_>,
    believed: Believed,
    board: &BoardName,
) -> Result<Option<Dispute>> {
    match snapshot.first(OF_A_BOARD, [board.as_str()], claim)? {
        Some((board, claim)) => dispute(snapshot, believed, board, claim),
        None => Ok(None),
    }
}

fn claim(row: &Row<'_>) -> Result<(BoardName, Identity)> {
    let serial_number = parsed_or_null(row, "serial_number")?;
    Ok((parsed(row, "board")?, Identity { mac: parsed(row, "mac")?, serial_number }))
}

/// What was decided since the board spoke counts.
fn dispute(
    snapshot: &Snapshot<'_>,
    believed: Believed,
    board: BoardName,
    claim: Identity,
) -> Result<Option<Dispute>> {
    let door = doors::of_board(snapshot, &board)?;
    let conflict = doors::conflict(snapshot, believed, &board, claim.mac, door.as_ref())?;
    Ok(conflict.map(|conflict| Dispute { board, claim, conflict, door }))
}

/// The names that two boards have; at most `limit`.
pub fn twins(snapshot: &Snapshot<'_>, now_ms: i64, limit: i64) -> Result<Vec<BoardName>> {
    snapshot.all(TWINS, params![now_ms, limit], |row| parsed(row, "board"))
}

/// Only one board has this name any more.
pub fn no_twins(transaction: &Transaction<'_>, board: &BoardName) -> Result<()> {
    transaction.execute(NO_TWINS, [board.as_str()])?;
    transaction.changed(Changed::Board(board.clone()));
    Ok(())
}
