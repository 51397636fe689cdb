//! Changes by hand on boards that are no door's: they wait for an operator's yes.

use intercom_wire::{BoardName, Identity, Mac};

use super::changes::Changed;
use super::column::{parsed, parsed_or_null, text};
use super::engine::{Row, params};
use super::statement::statements;
use super::{Result, Snapshot, Transaction, deliveries};
use crate::event::{Event, What};

/// Upper bound on the changes that wait; one more takes the place of the oldest.
const KEPT: i64 = 1_000;

/// A change that nobody has asked for, as its board reported it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByHand {
    /// The board.
    pub board: BoardName,
    /// What it carries now.
    pub identity: Identity,
    /// Its model.
    pub model: Option<String>,
    /// The MAC address that it carried before.
    pub previous_mac: Mac,
}

statements! {
    OF_A_BOARD = "SELECT * FROM by_hand WHERE board = ?1";
    ALL = "SELECT * FROM by_hand ORDER BY arrived_ms LIMIT 1000";
    KEEP = "
        INSERT INTO by_hand (board, mac, serial_number, model, previous_mac, arrived_ms)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT (board) DO UPDATE SET
            mac = excluded.mac, serial_number = excluded.serial_number, model = excluded.model,
            previous_mac = excluded.previous_mac, arrived_ms = excluded.arrived_ms";
    MAKE_ROOM = "
        DELETE FROM by_hand WHERE board IN
            (SELECT board FROM by_hand ORDER BY arrived_ms DESC LIMIT 9223372036854775807 OFFSET ?1)";
    DELETE = "DELETE FROM by_hand WHERE board = ?1";
}

/// What waits, of one board.
pub fn of_board(snapshot: &Snapshot<'_>, board: &BoardName) -> Result<Option<ByHand>> {
    snapshot.first(OF_A_BOARD, [board.as_str()], by_hand)
}

/// Everything that waits, the oldest first.
pub fn all(snapshot: &Snapshot<'_>) -> Result<Vec<ByHand>> {
    snapshot.all(ALL, (), by_hand)
}

fn by_hand(row: &Row<'_>) -> Result<ByHand> {
    Ok(ByHand {
        board: parsed(row, "board")?,
        identity: Identity {
            mac: parsed(row, "mac")?,
            serial_number: parsed_or_null(row, "serial_number")?,
        },
        model: row.get("model")?,
        previous_mac: parsed(row, "previous_mac")?,
    })
}

/// A change waits. A board has one; a later one takes its place.
pub fn keep(transaction: &Transaction<'_>, change: &ByHand, now_ms: i64) -> Result<()> {
    transaction.execute(
        KEEP,
        params![
            change.board.as_str(),
            change.identity.mac.to_string(),
            text(change.identity.serial_number.as_ref()),
            change.model,
            change.previous_mac.to_string(),
            now_ms,
        ],
    )?;
    transaction.execute(MAKE_ROOM, [KEPT])?;
    transaction.changed(Changed::Board(change.board.clone()));
    let what = What::Question { board: change.board.clone(), identity: change.identity.clone() };
    deliveries::add(transaction, &Event { intercom_id: None, what })
}

/// What waited is done, or has been taken back.
pub fn remove(transaction: &Transaction<'_>, board: &BoardName) -> Result<()> {
    transaction.execute(DELETE, [board.as_str()])?;
    Ok(())
}
