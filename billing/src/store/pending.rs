//! The queue as a panel sees it: the pending requests, in the shape that goes over the wire.

use intercom_wire::{BoardName, Mac, RequestBody, RequestId, Target};
use rusqlite::{Result, Row, named_params};

use super::Snapshot;
use super::changes::Changed;
use super::column::{parsed, parsed_or_null};
use super::statement::statements;
use crate::offer::Waiting;

/// A pending request with what decides who it is offered to.
#[derive(Debug, Clone)]
pub struct Pending {
    /// What goes over the wire.
    pub body: RequestBody,
    /// What the rule of `offer` needs.
    pub waiting: Waiting,
    /// The board that is the intercom's panel, where it is known.
    pub named_board: Option<BoardName>,
    /// The board with `new_mac`, where it is known.
    pub replacing_board: Option<BoardName>,
}

/// Who polls.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The MAC address that it carries.
    pub mac: Mac,
    /// The board that it is.
    pub board: Option<BoardName>,
    /// The intercom that it believes to be.
    pub id: Option<i64>,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT r.*, i.confirmed_mac, i.board AS named_board,
                    replacing.board AS replacing_board, replacing.present_until_ms,
                    (SELECT client_id FROM service) AS issuer
             FROM requests r
             JOIN intercoms i ON i.id = r.intercom_id AND i.deleted_ms IS NULL
             LEFT JOIN boards replacing ON replacing.mac = r.new_mac
             WHERE r.state = 'pending' AND ",
            $rest
        )
    };
}

statements! {
    BY_ID = select!("r.request_id = ?1");
    OF_AN_INTERCOM = "SELECT request_id FROM requests WHERE state = 'pending' AND intercom_id = ?1";
    WITH_NEW_MAC = "SELECT request_id FROM requests WHERE state = 'pending' AND new_mac = ?1";
    /// One part for each way to be meant, since each has its own index. CROSS JOIN keeps its order:
    /// first the intercom, then its request.
    FOR_A_CALLER = select!(
        "r.number IN (
            SELECT number FROM requests WHERE state = 'pending' AND new_mac = :mac
            UNION SELECT p.number FROM intercoms i CROSS JOIN requests p ON p.intercom_id = i.id
                WHERE p.state = 'pending' AND i.confirmed_mac = :mac AND i.deleted_ms IS NULL
            UNION SELECT p.number FROM intercoms i CROSS JOIN requests p ON p.intercom_id = i.id
                WHERE p.state = 'pending' AND i.board = :board AND i.deleted_ms IS NULL
            UNION SELECT p.number FROM intercoms i CROSS JOIN requests p ON p.intercom_id = i.id
                WHERE i.id = :id AND p.state = 'pending'
                AND NOT EXISTS (SELECT 1 FROM intercoms o WHERE o.deleted_ms IS NULL
                    AND o.id <> i.id AND o.confirmed_mac = :mac)
                AND NOT EXISTS (SELECT 1 FROM intercoms o WHERE o.deleted_ms IS NULL
                    AND o.id <> i.id AND o.desired_mac = :mac)
                AND coalesce(i.board = :board, 1))
         ORDER BY r.number"
    );
}

/// A request, if it is pending.
pub fn by_id(snapshot: &Snapshot<'_>, request_id: &RequestId) -> Result<Option<Pending>> {
    snapshot.first(BY_ID, [request_id.as_str()], pending)
}

/// The requests whose offers may depend on what has changed: those that are pending, and one that
/// may have ended.
pub fn affected_by(snapshot: &Snapshot<'_>, changed: &Changed) -> Result<Vec<RequestId>> {
    match changed {
        Changed::Request(request_id) => Ok(vec![request_id.clone()]),
        Changed::Intercom(id) => {
            snapshot.all(OF_AN_INTERCOM, [id], |row| parsed(row, "request_id"))
        }
        Changed::Board(mac) => {
            snapshot.all(WITH_NEW_MAC, [mac.to_string()], |row| parsed(row, "request_id"))
        }
    }
}

/// The pending requests that may be for a caller: by its MAC address, its board or its ID. The ID
/// counts only if no other live intercom has the caller's MAC address, and no other board is known
/// for that intercom.
pub fn for_caller(snapshot: &Snapshot<'_>, caller: &Caller) -> Result<Vec<Pending>> {
    snapshot.all(
        FOR_A_CALLER,
        named_params! {
            ":mac": caller.mac.to_string(),
            ":board": caller.board.as_ref().map(BoardName::as_str),
            ":id": caller.id,
        },
        pending,
    )
}

fn pending(row: &Row<'_>) -> Result<Pending> {
    let new_mac = parsed_or_null(row, "new_mac")?;
    let confirmed_mac = parsed(row, "confirmed_mac")?;
    Ok(Pending {
        body: RequestBody {
            id: row.get("named_id")?,
            mac: parsed_or_null(row, "named_mac")?,
            new_mac,
            new_serial_number: parsed_or_null(row, "new_serial_number")?,
            model: row.get("to_model")?,
            log_extra: parsed_or_null(row, "log_extra")?,
            request_id: parsed(row, "request_id")?,
            issuer: parsed(row, "issuer")?,
            nonce: None,
            seq: row.get("seq")?,
            target: Target {
                id: Some(row.get("intercom_id")?),
                mac: Some(confirmed_mac),
                board: None,
            },
        },
        waiting: Waiting {
            new_mac,
            confirmed_mac,
            asked_ms: row.get("asked_ms")?,
            present_until_ms: row.get("present_until_ms")?,
        },
        named_board: parsed_or_null(row, "named_board")?,
        replacing_board: parsed_or_null(row, "replacing_board")?,
    })
}
