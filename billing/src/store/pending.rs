//! The queue as a panel sees it: the pending requests, in the shape that goes over the wire.

use intercom_wire::{BoardName, Mac, RequestBody, RequestId, Target};
use rusqlite::{Connection, Result, Row, named_params};

use super::column::{parsed, parsed_or_null};
use crate::offer::Waiting;

/// A pending request with what tells who hears it.
#[derive(Debug, Clone)]
pub struct Pending {
    /// What goes over the wire.
    pub body: RequestBody,
    /// What the rule of `offer` must know.
    pub waiting: Waiting,
    /// The board that is the intercom's panel, where it is known.
    pub named_board: Option<BoardName>,
    /// The board behind `new_mac`, where it is known.
    pub replacing_board: Option<BoardName>,
}

const SELECT: &str = "
    SELECT r.*, i.confirmed_mac, i.board AS named_board, replacing.board AS replacing_board,
           replacing.present_until_ms
    FROM requests r
    JOIN intercoms i ON i.id = r.intercom_id AND i.deleted_ms IS NULL
    LEFT JOIN boards replacing ON replacing.mac = r.new_mac
    WHERE r.state = 'pending'";

/// Every pending request, the oldest first.
pub fn all(connection: &Connection) -> Result<Vec<Pending>> {
    connection
        .prepare_cached(&format!("{SELECT} ORDER BY r.number"))?
        .query_map([], pending)?
        .collect()
}

/// One pending request.
pub fn by_id(connection: &Connection, request_id: &RequestId) -> Result<Pending> {
    connection
        .prepare_cached(&format!("{SELECT} AND r.request_id = ?1"))?
        .query_row([request_id.as_str()], pending)
}

/// Whoever polls.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The MAC address that it carries.
    pub mac: Mac,
    /// The board that it is.
    pub board: Option<BoardName>,
    /// The intercom that it believes to be.
    pub id: Option<i64>,
}

/// The pending requests that may be for a caller, by its MAC address, its board or its ID; its ID
/// counts only while nothing speaks against it: no other live intercom has its MAC address, and no
/// other board is known for that intercom.
pub fn heard_by(connection: &Connection, caller: &Caller) -> Result<Vec<Pending>> {
    connection
        .prepare_cached(&format!(
            "{SELECT} AND r.number IN (
                SELECT number FROM requests WHERE state = 'pending' AND new_mac = :mac
                UNION SELECT r.number FROM requests r JOIN intercoms i ON i.id = r.intercom_id
                    WHERE r.state = 'pending' AND i.confirmed_mac = :mac AND i.deleted_ms IS NULL
                UNION SELECT r.number FROM requests r JOIN intercoms i ON i.id = r.intercom_id
                    WHERE r.state = 'pending' AND i.board = :board AND i.deleted_ms IS NULL
                UNION SELECT r.number FROM requests r JOIN intercoms i ON i.id = r.intercom_id
                    WHERE r.intercom_id = :id AND r.state = 'pending'
                    AND NOT EXISTS (SELECT 1 FROM intercoms o WHERE o.deleted_ms IS NULL
                        AND o.id <> i.id AND :mac IN (o.confirmed_mac, o.desired_mac))
                    AND coalesce(i.board = :board, 1))
             ORDER BY r.number"
        ))?
        .query_map(
            named_params! {
                ":mac": caller.mac.to_string(),
                ":board": caller.board.as_ref().map(BoardName::as_str),
                ":id": caller.id,
            },
            pending,
        )?
        .collect()
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
