//! The requests of swaps: two intercoms exchange their panels, each has a request, and both end
//! together.

use intercom_wire::{BoardName, RequestId};

use super::changes::Changed;
use super::column::parsed_or_null;
use super::engine::params;
use super::statement::statements;
use super::{Result, Snapshot, Transaction};

/// What a request of a swap has besides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Half {
    /// The intercom whose panel this one gets.
    pub with: i64,
    /// The board that has said that it carries what is asked for.
    pub confirmed_by: Option<BoardName>,
}

statements! {
    OF_A_REQUEST = "SELECT with_intercom, confirmed_by FROM swaps WHERE request_id = ?1";
    ADD = "INSERT INTO swaps (request_id, with_intercom) VALUES (?1, ?2)";
    CONFIRM = "UPDATE swaps SET confirmed_by = ?2 WHERE request_id = ?1";
    LET_GO = "
        UPDATE intercoms SET confirmed_mac = 'exchanged ' || id, confirmed_serial_number = NULL,
            desired_mac = 'exchanged ' || id, desired_serial_number = NULL
        WHERE id = ?1";
}

/// The half of a swap that a request is, if it is one.
pub fn of(snapshot: &Snapshot<'_>, request_id: &RequestId) -> Result<Option<Half>> {
    snapshot.first(OF_A_REQUEST, [request_id.as_str()], |row| {
        Ok(Half {
            with: row.get("with_intercom")?,
            confirmed_by: parsed_or_null(row, "confirmed_by")?,
        })
    })
}

/// A queued request is for the panel of another intercom.
pub fn add(transaction: &Transaction<'_>, request_id: &RequestId, with: i64) -> Result<()> {
    transaction.execute(ADD, params![request_id.as_str(), with])?;
    transaction.changed(Changed::Request(request_id.clone()));
    Ok(())
}

/// A board carries what is asked for. It is not offered the request any more.
pub fn confirm(
    transaction: &Transaction<'_>,
    request_id: &RequestId,
    board: &BoardName,
) -> Result<()> {
    transaction.execute(CONFIRM, [request_id.as_str(), board.as_str()])?;
    transaction.changed(Changed::Request(request_id.clone()));
    Ok(())
}

/// An intercom lets its identity go within a transaction that gives it another one: after each row it is
/// checked that no two have the same.
pub fn let_go(transaction: &Transaction<'_>, intercom_id: i64) -> Result<()> {
    transaction.execute(LET_GO, [intercom_id])?;
    Ok(())
}
